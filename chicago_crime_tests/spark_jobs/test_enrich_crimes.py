"""Tests of `spark_jobs/enrich_crimes.py`, on the embedded engine."""

import math
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import DataFrame, SparkSession

from chicago_crime import reference
from chicago_crime.storage.local.parquet_files import DUCKDB_TYPES
from chicago_crime.storage.local.sail import embedded_server
from chicago_crime.tables import CRIMES
from spark_jobs import enrich_crimes as job

NULLS = [f"NULL::{DUCKDB_TYPES[column.type]} AS {column.name}" for column in CRIMES.columns]
SCHEMA = duckdb.sql(f"SELECT {', '.join(NULLS)}").to_arrow_table().schema
Enrich = Callable[..., DataFrame]


@pytest.fixture(scope="module")
def spark() -> Iterator[SparkSession]:
    with embedded_server() as address:
        session = SparkSession.builder.remote(address).getOrCreate()
        yield session
        session.stop()


@pytest.fixture
def enrich(spark: SparkSession, tmp_path: Path) -> Enrich:
    def from_rows(*rows: dict[str, Any]) -> DataFrame:
        file = tmp_path / "crimes.parquet"
        pq.write_table(pa.Table.from_pylist(list(rows), SCHEMA), file)
        areas = spark.read.csv(str(reference.file("community_areas")), header=True, schema=job.COMMUNITY_AREAS_SCHEMA)
        codes = spark.read.csv(str(reference.file("fbi_codes")), header=True, schema=job.FBI_CODES_SCHEMA)
        labels = map(dict.values, reference.rows("comparable_types"))
        types = {(label, iucr): comparable for label, iucr, comparable in labels}
        return job.enriched_crimes(spark.read.parquet(str(file)), areas, codes, types)

    return from_rows


def crime(**values: Any) -> dict[str, Any]:
    row = {
        "id": 1,
        "date": datetime(2014, 3, 15, 14, 30),
        "primary_type": "THEFT",
        "arrest": False,
        "domestic": False,
        "community_area": 32,
        "fbi_code": "06",
        "x_coordinate": 1_176_352.0,
        "y_coordinate": 1_900_927.0,
        "year": 2014,
        "updated_on": datetime(2018, 2, 10),
        "latitude": 41.88,
        "longitude": -87.62,
        "month": date(2014, 3, 1),
    }
    return row | values


def dicts(rows: DataFrame) -> list[dict[str, Any]]:
    return [row.asDict() for row in rows.collect()]


