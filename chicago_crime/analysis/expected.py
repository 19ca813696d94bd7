"""What was to be expected: ranges from the same days of earlier years."""

from dataclasses import dataclass

import numpy as np

from chicago_crime.analysis.counts import (
    LEAST_YEARS,
    NORMAL_95,
    UNLIKE,
    Counts,
    Floats,
    normal_score,
    overdispersion,
    p_of_score,
    root,
    student_score,
    unroot,
    words,
)

MOST_YEARS = 5
"""How many earlier years are compared with: the newest that are loaded."""

OLDEST = 10
"""How many years back they may lie."""


@dataclass(frozen=True)
class Expected:
    """What was to be expected of each row.

    Attributes:
        low, high: 95 of 100 such counts lie between them, if nothing changed.
        middle: the count in the middle of the range.
        score: how far the count lies from the middle, as a standard score; negative if below.
    """

    low: Floats
    high: Floats
    middle: Floats
    score: Floats

    def verdicts(self) -> list[str | None]:
        """What to call each count, of all rows at once. Too few to say: the range reaches down to half its middle."""
        return words(p_of_score(self.score), self.low <= self.middle / 2)


def expected(history: Counts, now: Counts, worth: int = UNLIKE, offense: Counts | None = None) -> Expected:
    """Compare counts with those of earlier years. Rows with fewer than LEAST_YEARS of them are NaN.

    Args:
        history: counts by row and earlier year; NaN for a year that is not loaded.
        now: counts by row.
        worth, offense: as for `overdispersion`.
    """
    counts = np.asarray(history, dtype=float)
    years = (~np.isnan(counts)).sum(axis=1)
    enough = years >= LEAST_YEARS
    dispersion, freedom = overdispersion(counts, worth, offense)
    center = np.full(len(counts), np.nan)
    center[enough] = np.nanmean(root(counts[enough]), axis=1)
    error = np.sqrt(dispersion * (1 + 1 / np.maximum(years, 1)))
    margin = student_score(NORMAL_95, freedom) * error
    return Expected(
        low=unroot(center - margin),
        high=unroot(center + margin),
        middle=unroot(center),
        score=normal_score((root(now) - center) / error, freedom),
    )
