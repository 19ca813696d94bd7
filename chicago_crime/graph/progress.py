"""Progress of a run, for whoever started it in the same process. What is to be kept belongs in Dagster's events."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """One year of one asset: started, under way, or finished.

    Attributes:
        asset: its key.
        year: its year.
        rows: rows that it now holds; None until it is finished.
        seconds: how long it took; None until it is finished, and of a year of which nothing had to be made.
        share: how much of it is done, 0 to 1; None where that is unknown.
        waits_for: id of another run that works on the year, before the first asset; None otherwise.
    """

    asset: str
    year: int
    rows: int | None = None
    seconds: float | None = None
    share: float | None = None
    waits_for: str | None = None

    @property
    def is_finished(self) -> bool:
        """True if this is the last step of the year."""
        return self.rows is not None


Listener = Callable[[Step], None]
"""Is called with each step, by several threads at once: years run in threads of their own."""


def ignore_progress(step: Step) -> None:
    """Do nothing: the listener of a run that nobody watches."""