def test_rows_keep_their_values_and_gain_columns(enrich: Enrich) -> None:
    [row] = dicts(enrich(crime()))
    assert {name: row[name] for name in crime()} == crime()
    assert (row["community_area_name"], row["side"]) == ("Loop", "Central")
    assert (row["fbi_name"], row["offense_class"]) == ("Larceny", "property")
    assert (row["cell_x"], row["cell_y"]) == (1_176_352 // 660, 1_900_927 // 660)


CODES = {
    **dict.fromkeys(("01A", "02", "03", "04A", "04B"), "violent"),
    **dict.fromkeys(("05", "06", "07", "09"), "property"),
    **dict.fromkeys(("01B", "08A", "11", "26", None, "99"), "non_index"),
}
LABELS = {
    ("CRIM SEXUAL ASSAULT", "0281"): "CRIMINAL SEXUAL ASSAULT",
    ("NON - CRIMINAL", "5114"): "NON-CRIMINAL",
    ("NON-CRIMINAL (SUBJECT SPECIFIED)", "5114"): "NON-CRIMINAL",
    ("OTHER NARCOTIC VIOLATION", "1900"): "NARCOTICS",
    ("THEFT", "0820"): "THEFT",
    ("BURGLARY", "0610"): "BURGLARY",
    ("BURGLARY", "0760"): "THEFT",  # of which burglary from a motor vehicle was a part until October 2021
    (None, None): None,
}
TIMES = {
    datetime(2014, 3, 10, 0, 0): (0, 1, True),
    datetime(2014, 3, 16, 0, 1): (0, 7, True),
    datetime(2014, 3, 16, 0, 1, 1): (0, 7, False),
    datetime(2014, 3, 9, 2, 30): (2, 7, False),  # skipped by daylight saving time
    datetime(2014, 3, 15, 23, 59, 59): (23, 6, False),
}


def test_codes_labels_and_local_times_determine_classes_types_and_hours(enrich: Enrich) -> None:
    rows = dicts(enrich(*(crime(fbi_code=code) for code in CODES)))
    assert {row["fbi_code"]: row["offense_class"] for row in rows} == CODES
    rows = dicts(enrich(*(crime(primary_type=label, iucr=code) for label, code in LABELS)))
    assert {(row["primary_type"], row["iucr"]): row["primary_type_comparable"] for row in rows} == LABELS
    rows = dicts(enrich(*(crime(date=when) for when in TIMES)))
    assert {row["date"]: (row["hour"], row["day_of_week"], row["is_time_placeholder"]) for row in rows} == TIMES


def test_the_last_28_days_of_a_fresh_snapshot_are_provisional(enrich: Enrich) -> None:
    dates = {datetime(2014, 5, 3, 23): False, datetime(2014, 5, 4): True, datetime(2014, 5, 31, 6): True}
    early, late, typo = datetime(2014, 6, 27, 23), datetime(2014, 6, 28), datetime(2071, 6, 1)
    for updates, is_early in ([early] * 3, True), ([early, late, late], False), ([early, typo, early], True):
        rows = dicts(enrich(*(crime(date=one, updated_on=at) for one, at in zip(dates, updates, strict=True))))
        assert [row["is_provisional"] for row in rows] == [is_new and is_early for is_new in dates.values()]


def test_rows_without_matches_are_kept_in_order(enrich: Enrich) -> None:
    rows = enrich(
        crime(id=1),
        crime(id=2, community_area=None, fbi_code=None, x_coordinate=None, y_coordinate=None),
        crime(id=3, community_area=99, fbi_code="ZZ"),
        crime(id=4),
    )
    found = [(row["id"], row["community_area_name"], row["cell_x"]) for row in dicts(rows)]
    assert found == [(1, "Loop", 1782), (2, None, None), (3, None, 1782), (4, "Loop", 1782)]


def test_types_are_counted_by_the_source_label(enrich: Enrich) -> None:
    rows = enrich(
        crime(id=1, primary_type="NON - CRIMINAL", arrest=True),
        crime(id=2, primary_type="NON-CRIMINAL"),
        crime(id=3, primary_type="NON-CRIMINAL", arrest=None, domestic=True),
        crime(id=4, primary_type="NON-CRIMINAL", arrest=True),
        *(crime(id=200 + number, primary_type="ARSON", arrest=number < 60 or None) for number in range(100)),
        *(crime(id=300 + number, primary_type="ROBBERY", arrest=number < 99 or None) for number in range(100)),
    )
    found = {row["primary_type"]: row for row in dicts(job.crime_type_count(rows))}
    assert found["NON - CRIMINAL"]["arrest_rate"] == 1.0
    assert (found["NON-CRIMINAL"]["crimes"], found["NON-CRIMINAL"]["arrests"]) == (3, 1)
    assert found["NON-CRIMINAL"]["arrest_rate"] is None, "one of three flags is unknown"
    assert (found["ARSON"]["arrests"], found["ARSON"]["arrest_rate"]) == (60, None)
    assert found["ROBBERY"]["arrest_rate"] == 1.0, "99 of 100 flags are known"
    assert found["NON-CRIMINAL"]["domestic_crimes"] == 1


def test_days_are_counted_by_class(enrich: Enrich) -> None:
    rows = enrich(
        crime(id=1, fbi_code="01A", arrest=True),
        crime(id=2),
        crime(id=3, fbi_code="26", domestic=True),
        crime(id=4, date=datetime(2014, 3, 16)),
    )
    first, second = sorted(dicts(job.crimes_daily(rows)), key=lambda row: row["day"])
    assert (first["day"], first["crimes"], second["crimes"]) == (date(2014, 3, 15), 3, 1)
    assert (first["violent_crimes"], first["property_crimes"], first["non_index_crimes"]) == (1, 1, 1)
    assert (first["arrests"], first["domestic_crimes"]) == (1, 1)


def gi_star(counts: dict[tuple[int, int], int]) -> dict[tuple[int, int], float]:
    """Compute Gi* with the published formula and a weight matrix."""
    cells = list(counts)
    x = np.array([counts[cell] for cell in cells], dtype=float)
    weights = np.array([[max(abs(a - c), abs(b - d)) <= 1 for c, d in cells] for a, b in cells], dtype=float)
    n, mean = len(x), x.mean()
    deviation = math.sqrt((x**2).sum() / n - mean**2)
    near = weights.sum(axis=1)
    score = (weights @ x - mean * near) / (deviation * np.sqrt((n * (weights**2).sum(axis=1) - near**2) / (n - 1)))
    return dict(zip(cells, score.tolist(), strict=True))


def test_gi_star_matches_the_published_formula(enrich: Enrich) -> None:
    rng = np.random.default_rng(1)
    cells = {(int(x), int(y)) for x, y in rng.integers(1750, 1762, size=(60, 2))}
    counts = {cell: int(rng.integers(1, 12)) for cell in sorted(cells)}
    rows = [
        crime(id=1000 * n + k, x_coordinate=x * 660.0 + k, y_coordinate=y * 660.0 + 9 * k)
        for n, ((x, y), count) in enumerate(counts.items())
        for k in range(count)
    ]
    found = [row for row in dicts(job.hot_spots(enrich(*rows))) if row["offense_class"] == "property"]
    assert {(row["cell_x"], row["cell_y"]): row["crimes"] for row in found} == counts
    expected = gi_star(counts)
    assert {(row["cell_x"], row["cell_y"]) for row in found} == set(expected)
    for row in found:
        assert row["gi_star"] == pytest.approx(expected[row["cell_x"], row["cell_y"]], abs=1e-9)


def test_cells_have_all_classes_and_no_score_if_counts_do_not_vary(enrich: Enrich) -> None:
    found = {row["offense_class"]: row for row in dicts(job.hot_spots(enrich(crime())))}
    counts = {name: row["crimes"] for name, row in found.items()}
    assert counts == {"all": 1, "violent": 0, "property": 1, "non_index": 0}
    assert {row["gi_star"] for row in found.values()} == {None}
    assert found["all"]["latitude"] == 41.88


@pytest.mark.parametrize("place", [{"x_coordinate": None, "y_coordinate": None}, {"x_coordinate": 1e25}])
def test_crimes_without_possible_coordinates_are_not_in_any_cell(enrich: Enrich, place: dict[str, Any]) -> None:
    assert dicts(job.hot_spots(enrich(crime(**place)))) == []
