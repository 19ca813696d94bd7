"""The dashboard: five pages that answer from the marts, in a browser on this machine, without the internet.

Each page has a module that makes its `View` from one answer of the warehouse: numbers, charts, and tables that say the
same as the charts. What people choose is in `filters.py`, asking the warehouse in `data.py`, serving in `app.py`.
"""
