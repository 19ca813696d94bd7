"""The cases in `../shared/data/cases` of file formats, in the plan and the run, and of values."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from chicago_crime.intake.source_files import SourceFiles
from chicago_crime.settings import load_settings
from chicago_crime.sources.base import SourceError, no_progress
from chicago_crime.sources.folder import FolderSource
from chicago_crime.storage.local.duckdb_warehouse import DuckDBWarehouse
from chicago_crime.tables import CRIMES, RAW_CRIMES
from chicago_crime_tests.support import case, folder_settings, gate_of, plan_of, rows_of, run, run_well

TABLES = "crime_csv,crime_object,raw_crimes,crimes,rejected_crimes"
TWELVE = list(range(31_000_000, 31_000_012))


@pytest.mark.parametrize(
    "name",
    [
        *("appledouble", "csv_is_zip", "gz_already_unpacked", "json_rows", "month_files", "name_2001_to_present"),
        *("name_two_years", "semicolon", "space_after_comma/crlf", "space_after_comma/lf", "spark_folder"),
    ],
)
def test_the_twelve_crimes_are_loaded_from_every_format(tmp_path: Path, name: str) -> None:
    settings = folder_settings(tmp_path / "data", case(name))
    plan = plan_of(settings, [2016])
    assert (plan.problems, plan.years[0].likely_bytes > 0) == ([], True)
    [report] = run_well(settings, 2016, assets=TABLES)
    rows = rows_of(settings, "crimes", 2016)
    assert sorted(row["id"] for row in rows) == TWELVE
    [first] = [row for row in rows if row["id"] == TWELVE[0]]
    assert (first["iucr"], first["description"], first["arrest"]) == ("0810", "OVER $500", False)
    assert (first["date"].isoformat(), first["latitude"]) == ("2016-01-02T17:00:00", 41.915404404)
    assert report.metadata["crime_object", 2016]["quarantined_lines"] == 0


def test_fully_quoted_lines_are_read(tmp_path: Path) -> None:
    """Most rows of the case are of other years, which a run would refuse."""
    files = SourceFiles(tmp_path / "csv", tmp_path / "staging")
    manifest = files.fetch(FolderSource(case("whole_line_quoted")), 2004, no_progress, audit=lambda *_: None)
    assert (manifest.rows, manifest.quarantined) == (8, 0)
    assert "\n90000001,AA000001,2004-08-28," in files.csv(2004).read_text()


@pytest.mark.parametrize(
    ("name", "year", "message"),
    [("zip_encrypted", 2016, "crimes_2016.csv is password-protected"), ("lfs_pointer", 2019, "run `git lfs pull`")],
)
def test_the_plan_and_the_run_report_unreadable_files(tmp_path: Path, name: str, year: int, message: str) -> None:
    settings = folder_settings(tmp_path / "data", case(name))
    [problem] = plan_of(settings, [year]).problems
    [report] = run(settings, year, assets=TABLES)
    assert message in problem and message in f"{report.failures} {report.reasons}"


@pytest.mark.parametrize(
    ("name", "year", "rows", "column", "first"),
    [
        ("dates_mdy_dash", 2018, 167, "date", datetime(2018, 9, 1, 0, 1)),
        ("dates_24h_seconds", 2016, 12, "date", datetime(2016, 1, 2, 17)),
        ("dates_only_iso_slash", 2004, 2, "date", datetime(2004, 8, 28)),
        ("dates_month_names", 2021, 7, "date", datetime(2021, 6, 18)),
        ("flags_t_f", 2016, 12, "arrest", False),
        ("huge_field", 2016, 11, "id", 31_000_000),
        ("columns_ibm", 2005, 44, "community_area", 38),
    ],
)
def test_a_case_is_read(tmp_path: Path, name: str, year: int, rows: int, column: str, first: Any) -> None:
    [file] = case(name).glob("*.csv")
    result = gate_of(file, year, tmp_path)
    assert (result.unreadable, result.split.counts.rows) == ({}, result.split.counts.lines - (name == "huge_field"))
    warehouse = DuckDBWarehouse(load_settings(data_dir=tmp_path))
    warehouse.load_csv(RAW_CRIMES, year, str(result.split.file), "a checksum")
    warehouse.replace_year(CRIMES, year)
    found = pq.read_table(warehouse.file("crimes", year)).sort_by("id").to_pylist()
    assert (len(found), found[0][column]) == (rows, first)
    assert all(row[name] is not None for row in found for name in ("arrest", "domestic"))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("year_replaced_by_nothing", "column 'ID' has ids shared by several crimes: 12 of 12 rows share their id"),
        ("day_month_swapped", "column 'Date' has the day before the month, as in '13/01/2016 16:00' in line 8"),
    ],
)
def test_only_the_bad_file_of_a_case_is_refused(tmp_path: Path, name: str, message: str) -> None:
    good, bad = (case(name) / folder / "crimes_2016.csv" for folder in ("1_good", "2_bad"))
    assert gate_of(good, 2016, tmp_path).problems == []
    with pytest.raises(SourceError, match=message):
        gate_of(bad, 2016, tmp_path)
