"""Tests of expected ranges and verdicts, against SciPy and published examples."""

import numpy as np
import pytest
from scipy import stats

from chicago_crime.analysis import expected as ranges


@pytest.mark.parametrize("years", [2, 3, 5])
@pytest.mark.parametrize("mean", [20, 500, 20_000])
def test_ranges_cover_at_least_95_percent_of_simulated_counts(years: int, mean: int) -> None:
    """The simulated rates vary by 8% from year to year."""
    random = np.random.default_rng(mean + years)
    counts = random.poisson(random.gamma(156, mean / 156, (4000, years + 1)))
    history, now = counts[:, :years], counts[:, years]
    found = ranges.expected(history, now)
    assert 0.94 < ((np.floor(found.low) <= now) & (now <= np.ceil(found.high))).mean() < 0.999
    assert found.verdicts().count(ranges.UNUSUAL) <= 4
    outside = zip(found.verdicts(), (now < found.low) | (now > found.high), strict=True)
    assert {verdict for verdict, is_outside in outside if is_outside} <= {ranges.UNUSUAL, ranges.BY_CHANCE}
    assert np.median(found.middle) == pytest.approx(mean, rel=0.05)


def test_one_earlier_year_is_not_enough() -> None:
    found = ranges.expected([[100, np.nan], *[[100, 110]] * 5], [300] * 6)
    assert np.isnan(found.low[0])
    assert found.verdicts() == [None, *[ranges.UNUSUAL] * 5]
    assert ranges.expected([[100, 110]], [300]).verdicts() == [ranges.TOO_FEW], "one row does not show how counts vary"


@pytest.mark.parametrize("freedom", [4, 6, 8, 30])
def test_student_scores_match_scipy(freedom: int) -> None:
    assert ranges.student_score(1.959964, np.array([freedom])) == pytest.approx(stats.t.ppf(0.975, freedom), rel=0.006)
    p = ranges.p_value(ranges.normal_score([-3.0, 0.5], freedom))
    assert p == pytest.approx(2 * stats.t.sf([3.0, 0.5], freedom), rel=0.02)
    assert ranges.normal_score(ranges.student_score(1.5, np.array([freedom])), freedom) == pytest.approx(1.5)


def test_adjusted_p_values_match_scipy_and_the_published_example() -> None:
    """Benjamini and Hochberg (1995), section 3.2: four of fifteen hypotheses are rejected."""
    published = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459]
    published += [0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000]
    assert (ranges.adjusted(published) <= ranges.LEVEL).sum() == 4
    shuffled = np.random.default_rng(1).permutation(published)
    assert ranges.adjusted(shuffled) == pytest.approx(stats.false_discovery_control(shuffled))
    assert ranges.adjusted([0.01, np.nan, 0.04]) == pytest.approx([0.02, np.nan, 0.04], nan_ok=True)


def test_overdispersion_is_estimated() -> None:
    """The ratio is 1 for Poisson counts, and 1 + 0.01 * mean for rates that vary by 10%."""
    random = np.random.default_rng(1)
    means = np.repeat([20, 200, 2000], 400)[:, None]
    poisson, _ = ranges.overdispersion(random.poisson(means, (1200, 5)))
    varied, freedom = ranges.overdispersion(random.poisson(random.gamma(100, means / 100, (1200, 5))))
    assert poisson.mean() == pytest.approx(1.1, abs=0.1)
    of_size = varied.reshape(3, 400).mean(axis=1)
    assert of_size == pytest.approx([1.2, 3, 21], rel=0.15)
    assert set(freedom) == {8}
    alone, alike = [[90, 100, 120]], [[90, 100, 120]] * 4
    assert ranges.overdispersion(alone * 2, ranges.SAME_OFFENSE, totals=1)[1].tolist() == [2, 2], (
        "a single row has no pool"
    )
    assert ranges.overdispersion([*alike, [360, 400, 480]], ranges.SAME_OFFENSE, totals=1)[1].tolist() == [8] * 5
