"""Packed marts: what goes into the number comes out of it again, as Google's own evaluator reads both statements."""

import json
import math
import random
from datetime import date
from typing import Any

import pytest
import sqlglot
from sqlglot import exp

from chicago_crime.sources.sample.profile import profile
from chicago_crime.storage.google.bigquery.packing import (
    COMPARABLE,
    LAYOUTS,
    MOST_TYPES,
    PACKED,
    TYPES,
    UNPACKABLE,
    live_columns,
    packed,
    unpacked,
)
from chicago_crime.tables import TABLES
from chicago_crime_tests.servers.googlesql import Analyzer

Row = dict[str, Any]

USUAL: Row = {
    "year": 2014,
    "month": date(2014, 3, 1),
    "offense_class": "property",
    "primary_type": "THEFT",
    "primary_type_comparable": "THEFT",
    "community_area": 32,
    "district": 1,
    "arrest": False,
    "domestic": False,
    "day_of_week": 1,
    "hour": 0,
    "cell_x": 1782,
    "cell_y": 2880,
    "crimes": 5,
    "time_placeholders": 3,
}


def through_the_number(name: str, rows: list[Row]) -> tuple[list[Row], list[Row]]:
    """Rows packed, and what is read of them; both in their order."""
    table = TABLES[name]
    plain = {name: [(column.name, column.type) for column in table.columns]}
    live = {name: [(column.name, column.type) for column in live_columns(table)]}
    select = exp.select(*(column.name for column in table.columns)).from_(name)
    numbered = Analyzer(plain).evaluate(packed(table, select).sql("bigquery"), {name: rows})
    columns = [column.name for column in table.columns]
    only_numbers = [{n: value for n, value in row.items() if n in (PACKED, UNPACKABLE)} for row in numbered]
    return numbered, Analyzer(live).evaluate(unpacked(table, columns).sql("bigquery"), {name: only_numbers})


def of_table(name: str, row: Row) -> Row:
    return {column.name: row[column.name] for column in TABLES[name].columns}


def as_texts(rows: list[Row], columns: list[str]) -> list[str]:
    return sorted(repr([row[name] for name in columns]) for row in rows)


def rows_of_all_kinds(name: str) -> list[Row]:
    dice = random.Random(3)
    rows = [USUAL]
    for label in TYPES:
        year = dice.randrange(2001, 2101)
        row = {
            "year": year,
            "month": date(year, dice.randrange(1, 13), 1),
            "offense_class": dice.choice(["violent", "property", "non_index"]),
            "primary_type": label,
            "primary_type_comparable": COMPARABLE.get(label, label),
            "community_area": dice.choice([None, 1, 77, dice.randrange(1, 78)]),
            "district": dice.choice([None, 1, 31, dice.randrange(1, 32)]),
            "arrest": dice.choice([None, True, False]),
            "domestic": dice.choice([None, True, False]),
            "day_of_week": dice.randrange(1, 8),
            "hour": dice.randrange(24),
            "cell_x": dice.choice([None, 1651, 1827]),
            "cell_y": dice.choice([None, 2745, 2959]),
            "crimes": dice.choice([0, 1, 9999]),
            "time_placeholders": dice.choice([0, 1, 9999]),
        }
        rows.append(row)
    return [of_table(name, row) for row in rows]


@pytest.mark.parametrize("name", LAYOUTS)
def test_what_goes_into_the_number_comes_out_of_it(name: str) -> None:
    rows, columns = rows_of_all_kinds(name), [column.name for column in TABLES[name].columns]
    numbered, found = through_the_number(name, rows)
    assert len(found) == len(TYPES) + 1
    assert all(row[PACKED] is not None and row[UNPACKABLE] is None for row in numbered)
    assert len({row[PACKED] for row in numbered}) == len({repr(row) for row in rows})
    assert as_texts(found, columns) == as_texts(rows, columns)


ODD: list[Row] = [
    {"primary_type": "TIME TRAVEL", "primary_type_comparable": "TIME TRAVEL"},
    {"primary_type": 'a "quoted" \\ \n type', "primary_type_comparable": "O'HARE"},
    {"primary_type": None, "primary_type_comparable": None},
    {"primary_type": "THEFT", "primary_type_comparable": "BATTERY"},
    {"offense_class": "unheard of"},
    {"community_area": 78},
    {"district": 0},
    {"district": 99},
    {"crimes": 10_000_000},
    {"year": 1999},
    {"year": 2101, "arrest": None, "month": None},
    {"hour": 24},
    {"cell_x": 1, "cell_y": None},
]


@pytest.mark.parametrize("odd", ODD, ids=str)
@pytest.mark.parametrize("name", LAYOUTS)
def test_a_row_that_has_no_place_in_the_number_is_kept_whole(name: str, odd: Row) -> None:
    own = [column.name for column in TABLES[name].columns]
    row = of_table(name, USUAL | odd)
    [number], [found] = through_the_number(name, [row])
    if odd.keys() & set(own):
        assert number[PACKED] is None
        assert json.loads(number[UNPACKABLE]).keys() == set(own)
    assert found == row


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_number_is_an_int64(name: str) -> None:
    assert math.prod(digit.size for digit in LAYOUTS[name]) < 2**63


@pytest.mark.parametrize("name", LAYOUTS)
def test_reading_a_column_names_no_other(name: str) -> None:
    """A column that is named is paid for."""
    for column in TABLES[name].columns:
        query = unpacked(TABLES[name], [column.name])
        assert {node.name for node in query.find_all(exp.Column)} == {PACKED, UNPACKABLE}
        assert query.named_selects == [column.name]
        assert sqlglot.parse_one(query.sql("bigquery"), read="bigquery") is not None


def test_the_types_are_those_that_there_are() -> None:
    assert len(set(TYPES)) == len(TYPES) <= MOST_TYPES
    assert set(COMPARABLE.values()) | set(COMPARABLE) <= set(TYPES)
    assert {kind.primary_type for kind in profile().kinds} <= set(TYPES)


NUMBERS = {
    "crimes_monthly": 699_639_710_000_005,
    "crimes_hourly": 979_495_591_200_050_003,
    "crimes_by_cell": 1_127_119_583_912_000_005,
}
"""What the usual row is packed as under the name `packed_1`, once and for all: tables hold such numbers."""


@pytest.mark.parametrize("name", LAYOUTS)
def test_what_a_number_means_never_changes_under_its_name(name: str) -> None:
    """If this fails, do not change the number here: give the column another name, `packed_2`."""
    [number], _ = through_the_number(name, [of_table(name, USUAL)])
    assert PACKED == "packed_1"
    assert number[PACKED] == NUMBERS[name]
    assert TYPES[:37][-1] == "WEAPONS VIOLATION", "new types are added at the end"
