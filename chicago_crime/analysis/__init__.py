"""Statistics shared by pages, reports and interfaces, as pure functions of arrays.

`docs/reference/methods.md` describes each method with its source and limits.
"""
