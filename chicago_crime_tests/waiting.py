"""One generous timeout for all waits in the tests.

A short timeout fails correct programs on a busy machine; a long one only costs time when something is broken.
"""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
TIMEOUT_S = 300


def wait_until(condition: Callable[[], T], *ignore: type[Exception]) -> T:
    """Call `condition` until it returns a true value, and return that. Exceptions in `ignore` are treated as false."""
    end = time.monotonic() + TIMEOUT_S
    while True:
        try:
            if result := condition():
                return result
        except ignore:
            pass
        assert time.monotonic() < end, f"still not true after {TIMEOUT_S} seconds"
        time.sleep(0.1)
