"""Tests of the comparison of counts, against SciPy, statsmodels and published examples."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.rates import test_poisson_2indep as poisson_test

from chicago_crime.analysis import counts

PAIRS = [(166, 103), (0, 6), (3, 3), (4, 9), (16, 25), (60, 41), (0, 0), (900, 1000)]


@pytest.mark.parametrize(("before", "now"), PAIRS)
def test_two_counts_are_compared_as_by_statsmodels(before: int, now: int) -> None:
    exact = poisson_test(now, 1, before, 1, method="exact-cond").pvalue if now + before else 1.0
    by_roots = poisson_test(now, 1, before, 1, method="sqrt").pvalue
    assert counts.exact_p(before, now) == pytest.approx(exact, rel=1e-6)
    assert counts.p_of_change([before], [now])[0] == pytest.approx(max(exact, by_roots), rel=1e-6)


def test_large_counts_are_compared_by_their_roots() -> None:
    found = counts.p_of_change([60_000], [60_800])[0]
    assert found == pytest.approx(poisson_test(60_800, 1, 60_000, 1, method="exact-cond").pvalue, rel=0.01)


def test_burglary_fell_in_hyde_park_by_more_than_chance() -> None:
    """166 in 2016 and 103 in 2017; also if counts vary twice as much as Poisson, and not if ten times as much."""
    assert counts.exact_p(166, 103) == pytest.approx(0.000147, abs=1e-6)
    assert counts.root(103) - counts.root(166) == pytest.approx(2 * (103**0.5 - 166**0.5), abs=0.02)
    assert counts.p_of_change(166, 103, 2, 6) < 0.05 < counts.p_of_change(166, 103, 10, 6)


@pytest.mark.parametrize("freedom", [4, 6, 8, 30])
def test_student_is_as_in_scipy(freedom: int) -> None:
    assert counts.student_score(1.959964, np.array([freedom])) == pytest.approx(stats.t.ppf(0.975, freedom), rel=0.006)
    p = counts.p_of_score(counts.normal_score([-3.0, 0.5], freedom))
    assert p == pytest.approx(2 * stats.t.sf([3.0, 0.5], freedom), rel=0.02)
    assert counts.normal_score(counts.student_score(1.5, np.array([freedom])), freedom) == pytest.approx(1.5)


def test_false_discoveries_are_controlled_as_in_scipy_and_as_published() -> None:
    """The example of Benjamini and Hochberg (1995), section 3.2: four of fifteen hypotheses are rejected."""
    published = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459]
    published += [0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000]
    assert (counts.adjusted(published) <= counts.LEVEL).sum() == 4
    shuffled = np.random.default_rng(1).permutation(published)
    assert counts.adjusted(shuffled) == pytest.approx(stats.false_discovery_control(shuffled))
    assert counts.adjusted([0.01, np.nan, 0.04]) == pytest.approx([0.02, np.nan, 0.04], nan_ok=True)


def test_the_variation_between_years_is_learnt() -> None:
    """Poisson counts have none beyond chance; counts whose rate varies by 10 % have 1 + 0.01 of their mean."""
    random = np.random.default_rng(1)
    means = np.repeat([20, 200, 2000], 400)[:, None]
    poisson, _ = counts.overdispersion(random.poisson(means, (1200, 5)))
    varied, freedom = counts.overdispersion(random.poisson(random.gamma(100, means / 100, (1200, 5))))
    assert poisson.mean() == pytest.approx(1.1, abs=0.1)
    of_size = varied.reshape(3, 400).mean(axis=1)
    assert of_size == pytest.approx([1.2, 3, 21], rel=0.15)
    assert set(freedom) == {8}


def test_changes_are_called_in_words() -> None:
    before = [100, 100, 5, 0, np.nan]
    now = [103, 220, 9, 0, 7]
    history = np.column_stack([np.array(before) * 1.02, before])
    words = counts.verdicts(before, now, history, counts.ALIKE)
    assert words == [counts.USUAL, counts.UNUSUAL, counts.TOO_FEW, counts.TOO_FEW, None]
