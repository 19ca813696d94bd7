"""Tests of `chicago_crime/dashboard/filters.py`."""

from datetime import date
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chicago_crime.dashboard.filters import CLASSES, MAPS, MEASURES, ROWS, Filters, read_filters
from chicago_crime.tables.years import CURRENT_YEAR, FIRST_YEAR


def several(values: st.SearchStrategy) -> st.SearchStrategy[tuple]:
    return st.lists(values, unique=True, max_size=4).map(sorted).map(tuple)


any_filters = st.builds(
    Filters,
    year=several(st.integers(FIRST_YEAR, CURRENT_YEAR)),
    offense_class=several(st.sampled_from(CLASSES)),
    type=several(st.sampled_from(["THEFT", "NON - CRIMINAL", "O'HARE & CO; DROP TABLE", "100% = +"])),
    area=several(st.integers(1, 77)),
    district=several(st.integers(1, 31)),
    arrest=st.sampled_from([None, True, False]),
    domestic=st.sampled_from([None, True, False]),
    source_labels=st.booleans(),
    map=st.sampled_from(MAPS),
    measure=st.sampled_from(MEASURES),
    rows=st.sampled_from(ROWS),
    end=st.none() | st.dates(date(2001, 1, 1), date(2026, 12, 31)),
)


@given(any_filters)
def test_a_query_string_reads_back_as_the_choice_it_was_written_from(filters: Filters) -> None:
    assert read_filters(parse_qsl(filters.query())) == (filters, [])


def test_what_is_as_by_default_is_not_written() -> None:
    assert Filters().query() == ""
    assert Filters(map="areas", arrest=False).query() == "arrest=no"


def test_years_may_be_written_as_ranges_and_types_in_any_case() -> None:
    filters, notes = read_filters([("year", "2014-2016,2021"), ("year", "2015"), ("type", "theft"), ("arrest", "")])
    assert filters == Filters(year=(2014, 2015, 2016, 2021), type=("THEFT",))
    assert notes == []


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("year", "soon", "write them like"),
        ("year", "1999", "outside 2001"),
        ("area", "78", "from 1 to 77"),
        ("area", "²", "from 1 to 77"),
        ("district", "-1", "from 1 to 31"),
        ("arrest", "perhaps", "yes, true, 1, no, false, 0"),
        ("offense_class", "odd", "violent, property, non_index"),
        ("map", "globe", "areas, cells, hot_spots"),
        ("end", "2016-02-30", "2016-06-30"),
        ("colour", "red", "no filter of this dashboard"),
    ],
)
def test_what_cannot_be_read_is_left_out_and_told(name: str, text: str, told: str) -> None:
    filters, notes = read_filters([(name, text), ("area", "41")])
    assert filters == Filters(area=(41,))
    assert len(notes) == 1
    assert told in notes[0]


def test_a_filter_is_switched_on_and_off() -> None:
    once = Filters(area=(1,)).toggled("area", 41)
    assert once.area == (1, 41)
    assert once.toggled("area", 41) == Filters(area=(1,))
    assert Filters(arrest=False).without("arrest", False) == Filters()


def test_every_filter_that_is_on_can_be_taken_off() -> None:
    chosen = Filters(offense_class=("violent",), type=("THEFT",), area=(1, 2), district=(3,))
    filters = chosen.replaced(arrest=False, domestic=True)
    assert len(filters.active()) == 7
    for name, value in filters.active():
        filters = filters.without(name, value)
    assert filters == Filters()
