"""What is loaded and what is published, by year and table, and how they differ. It reads no rows, and no Dagster."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chicago_crime.errors import PlatformError
from chicago_crime.installation import Installation
from chicago_crime.intake.source_files import Manifest
from chicago_crime.published.catalog import PUBLISHED, Catalog, PublishedYear, newest_readable, newest_source
from chicago_crime.published.damage import wrong_sizes
from chicago_crime.published.publisher import LAKE, Stored, broken_links
from chicago_crime.storage.object_store import LakeRecord, lake_record, quarantine_key, rows_key
from chicago_crime.storage.warehouse import TableYear
from chicago_crime.tables import TABLES

SOURCE = "source"


@dataclass(frozen=True)
class YearStatus:
    """One year of the platform.

    Attributes:
        year: which.
        manifest: of its source file; None if it was never fetched.
        in_lake: whether its objects are stored.
        tables: table -> what it holds of the year; tables without the year are left out.
        published: the year as it is published; None if it is not.
        source: the manifest that says where to load it from: its own, or else that of the newest year.
        links: table or lake -> why it was not made from what is upstream of it now.
        outdated: tables whose columns are those of another version of this package.
        damaged: table, lake or source -> which file cannot be read, and what to do.
        damaged_files: what is wrong with published files.
    """

    year: int
    manifest: Manifest | None
    in_lake: bool
    tables: dict[str, TableYear]
    published: PublishedYear | None
    source: Mapping[str, Any]
    links: Mapping[str, str]
    outdated: frozenset[str]
    damaged: Mapping[str, str]
    damaged_files: list[str] = field(default_factory=list)

    @property
    def stale(self) -> frozenset[str]:
        """The tables that were made from something else than is there now, and all that were made of those."""
        found = {LAKE} & self.links.keys()
        for name, table in TABLES.items():  # upstream tables come first
            above = {one.name for one in table.upstream} or {LAKE}
            if name in self.tables and (name in self.links or above & found):
                found.add(name)
        return frozenset(found)

    @property
    def unpublished(self) -> list[str]:
        """The tables that hold something else than is published."""
        there = self.published.tables if self.published else {}
        return [
            table.name
            for table in PUBLISHED
            if (working := self.tables.get(table.name))
            and (table.name not in there or working.lineage != there[table.name].lineage)
        ]

    @property
    def problems(self) -> list[str]:
        """What is not as it should be, in words."""
        found = [*self.damaged.values(), *self.damaged_files]
        found += [f"{name} has the columns of another version" for name in TABLES if name in self.outdated]
        if not self.damaged:  # nothing can be said about what is made of a damaged file
            found += self.links.values()
        if found:
            return found
        what = "it is loaded and not published" if self.published is None else "what is published differs"
        return [f"{what}: a check refused it, or its run did not end"] if self.unpublished else []


@dataclass(frozen=True)
class Status:
    """All years of which anything is stored, ascending.

    Attributes:
        snapshot: the current one, or the newest that can be read; None if nothing is published.
        years: by year.
        damaged: why the catalog cannot be read, and what to do; None if it can.
    """

    snapshot: Catalog | None
    years: list[YearStatus]
    damaged: str | None = None

    @property
    def is_complete(self) -> bool:
        """True if nothing is wrong."""
        return self.damaged is None and not any(year.problems for year in self.years)


def read_status(installation: Installation) -> Status:
    """The status of an installation. What is damaged is named; all else is read."""
    source_files, store, reader = installation.source_files, installation.object_store, installation.working_reader
    snapshot, _, damaged = newest_readable(store)
    published = snapshot.years if snapshot else {}
    damaged_files: dict[int, list[str]] = {}
    for year, problem in wrong_sizes(snapshot, store) if snapshot else ():
        damaged_files.setdefault(year, []).append(problem)
    stored: Stored = reader.stored_of_all(list(TABLES.values()))
    old = {name: reader.outdated(table) for name, table in TABLES.items()}
    unreadable = reader.damaged_years()
    objects = {item.key for prefix in ("crimes/", "quarantine/") for item in store.list(prefix)}
    years = {year for held in stored.values() for year in held} | {year for _, year in unreadable}
    statuses = []
    for year in sorted(years | published.keys() | set(source_files.years())):
        damage = {name: problem for (name, of), problem in unreadable.items() if of == year}
        manifest: Manifest | None = None
        lake: LakeRecord | None = None
        try:
            manifest = source_files.manifest(year)
        except PlatformError as error:
            damage[SOURCE] = str(error)
        try:
            lake = lake_record(store, year)
        except PlatformError as error:
            damage[LAKE] = str(error)
        one = published.get(year)
        source = one.source if one else manifest.model_dump() if manifest else newest_source(published)
        source_sha256 = manifest.sha256 if manifest else lake.source_sha256 if lake else None
        links = broken_links(year, stored, lake, source_sha256)
        statuses.append(
            YearStatus(
                year=year,
                manifest=manifest,
                in_lake={rows_key(year), quarantine_key(year)} <= objects,
                tables={name: held[year] for name, held in stored.items() if year in held},
                published=one,
                source=source,
                links={} if LAKE in damage else links,
                outdated=frozenset(name for name, years in old.items() if year in years),
                damaged=damage,
                damaged_files=damaged_files.get(year, []),
            )
        )
    return Status(snapshot, statuses, damaged)
