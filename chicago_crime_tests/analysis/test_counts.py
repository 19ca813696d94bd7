"""Tests of how counts vary and of false discoveries, against SciPy and published examples."""

import numpy as np
import pytest
from scipy import stats

from chicago_crime.analysis import counts


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
