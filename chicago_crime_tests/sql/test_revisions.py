"""Tests of `sql/tables/revisions.sql` with hand-written snapshots."""

import datetime
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from chicago_crime.graph.checks.tables import schema_problems
from chicago_crime.storage.local.duckdb_warehouse import DuckDBWarehouse
from chicago_crime.tables import CRIMES, RAW_CRIMES, REVISIONS
from chicago_crime_tests.support import crimes_of_months, write_csv

YEAR = 2014
FIRST, SECOND, THIRD, FOURTH = (f"{month:02}/01/2018 03:50:01 PM" for month in range(2, 6))
Rows = list[dict[str, str]]
Load = Callable[..., list[dict[str, Any]]]


def snapshot(*changed: dict[str, str], without: tuple[int, ...] = (), at: str = SECOND) -> Rows:
    """Return forty good rows with changed, added and missing ones."""
    rows = {row["id"]: row for row in crimes_of_months(YEAR, months=range(1, 11), per_month=4, updated_on=FIRST)}
    for row in changed:
        base = rows.get(row["id"], rows[str(ID)] | {"updated_on": at})
        rows[row["id"]] = base | {"updated_on": at} | row
    return [row for row in rows.values() if int(row["id"]) not in without]


ID = YEAR * 100_000 + 3_000
"""Id of the first crime in March."""


@pytest.fixture
def load(warehouse: DuckDBWarehouse, tmp_path: Path) -> Load:
    """Function that loads the year again and returns its revisions."""
    warehouse.clear_year(CRIMES, YEAR)
    warehouse.clear_year(REVISIONS, YEAR)

    def load(rows: Rows) -> list[dict[str, Any]]:
        warehouse.load_csv(RAW_CRIMES, YEAR, str(write_csv(tmp_path / "in.csv", rows)), "a checksum")
        if warehouse.stored(CRIMES)[YEAR].rows:
            warehouse.replace_year(REVISIONS, YEAR)
        warehouse.replace_year(CRIMES, YEAR)
        return pq.read_table(warehouse.file("revisions", YEAR)).to_pylist()

    return load


def test_every_kind_of_change_is_recorded_with_both_values(load: Load) -> None:
    assert load(snapshot()) == []
    changes = [
        {"id": "1", "primary_type": "BATTERY", "iucr": "0460", "fbi_code": "08B"},
        {"id": str(ID), "primary_type": "ROBBERY", "iucr": "031A", "fbi_code": "03"},
        {"id": str(ID + 1), "arrest": "true"},
        {"id": str(ID + 2), "block": "002XX N STATE ST", "x_coordinate": "1176360", "arrest": "true"},
        {"id": str(ID + 3), "ward": "", "description": "OVER $500"},
    ]
    found = load(snapshot(*changes, without=(ID + 1_000,)))
    march = datetime.datetime(YEAR, 3, 1, 10, 15)
    assert {(row["id"], row["kind"]): (row["old_value"], row["new_value"]) for row in found} == {
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
    snapshots = {(str(row["previous_snapshot"]), str(row["snapshot"]), row["year"]) for row in found}
    assert snapshots == {("2018-02-01 15:50:01", "2018-03-01 15:50:01", YEAR)}
    [robbed] = [row for row in found if row["id"] == ID]
    assert (robbed["date"], robbed["primary_type"], robbed["community_area"]) == (march, "ROBBERY", 32)


def test_earlier_changes_are_kept_and_reloading_the_same_data_adds_none(load: Load) -> None:
    load(snapshot())
    once = load(snapshot({"id": str(ID), "arrest": "true"}))
    assert [row["kind"] for row in once] == ["arrest_turned"]
    assert load(snapshot({"id": str(ID), "arrest": "true"})) == once
    twice = load(snapshot({"id": str(ID), "arrest": "false"}, at=THIRD))
    assert [(row["snapshot"].month, row["old_value"]) for row in twice] == [(3, "false"), (4, "true")]
    assert twice[0] == once[0]


def test_a_snapshot_may_be_loaded_with_other_values_again(load: Load, warehouse: DuckDBWarehouse) -> None:
    arrest = {"arrest": "true"}
    for values in ({}, arrest, {}, arrest | {"primary_type": "ROBBERY"}):
        found = load(snapshot({"id": str(ID)} | values, at=FIRST))
    assert Counter(row["kind"] for row in found) == {"arrest_turned": 3, "reclassified": 1}
    problems = {f"m{number}": text for number, text in enumerate(schema_problems(REVISIONS).values())}
    assert not any(warehouse.measure(REVISIONS, [YEAR], problems)[YEAR].values())


def test_different_notations_of_a_value_are_not_changes(load: Load) -> None:
    load(snapshot())
    other = {"latitude": "41.88350018700001", "x_coordinate": "1176352.0", "arrest": "False", "beat": "111"}
    rows = [row | other | {"iucr": "820", "date": row["date"].replace(":00 AM", "")} for row in snapshot(at=THIRD)]
    assert load(rows) == []


def test_added_and_removed_values_are_changes(load: Load) -> None:
    load(snapshot({"id": str(ID), "community_area": "", "x_coordinate": "", "y_coordinate": "", "arrest": ""}))
    found = [(row["kind"], row["old_value"]) for row in load(snapshot(at=THIRD))]
    assert found == [("arrest_turned", "-"), ("moved", "001XX N STATE ST, area -, x -, y -")]
    out_of_range = {"id": str(ID), "x_coordinate": "1e300", "y_coordinate": "-inf"}
    assert [row["kind"] for row in load(snapshot(out_of_range, at=FOURTH))][2:] == ["moved"]


def test_later_months_of_a_year_are_the_same_data_set(load: Load) -> None:
    early = [row for row in snapshot() if row["date"].startswith(("01", "02"))]
    load(early)
    assert Counter(row["kind"] for row in load(snapshot())) == {"added": len(snapshot()) - len(early)}


def test_another_data_set_replaces_all_revisions_by_one_row(load: Load) -> None:
    load(snapshot())
    load(snapshot({"id": str(ID), "arrest": "true"}))
    others = [row | {"id": str(int(row["id"]) + 500_000)} for row in snapshot(at=THIRD)]
    [found] = load(others)
    assert (found["kind"], found["id"]) == ("another_data_set", None)
    assert found["old_value"] == found["new_value"] == "40 crimes"
    assert load(others) == [found]
    assert [row["kind"] for row in load(others[1:])] == ["another_data_set", "vanished"]
