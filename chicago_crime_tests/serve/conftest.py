"""The sample installation of the dashboard's tests."""

from chicago_crime_tests.dashboard.conftest import sample

__all__ = ["sample"]
