"""Tests of typing: `crimes` and `rejected_crimes` from raw rows, on DuckDB."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from chicago_crime.settings import load_settings
from chicago_crime.storage.local.duckdb_warehouse import DuckDBWarehouse
from chicago_crime.tables import CRIMES, RAW_CRIMES, REJECTED_CRIMES
from chicago_crime_tests.support import NAMES, crime, write_csv

Rows = list[dict[str, Any]]

COORDINATES = ("x_coordinate", "y_coordinate", "latitude", "longitude")


def typed(folder: Path, *rows: dict[str, str]) -> tuple[Rows, Rows]:
    """The crimes and the rejects that raw rows of 2014 become."""
    warehouse = DuckDBWarehouse(load_settings(data_dir=folder))
    warehouse.load_csv(RAW_CRIMES, 2014, str(write_csv(folder / "2014.csv", rows)), "a checksum")
    warehouse.replace_year(CRIMES, 2014)
    warehouse.replace_year(REJECTED_CRIMES, 2014)
    good = pq.read_table(warehouse.file("crimes", 2014)).sort_by("id").to_pylist()
    bad = pq.read_table(warehouse.file("rejected_crimes", 2014)).to_pylist()
    assert len(good) + len(bad) == len(rows)
    return good, bad


def test_a_clean_row_is_typed(tmp_path: Path) -> None:
    days = {"date": datetime(2014, 3, 15, 14, 30), "updated_on": datetime(2018, 2, 10, 15, 50, 1), "year": 2014}
    areas = {"beat": 111, "district": 1, "ward": 42, "community_area": 32}
    feet = {"x_coordinate": 1176352.0, "y_coordinate": 1900927.0}
    degrees = {"latitude": 41.883500187, "longitude": -87.627876698}
    others = {"id": 1, "arrest": False, "domestic": False, "month": date(2014, 3, 1)}
    texts = {name: text for name, text in crime().items() if name != "location"}
    assert typed(tmp_path, crime()) == ([texts | days | areas | feet | degrees | others], [])


def test_codes_blocks_and_areas_have_one_spelling(tmp_path: Path) -> None:
    """`intake/test_kinds.py` tests other notations."""
    codes = {"110": "0110", "0110": "0110", "31a": "031A", "110.0": "0110", "1320.0": "1320", "": None}
    of_fbi = {"6": "06", "06": "06", "8b": "08B", "08B": "08B", "6.0": "06", "11.0": "11", "": None}
    blocks = {"000XX N State St": "0000X N STATE ST", "0000X N STATE ST": "0000X N STATE ST", "000XX": "000XX"}
    areas = {"17.0": 17, "017": 17, "0": None, "0.0": None, "17.5": None, "x": None}
    kinds = {"iucr": codes, "fbi_code": of_fbi, "block": blocks, "community_area": areas, "ward": areas}
    for column, values in kinds.items():
        found, _ = typed(tmp_path, *(crime(**{"id": n, column: text}) for n, text in enumerate(values)))
        assert {text: row[column] for text, row in zip(values, found, strict=True)} == values


def test_placeholder_coordinates_become_null(tmp_path: Path) -> None:
    degrees = [("36.619446395", "-91.686565684"), ("36.61945", "-91.68657"), ("0.0", "0"), ("", "")]
    rows = [{"latitude": north, "longitude": east, "location": ""} for north, east in degrees]
    rows += [{"x_coordinate": text, "y_coordinate": text} for text in ("0", "0.0", "")]
    good, _ = typed(tmp_path, *(crime(id=n, **row) for n, row in enumerate(rows)))
    assert [[name for name in COORDINATES if row[name] is None] for row in good] == [[*row][:2] for row in rows]


def test_coordinates_are_read_from_location(tmp_path: Path) -> None:
    places = [
        "(41.883500187, -87.627876698)",
        "001XX N STATE ST\n(41.883500187, -87.627876698)",
        "{'longitude': '-87.627876698', 'human_address': '{}', 'latitude': '41.883500187'}",
        "POINT (-87.627876698 41.883500187)",
        "(36.619446395, -91.686565684)",  # the City's placeholder for an unknown place
    ]
    good, _ = typed(tmp_path, *(crime(id=n, latitude="", longitude="", location=x) for n, x in enumerate(places)))
    found = [(row["latitude"], row["longitude"]) for row in good]
    assert found == [(41.883500187, -87.627876698)] * 4 + [(None, None)]


def test_rows_without_a_valid_id_or_date_are_rejected_unchanged(tmp_path: Path) -> None:
    reasons = {
        "unreadable_date": ("date", ["", "soon", "15/03/2014 02:30:00 PM", "02/30/2014 02:30:00 PM", "2014"]),
        "missing_id": ("id", ["", "  ", "HX1", "-5", "1.5", "1E9", "99999999999999999999"]),
        "date_outside_year": ("date", ["12/31/2013 11:59:00 PM", "01/01/2015 12:00:00 AM"]),
    }
    for reason, (column, texts) in reasons.items():
        rows = [crime(**{"id": n, column: text}) for n, text in enumerate(texts)]
        good, bad = typed(tmp_path, *rows)
        assert good == []
        expected = [{"file_year": 2014, "reason": reason} | {k: v or None for k, v in row.items()} for row in rows]
        assert sorted(bad, key=str) == sorted(expected, key=str)


def test_the_most_recently_updated_row_of_an_id_is_kept(tmp_path: Path) -> None:
    newest = "02/10/2018 03:50:01 PM"
    good, bad = typed(
        tmp_path,
        crime(id=1, updated_on="01/01/2015 12:00:00 AM", arrest="false"),
        crime(id=1, updated_on=newest, arrest="true"),
        crime(id="1.0", updated_on="", arrest="false"),
        crime(id=2, updated_on="01/01/2015 12:00:00 AM"),
        crime(id=2, date="soon"),  # rejected rows do not supersede others
        crime(id=3),
        crime(id=3, block="", beat="", community_area="", latitude="", longitude=""),  # an extract with fewer columns
    )
    found = [(row["id"], row["arrest"], row["beat"]) for row in good]
    assert found == [(1, True, 111), (2, False, 111), (3, False, 111)]
    assert sorted(row["reason"] for row in bad) == ["superseded", "superseded", "superseded", "unreadable_date"]
    assert newest not in {row["updated_on"] for row in bad if row["reason"] == "superseded" and row["id"] != "3"}


def test_the_order_of_equally_recent_rows_does_not_matter(tmp_path: Path) -> None:
    columns = [name for name in NAMES if name not in ("id", "date", "year", "updated_on", "location")]
    rows = [row for n, name in enumerate(columns) for row in (crime(id=n), crime(**{"id": n, name: "1"}))]
    assert typed(tmp_path, *rows)[0] == typed(tmp_path, *reversed(rows))[0]
