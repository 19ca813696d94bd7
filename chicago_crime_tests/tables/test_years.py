"""Tests of `chicago_crime/tables/years.py`."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chicago_crime.tables.years import (
    FIRST_YEAR,
    YearsError,
    contiguous_ranges,
    current_year,
    format_years,
    parse_years,
)

selections = st.sets(st.integers(FIRST_YEAR, current_year()), min_size=1).map(sorted)


def test_years_are_parsed() -> None:
    assert parse_years("2014-2016,2021") == [2014, 2015, 2016, 2021]
    assert parse_years(" 2016 - 2017 , 2014 ") == [2014, 2016, 2017]
    assert parse_years("2014,2014-2015") == [2014, 2015]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "write years like 2014-2016,2021"),
        ("14", "cannot read '14'"),
        ("2014,,2015", "cannot read ''"),
        ("2016-2014", "write 2014-2016"),
        ("1999", "outside 2001-"),
        (str(current_year() + 1), "outside 2001-"),
    ],
)
def test_errors_explain_invalid_years(text: str, problem: str) -> None:
    with pytest.raises(YearsError, match=problem):
        parse_years(text)


@given(selections)
def test_formatted_years_are_parsed_back(years: list[int]) -> None:
    assert parse_years(format_years(years)) == years


@given(selections)
def test_ranges_cover_exactly_the_years_and_never_touch(years: list[int]) -> None:
    ranges = contiguous_ranges(years)
    assert [year for first, last in ranges for year in range(first, last + 1)] == years
    assert all(before[1] + 1 < after[0] for before, after in pairwise(ranges))
