"""Loaded and published years by table, and their differences. This reads neither rows nor Dagster's databases."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chicago_crime.errors import PlatformError
from chicago_crime.installation import Installation
from chicago_crime.intake.source_files import Manifest
from chicago_crime.published.catalog import PUBLISHED, Catalog, PublishedYear, newest_readable, newest_source
from chicago_crime.published.damage import wrong_sizes
from chicago_crime.published.publisher import LAKE, Stored, broken_links
from chicago_crime.reference import checked_estimates
from chicago_crime.storage.object_store import LakeRecord, lake_record, quarantine_key, rows_key
from chicago_crime.storage.warehouse import TableYear
from chicago_crime.tables import TABLES

SOURCE = "source"


@dataclass(frozen=True)
class YearStatus:
    """The status of one year.

    Attributes:
        manifest: manifest of its source file; None if it was never fetched.
        in_lake: whether its lake objects are stored.
        tables: stored data of the tables that have the year.
        published: the published year; None if it is not published.
        source: manifest of the source to load it from: its own, or the newest year's.
        links: breaks in the lineage, by table or lake.
        outdated: tables made with other columns, SQL, Spark job, reference files or estimates than the current ones.
        damaged: unreadable files and how to fix them, by table, lake or source.
        damaged_files: problems of published files.
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
        """Tables that were not made from their current upstream data, and all tables downstream of them."""
        found = {LAKE} & self.links.keys()
        for name, table in TABLES.items():  # upstream tables come first
            above = {one.name for one in table.upstream} or {LAKE}
            if name in self.tables and (name in self.links or above & found):
                found.add(name)
        return frozenset(found)

    @property
    def unpublished(self) -> list[str]:
        """Tables that differ from the published year."""
        there = self.published.tables if self.published else {}
        return [
            table.name
            for table in PUBLISHED
            if (working := self.tables.get(table.name))
            and (table.name not in there or working.lineage != there[table.name].lineage)
        ]

    @property
    def problems(self) -> list[str]:
        """A description of each problem."""
        found = [*self.damaged.values(), *self.damaged_files]
        if names := [name for name in TABLES if name in self.outdated]:
            found.append(f"made by another version of the package, or with other estimates: {', '.join(names)}")
        if not self.damaged:  # the lineage of a damaged file is unknown
            found += self.links.values()
            found += ["the lake lacks its rows or quarantined lines"] if self.tables and not self.in_lake else []
        if found:
            return found
        what = "loaded but not published" if self.published is None else "the published tables differ"
        return [f"{what}: a check failed, or the run did not finish"] if self.unpublished else []


@dataclass(frozen=True)
class Status:
    """The status of all stored years.

    Attributes:
        snapshot: the current snapshot, or the newest readable one; None if nothing is published.
        years: stored years, ascending.
        damaged: why the catalog cannot be read, and how to fix it; None if it is readable.
    """

    snapshot: Catalog | None
    years: list[YearStatus]
    damaged: str | None = None

    @property
    def is_complete(self) -> bool:
        """Whether something is published, and there are no problems."""
        return self.snapshot is not None and self.damaged is None and not any(year.problems for year in self.years)


def read_status(installation: Installation) -> Status:
    """Read the status of an installation. Damaged files are reported, not raised."""
    source_files, store, reader = installation.source_files, installation.object_store, installation.working_reader
    snapshot, _, damaged = newest_readable(store)
    published = snapshot.years if snapshot else {}
    damaged_files: dict[int, list[str]] = {}
    for year, problem in wrong_sizes(snapshot, store) if snapshot else ():
        damaged_files.setdefault(year, []).append(problem)
    stored: Stored = reader.stored_of_all(list(TABLES.values()))
    old = {name: set(reader.outdated(table)) for name, table in TABLES.items()}
    estimates = checked_estimates(installation.settings.population)
    for name, held in stored.items():
        old[name] |= {year for year, one in held.items() if not one.lineage.is_current(TABLES[name], estimates)}
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
        source = manifest.model_dump() if manifest else one.source if one else newest_source(published)
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
