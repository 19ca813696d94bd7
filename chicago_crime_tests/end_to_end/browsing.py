"""What tests in a browser share: the program to start, a free port for it, and patience."""

import socket
import sys
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
PATIENCE = 60_000  # milliseconds
PROGRAM = [sys.executable, "-c", "from chicago_crime.cli import main; main()"]


def free_port() -> int:
    """A port that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(look: Callable[[], T], *patient_with: type[Exception], for_s: float = PATIENCE / 1000) -> T:
    """Look again until there is something true to see, for so many seconds."""
    end = time.monotonic() + for_s
    while True:
        try:
            if seen := look():
                return seen
        except patient_with:
            pass
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.3)
