"""Is the difference of two counts more than chance? Words, not stars: unusual, may be chance, usual, or cannot tell."""

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

_LARGE = 2_000
"""Above this total, the exact test and the one of square roots differ by less than matters."""

_LOG_FACTORIALS = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, _LARGE + 1)))])


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


def p_of_change(before: Counts, now: Counts, dispersion: Counts = 1.0, freedom: Counts = np.inf) -> Floats:
    """How probable a difference as large as this one is if nothing changed, for each pair of counts.

    The larger p-value of two tests: the exact one of Poisson counts given their total, and that of
    2 (sqrt(now) - sqrt(before)), whose standard deviation is sqrt(2 dispersion).
    """
    score = (root(now) - root(before)) / np.sqrt(2 * np.asarray(dispersion, dtype=float))
    exact = np.vectorize(exact_p, otypes=[float])(np.asarray(before), np.asarray(now))
    return np.maximum(exact, p_of_score(normal_score(score, freedom)))


def exact_p(before: float, now: float) -> float:
    """The two-sided exact conditional test: given their total, which splits are no more probable than this one.

    0 above a total of 2,000, where the test of square roots says the same.
    """
    a, b = int(before), int(now)
    if a + b > _LARGE:
        return 0.0
    logs = -_LOG_FACTORIALS[: a + b + 1] - _LOG_FACTORIALS[: a + b + 1][::-1]
    weights = np.exp(logs - logs.max())
    return float(min(weights[weights <= weights[a] * (1 + 1e-9)].sum() / weights.sum(), 1))


def normal_score(t: Counts, freedom: Counts) -> Floats:
    """The standard score that is as improbable as Student's t (Wallace 1959, within 0.2 % from four degrees on)."""
    t, n = np.broadcast_arrays(np.asarray(t, dtype=float), np.asarray(freedom, dtype=float))
    few = np.where(np.isinf(n), 1.0, n)
    return np.where(np.isinf(n), t, np.sign(t) * (8 * few + 1) / (8 * few + 3) * np.sqrt(few * np.log1p(t**2 / few)))


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


def verdicts(before: Counts, now: Counts, history: Counts, worth: int) -> list[str | None]:
    """What to call the change of each row, of all rows at once; None where one of the counts, or LEAST_YEARS earlier
    ones, are not known.

    Too few to say: not even a halving of the larger count would be unusual, taken alone.

    Args:
        before, now: counts by row; NaN if not known.
        history: counts by row and earlier year, `before` among them, from which the usual variation is learnt.
        worth: ALIKE if rows are places, UNLIKE if they are offenses.
    """
    before, now = np.asarray(before, dtype=float), np.asarray(now, dtype=float)
    years = (~np.isnan(np.asarray(history, dtype=float))).sum(axis=1)
    known = ~np.isnan(before) & ~np.isnan(now) & (years >= LEAST_YEARS)
    dispersion, freedom = overdispersion(history, worth)
    p = np.full(len(now), np.nan)
    p[known] = p_of_change(before[known], now[known], dispersion[known], freedom[known])
    larger = np.fmax(before, now)
    halving = (root(larger) - root(larger / 2)) / np.sqrt(2 * dispersion)
    return words(p, np.abs(normal_score(halving, freedom)) < NORMAL_95)


def words(p: Floats, are_few: npt.NDArray[np.bool_]) -> list[str | None]:
    """Verdicts in words, by row; None where nothing was tested. What would be unusual alone, but is not among all that
    are tested together, may be chance."""
    found = np.select(
        [np.isnan(p), adjusted(p) <= LEVEL, p <= LEVEL, are_few], ["", UNUSUAL, BY_CHANCE, TOO_FEW], USUAL
    )
    return [word or None for word in found.tolist()]
