"""The catalog: the files of a snapshot, their lineage, and the results of the checks.

published/catalog.json                         the current snapshot
published/snapshots/<id>.json                  all retained snapshots, including the current one
published/data/<table>/<year>/<hash>.parquet   files, shared between snapshots
published/data/boundaries/<hash>.geojson       the official boundaries, if they were fetched
"""

import re
import shlex
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from pathlib import PurePosixPath
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from chicago_crime.errors import HOW_TO_LOAD, PlatformError, UsageError
from chicago_crime.storage.lineage import Lineage
from chicago_crime.storage.object_store import ObjectStore, ReadableStore, StoredObject
from chicago_crime.tables import CRIMES, TABLES
from chicago_crime.tables.years import format_years

CATALOG = "published/catalog.json"
SNAPSHOTS = "published/snapshots/"
DATA = "published/data/"
BOUNDARIES = "reference/boundaries.geojson"
"""Key of the newest boundaries, which the next publication includes."""

PUBLISHED = tuple(table for table in TABLES.values() if table.made_by != "csv")
"""The tables of a snapshot: all except raw_crimes."""

DATASET = "City of Chicago, Crimes - 2001 to Present"
"""The dataset behind all sources except the sample."""

CHICAGO = ZoneInfo("America/Chicago")
ID = re.compile(r"(\d{8}T\d{6}Z)-[0-9a-f]{4}")


class DamagedError(PlatformError):
    """A published file is missing or does not match the catalog. The message names the file and a command to fix it."""


class NothingPublishedError(PlatformError):
    """There is no snapshot, or none for that day or id."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")  # newer versions may write more fields


class PublishedTable(_Record):
    """One year of one table.

    Attributes:
        key: key of its Parquet file in the object store.
        rows, bytes, sha256: size and checksum of the file.
        columns: digest of its column names.
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
        """The code and inputs that produced it."""
        return Lineage(self.identity, self.inputs)


class CheckOutcome(_Record):
    """The outcome of a check for a year: passed, warning, or accepted (failed, but accepted with a reason)."""

    check: str
    outcome: str
    finding: str = ""


class PublishedYear(_Record):
    """One year of a snapshot.

    Attributes:
        source: manifest of its source file.
        run: id of the Dagster run that published it.
        version: package version.
        published_at: UTC, ISO 8601.
        checks: outcomes of the checks.
        accepted: reason for publishing the year although an audit failed; None if none failed.
        tables: tables by name.
    """

    source: dict[str, Any]
    run: str
    version: str
    published_at: str
    checks: list[CheckOutcome] = Field(default_factory=list)
    accepted: str | None = None
    tables: dict[str, PublishedTable]

    @property
    def is_synthetic(self) -> bool:
        """Whether its rows are synthetic, from the sample source."""
        return bool(self.source.get("synthetic"))

    def damage(self, year: int, file: object, problem: str = "damaged") -> str:
        """Describe a problem with one of its files, and the command that fixes it."""
        return f"{file} is {problem}. Load the year again: `{load_again(year, self.source)}`"


class Catalog(_Record):
    """One snapshot.

    Attributes:
        snapshot: its id: publication time (UTC) and a digest of its contents.
        changed: years that differ from the previous snapshot.
        years: published years.
        boundaries: file with the official boundaries (`sources/boundaries.py`); None until they are fetched.
    """

    snapshot: str
    changed: list[int] = Field(default_factory=list)
    years: dict[int, PublishedYear]
    boundaries: StoredObject | None = None

    @property
    def published_at(self) -> datetime:
        """Publication time."""
        return published_at(self.snapshot)

    @property
    def local_time(self) -> str:
        """Publication time in Chicago, for display; its day can be passed to `--as-of`."""
        return f"{self.published_at.astimezone(CHICAGO):%Y-%m-%d %H:%M %Z}"

    @property
    def records(self) -> int:
        """Number of crimes."""
        return sum(year.tables[CRIMES.name].rows for year in self.years.values())

    @property
    def samples(self) -> list[int]:
        """Years whose file was a sample or an extract, as the gate noted in the manifest."""
        return [year for year, one in self.years.items() if "sample" in one.source.get("details", {})]

    def cite(self, newest: str) -> str:
        """Return a citation of the snapshot with records up to `newest`."""
        names = {one.source["source"]: one.is_synthetic for one in self.years.values()}
        sources = (f"{name} (SYNTHETIC)" if synthetic else f"{DATASET} ({name})" for name, synthetic in names.items())
        parts = f"; samples or extracts: {format_years(self.samples)}" if self.samples else ""
        return (
            f"Chicago crime snapshot {self.snapshot}, published {self.published_at.astimezone(CHICAGO):%B %-d, %Y}; "
            f"source: {', '.join(sorted(sources))}{parts}; records to {newest}."
        )

    def years_of(self, table: str) -> dict[int, PublishedTable]:
        """The years of a table, oldest first. Years published by an earlier version may lack it."""
        return {year: held.tables[table] for year, held in sorted(self.years.items()) if table in held.tables}

    @property
    def tables(self) -> list[str]:
        """Names of the tables in any year."""
        return sorted({name for year in self.years.values() for name in year.tables})

    def how_to_load(self, years: str) -> str:
        """The command that adds years from the newest year's source, or the portal: pages must not show folders."""
        source = newest_source(self.years).get("source")
        return load_again(years, {"source": "portal" if source == "folder" else source})

    @property
    def keys(self) -> set[str]:
        """Keys of all files."""
        outlines = {self.boundaries.key} if self.boundaries else set()
        return outlines | {table.key for year in self.years.values() for table in year.tables.values()}


