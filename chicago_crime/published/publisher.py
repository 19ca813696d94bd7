"""Publishing years: add their files, swap the catalog, and remove what no retained snapshot needs."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from importlib.metadata import version as version_of
from pathlib import Path

from chicago_crime.intake.staging import staging_folder
from chicago_crime.published.catalog import (
    BOUNDARIES,
    CATALOG,
    DATA,
    PUBLISHED,
    SNAPSHOTS,
    Catalog,
    CheckOutcome,
    DamagedError,
    PublishedTable,
    PublishedYear,
    load_again,
    newest_readable,
    parse,
    published_at,
    snapshots,
)
from chicago_crime.published.damage import unreferenced_files
from chicago_crime.published.reader import columns_digest
from chicago_crime.published.views import Views
from chicago_crime.storage.lineage import Lineage, digest
from chicago_crime.storage.object_store import LakeRecord, ObjectStore, ObjectStoreError, StoredObject, lake_record
from chicago_crime.storage.warehouse import TableYear, Warehouse, is_computed_from
from chicago_crime.tables import TABLES

LAKE = "lake"
"""Name of the lake object, upstream of the raw table, among the names of tables."""

UNREFERENCED_S = 86_400
"""Minimum age at which unreferenced files are removed if another publisher may be about to reference them."""

FILES_AT_ONCE = 4
"""Number of files added in parallel, because adding is bound by I/O."""

Stored = Mapping[str, Mapping[int, TableYear]]


@dataclass(frozen=True)
class Candidate:
    """A year to be published.

    Attributes:
        source: manifest of its source file.
        lake: record of its lake object; None if there is none.
        checks: outcomes of the checks.
        accepted: reason for publishing it although an audit failed; None if none failed.
        before: the published year when the run started; None if it was not published.
    """

    source: Mapping[str, object]
    lake: LakeRecord | None
    checks: Sequence[CheckOutcome] = ()
    accepted: str | None = None
    before: PublishedYear | None = None


MIXED = (
    "the snapshot would have both real and SYNTHETIC rows. Load real years and years of the sample into different data "
    "folders (--data-dir)"
)


@dataclass(frozen=True)
class Publication:
    """The result of a publication.

    Attributes:
        snapshot: the current snapshot, which is the previous one if nothing changed.
        changed: years that differ from the previous snapshot.
        refused: reasons why years were not published, by year.
        repaired: unchanged years for which a damaged or missing file was restored.
        problem: why the views do not show the snapshot; "" if they do.
    """

    snapshot: Catalog | None
    changed: list[int]
    refused: dict[int, str]
    repaired: list[int]
    problem: str = ""


def broken_links(year: int, stored: Stored, lake: LakeRecord | None, source_sha256: str | None) -> dict[str, str]:
    """Return, by table or lake, the breaks in a year's lineage from the source file to the marts.

    `lake` is the record of its lake object, and `source_sha256` the checksum of its source file; None if there is none.
    """
    held = {name: stored[name].get(year) for name in TABLES}
    lake_year = TableYear(0, 0, 0.0, Lineage(lake.sha256 if lake else "", ""))
    found: dict[str, str] = {}
    if lake and lake.source_sha256 != source_sha256:
        found[LAKE] = "the lake object was not made from the current source file"
    for name, one in held.items():
        upstream = TABLES[name].upstream
        above = [held[table.name] for table in upstream] if upstream else [lake_year]
        if one is None:
            found[name] = f"{name} lacks the year"
        elif not is_computed_from(one, above):
            names = " and ".join(table.name for table in upstream) or "lake object"
            found[name] = f"{name} was not made from the current {names}"
    return found


@dataclass
class Publisher:
    """Adds years to the published snapshots.

    Attributes:
        staging: folder for temporary files, on the same file system.
        keep_days: age in days after which snapshots are removed, except the current one.
        views: rewritten after each publication; None if the files are not on this machine.
    """

    store: ObjectStore
    warehouse: Warehouse
    staging: Path
    keep_days: int
    views: Views | None = None

    def publish(self, candidates: Mapping[int, Candidate], run: str) -> Publication:
        """Publish complete and checked years, together with new boundaries, in one snapshot.

        Years that are already published are skipped, unless one of their files is damaged. New boundaries alone create
        a snapshot of the published years.
        """
        stored = self._stored()
        with self.store.publisher_lock() as is_only:
            catalog, version = self._current()
            held = catalog.years if catalog else {}
            refused = {
                year: f"{'; '.join(problems.values())}. Load the year again: `{load_again(year, candidate.source)}`"
                for year, candidate in candidates.items()
                if (problems := broken_links(year, stored, candidate.lake, str(candidate.source.get("sha256"))))
            }
            wanted = {
                year: candidate
                for year, candidate in candidates.items()
                if year not in refused
                and not self._is_published(year, str(candidate.source.get("sha256")), stored, held.get(year))
            }
            made = self._add_files(wanted, stored, run) if wanted else {}
            outlines = self._boundaries(catalog)
            repaired = [year for year, one in made.items() if _is_same(one, held.get(year))]
            made = {year: one for year, one in made.items() if year not in repaired}
            after = self._stored() if made else {}
            for year in list(made):
                if any(after[table.name].get(year) != stored[table.name][year] for table in PUBLISHED):
                    again = load_again(year, wanted[year].source)
                    refused[year] = f"another run changed its tables at the same time. Load the year again: `{again}`"
                    del made[year]
            while True:
                for year in [year for year in made if held.get(year) not in (wanted[year].before, made[year])]:
                    refused[year] = (
                        f"run {held[year].run} published {year} at {held[year].published_at}, after this run "
                        f"started. Load the year again: `{load_again(year, held[year].source)}`"
                    )
                    del made[year]
                if len({one.is_synthetic for one in (held | made).values()}) > 1:
                    refused |= dict.fromkeys(made, MIXED)
                    made = {}
                if not made and not (catalog and catalog.boundaries != outlines):
                    return self._with_views(Publication(catalog, [], refused, repaired))
                years = dict(sorted((held | made).items()))
                new = _catalog(years, sorted(made), catalog, outlines)
                content = _serialized(new)
                if self.store.swap(CATALOG, content, version):
                    self._store_snapshot(new.snapshot, content)
                    self._remove_old(new, 0.0 if is_only else UNREFERENCED_S)
                    return self._with_views(Publication(new, sorted(made), refused, repaired))
                catalog, version = self._current()  # another publisher was faster
                held = catalog.years if catalog else {}
                outlines = self._boundaries(catalog)

    def unchanged_years(
        self, files: Mapping[int, str], before: Mapping[int, PublishedYear]
    ) -> dict[int, PublishedYear]:
        """Return the years whose source files would reproduce exactly what is published and in the warehouse.

        `files` are the SHA-256 checksums of the source files. Their lake objects must be current.
        """
        same = {
            year: published
            for year, published in before.items()
            if year in files
            and published.source.get("sha256") == files[year]
            and published.version == version_of("chicago-crime")  # other versions may have stricter checks
        }
        stored = self._stored() if same else {}
        found: dict[int, PublishedYear] = {}
        for year, published in same.items():
            with suppress(ObjectStoreError):  # the lake record is damaged
                lake = lake_record(self.store, year)
                if (
                    lake
                    and not broken_links(year, stored, lake, files[year])
                    and all(
                        stored[table.name][year].lineage.is_current(table, self.warehouse.estimates)
                        for table in PUBLISHED
                    )
                    and not any(self.warehouse.damage(name, year) for name in TABLES)
                    and self._is_published(year, files[year], stored, published)
                ):
                    found[year] = published
        return found

    def _with_views(self, publication: Publication) -> Publication:
        if self.views and publication.snapshot:
            try:
                self.views.replace(publication.snapshot)
            except DamagedError as error:
                return replace(publication, problem=str(error))
        return publication

    def _stored(self) -> Stored:
        return self.warehouse.stored_of_all(list(TABLES.values()))

    def _current(self) -> tuple[Catalog | None, str | None]:
        catalog, version, problem = newest_readable(self.store)
        if catalog:
            content = _serialized(catalog)
            self._store_snapshot(catalog.snapshot, content)  # a publisher may have died after swapping the catalog
            if problem and self.store.swap(CATALOG, content, version):
                found = self.store.read(CATALOG)
                version = found[1] if found else None
        return catalog, version

    def _store_snapshot(self, snapshot: str, content: bytes) -> None:
        key = f"{SNAPSHOTS}{snapshot}.json"
        found = self.store.read(key)
        with suppress(DamagedError):
            if found and parse(key, found[0]):
                return
        self.store.swap(key, content, found and found[1])

    def _is_published(self, year: int, sha256: str, stored: Stored, published: PublishedYear | None) -> bool:
        if published is None or published.source.get("sha256") != sha256:
            return False
        for table in PUBLISHED:
            working, there = stored[table.name][year].lineage, published.tables.get(table.name)
            if there is None or there.lineage != working or there.columns != columns_digest(table):
                return False
            if not self.store.is_intact(there.key, there.bytes, there.sha256):
                return False
        return True

    def _add_files(self, candidates: Mapping[int, Candidate], stored: Stored, run: str) -> dict[int, PublishedYear]:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        with staging_folder(self.staging) as folder:
            files = self.warehouse.fetch_parquet(PUBLISHED, sorted(candidates), folder)
            prefixes = [f"{DATA}{name}/{year}" for name, year in files]
            with ThreadPoolExecutor(FILES_AT_ONCE) as pool:
                added = dict(zip(files, pool.map(self.store.add, prefixes, files.values()), strict=True))
        return {
            year: PublishedYear(
                source=dict(candidate.source),
                run=run,
                version=version_of("chicago-crime"),
                published_at=now,
                checks=list(candidate.checks),
                accepted=candidate.accepted,
                tables={
                    table.name: PublishedTable(
                        **asdict(added[table.name, year]),
                        **asdict(stored[table.name][year].lineage),
                        rows=stored[table.name][year].rows,
                        columns=columns_digest(table),
                    )
                    for table in PUBLISHED
                },
            )
            for year, candidate in candidates.items()
        }

    def _boundaries(self, catalog: Catalog | None) -> StoredObject | None:
        """Store the newest boundaries among the published files; return the catalog's if there are no new ones."""
        found = self.store.read(BOUNDARIES)
        if found is None:
            return catalog.boundaries if catalog else None
        with staging_folder(self.staging) as folder:
            file = folder / "boundaries.geojson"
            file.write_bytes(found[0])
            return self.store.add(f"{DATA}boundaries", file)

    def _remove_old(self, new: Catalog, least_age_s: float) -> None:
        """Remove expired snapshots, and files that no retained snapshot references."""
        oldest = datetime.now(UTC) - timedelta(days=self.keep_days)
        for snapshot in snapshots(self.store):
            if snapshot != new.snapshot and published_at(snapshot) < oldest:
                self.store.delete(f"{SNAPSHOTS}{snapshot}.json")
        for item in unreferenced_files(self.store):
            if item.key not in new.keys and item.changed_at < time.time() - least_age_s + 1:
                self.store.delete(item.key)


def _is_same(new: PublishedYear, held: PublishedYear | None) -> bool:
    """Whether a year consists of the published files."""
    return held is not None and (new.tables, new.source.get("sha256")) == (held.tables, held.source.get("sha256"))


def _serialized(catalog: Catalog) -> bytes:
    return catalog.model_dump_json(indent=1).encode()


def _catalog(
    years: dict[int, PublishedYear], changed: list[int], before: Catalog | None, boundaries: StoredObject | None
) -> Catalog:
    at = datetime.now(UTC)
    if before:  # ids must sort by time, even for two publications within a second
        at = max(at, before.published_at + timedelta(seconds=1))
    content = digest(*(table.sha256 for year in years.values() for table in year.tables.values()), at.isoformat())
    snapshot = f"{at:%Y%m%dT%H%M%SZ}-{content[:4]}"
    return Catalog(snapshot=snapshot, changed=changed, years=years, boundaries=boundaries)
