"""How long tests wait for what must come.

Here belongs waiting only. A wait that ends too early fails a test that nothing is wrong with, on a machine that is busy
or slow; one that ends late costs time only where something is broken. So there is one limit, and it is generous.
"""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
PATIENCE_S = 300


def until(look: Callable[[], T], *patient_with: type[Exception]) -> T:
    """Look again and again until there is something true to see, and return it."""
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            if seen := look():
                return seen
        except patient_with:
            pass
        assert time.monotonic() < end, f"it did not come to that within {PATIENCE_S} seconds"
        time.sleep(0.1)
