"""Tests of `chicago_crime/sources/sample/`."""

import csv
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from chicago_crime.intake.gate import run_gate
from chicago_crime.sources.base import SourceError
from chicago_crime.sources.sample.profile import profile
from chicago_crime.sources.sample.source import SampleSource
from chicago_crime.storage.local.duckdb_warehouse import DuckDBWarehouse
from chicago_crime.tables import CRIMES, RAW_CRIMES, REJECTED_CRIMES

TODAY = date(2024, 6, 30)
Row = dict[str, str]


def sample(tmp_path: Path, year: int, **settings: object) -> list[Row]:
    file = SampleSource(**{"newest": TODAY, **settings}).fetch(year, tmp_path)  # type: ignore[arg-type]
    with file.path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def when(row: Row, column: str = "Date") -> datetime:
    return datetime.strptime(row[column], "%m/%d/%Y %I:%M:%S %p")


def test_the_seed_determines_an_old_year_whatever_the_day(tmp_path: Path) -> None:
    now = sample(tmp_path, 2020, rows=500)
    assert sample(tmp_path, 2020, rows=500, newest=TODAY + timedelta(400)) == now
    assert sample(tmp_path, 2020, rows=500, seed=2) != now


def test_the_sample_is_canonical_and_no_row_is_rejected(tmp_path: Path, warehouse: DuckDBWarehouse) -> None:
    file = SampleSource(rows=3000, newest=TODAY).fetch(2014, tmp_path)
    assert (file.synthetic, "SYNTHETIC" in file.origin, "synthetic" in file.path.name) == (True, True, True)
    result = run_gate(file, 2014, tmp_path)
    assert (result.split.file, result.split.counts.rows, len(result.months)) == (file.path, 3000, 12)
    warehouse.load_csv(RAW_CRIMES, 2014, str(file.path), "a checksum")
    assert warehouse.replace_year(REJECTED_CRIMES, 2014).rows == 0
    assert warehouse.replace_year(CRIMES, 2014).rows == 3000


def test_the_default_size_is_the_real_one() -> None:
    assert profile().rows_of(2001) == 485_885
    assert profile().rows_of(2022) == profile().rows_of(2023) == 238_677


def test_the_current_year_ends_a_week_ago_with_proportionally_fewer_rows(tmp_path: Path) -> None:
    rows = sample(tmp_path, 2024, rows=1000)
    assert max(when(row).date() for row in rows) <= TODAY - timedelta(8)
    assert 400 < len(rows) < 560
    assert max(when(row, "Updated On").date() for row in rows) <= TODAY


def test_a_year_out_of_range_is_an_error(tmp_path: Path) -> None:
    for year in (2000, 2025):
        with pytest.raises(SourceError, match=f"no year {year}: it has 2001 to 2024"):
            SampleSource(newest=TODAY).fetch(year, tmp_path)


def test_type_shares_match_the_measured_ones(tmp_path: Path) -> None:
    found = Counter(row["Primary Type"] for row in sample(tmp_path, 2014, rows=40_000))
    measured: Counter[str] = Counter()
    for kind in profile().kinds:
        measured[kind.primary_type] += kind.crimes
    for name in ("THEFT", "BATTERY", "NARCOTICS", "HOMICIDE"):
        assert found[name] / found.total() == pytest.approx(measured[name] / measured.total(), rel=0.25, abs=0.0008)
