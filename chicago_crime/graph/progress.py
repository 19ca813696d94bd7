"""Progress of a run, for callers in the same process. Nothing of it is stored; Dagster's events are."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """One year of one asset: started, in progress, or finished.

    Attributes:
        rows: number of rows; None until it is finished.
        seconds: duration; None until it is finished, and for unchanged years.
        share: progress from 0 to 1; None if unknown.
        waits_for: id of the run that holds the year's lock; None otherwise.
    """

    asset: str
    year: int
    rows: int | None = None
    seconds: float | None = None
    share: float | None = None
    waits_for: str | None = None

    @property
    def is_finished(self) -> bool:
        """Whether the asset is finished for this year."""
        return self.rows is not None


Listener = Callable[[Step], None]
"""Called with each step, from several threads concurrently."""


def ignore_progress(step: Step) -> None:
    """Listener that does nothing."""
