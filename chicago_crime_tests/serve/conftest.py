"""The installation that the dashboard's tests look at, for what programs get of it."""

from chicago_crime_tests.dashboard.conftest import sample

__all__ = ["sample"]
