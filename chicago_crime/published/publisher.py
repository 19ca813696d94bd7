"""Publishing years: their files first, then one swap of the catalog, then what no kept snapshot needs is removed."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.metadata import version as version_of
from pathlib import Path

from chicago_crime.errors import PlatformError
from chicago_crime.intake.staging import staging_folder
from chicago_crime.published.catalog import (
    CATALOG,
    DATA,
    PUBLISHED,
    SNAPSHOTS,
    Catalog,
    CheckFound,
    DamagedError,
    PublishedTable,
    PublishedYear,
    open_snapshot,
    parse,
    published_at,
    snapshots,
)
from chicago_crime.published.reader import columns_digest
from chicago_crime.storage.lineage import Lineage, digest
from chicago_crime.storage.object_store import ObjectStore, StoredObject
from chicago_crime.storage.warehouse import TableYear, Warehouse, is_made_of
from chicago_crime.tables import TABLES

UNNAMED_S = 86_400
"""How long a file that no snapshot names is kept where another publisher may be about to name it."""

Stored = Mapping[str, Mapping[int, TableYear]]


class PublicationError(PlatformError):
    """A year cannot be published; the message says why, and what to do."""


@dataclass(frozen=True)
class Candidate:
    """A year that is to be published.

    Attributes:
        source: the manifest of its source file.
        csv_sha256: checksum of its object in the lake; None if it has none.
        checks: what the checks found.
        accepted: the reason why it is published although an audit failed.
        before: how the year was published when the work on it began; None if it was not.
    """

    source: Mapping[str, object]
    csv_sha256: str | None
    checks: Sequence[CheckFound] = ()
    accepted: str | None = None
    before: PublishedYear | None = None


@dataclass(frozen=True)
class Publication:
    """What a publication did.

    Attributes:
        snapshot: the current one, with the years published; the one before if nothing changed.
        changed: years that differ from the snapshot before.
        refused: year -> why it was not published.
    """

    snapshot: Catalog | None
    changed: list[int]
    refused: dict[int, str] = field(default_factory=dict)


def broken_links(year: int, stored: Stored, csv_sha256: str | None) -> list[str]:
    """Why the tables of a year were not all made from one file, in words; nothing if they were.

    A year that an earlier version made has no lineage in any table: nothing can be said about it.

    Args:
        year: the year.
        stored: what every table holds.
        csv_sha256: checksum of the year's object in the lake; None if it has none.
    """
    held = {name: stored[name].get(year) for name in TABLES}
    if missing := [name for name, one in held.items() if one is None]:
        return [f"{', '.join(missing)} lack{'s' if len(missing) == 1 else ''} the year"]
    if not any(one.lineage for one in held.values() if one):
        return []
    found = []
    for name, one in held.items():
        upstream = TABLES[name].upstream
        above = [held[table.name] for table in upstream] if upstream else [_of_lake(csv_sha256)]
        if not one or not one.lineage:
            found.append(f"{name} was made by an earlier version")
        elif not is_made_of(one, above):
            names = " and ".join(table.name for table in upstream) or "the object in the lake"
            found.append(f"{name} was not made from {names} as it is now")
    return found


def _of_lake(csv_sha256: str | None) -> TableYear:
    return TableYear(0, 0, 0.0, Lineage(csv_sha256 or "", ""))


def base(store: ObjectStore) -> tuple[Catalog | None, str | None]:
    """The snapshot to build on, and the version of the catalog. The newest that is kept stands in for a damaged one."""
    found = store.read(CATALOG)
    if found is None:
        return None, None
    content, version = found
    try:
        return parse(CATALOG, content), version
    except DamagedError:
        kept = snapshots(store)
        return (open_snapshot(store, kept[-1]) if kept else None), version


@dataclass
class Publisher:
    """Adds years to the published snapshots.

    Attributes:
        store: where snapshots are.
        warehouse: where the tables are made.
        staging: folder for files that are not published yet; on the same file system.
        keep_days: snapshots older than this are removed, except the current one.
    """

    store: ObjectStore
    warehouse: Warehouse
    staging: Path
    keep_days: int

    def publish(self, candidates: Mapping[int, Candidate], run: str) -> Publication:
        """Publish years whose tables are whole and checked, all at once.

        Years that are published already are not published again, unless a file of theirs is damaged.

        Args:
            candidates: by year.
            run: id of the Dagster run.
        """
        stored = self._stored()
        with self.store.only_publisher() as is_only:
            catalog, version = self._current()
            held = catalog.years if catalog else {}
            refused = {
                year: "; ".join(problems)
                for year, candidate in candidates.items()
                if (problems := broken_links(year, stored, candidate.csv_sha256))
            }
            wanted = {
                year: candidate
                for year, candidate in candidates.items()
                if year not in refused and not self._is_published(year, candidate, stored, held.get(year))
            }
            made = self._add_files(wanted, stored, run) if wanted else {}
            after = self._stored() if made else {}
            for year in list(made):
                if any(after[table.name].get(year) != stored[table.name][year] for table in PUBLISHED):
                    refused[year] = f"another run changed its tables meanwhile: chicago-crime run --years {year}"
                    del made[year]
            while made:
                for year in [year for year in made if held.get(year) not in (wanted[year].before, made[year])]:
                    refused[year] = _interference(year, held[year])
                    del made[year]
                years = dict(sorted((held | made).items()))
                new = _catalog(years, sorted(made), catalog)
                content = _written(new)
                if made and self.store.swap(CATALOG, content, version):
                    self._keep(new.snapshot, content)
                    self._remove_old(new, 0.0 if is_only else UNNAMED_S)
                    return Publication(new, sorted(made), refused)
                catalog, version = self._current()  # somebody else published meanwhile
                held = catalog.years if catalog else {}
        return Publication(catalog, [], refused)

    def _stored(self) -> Stored:
        return self.warehouse.stored_of_all(list(TABLES.values()))

    def _current(self) -> tuple[Catalog | None, str | None]:
        catalog, version = base(self.store)
        if catalog:
            content = _written(catalog)
            self._keep(catalog.snapshot, content)  # a publisher may have died before it did
            found = self.store.read(CATALOG)
            if found and found[0] != content and self.store.swap(CATALOG, content, version):  # it was damaged
                version = (self.store.read(CATALOG) or found)[1]
        return catalog, version

    def _keep(self, snapshot: str, content: bytes) -> None:
        key = f"{SNAPSHOTS}{snapshot}.json"
        if self.store.read(key) is None:
            self.store.swap(key, content, None)

    def _is_published(self, year: int, candidate: Candidate, stored: Stored, published: PublishedYear | None) -> bool:
        if published is None or published.source.get("sha256") != candidate.source.get("sha256"):
            return False
        for table in PUBLISHED:
            working, there = stored[table.name][year].lineage, published.tables.get(table.name)
            if working is None or there is None or there.lineage != working or there.columns != columns_digest(table):
                return False
            if not self.store.is_intact(there.key, there.bytes, there.sha256):
                return False
        return True

    def _add_files(self, candidates: Mapping[int, Candidate], stored: Stored, run: str) -> dict[int, PublishedYear]:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        with staging_folder(self.staging) as folder:
            files = self.warehouse.fetch_parquet(PUBLISHED, sorted(candidates), folder)
            added = {(name, year): self.store.add(f"{DATA}{name}/{year}", file) for (name, year), file in files.items()}
        return {
            year: PublishedYear(
                source=dict(candidate.source),
                run=run,
                version=version_of("chicago-crime"),
                published_at=now,
                checks=list(candidate.checks),
                accepted=candidate.accepted,
                tables={
                    table.name: _published(
                        added[table.name, year],
                        stored[table.name][year],
                        columns_digest(table),
                    )
                    for table in PUBLISHED
                },
            )
            for year, candidate in candidates.items()
        }

    def _remove_old(self, new: Catalog, least_age_s: float) -> None:
        """Remove snapshots that are too old, and files that no kept snapshot names."""
        oldest = datetime.now(UTC) - timedelta(days=self.keep_days)
        named = set(new.keys)
        for snapshot in snapshots(self.store):
            if snapshot != new.snapshot and published_at(snapshot) < oldest:
                self.store.delete(f"{SNAPSHOTS}{snapshot}.json")
            else:
                try:
                    named |= open_snapshot(self.store, snapshot).keys
                except DamagedError:
                    return  # nobody knows which files it names
        for item in self.store.list(DATA):
            if item.key not in named and item.changed_at < time.time() - least_age_s + 1:
                self.store.delete(item.key)


def _published(added: StoredObject, stored: TableYear, columns: str) -> PublishedTable:
    lineage = stored.lineage or Lineage("", "")
    return PublishedTable(
        key=added.key,
        rows=stored.rows,
        bytes=added.bytes,
        sha256=added.sha256,
        columns=columns,
        identity=lineage.identity,
        inputs=lineage.inputs,
    )


def _interference(year: int, published: PublishedYear) -> str:
    return (
        f"{year} was published by the run {published.run} at {published.published_at}, after this run began to work on "
        f"it: load it again, chicago-crime run --years {year}"
    )


def _written(catalog: Catalog) -> bytes:
    return catalog.model_dump_json(indent=1).encode()


def _catalog(years: dict[int, PublishedYear], changed: list[int], before: Catalog | None) -> Catalog:
    at = datetime.now(UTC)
    if before:  # ids sort by time, also of two publications within a second
        at = max(at, before.published_at + timedelta(seconds=1))
    content = digest(*(table.sha256 for year in years.values() for table in year.tables.values()), at.isoformat())
    return Catalog(snapshot=f"{at:%Y%m%dT%H%M%SZ}-{content[:4]}", changed=changed, years=years)
