"""Tests of filters in a query string."""

from dataclasses import replace
from datetime import date
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chicago_crime.dashboard.filters import MAPS, MEASURES, ROWS, Filters, read_filters
from chicago_crime.tables.columns import OFFENSE_CLASSES
from chicago_crime.tables.years import FIRST_YEAR, current_year


def several(values: st.SearchStrategy) -> st.SearchStrategy[tuple]:
    return st.lists(values, unique=True, max_size=4).map(sorted).map(tuple)


any_filters = st.builds(
    Filters,
    year=several(st.integers(FIRST_YEAR, current_year())),
    group=several(st.sampled_from(["carjacking", "homicide"])),
    offense_class=several(st.sampled_from(OFFENSE_CLASSES)),
    type=several(st.sampled_from(["THEFT", "NON-CRIMINAL", "O'HARE & CO; DROP TABLE", "100% = +"])),
    area=several(st.integers(1, 77)),
    district=several(st.integers(1, 31)),
    ward=several(st.integers(1, 50)),
    beat=several(st.integers(111, 2535)),
    block=several(st.sampled_from(["001XX N STATE ST", "0000X E LAKE ST", "0000X W O'BRIEN & CO"])),
    cell=st.none() | st.just("1782,2881"),
    hour=several(st.integers(0, 23)),
    start=st.none() | st.dates(date(2001, 1, 1), date(2026, 12, 31)),
    arrest=st.sampled_from([None, True, False]),
    domestic=st.sampled_from([None, True, False]),
    map=st.sampled_from(MAPS),
    measure=st.sampled_from(MEASURES),
    rows=st.sampled_from(ROWS),
    end=st.none() | st.dates(date(2001, 1, 1), date(2026, 12, 31)),
    as_of=st.none() | st.dates(date(2001, 1, 1), date(2026, 12, 31)) | st.just("20261127T061500Z-3f2a"),
)


@given(any_filters)
def test_query_strings_round_trip(filters: Filters) -> None:
    assert read_filters(parse_qsl(filters.query())) == (filters, [], [])


def test_years_may_be_ranges_and_other_filters_have_several_spellings() -> None:
    filters, *notes = read_filters([("year", "2014-2016,2021"), ("year", "2015"), ("type", "theft"), ("arrest", "")])
    assert filters == Filters(year=(2014, 2015, 2016, 2021), type=("THEFT",))
    assert read_filters([("type", "CRIM SEXUAL ASSAULT")])[0] == Filters(type=("CRIMINAL SEXUAL ASSAULT",)), "renamed"
    assert read_filters([("area", "hyde park"), ("area", "76")])[0] == Filters(area=(41, 76))
    assert notes == [[], []]
    assert read_filters([("block", "000XX n State st")])[0] == Filters(block=("0000X N STATE ST",))
    assert Filters(map="areas", arrest=False).query() == "arrest=no", "defaults are omitted"


@pytest.mark.parametrize(
    ("name", "text", "is_ignored", "hint"),
    [
        ("map", "globe", True, "cells, hot_spots"),
        ("end", "2016-02-30", True, "write a day as 2016-05-31"),
        ("color", "red", True, "no such filter"),
        ("rows", "beat", True, "Only one value is possible for rows: remove 'beat' or the other one."),
        ("year", "1999", False, "There is no year '1999'"),
        ("area", "²", False, "write a number from 1 to 77"),
        ("ward", "-1", False, "write a number from 0 to 9999"),
        ("arrest", "perhaps", False, "write yes or no"),
        ("group", "pickpockets", False, "There is no offense group 'pickpockets'"),
        ("cell", "middle", False, "expected a 660-foot cell, as `cell_x,cell_y`"),
        ("hour", "24", False, "write a number from 0 to 23"),
        ("start", "2016-02-01", False, "Only one value is possible for first day: remove '2016-02-01' or"),
    ],
)
def test_wrong_options_are_ignored_and_wrong_values_rejected(name: str, text: str, is_ignored: bool, hint: str) -> None:
    given = [("rows", "ward"), ("start", "2015-01-01"), (name, text), ("area", "41")]
    filters, ignored, rejected = read_filters(given)
    assert [len(ignored), len(rejected)] == ([1, 0] if is_ignored else [0, 1])
    assert hint in (*ignored, *rejected)[0]
    assert filters == Filters(area=(41,), rows="ward", start=date(2015, 1, 1)) or not is_ignored


def test_filters_are_added_and_removed_value_by_value() -> None:
    assert Filters(area=(1,)).toggled("area", 41).toggled("area", 1) == Filters(area=(41,))
    filters = Filters(offense_class=("violent",), type=("THEFT",), area=(1, 2), district=(3,), arrest=False)
    filters = replace(filters, as_of=date(2026, 5, 31), group=("homicide",), beat=(1834,), finish=date(2016, 5, 31))
    filters = replace(filters, cell="1782,2881")
    assert len(filters.active()) == 11
    for name, value in filters.active():
        filters = filters.without(name, value)
    assert filters == Filters()
