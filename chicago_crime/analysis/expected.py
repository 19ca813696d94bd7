"""What was to be expected: ranges from the same days of earlier years, and what to call a count that is outside.

In words, not stars: unusual, may be chance, usual, or cannot tell.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Counts = npt.ArrayLike

USUAL, UNUSUAL, BY_CHANCE, TOO_FEW = "usual", "unusual", "may be chance", "cannot tell"

LEVEL = 0.05
"""The share of false discoveries that is accepted among all that is called unusual."""

NORMAL_95 = 1.959964
"""The standard score that 95 % of a normal distribution lie within."""

ALIKE, UNLIKE = 16, 4
"""How many years of its own the variation that a row shares with others is worth: those of one offense in other areas,
or those of other offenses. Estimated as by Smyth (2004) from Chicago's years 2014 to 2016, which gave 18 and 2."""

LEAST_YEARS = 2
"""With fewer earlier years, nothing is known of how counts vary."""

MOST_YEARS = 5
"""How many earlier years are compared with: the newest that are loaded."""

OLDEST = 10
"""How many years back they may lie."""


def root(counts: Counts) -> Floats:
    """Counts on the scale 2 sqrt(x + 3/8), on which those of a Poisson process vary by 1, whatever their size."""
    return 2 * np.sqrt(np.asarray(counts, dtype=float) + 3 / 8)


def unroot(values: Floats) -> Floats:
    """The counts that have these values on the scale of `root`; below 0 there are none."""
    return np.maximum((np.maximum(values, 0) / 2) ** 2 - 3 / 8, 0)


def overdispersion(
    history: Counts, worth: int = UNLIKE, offense: Counts | None = None, totals: int = 0
) -> tuple[Floats, Floats]:
    """How much more than Poisson counts vary from year to year.

    Args:
        history: counts by row and earlier year; NaN for a year that is not loaded.
        worth: ALIKE or UNLIKE.
        offense: by row, the number of the offense that it shares its relative variation with; None if all share it.
        totals: how many of the last rows are totals of the others: they vary as these do, and teach them nothing.

    Returns:
        By row: the variance of a count divided by that of a Poisson count, at least 1; and the degrees of freedom of
        that estimate. A row's own few years are mixed with the relative variation of the rows that it is alike, which
        is worth no more years than the other rows have.
    """
    counts = np.asarray(history, dtype=float)
    years = (~np.isnan(counts)).sum(axis=1)
    own, free = np.ones(len(counts)), np.maximum(years - 1, 0).astype(float)
    mean = np.zeros(len(counts))
    known = years > 1
    own[known] = np.nanvar(root(counts[known]), axis=1, ddof=1)
    mean[known] = np.nanmean(counts[known], axis=1)
    alike = np.zeros(len(counts), dtype=int) if offense is None else np.asarray(offense)
    lends = np.arange(len(counts)) < len(counts) - totals
    excess, total, lent = (np.bincount(alike, of * lends) for of in (own - 1, mean, free))
    shared = np.maximum(np.divide(excess, total, out=np.zeros(len(total)), where=total > 0), 0)[alike]
    borrowed = np.where(known, np.minimum(worth, lent[alike] - free), worth)
    mixed = (borrowed * (1 + shared * mean) + free * own) / (borrowed + free)
    return np.maximum(mixed, 1), borrowed + free


def normal_score(t: Counts, freedom: Counts) -> Floats:
    """The standard score that is as improbable as Student's t (Wallace 1959, within 0.2 % from four degrees on)."""
    t, n = np.asarray(t, dtype=float), np.asarray(freedom, dtype=float)
    return np.asarray(np.sign(t) * (8 * n + 1) / (8 * n + 3) * np.sqrt(n * np.log1p(t**2 / n)))


def student_score(z: float, freedom: Floats) -> Floats:
    """Student's t that is as improbable as a standard score: the inverse of `normal_score`."""
    return np.sqrt(freedom * np.expm1((z * (8 * freedom + 3) / (8 * freedom + 1)) ** 2 / freedom))


def p_of_score(z: Counts) -> Floats:
    """The two-sided p-value of standard scores."""
    return np.vectorize(math.erfc, otypes=[float])(np.abs(np.asarray(z, dtype=float)) / math.sqrt(2))


def adjusted(p: Counts) -> Floats:
    """p-values of many tests such that calling those up to LEVEL unusual makes at most that share of them false.

    The procedure of Benjamini and Hochberg. NaN stays NaN and is not counted as a test.
    """
    p = np.asarray(p, dtype=float)
    tested = np.flatnonzero(~np.isnan(p))
    order = tested[np.argsort(p[tested])]
    ranked = p[order] * len(order) / np.arange(1, len(order) + 1)
    found = np.full(p.shape, np.nan)
    found[order] = np.minimum(np.minimum.accumulate(ranked[::-1])[::-1], 1)
    return found


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
        """What to call each count, of all rows at once; None where nothing was tested.

        What would be unusual alone, but is not among all that are tested together, may be chance. Too few to tell: the
        range reaches down to half its middle.
        """
        p, are_few = p_of_score(self.score), self.low <= self.middle / 2
        found = np.select(
            [np.isnan(p), adjusted(p) <= LEVEL, p <= LEVEL, are_few], ["", UNUSUAL, BY_CHANCE, TOO_FEW], USUAL
        )
        return [word or None for word in found.tolist()]


def expected(
    history: Counts, now: Counts, worth: int = UNLIKE, offense: Counts | None = None, totals: int = 0
) -> Expected:
    """Compare counts with those of earlier years. Rows with fewer than LEAST_YEARS of them are NaN.

    Args:
        history: counts by row and earlier year; NaN for a year that is not loaded.
        now: counts by row.
        worth, offense, totals: as for `overdispersion`.
    """
    counts = np.asarray(history, dtype=float)
    years = (~np.isnan(counts)).sum(axis=1)
    enough = years >= LEAST_YEARS
    dispersion, freedom = overdispersion(counts, worth, offense, totals)
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
