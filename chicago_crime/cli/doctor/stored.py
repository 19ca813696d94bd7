"""The doctor's checks of stored files: damaged files and how to repair them."""

import shlex
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from chicago_crime.cli.doctor import Finding
from chicago_crime.errors import HOW_TO_LOAD
from chicago_crime.graph.status import Status, read_status
from chicago_crime.installation import Installation
from chicago_crime.published.catalog import SNAPSHOTS, Catalog, kept_snapshots, load_again
from chicago_crime.published.damage import not_intact
from chicago_crime.storage.object_store import ObjectStore
from chicago_crime.storage.warehouse import TableReader
from chicago_crime.tables.years import format_years


def examine_stored(installation: Installation) -> Iterator[Finding]:
    """Check everything that was loaded and published, reading every file in full."""
    status, store = read_status(installation), installation.object_store
    years = status.snapshot.years if status.snapshot else {}
    again = f"chicago-crime run --years {max(years, default=2021)} --assets published"
    if status.damaged:
        yield Finding("catalog", "broken", status.damaged, again)
    yield from _or_ok(_published_files(status, store), "published", _published(status))
    yield from _or_ok(_older_snapshots(status, store), "snapshots", "all readable")
    yield from _or_ok(_working_files(status, installation.working_reader), "warehouse", _loaded(status))
    if status.snapshot and installation.views and (problem := installation.views.problem(status.snapshot)):
        yield Finding("warehouse.duckdb", "warning", problem, f"the next publication rewrites it: {again}")


def examine_databases(home: Path) -> Iterator[Finding]:
    """Check the Dagster databases that all runs share."""
    for file in (
        home / "history" / "runs.db",
        home / "history" / "runs" / "index.db",
        home / "schedules" / "schedules.db",
    ):
        if not file.exists():
            continue
        try:
            with sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True) as database:
                [(found,)] = database.execute("PRAGMA quick_check(1)").fetchall()
        except sqlite3.OperationalError:  # read-only or busy, which Dagster itself reports
            continue
        except sqlite3.DatabaseError as error:
            found = str(error)
        if found != "ok":
            moved = shlex.quote(f"{file}.damaged")
            fix = f"mv {shlex.quote(str(file))} {moved}  (the tables are safe; the UI loses the history in this file)"
            yield Finding("dagster home", "broken", f"{file} is damaged: {found}", fix)


def _or_ok(findings: Iterator[Finding], what: str, detail: str) -> Iterator[Finding]:
    found = list(findings)
    yield from found or [Finding(what, "ok", detail)]


def _published(status: Status) -> str:
    if status.snapshot is None:
        if years := format_years([year.year for year in status.years]):
            return f"nothing yet; `chicago-crime status` prints the command that loads and publishes {years}"
        return f"nothing yet. {HOW_TO_LOAD}"
    years = format_years(list(status.snapshot.years))
    return f"{status.snapshot.records:,} crimes of {years}, snapshot {status.snapshot.snapshot}; every file is intact"


def _loaded(status: Status) -> str:
    loaded = [year.year for year in status.years if year.tables]
    return f"{format_years(loaded)} can be read" if loaded else "empty"


def _published_files(status: Status, store: ObjectStore) -> Iterator[Finding]:
    if catalog := status.snapshot:
        for year, problem in not_intact(catalog, store):
            yield Finding("published", "broken", problem, load_again(year, catalog.years[year].source))


def _older_snapshots(status: Status, store: ObjectStore) -> Iterator[Finding]:
    known = status.snapshot.keys if status.snapshot else set()
    for snapshot, one in kept_snapshots(store):
        if not isinstance(one, Catalog):
            file = store.location(f"{SNAPSHOTS}{snapshot}.json")
            fix = f"delete {file}: it cannot be rebuilt, and it keeps unreferenced files of its age from being deleted"
            yield Finding(f"snapshot {snapshot}", "broken", f"{file} is damaged", fix)
            continue
        tables = [table for year in one.years.values() for table in year.tables.values() if table.key not in known]
        if lost := [one.key for one in tables if not store.is_intact(one.key, one.bytes, one.sha256)]:
            detail = f"{len(lost)} of its files are damaged or missing, such as {lost[0]}"
            yield Finding(f"snapshot {snapshot}", "warning", detail, "they cannot be rebuilt: use another snapshot")
        known |= one.keys


def _working_files(status: Status, reader: TableReader) -> Iterator[Finding]:
    for year in status.years:
        damage = filter(None, (reader.damage(name, year.year) for name in year.tables))
        for problem in (*year.damaged.values(), *damage):
            yield Finding("warehouse", "broken", problem, load_again(year.year, year.source))
