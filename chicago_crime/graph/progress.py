"""Progress: how the work of a run reaches whoever watches it from the same process.

Assets tell here what they begin and finish; the command line listens. Nobody has to listen. What is to be kept belongs
in Dagster's events, not here.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """One year of one asset: begun, under way, or finished.

    Attributes:
        asset: its key.
        year: its year.
        rows: rows it now holds; None until it is finished.
        seconds: how long it took; None until it is finished.
        share: how much of it is done, 0 to 1; None where that is not known.
    """

    asset: str
    year: int
    rows: int | None = None
    seconds: float | None = None
    share: float | None = None

    @property
    def is_finished(self) -> bool:
        """True if this is the last word on the year."""
        return self.rows is not None


Listener = Callable[[Step], None]


def ignore_progress(step: Step) -> None:
    """Do nothing."""


_listeners: list[Listener] = []
_lock = threading.Lock()


def tell(step: Step) -> None:
    """Tell everybody who listens. Years run in threads of their own: listeners are called one at a time."""
    with _lock:
        for listener in _listeners:
            listener(step)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Have a function called with every step while the context lasts."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)
