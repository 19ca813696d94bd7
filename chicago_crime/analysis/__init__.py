"""Whether a number means anything: what pages, reports and interfaces share. Pure functions of arrays.

Each method, with its source and its limits, is described in `docs/reference/methods.md`.
"""
