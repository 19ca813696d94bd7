"""Damaged, missing and unknown files in each layer: commands name them, explain the repair, and show the rest."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import duckdb
import pytest
from typer.testing import Result

from chicago_crime.cli.doctor.stored import examine_databases, examine_stored
from chicago_crime.graph.status import read_status
from chicago_crime.installation import Installation
from chicago_crime.published.catalog import current
from chicago_crime.settings import Settings
from chicago_crime_tests import support
from chicago_crime_tests.support import crimes_of_months, run, run_well, write_csv

PUBLISHED = "objects/published/data/crimes/2014/*.parquet"
COUNT = "SELECT COUNT(*) AS n, COUNT(DISTINCT case_number) AS cases, SUM(arrest::INT) AS arrests FROM crimes"


def command(settings: Settings, *arguments: str) -> Result:
    source = {"CHICAGO_CRIME_SOURCE": "folder", "CHICAGO_CRIME_FOLDER": str(settings.folder), "COLUMNS": "200"}
    return support.command(*arguments, "--data-dir", settings.data_dir, **source)


def doctor(settings: Settings) -> str:
    findings = [*examine_stored(Installation(settings)), *examine_databases(settings.home)]
    assert all(one.fix for one in findings if one.state != "ok")
    return "\n".join(f"{one.detail}: {one.fix}" for one in findings if one.state != "ok")


def published_file(settings: Settings) -> Path:
    [file] = settings.data_dir.glob(PUBLISHED)
    return file


def cut(content: bytes) -> bytes:
    return content[:-20]


def of_a_newer_version(content: bytes) -> bytes:
    return content.replace(b"{", b'{"a_key_of_a_newer_version": 1,', 1)


def corrupted(content: bytes) -> bytes:
    """Overwrite data pages, keeping the size."""
    return content[:4] + bytes(255 - byte for byte in content[4:1500]) + content[1500:]


class Damage(NamedTuple):
    """Damage to a file of the data folder, or None to remove it, and the commands that must report it."""

    pattern: str
    change: Callable[[bytes], bytes] | None
    reported_by: str

    def apply(self, settings: Settings) -> Path:
        [file] = settings.data_dir.glob(self.pattern)
        if self.change:
            file.write_bytes(self.change(file.read_bytes()))
        else:
            file.unlink()
        return file


DAMAGES = {
    "manifest": Damage("csv/2014.json", cut, "status plan doctor"),
    "empty manifest": Damage("csv/2014.json", lambda _: b"", "status plan doctor"),
    "newer manifest": Damage("csv/2014.json", of_a_newer_version, ""),
    "record of the lake": Damage("objects/crimes/2014.json", cut, "status doctor"),
    "working footer": Damage("warehouse/crimes/2014.parquet", cut, "status working plan doctor"),
    "empty mart": Damage("warehouse/area_rates/2014.parquet", lambda _: b"", "status plan doctor"),
    "published footer": Damage(PUBLISHED, cut, "status query doctor"),
    "empty published file": Damage(PUBLISHED, lambda _: b"", "status query doctor"),
    "published pages": Damage(PUBLISHED, corrupted, "query doctor"),
    "empty published mart": Damage(PUBLISHED.replace("crimes", "area_rates"), lambda _: b"", "status doctor"),
    "catalog": Damage("objects/published/catalog.json", cut, "status query doctor"),
    "no catalog": Damage("objects/published/catalog.json", None, "status query doctor"),
    "newer catalog": Damage("objects/published/catalog.json", of_a_newer_version, ""),
}
COMMANDS = {
    "status": ("status", "--strict"),
    "query": ("query", COUNT),
    "working": ("query", COUNT, "--working"),
    "snapshots": ("snapshots",),
    "plan": ("run", "--years", "2014", "--dry-run"),
}
REPAIRS = ("chicago-crime run --data-dir /", "`chicago-crime status --data-dir /")
"""Repair advice: the command that reloads the year, or, except in `status`, a reference to `status`."""


@pytest.mark.parametrize("name", DAMAGES)
def test_each_command_names_a_broken_file_and_its_repair(loaded_copy: Settings, name: str) -> None:
    damage = DAMAGES[name]
    file = damage.apply(loaded_copy)
    for which, arguments in COMMANDS.items():
        result = command(loaded_copy, *arguments)
        if which in damage.reported_by.split():
            assert result.exit_code == (0 if which == "plan" else 1), (which, result.output)
            assert file.name in result.output and "damaged" in result.output, (which, result.output)
            repairs = REPAIRS[:1] if which == "status" else REPAIRS
            assert any(one in result.output for one in repairs), (which, result.output)
        else:
            assert result.exit_code == 0, (which, result.output)
            assert "damaged" not in result.output, (which, result.output)
    assert (file.name in doctor(loaded_copy)) == ("doctor" in damage.reported_by)


def test_reloading_a_year_repairs_it(loaded_copy: Settings) -> None:
    (loaded_copy.data_dir / "objects" / "quarantine" / "2014.csv").unlink()
    status = command(loaded_copy, "status", "--strict")
    assert status.exit_code == 1
    assert "2014: the lake lacks its rows or quarantined lines" in status.output
    layers = ("empty manifest", "record of the lake", "working footer", "empty mart")
    for name in (*layers, "empty published file", "no catalog"):
        DAMAGES[name].apply(loaded_copy)
    repaired = command(loaded_copy, "run", "--years", "2014")
    assert repaired.exit_code == 0, repaired.output
    status = command(loaded_copy, "status", "--strict")
    assert status.exit_code == 0, status.output
    assert doctor(loaded_copy) == ""
    assert "72" in command(loaded_copy, "query", COUNT).output


def test_a_missing_published_file_affects_neither_other_tables_nor_other_years(
    loaded_copy: Settings, loaded_years: Settings, tmp_path: Path
) -> None:
    file = published_file(loaded_copy)
    file.unlink()
    for arguments in (("query", COUNT), ("status", "--strict")):
        result = command(loaded_copy, *arguments)
        assert result.exit_code == 1
        where = f"--source folder --folder {loaded_years.folder}"
        how = f"chicago-crime run --data-dir {loaded_copy.data_dir} --years 2014 {where}`"
        assert file.name in result.output and how in result.output, "the data directory was copied, but not its source"
    assert command(loaded_copy, "query", "SELECT COUNT(*) FROM crimes_monthly").exit_code == 0
    assert file.name in command(loaded_copy, "query", "SHOW TABLES").output
    repaired = command(loaded_copy, "run", "--years", "2014")
    assert "repaired damaged or missing published files of 2014" in repaired.output
    assert file.exists() and doctor(loaded_copy) == ""
    file.unlink()
    write_csv(tmp_path / "new" / "2015.csv", crimes_of_months(2015, ward=7))
    result = support.command("run", "--years", "2015", "--folder", tmp_path / "new", "--data-dir", loaded_copy.data_dir)
    assert (result.exit_code, "published 2015 as snapshot" in result.output) == (0, True), result.output


def test_without_a_readable_catalog_a_run_starts_a_new_one(loaded_copy: Settings) -> None:
    published = loaded_copy.data_dir / "objects" / "published"
    for file in (published / "catalog.json", *(published / "snapshots").iterdir()):
        file.write_bytes(b"{")
    assert command(loaded_copy, "snapshots").exit_code == 1
    assert "catalog.json" in doctor(loaded_copy)
    run_well(loaded_copy, 2014, 2015)
    assert "72" in command(loaded_copy, "query", COUNT).output
    damaged = [file for file in (published / "snapshots").iterdir() if file.read_bytes() == b"{"]
    assert str(damaged[0]) in doctor(loaded_copy), "it cannot be restored: the user removes it"


def test_a_damaged_dagster_database_is_an_error_with_advice(loaded_copy: Settings) -> None:
    index = loaded_copy.home / "history" / "runs" / "index.db"
    index.write_bytes(b"no database" * 1000)
    result = command(loaded_copy, "run", "--years", "2014")
    assert result.exit_code == 1
    assert str(loaded_copy.home) in result.output and "chicago-crime doctor" in result.output
    assert f"mv {index}" in doctor(loaded_copy)
    index.rename(f"{index}.damaged")
    run_well(loaded_copy, 2014)
    with sqlite3.connect(index) as database:
        assert database.execute("PRAGMA quick_check").fetchall() == [("ok",)]


def test_read_only_data_is_not_reported_as_damaged(loaded_copy: Settings) -> None:
    locks, shared = loaded_copy.data_dir / "staging-locks", loaded_copy.home / "history" / "runs.db-shm"
    shutil.rmtree(locks)
    locks.touch()  # prevents creating the folder
    shared.unlink(missing_ok=True)
    shared.mkdir()
    for which in ("query", "status", "working"):
        result = command(loaded_copy, *COMMANDS[which])
        assert result.exit_code == 0, result.output
    assert "runs.db" not in doctor(loaded_copy)


def test_unknown_files_are_ignored(loaded_copy: Settings) -> None:
    data = loaded_copy.data_dir
    shutil.copy(data / "warehouse/crimes/2014.parquet", data / "warehouse/crimes/2014 (copy).parquet")
    shutil.copy(published_file(loaded_copy), published_file(loaded_copy).with_name("2014 (copy).parquet"))
    for working in ([], ["--working"]):
        assert "72" in command(loaded_copy, "query", COUNT, *working).output
    assert command(loaded_copy, "status", "--strict").exit_code == 0


def test_other_programs_see_the_published_tables(loaded_copy: Settings, loaded_years: Settings) -> None:
    database = loaded_copy.data_dir / "warehouse" / "warehouse.duckdb"
    assert str(loaded_years.data_dir) in doctor(loaded_copy), "it still refers to the folder it was copied from"
    run_well(loaded_copy, 2014, assets="published")
    assert doctor(loaded_copy) == ""
    with duckdb.connect(str(database), read_only=True) as connection:
        counts = connection.execute("SELECT year, COUNT(*) FROM crimes GROUP BY ALL ORDER BY ALL").fetchall()
        assert counts == [(2014, 36), (2015, 36)]
        comments = connection.execute("SELECT comment FROM duckdb_columns() WHERE table_name = 'crimes'").fetchall()
        assert all(comment for (comment,) in comments)


def test_tables_without_lineage_must_be_reloaded(loaded_copy: Settings) -> None:
    for note in (loaded_copy.data_dir / "warehouse").glob("*/*.json"):
        note.unlink()
    status = command(loaded_copy, "status", "--strict")
    assert status.exit_code == 1 and "--years 2014-2015 --source folder" in status.output
    run_well(loaded_copy, 2014, 2015)
    assert command(loaded_copy, "status", "--strict").exit_code == 0


def test_staleness_depends_on_lineage_not_on_times(loaded_copy: Settings) -> None:
    for file in (loaded_copy.data_dir / "warehouse" / "crimes").iterdir():
        os.utime(file, (2e9, 2e9))
    assert read_status(Installation(loaded_copy)).is_complete
    write_csv(loaded_copy.folder / "2014.csv", crimes_of_months(2014, arrest="true"))
    run_well(loaded_copy, 2014, assets="crime_csv")
    [report] = run(loaded_copy, 2014, assets="published")
    assert "the lake object was not made from the current source file" in report.reasons[0]
    run_well(loaded_copy, 2014, assets="crime_object,raw_crimes")
    result = command(loaded_copy, "status", "--strict")
    assert result.exit_code == 1
    lines = {cells[0]: cells[1:] for line in result.output.splitlines() if (cells := line.split())}
    assert (lines["raw_crimes"], lines["crimes"], lines["area_rates"]) == (["36", "36"], ["36*", "36"], ["308*", "308"])
    assert "2014: crimes was not made from the current raw_crimes" in result.output
    assert "--years 2014 --source folder --folder /" in result.output
    [report] = run(loaded_copy, 2014, assets="published")
    assert "crimes was not made from the current raw_crimes" in report.reasons[0]
    run_well(loaded_copy, 2014)
    assert read_status(Installation(loaded_copy)).is_complete


def test_an_older_snapshot_gives_the_same_answers(loaded_copy: Settings) -> None:
    first = current(Installation(loaded_copy).object_store)
    write_csv(loaded_copy.folder / "2014.csv", crimes_of_months(2014, arrest="true", ward=""))
    run_well(loaded_copy, 2014, accept="the City corrected all")
    arrests = "SELECT SUM(arrest::INT) + 100 AS n FROM crimes"
    assert "136" in command(loaded_copy, "query", arrests).output
    assert "100" in command(loaded_copy, "query", arrests, "--as-of", first.snapshot).output
    nothing = command(loaded_copy, "query", arrests, "--as-of", "2001-01-01")
    assert nothing.exit_code == 1 and "the oldest one is from" in nothing.output
    assert command(loaded_copy, "query", arrests, "--as-of", "yesterday").exit_code == 2
    assert command(loaded_copy, "query", arrests, "--as-of", first.snapshot, "--working").exit_code == 2
    listed = command(loaded_copy, "snapshots").output
    newest, oldest, accepted = (line.split() for line in listed.splitlines() if "Z-" in line)
    assert " ".join(accepted) == f"{newest[0]}: 2014 was accepted: the City corrected all"
    narrow = support.command("snapshots", "--data-dir", loaded_copy.data_dir, COLUMNS="60").output
    assert narrow.split()[:5] == ["id", "published", "changed", "records", "to"]
    assert (newest[4:], oldest[4:]) == (["2014", "72", "2015-12"], ["2014-2015", "72", "2015-12"])
    assert oldest[0] == first.snapshot
    working = command(loaded_copy, "query", "SELECT COUNT(*) FROM raw_crimes", "--working")
    assert "72" in working.output and "working tables" in working.output
    (loaded_copy.data_dir / "objects" / first.years[2014].tables["crimes"].key).unlink()
    lost = command(loaded_copy, "query", arrests, "--as-of", first.snapshot).output
    assert "is missing. It cannot be restored: use another snapshot" in " ".join(lost.split())
