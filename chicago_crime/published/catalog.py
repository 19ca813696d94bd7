"""The catalog: which files make up a snapshot, what they were made from, and what the checks found.

published/catalog.json                         the current snapshot
published/snapshots/<id>.json                  every snapshot that is kept, the current one too
published/data/<table>/<year>/<hash>.parquet   each file once, whatever the number of snapshots that name it
published/data/boundaries/<hash>.geojson       the official outlines, if they were fetched
"""

import re
import shlex
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from pathlib import PurePosixPath
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from chicago_crime.errors import PlatformError, UsageError
from chicago_crime.storage.lineage import Lineage
from chicago_crime.storage.object_store import ObjectStore, ReadableStore, StoredObject
from chicago_crime.tables import CRIMES, TABLES

CATALOG = "published/catalog.json"
SNAPSHOTS = "published/snapshots/"
DATA = "published/data/"
BOUNDARIES = "reference/boundaries.geojson"
"""Key of the newest outlines, from which a publication takes them."""

PUBLISHED = tuple(table for table in TABLES.values() if table.made_by != "csv")
"""The tables of a snapshot: all but the raw rows."""

CITYS = "City of Chicago, Crimes - 2001 to Present"
"""The dataset that all sources but the sample have."""

CHICAGO = ZoneInfo("America/Chicago")
ID = re.compile(r"(\d{8}T\d{6}Z)-[0-9a-f]{4}")


class DamagedError(PlatformError):
    """A published file is missing or is not what the catalog says; the message names it and the command that helps."""


class NothingPublishedError(PlatformError):
    """There is no snapshot, or none on that day."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")  # a newer version may write more


class PublishedTable(_Record):
    """One year of one table.

    Attributes:
        key: of its Parquet file in the object store.
        rows, bytes, sha256: of the file.
        columns: digest of the names of its columns.
        identity, inputs: its lineage.
    """

    key: str
    rows: int
    bytes: int
    sha256: str
    columns: str
    identity: str
    inputs: str

    @property
    def lineage(self) -> Lineage:
        """What it was made of."""
        return Lineage(self.identity, self.inputs)


class CheckFound(_Record):
    """What a check found in a year: passed, warning, or accepted (failed, and let through with a reason)."""

    check: str
    outcome: str
    finding: str = ""


class PublishedYear(_Record):
    """One year of a snapshot.

    Attributes:
        source: the manifest of its source file.
        run: id of the Dagster run that published it.
        version: of the package.
        published_at: UTC, ISO 8601.
        checks: what the checks found.
        accepted: the reason why the year was published although an audit failed; None if none did.
        tables: by name.
    """

    source: dict[str, Any]
    run: str
    version: str
    published_at: str
    checks: list[CheckFound] = Field(default_factory=list)
    accepted: str | None = None
    tables: dict[str, PublishedTable]

    @property
    def is_synthetic(self) -> bool:
        """Whether the sample source made its rows up."""
        return bool(self.source.get("synthetic"))

    def damage(self, year: int, file: object, problem: str = "damaged") -> str:
        """What is wrong with a file of it, and the command that mends it."""
        return f"{file} is {problem}. Load the year again: {load_again(year, self.source)}"


class Catalog(_Record):
    """One snapshot.

    Attributes:
        snapshot: its id: when it was published (UTC), and a digest of what it contains.
        changed: the years that differ from the snapshot before.
        years: by year.
        boundaries: the file with the official outlines (`sources/boundaries.py`); None until they are fetched.
    """

    snapshot: str
    changed: list[int] = Field(default_factory=list)
    years: dict[int, PublishedYear]
    boundaries: StoredObject | None = None

    @property
    def published_at(self) -> datetime:
        """When it was published."""
        return published_at(self.snapshot)

    @property
    def told_at(self) -> str:
        """When it was published, for people: in Chicago, whose days `--as-of` takes."""
        return f"{self.published_at.astimezone(CHICAGO):%Y-%m-%d %H:%M %Z}"

    @property
    def records(self) -> int:
        """How many crimes it has."""
        return sum(year.tables[CRIMES.name].rows for year in self.years.values())

    @property
    def citation(self) -> str:
        """How to cite a figure of it, with the newest month that has any crime."""
        return self.cite(max(month for one in self.years.values() for month in one.source["months"]))

    def cite(self, newest: str) -> str:
        """How to cite a figure of it; `newest` says up to when there are crimes."""
        names = {one.source["source"]: one.is_synthetic for one in self.years.values()}
        sources = (f"{name} (SYNTHETIC)" if synthetic else f"{CITYS} ({name})" for name, synthetic in names.items())
        return (
            f"Chicago crime snapshot {self.snapshot}, published {self.published_at.astimezone(CHICAGO):%B %-d, %Y}; "
            f"source: {', '.join(sorted(sources))}; records to {newest}."
        )

    def years_of(self, table: str) -> dict[int, PublishedTable]:
        """The years of a table, oldest first; those of an earlier version may lack it."""
        return {year: held.tables[table] for year, held in sorted(self.years.items()) if table in held.tables}

    @property
    def tables(self) -> list[str]:
        """The names of the tables that any year has."""
        return sorted({name for year in self.years.values() for name in year.tables})

    def how_to_load(self, years: str) -> str:
        """The command that adds years from the source of the newest; for pages, which name no folder: the portal's."""
        source = newest_source(self.years).get("source")
        return load_again(years, {"source": "portal" if source == "folder" else source})

    @property
    def keys(self) -> set[str]:
        """The keys of all files."""
        outlines = {self.boundaries.key} if self.boundaries else set()
        return outlines | {table.key for year in self.years.values() for table in year.tables.values()}


