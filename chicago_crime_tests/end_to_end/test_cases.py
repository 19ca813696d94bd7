"""The cases in `../shared/data/cases` about file formats: the plan and the run of each."""

from pathlib import Path

import pytest

from chicago_crime.intake.source_files import SourceFiles
from chicago_crime.settings import Settings
from chicago_crime.sources.base import no_progress
from chicago_crime.sources.folder import FolderSource
from chicago_crime_tests.support import (
    NAMES,
    case,
    crime,
    crimes_of_months,
    folder_settings,
    plan_of,
    rows_of,
    run,
    run_well,
    write_csv,
)

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
def test_unreadable_files_are_reported_by_the_plan_and_the_run(
    tmp_path: Path, name: str, year: int, message: str
) -> None:
    settings = folder_settings(tmp_path / "data", case(name))
    [problem] = plan_of(settings, [year]).problems
    [report] = run(settings, year, assets=TABLES)
    assert message in problem and message in f"{report.failures} {report.reasons}"


def test_coordinates_are_read_from_location(settings: Settings) -> None:
    places = [
        "(41.883500187, -87.627876698)",
        "001XX N STATE ST\n(41.883500187, -87.627876698)",
        "{'longitude': '-87.627876698', 'human_address': '{}', 'latitude': '41.883500187'}",
        "POINT (-87.627876698 41.883500187)",
        "(36.619446395, -91.686565684)",  # the City's placeholder for an unknown place
        "",
    ]
    rows = crimes_of_months(2014)
    for row, place in zip(rows, places, strict=False):
        row["location"] = place
    kept = [name for name in NAMES if name not in ("latitude", "longitude")]
    write_csv(settings.folder / "2014.csv", [{name: row[name] for name in kept} for row in rows], header=kept)
    run_well(settings, 2014, assets=TABLES)
    found = {row["id"]: (row["latitude"], row["longitude"]) for row in rows_of(settings, "crimes", 2014)}
    there = (41.883500187, -87.627876698)
    assert [found[int(row["id"])] for row in rows[:7]] == [there] * 4 + [(None, None)] * 2 + [there]


def test_duplicate_ids_across_files_are_resolved_as_in_one_file(settings: Settings) -> None:
    """The files have one year, all years, and columns in a different order."""
    old = crimes_of_months(2014, per_month=40, updated_on="02/10/2018 03:50:01 PM")
    new = crime(**old[7] | {"updated_on": "02/11/2018 03:50:01 PM", "ward": "7"})
    other = dict(sorted(crime(**old[9] | {"updated_on": "01/01/2017 12:00:00 PM", "ward": "9"}).items()))
    write_csv(settings.folder / "crimes_2014.csv", [*old[:300], new])
    write_csv(settings.folder / "2001_to_2020.csv", [*crimes_of_months(2015), *old[300:]])
    write_csv(settings.folder / "crimes_2014_12.csv", [other], header=sorted(NAMES))
    assert plan_of(settings, [2014, 2015]).problems == []
    run_well(settings, 2014, 2015, assets=TABLES)
    wards = {row["id"]: row["ward"] for row in rows_of(settings, "crimes", 2014)}
    assert len(wards) == 480
    assert (wards[int(old[7]["id"])], wards[int(old[9]["id"])]) == (7, 42)
    assert [row["reason"] for row in rows_of(settings, "rejected_crimes", 2014)] == ["superseded"] * 2
    assert len(rows_of(settings, "crimes", 2015)) == 36
