"""Chicago's reported crimes since 2001, from yearly CSVs to tables and marts.

Nothing belongs in this file: import from the modules. `definitions.py` is the place to start reading.
"""
