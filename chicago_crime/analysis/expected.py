"""Expected ranges of counts, from the same days of earlier years, and verdicts on counts.

The verdicts are words: unusual, may be chance, usual, or cannot tell.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Counts = npt.ArrayLike

USUAL, UNUSUAL, BY_CHANCE, TOO_FEW = "usual", "unusual", "may be chance", "cannot tell"

LEVEL = 0.05
"""Accepted false discovery rate among counts called unusual."""

NORMAL_95 = 1.959964
"""95% of a normal distribution lies within this many standard deviations of the mean."""

SAME_OFFENSE, OTHER_OFFENSES = 16, 4
"""Weight, in years, of the variation pooled over other rows: the same offense in other areas, or other offenses.

Near the prior degrees of freedom that the method of Smyth (2004) estimates from Chicago's years 2014 to 2016: 18 and 2.
"""

MIN_YEARS = 2
"""Minimum number of earlier years; fewer do not show how counts vary."""

MAX_YEARS = 5
"""Maximum number of earlier years; the newest loaded years are used."""

MAX_AGE_YEARS = 10
"""Maximum age of an earlier year, in years."""


def anscombe(counts: Counts) -> Floats:
    """Anscombe transform 2 sqrt(x + 3/8), which gives Poisson counts of any size a variance of about 1."""
    return 2 * np.sqrt(np.asarray(counts, dtype=float) + 3 / 8)


def inverse_anscombe(values: Floats) -> Floats:
    """Inverse of the Anscombe transform, at least 0."""
    return np.maximum((np.maximum(values, 0) / 2) ** 2 - 3 / 8, 0)


def overdispersion(
    history: Counts, weight: int = OTHER_OFFENSES, offense: Counts | None = None, totals: int = 0
) -> tuple[Floats, Floats]:
    """Estimate the overdispersion of counts: their variance from year to year, relative to a Poisson process.

    Each row's own few years are combined with the relative variation pooled over similar rows. The pool weighs at most
    as many years as the other rows have.

    Args:
        history: counts by row and earlier year; NaN for years that are not loaded.
        weight: of the pool: SAME_OFFENSE or OTHER_OFFENSES.
        offense: number of each row's offense, whose rows form a pool; None for one pool of all rows.
        totals: number of rows at the end that are totals of the others and do not contribute to the pool.

    Returns:
        For each row, the variance ratio, at least 1, and its degrees of freedom.
    """
    counts = np.asarray(history, dtype=float)
    years = (~np.isnan(counts)).sum(axis=1)
    own, free = np.ones(len(counts)), np.maximum(years - 1, 0).astype(float)
    mean = np.zeros(len(counts))
    known = years > 1
    own[known] = np.nanvar(anscombe(counts[known]), axis=1, ddof=1)
    mean[known] = np.nanmean(counts[known], axis=1)
    pool = np.zeros(len(counts), dtype=int) if offense is None else np.asarray(offense)
    contributes = np.arange(len(counts)) < len(counts) - totals
    excess, total, pooled = (np.bincount(pool, values * contributes) for values in (own - 1, mean, free))
    relative = np.maximum(np.divide(excess, total, out=np.zeros(len(total)), where=total > 0), 0)[pool]
    prior = np.where(known, np.clip(pooled[pool] - free, 0, weight), weight)
    combined = (prior * (1 + relative * mean) + free * own) / (prior + free)
    return np.maximum(combined, 1), prior + free


def normal_score(t: Counts, freedom: Counts) -> Floats:
    """Convert Student's t to the equivalent z-score (Wallace 1959; within 0.2% for 4 or more degrees of freedom)."""
    t, n = np.asarray(t, dtype=float), np.asarray(freedom, dtype=float)
    return np.asarray(np.sign(t) * (8 * n + 1) / (8 * n + 3) * np.sqrt(n * np.log1p(t**2 / n)))


def student_score(z: float, freedom: Floats) -> Floats:
    """Convert a z-score to the equivalent Student's t: the inverse of `normal_score`."""
    return np.sqrt(freedom * np.expm1((z * (8 * freedom + 3) / (8 * freedom + 1)) ** 2 / freedom))


def p_value(z: Counts) -> Floats:
    """Two-sided p-values of z-scores."""
    return np.vectorize(math.erfc, otypes=[float])(np.abs(np.asarray(z, dtype=float)) / math.sqrt(2))


def adjusted(p: Counts) -> Floats:
    """p-values adjusted for multiple tests by the Benjamini-Hochberg procedure. NaN is not counted as a test."""
    p = np.asarray(p, dtype=float)
    tested = np.flatnonzero(~np.isnan(p))
    order = tested[np.argsort(p[tested])]
    ranked = p[order] * len(order) / np.arange(1, len(order) + 1)
    found = np.full(p.shape, np.nan)
    found[order] = np.minimum(np.minimum.accumulate(ranked[::-1])[::-1], 1)
    return found


@dataclass(frozen=True)
class Expected:
    """Expected counts, by row.

    Attributes:
        low, high: 95% prediction interval if nothing changed.
        middle: center of the interval.
        score: z-score of the actual count; negative if it is below the center.
    """

    low: Floats
    high: Floats
    middle: Floats
    score: Floats

    def ranges(self) -> list[tuple[int, int] | tuple[None, None]]:
        """Return the whole numbers within each interval; None where nothing was tested."""
        found = zip(self.low.tolist(), self.high.tolist(), self.score.tolist(), strict=True)
        return [(None, None) if math.isnan(score) else (math.ceil(low), math.floor(high)) for low, high, score in found]

    def verdicts(self) -> list[str | None]:
        """Return the verdict on each count; None where nothing was tested.

        A count that is significant by itself, but not after adjustment for all tests, may be chance. If the interval
        extends to half its center, the counts are too small to tell.
        """
        p, are_few = p_value(self.score), self.low <= self.middle / 2
        found = np.select(
            [np.isnan(p), adjusted(p) <= LEVEL, p <= LEVEL, are_few], ["", UNUSUAL, BY_CHANCE, TOO_FEW], USUAL
        )
        return [word or None for word in found.tolist()]


def expected(
    history: Counts, now: Counts, weight: int = OTHER_OFFENSES, offense: Counts | None = None, totals: int = 0
) -> Expected:
    """Compare counts with earlier years. Rows with fewer than MIN_YEARS of them are NaN.

    Args:
        history: counts by row and earlier year; NaN for years that are not loaded.
        now: counts by row.
        weight, offense, totals: as for `overdispersion`.
    """
    counts = np.asarray(history, dtype=float)
    years = (~np.isnan(counts)).sum(axis=1)
    enough = years >= MIN_YEARS
    dispersion, freedom = overdispersion(counts, weight, offense, totals)
    center = np.full(len(counts), np.nan)
    center[enough] = np.nanmean(anscombe(counts[enough]), axis=1)
    error = np.sqrt(dispersion * (1 + 1 / np.maximum(years, 1)))
    margin = student_score(NORMAL_95, freedom) * error
    return Expected(
        low=inverse_anscombe(center - margin),
        high=inverse_anscombe(center + margin),
        middle=inverse_anscombe(center),
        score=normal_score((anscombe(now) - center) / error, freedom),
    )
