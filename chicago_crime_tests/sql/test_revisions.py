"""Tests of `sql/revisions.sql`: what changed when a year was loaded again, on files made by hand."""

import datetime
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from chicago_crime.storage.local.duckdb_warehouse import DuckDBWarehouse
from chicago_crime.tables import CRIMES, RAW_CRIMES, REVISIONS
from chicago_crime_tests.support import crimes_of_months, write_csv

YEAR = 2014
FIRST, SECOND, THIRD, FOURTH = (f"{month:02}/01/2018 03:50:01 PM" for month in range(2, 6))
Rows = list[dict[str, str]]
Load = Callable[..., list[dict[str, Any]]]


def snapshot(*changed: dict[str, str], without: tuple[int, ...] = (), at: str = SECOND) -> Rows:
    """Forty good rows, of which those with a known id are changed, others are added, and some are gone."""
    rows = {row["id"]: row for row in crimes_of_months(YEAR, months=range(1, 11), per_month=4, updated_on=FIRST)}
    for row in changed:
        base = rows.get(row["id"], rows[str(ID)] | {"updated_on": at})
        rows[row["id"]] = base | {"updated_on": at} | row
    return [row for row in rows.values() if int(row["id"]) not in without]


ID = YEAR * 100_000 + 3_000
"""Of the first crime of March."""


@pytest.fixture
def load(warehouse: DuckDBWarehouse, tmp_path: Path) -> Load:
    """Loads the year anew; gives its revisions."""
    warehouse.clear_year(CRIMES, YEAR)
    warehouse.clear_year(REVISIONS, YEAR)

    def load(rows: Rows) -> list[dict[str, Any]]:
        warehouse.load_csv(RAW_CRIMES, YEAR, str(write_csv(tmp_path / "in.csv", rows)), "a checksum")
        if warehouse.stored(CRIMES)[YEAR].rows:
            warehouse.replace_year(REVISIONS, YEAR)
        warehouse.replace_year(CRIMES, YEAR)
        return pq.read_table(warehouse.file("revisions", YEAR)).to_pylist()

    return load


def test_every_kind_of_change_is_told_with_both_values(load: Load) -> None:
    assert load(snapshot()) == []
    changes = [
        {"id": "1", "primary_type": "BATTERY", "iucr": "0460", "fbi_code": "08B"},
        {"id": str(ID), "primary_type": "ROBBERY", "iucr": "031A", "fbi_code": "03"},
        {"id": str(ID + 1), "arrest": "true"},
        {"id": str(ID + 2), "block": "002XX N STATE ST", "x_coordinate": "1176360", "arrest": "true"},
        {"id": str(ID + 3), "ward": "", "description": "OVER $500"},
    ]
    told = load(snapshot(*changes, without=(ID + 1_000,)))
    march = datetime.datetime(YEAR, 3, 1, 10, 15)
    assert {(row["id"], row["kind"]): (row["old_value"], row["new_value"]) for row in told} == {
        (1, "added"): (None, "0460 08B BATTERY"),
        (ID + 1_000, "vanished"): ("0820 06 THEFT", None),
        (ID, "reclassified"): ("0820 06 THEFT", "031A 03 ROBBERY"),
        (ID + 1, "arrest_turned"): ("false", "true"),
        (ID + 2, "arrest_turned"): ("false", "true"),
        (ID + 2, "moved"): (
            "001XX N STATE ST, area 32, x 1176352, y 1900927",
            "002XX N STATE ST, area 32, x 1176360, y 1900927",
        ),
        (ID + 3, "corrected"): ("$500 AND UNDER; ward 42", "OVER $500; ward -"),
    }
    assert {(row["previous_snapshot"], row["snapshot"], row["year"]) for row in told} == {
        (datetime.datetime(2018, 2, 1, 15, 50, 1), datetime.datetime(2018, 3, 1, 15, 50, 1), YEAR)
    }
    [robbed] = [row for row in told if row["id"] == ID]
    assert (robbed["date"], robbed["primary_type"], robbed["community_area"]) == (march, "ROBBERY", 32)


def test_what_changed_earlier_stays_and_the_same_data_again_change_nothing(load: Load) -> None:
    load(snapshot())
    once = load(snapshot({"id": str(ID), "arrest": "true"}))
    assert [row["kind"] for row in once] == ["arrest_turned"]
    assert load(snapshot({"id": str(ID), "arrest": "true"})) == once
    twice = load(snapshot({"id": str(ID), "arrest": "false"}, at=THIRD))
    assert [(row["snapshot"].month, row["old_value"]) for row in twice] == [(3, "false"), (4, "true")]
    assert twice[0] == once[0]


def test_what_publishers_write_differently_is_no_change(load: Load) -> None:
    load(snapshot())
    told = load(
        [
            row
            | {
                "latitude": "41.88350018700001",
                "x_coordinate": "1176352.0",
                "arrest": "False",
                "beat": "111",
                "iucr": "820",
                "date": row["date"].replace(" 10:15:00 AM", " 10:15"),
            }
            for row in snapshot(at=THIRD)
        ]
    )
    assert told == []


def test_a_value_that_comes_or_goes_is_a_change(load: Load) -> None:
    load(snapshot({"id": str(ID), "community_area": "", "x_coordinate": "", "y_coordinate": "", "arrest": ""}))
    told = load(snapshot(at=THIRD))
    assert [(row["kind"], row["old_value"]) for row in told] == [
        ("arrest_turned", "-"),
        ("moved", "001XX N STATE ST, area -, x -, y -"),
    ]
    beyond_all_numbers = {"id": str(ID), "x_coordinate": "1e300", "y_coordinate": "-inf"}
    assert [row["kind"] for row in load(snapshot(beyond_all_numbers, at=FOURTH))][2:] == ["moved"]


def test_more_of_a_year_is_the_same_data_set(load: Load) -> None:
    early = [row for row in snapshot() if row["date"].startswith(("01", "02"))]
    load(early)
    assert Counter(row["kind"] for row in load(snapshot())) == {"added": len(snapshot()) - len(early)}


def test_another_data_set_is_told_in_one_row_and_what_changed_earlier_is_forgotten(load: Load) -> None:
    load(snapshot())
    load(snapshot({"id": str(ID), "arrest": "true"}))
    others = [row | {"id": str(int(row["id"]) + 500_000)} for row in snapshot(at=THIRD)]
    [told] = load(others)
    assert (told["kind"], told["id"], told["old_value"], told["new_value"]) == (
        "another_data_set",
        None,
        "40 crimes",
        "40 crimes",
    )
    assert load(others) == [told]
    assert [row["kind"] for row in load(others[1:])] == ["another_data_set", "vanished"]
