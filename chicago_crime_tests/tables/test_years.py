"""Tests of `chicago_crime/tables/years.py`."""

from collections.abc import Iterable
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chicago_crime.tables.years import YearsError, contiguous_ranges, current_year, find_gaps, format_years, parse_years

selections = st.sets(st.integers(2001, current_year()), min_size=1).map(sorted)


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
def test_formatted_years_are_parsed_back_and_ranges_cover_exactly_them(years: list[int]) -> None:
    assert parse_years(format_years(years)) == years
    ranges = contiguous_ranges(years)
    assert [year for first, last in ranges for year in range(first, last + 1)] == years
    assert all(before[1] + 1 < after[0] for before, after in pairwise(ranges))


@pytest.mark.parametrize(
    ("rows_a_day", "every", "lacking", "gaps"),
    [
        (700, 1, range(182, 212), [(182, 211)]),
        (700, 1, [0, 184, 364], [(0, 0), (184, 184)]),
        (30, 1, range(182, 189), [(182, 188)]),
        (12, 1, range(182, 188), []),
        (12, 1, range(182, 189), [(182, 188)]),
        (2, 1, range(182, 202), []),
        (2, 1, range(182, 203), [(182, 202)]),
        (1, 7, range(95), []),
        (1, 7, range(182, 365), []),
    ],
)
def test_gaps_are_no_chance(rows_a_day: int, every: int, lacking: Iterable[int], gaps: list[tuple[int, int]]) -> None:
    days = {n: date(2015, 1, 1) + timedelta(n) for n in range(365)}
    found = find_gaps({days[n]: rows_a_day for n in days.keys() - {*lacking} if n % every == 0})
    assert found == [(days[first], days[last]) for first, last in gaps]