def published_at(snapshot: str) -> datetime:
    """Return the publication time that a snapshot's id contains."""
    found = ID.fullmatch(snapshot)
    if not found:
        raise NothingPublishedError(f"{snapshot!r} is not a snapshot id: `chicago-crime snapshots` lists the ids")
    return datetime.strptime(found[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def read_as_of(text: str) -> date | str:
    """Parse the value of `--as-of`: a day, or the id of a snapshot.

    Raises:
        UsageError: it is neither.
    """
    if ID.fullmatch(text):
        return text
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise UsageError(
            f"{text!r} is neither a day like 2026-05-31 nor a snapshot id: `chicago-crime snapshots` lists the ids"
        ) from None


def load_again(years: object, source: Mapping[str, Any]) -> str:
    """Return the command that loads years from the source of a manifest."""
    return f"chicago-crime run --years {years}{from_source(source)}"


def from_source(source: Mapping[str, Any]) -> str:
    """Return the options of `chicago-crime run` for the source of a manifest; "" if the manifest is empty.

    Older manifests do not record the folder: FOLDER stands for it.
    """
    if source.get("source") != "folder":
        return f" --source {source['source']}" if source else ""
    return f" --source folder --folder {shlex.quote(str(source.get('details', {}).get('folder', 'FOLDER')))}"


def newest_source(years: Mapping[int, PublishedYear]) -> Mapping[str, Any]:
    """Return the manifest of the newest year, whose source most likely has other years too; {} without years."""
    return years[max(years)].source if years else {}


class NewestReadable(NamedTuple):
    """The snapshot that the next publication extends.

    Attributes:
        snapshot: the current snapshot, or if the catalog is damaged the newest readable one; None if there is none.
        version: version of the catalog, for `ObjectStore.swap`.
        problem: why the catalog cannot be read, and how to fix it; None if it is readable.
    """

    snapshot: Catalog | None = None
    version: str | None = None
    problem: str | None = None


def newest_readable(store: ObjectStore) -> NewestReadable:
    """Return the current snapshot, or the newest one that is readable."""
    found = store.read(CATALOG)
    version = found[1] if found else None
    try:
        return NewestReadable(_parsed(store, found), version)
    except DamagedError as error:
        newest = next((kept for _, kept in kept_snapshots(store) if isinstance(kept, Catalog)), None)
        how = f"no other snapshot is readable, so load the years again. {HOW_TO_LOAD}"
        if newest:
            again = f"`chicago-crime run --years {max(newest.years)} --assets published`"
            how = f"to restore it from the newest snapshot: {again}"
        return NewestReadable(newest, version, f"{error}; {how}")


def current(store: ReadableStore) -> Catalog | None:
    """Return the current snapshot; None if nothing was ever published.

    Raises:
        DamagedError: the catalog cannot be read.
    """
    try:
        return _parsed(store, store.read(CATALOG))
    except DamagedError as error:
        raise DamagedError(f"{error}: `chicago-crime status` shows how to restore it") from error


def _parsed(store: ReadableStore, found: tuple[bytes, str] | None) -> Catalog | None:
    if found is None and isinstance(store, ObjectStore) and snapshots(store):  # web servers cannot list snapshots
        raise DamagedError(f"the catalog {CATALOG} is damaged (it is missing, although there are snapshots)")
    return parse(CATALOG, found[0]) if found else None


def snapshots(store: ReadableStore) -> list[str]:
    """Return the ids of all retained snapshots, oldest first."""
    names = (PurePosixPath(item.key) for item in store.list(SNAPSHOTS))
    return sorted(name.stem for name in names if name.suffix == ".json" and ID.fullmatch(name.stem))


def kept_snapshots(store: ReadableStore) -> Iterator[tuple[str, Catalog | DamagedError]]:
    """Yield all retained snapshots with their ids, newest first; an error instead if a catalog cannot be read."""
    for snapshot in reversed(snapshots(store)):
        key = f"{SNAPSHOTS}{snapshot}.json"
        if content := store.read(key):
            try:
                yield snapshot, parse(key, content[0])
            except DamagedError as error:
                yield snapshot, error


def open_snapshot(store: ReadableStore, as_of: date | str | None = None) -> Catalog:
    """Return the current snapshot, the newest one at the end of a day in Chicago, or the one with an id.

    Raises:
        UsageError: `as_of` is neither a day nor an id.
        NothingPublishedError: there is no such snapshot.
        DamagedError: its catalog cannot be read.
    """
    if as_of is None:
        if found := current(store):
            return found
        raise NothingPublishedError("nothing is published yet")
    if isinstance(as_of, str):
        as_of = read_as_of(as_of)
    if isinstance(as_of, date):
        kept = snapshots(store)
        end = datetime.combine(as_of, time.max, CHICAGO)
        before = [name for name in kept if published_at(name) <= end]
        if not before:
            oldest = "nothing is published yet"
            if kept:
                oldest = f"the oldest one is from {published_at(kept[0]).astimezone(CHICAGO).date()}"
            raise NothingPublishedError(f"there is no snapshot from {as_of} or earlier: {oldest}")
        as_of = before[-1]
    key = f"{SNAPSHOTS}{as_of}.json"
    content = store.read(key)
    if content is None:
        raise NothingPublishedError(f"there is no snapshot {as_of}: `chicago-crime snapshots` lists them")
    return parse(key, content[0])


def parse(key: str, content: bytes) -> Catalog:
    """Parse a catalog.

    Raises:
        DamagedError: the content is not a catalog.
    """
    try:
        return Catalog.model_validate_json(content)
    except ValidationError as error:
        raise DamagedError(f"the catalog {key} is damaged ({error.errors()[0]['msg']})") from error
