"""The rules, by what they are about. What they have in common is in `looking.py`."""
