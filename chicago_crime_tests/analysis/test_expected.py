"""Tests of what was to be expected."""

import numpy as np
import pytest

from chicago_crime.analysis.counts import BY_CHANCE, TOO_FEW, UNUSUAL, USUAL
from chicago_crime.analysis.expected import expected


@pytest.mark.parametrize("years", [2, 3, 5])
@pytest.mark.parametrize("mean", [20, 500, 20_000])
def test_ranges_hold_at_least_95_of_100_counts_whose_rate_varies(years: int, mean: int) -> None:
    """By simulation: rates that vary by 8 % from year to year, and nothing else that changes."""
    random = np.random.default_rng(mean + years)
    counts = random.poisson(random.gamma(156, mean / 156, (4000, years + 1)))
    history, now = counts[:, :years], counts[:, years]
    found = expected(history, now)
    assert 0.94 < ((np.floor(found.low) <= now) & (now <= np.ceil(found.high))).mean() < 0.999
    assert found.verdicts().count(UNUSUAL) <= 4
    outside = zip(found.verdicts(), (now < found.low) | (now > found.high), strict=True)
    assert {verdict for verdict, is_outside in outside if is_outside} <= {UNUSUAL, BY_CHANCE}
    assert np.median(found.middle) == pytest.approx(mean, rel=0.05)


def test_an_outbreak_is_unusual_and_small_numbers_are_too_few() -> None:
    history = [[150, 140, 135, 148], [150, 140, 135, 148], [2, 4, 1, 3], [0, 0, 0, 0]]
    found = expected(history, [212, 139, 5, 0])
    assert found.verdicts() == [UNUSUAL, USUAL, TOO_FEW, TOO_FEW]
    assert found.score[0] > 3
    assert 100 < found.low[0] < 130 < 160 < found.high[0] < 190


def test_one_earlier_year_is_not_enough() -> None:
    found = expected([[100, np.nan], [100, 110]], [300, 300])
    assert np.isnan(found.low[0])
    assert found.verdicts() == [None, UNUSUAL]