def published_at(snapshot: str) -> datetime:
    """When a snapshot was published, from its id."""
    found = ID.fullmatch(snapshot)
    if not found:
        raise NothingPublishedError(f"{snapshot!r} is no id of a snapshot: `chicago-crime snapshots` lists them")
    return datetime.strptime(found[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def read_as_of(text: str) -> date | str:
    """Read which snapshot is meant: the newest at the end of a day, or the one with an id.

    Raises:
        UsageError: it is neither.
    """
    if ID.fullmatch(text):
        return text
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise UsageError(
            f"{text!r} is neither a day, as 2026-05-31, nor the id of a snapshot: `chicago-crime snapshots` lists them"
        ) from None


def load_again(years: object, source: Mapping[str, Any]) -> str:
    """The command that loads years from where one came from; `source` is its manifest."""
    return f"chicago-crime run --years {years}{from_source(source)}"


def from_source(source: Mapping[str, Any]) -> str:
    """The options of `chicago-crime run` that name the source of a manifest; none for an empty one."""
    if source.get("source") != "folder":
        return f" --source {source['source']}" if source else ""
    return f" --source folder --folder {shlex.quote(folder_of(source))}"


def folder_of(source: Mapping[str, Any]) -> str:
    """The folder that a year of the source `folder` came from; `...` if its manifest does not tell."""
    return str(source.get("details", {}).get("folder", "..."))


def newest_source(years: Mapping[int, PublishedYear]) -> Mapping[str, Any]:
    """The manifest of the newest year, whose source most likely has others too; an empty one of no years."""
    return years[max(years)].source if years else {}


class NewestReadable(NamedTuple):
    """What the next publication builds on.

    Attributes:
        snapshot: the current one; the newest that can be read, if the catalog is damaged; None if there is none.
        version: of the catalog, for `ObjectStore.swap`.
        problem: why the catalog cannot be read, and what to do; None if it can.
    """

    snapshot: Catalog | None = None
    version: str | None = None
    problem: str | None = None


def newest_readable(store: ObjectStore) -> NewestReadable:
    """The snapshot to build on: the current one, or the newest that can be read."""
    found = store.read(CATALOG)
    version = found[1] if found else None
    try:
        return NewestReadable(_parsed(store, found), version)
    except DamagedError as error:
        newest = next((kept for _, kept in kept_snapshots(store) if isinstance(kept, Catalog)), None)
        how = "no snapshot can be read either, load the years again, e.g. chicago-crime run --years 2021"
        if newest:
            again = f"chicago-crime run --years {max(newest.years)} --assets published"
            how = f"to restore it from the newest snapshot: {again}"
        return NewestReadable(newest, version, f"{error}; {how}")


def current(store: ReadableStore) -> Catalog | None:
    """The current snapshot; None if nothing was ever published.

    Raises:
        DamagedError: the catalog cannot be read.
    """
    try:
        return _parsed(store, store.read(CATALOG))
    except DamagedError as error:
        raise DamagedError(f"{error}: `chicago-crime status` says how to restore it") from error


def _parsed(store: ReadableStore, found: tuple[bytes, str] | None) -> Catalog | None:
    """The catalog; None if nothing was ever published."""
    if found is None and isinstance(store, ObjectStore) and snapshots(store):  # on the web, nothing lists them
        raise DamagedError(f"{CATALOG} is damaged: it is missing, though there are snapshots")
    return parse(CATALOG, found[0]) if found else None


def snapshots(store: ReadableStore) -> list[str]:
    """The ids of the snapshots that are kept, oldest first."""
    names = (PurePosixPath(item.key) for item in store.list(SNAPSHOTS))
    return sorted(name.stem for name in names if name.suffix == ".json" and ID.fullmatch(name.stem))


def kept_snapshots(store: ReadableStore) -> Iterator[tuple[str, Catalog | DamagedError]]:
    """The snapshots that are kept by id, newest first, with the error of each whose catalog cannot be read."""
    for snapshot in reversed(snapshots(store)):
        key = f"{SNAPSHOTS}{snapshot}.json"
        if content := store.read(key):
            try:
                yield snapshot, parse(key, content[0])
            except DamagedError as error:
                yield snapshot, error


def open_snapshot(store: ReadableStore, as_of: date | str | None = None) -> Catalog:
    """A snapshot: the current one, the newest at the end of a day in Chicago, or the one with an id.

    Raises:
        UsageError: a text is neither a day nor an id.
        NothingPublishedError: there is none.
        DamagedError: its catalog cannot be read.
    """
    if as_of is None:
        if found := current(store):
            return found
        raise NothingPublishedError("nothing is published yet: load some years, e.g. chicago-crime run --years 2021")
    if isinstance(as_of, str):
        as_of = read_as_of(as_of)
    if isinstance(as_of, date):
        kept = snapshots(store)
        end = datetime.combine(as_of, time.max, CHICAGO)
        before = [name for name in kept if published_at(name) <= end]
        if not before:
            oldest = "there is none yet"
            if kept:
                oldest = f"the oldest that is kept is of {published_at(kept[0]).astimezone(CHICAGO).date()}"
            raise NothingPublishedError(f"there is no snapshot of {as_of} or before: {oldest}")
        as_of = before[-1]
    key = f"{SNAPSHOTS}{as_of}.json"
    content = store.read(key)
    if content is None:
        raise NothingPublishedError(f"there is no snapshot {as_of}: `chicago-crime snapshots` lists them")
    return parse(key, content[0])


def parse(key: str, content: bytes) -> Catalog:
    """Read a catalog.

    Raises:
        DamagedError: it is not one.
    """
    try:
        return Catalog.model_validate_json(content)
    except ValidationError as error:
        raise DamagedError(f"the catalog {key} is damaged ({error.errors()[0]['msg']})") from error
