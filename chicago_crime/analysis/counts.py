"""How much counts vary, and what to call one that differs: unusual, may be chance, usual, or cannot tell."""

import math

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


def root(counts: Counts) -> Floats:
    """Counts on the scale 2 sqrt(x + 3/8), on which those of a Poisson process vary by 1, whatever their size."""
    return 2 * np.sqrt(np.asarray(counts, dtype=float) + 3 / 8)


def unroot(values: Floats) -> Floats:
    """The counts that have these values on the scale of `root`; below 0 there are none."""
    return np.maximum((np.maximum(values, 0) / 2) ** 2 - 3 / 8, 0)


def overdispersion(history: Counts, worth: int = UNLIKE, offense: Counts | None = None) -> tuple[Floats, Floats]:
    """How much more than Poisson counts vary from year to year.

    Args:
        history: counts by row and earlier year; NaN for a year that is not loaded.
        worth: ALIKE or UNLIKE.
        offense: by row, the number of the offense that it shares its relative variation with; None if all share it.

    Returns:
        By row: the variance of a count divided by that of a Poisson count, at least 1; and the degrees of freedom of
        that estimate. A row's own few years are mixed with the relative variation of the rows that it is alike.
    """
    counts = np.asarray(history, dtype=float)
    years = (~np.isnan(counts)).sum(axis=1)
    own, free = np.ones(len(counts)), np.maximum(years - 1, 0).astype(float)
    mean = np.zeros(len(counts))
    known = years > 1
    own[known] = np.nanvar(root(counts[known]), axis=1, ddof=1)
    mean[known] = np.nanmean(counts[known], axis=1)
    alike = np.zeros(len(counts), dtype=int) if offense is None else np.asarray(offense)
    excess, total = np.bincount(alike, own - 1), np.bincount(alike, mean)
    shared = np.maximum(np.divide(excess, total, out=np.zeros(len(total)), where=total > 0), 0)[alike]
    mixed = (worth * (1 + shared * mean) + free * own) / (worth + free)
    return np.maximum(mixed, 1), worth + free


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


def words(p: Floats, are_few: npt.NDArray[np.bool_]) -> list[str | None]:
    """Verdicts in words, by row; None where nothing was tested. What would be unusual alone, but is not among all that
    are tested together, may be chance."""
    found = np.select(
        [np.isnan(p), adjusted(p) <= LEVEL, p <= LEVEL, are_few], ["", UNUSUAL, BY_CHANCE, TOO_FEW], USUAL
    )
    return [word or None for word in found.tolist()]
