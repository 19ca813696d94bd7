"""The former names of `waiting.py`."""

from chicago_crime_tests.waiting import TIMEOUT_S as PATIENCE_S
from chicago_crime_tests.waiting import wait_until as until

__all__ = ["PATIENCE_S", "until"]
