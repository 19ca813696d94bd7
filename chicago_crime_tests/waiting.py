"""One timeout for every wait in the tests.

A wait that ends too early fails a correct program on a busy machine. One that ends late costs time only when something
is broken. So there is a single, generous limit.
"""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
TIMEOUT_S = 300


def wait_until(condition: Callable[[], T], *ignore: type[Exception]) -> T:
    """Call `condition` until it returns something true, and return that; exceptions in `ignore` count as false."""
    end = time.monotonic() + TIMEOUT_S
    while True:
        try:
            if result := condition():
                return result
        except ignore:
            pass
        assert time.monotonic() < end, f"still not true after {TIMEOUT_S} seconds"
        time.sleep(0.1)
