"""The parts of the platform on Google Cloud: one component per file.

Nothing belongs in this file: `__main__.py` says which parts there are.
"""
