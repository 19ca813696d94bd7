"""The source `portal`: the City's open-data API (Socrata), with all years up to today and no sign-up.

For a year already loaded, only the changes are downloaded; a periodic full download verifies the result. Because the
data changes every night, each download compares the state of the year before and after, so that all its pages belong to
the same state.
"""

import csv
import filecmp
import hashlib
import io
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from heapq import merge
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from pydantic import SecretStr
from typing_extensions import override

from chicago_crime.sources.base import (
    DIFFERENCE,
    NO_FILES,
    VERSION,
    CrimeSource,
    Expected,
    Previous,
    PreviousFile,
    Progress,
    SourceError,
    SourceFile,
    no_progress,
)
from chicago_crime.sources.http import PUBLISHER_POLICY, publisher_session
from chicago_crime.sources.portal_api import DATASET, Portal, State, rows_of
from chicago_crime.sources.retry import RetryPolicy
from chicago_crime.tables.columns import SOURCE_NAMES
from chicago_crime.tables.years import FIRST_YEAR, PUBLISHED_AFTER_DAYS

ROWS_PER_PAGE = 50_000
"""Page size that every version of the API allows; about 12 MB."""

MAX_READS = 3
"""Number of downloads of a year before giving up because its data keeps changing."""

OVERLAP = timedelta(hours=6)
"""Overlap between two downloads of changes, because the portal may publish rows of one update at different times."""

_HEADER = (",".join(SOURCE_NAMES) + "\n").encode()
_YEAR = SOURCE_NAMES.index("year")


class _Changes(NamedTuple):
    """The previous file of a year, its current state, and a file with the rows written since: CSV, ordered by id."""

    previous: PreviousFile
    state: State
    rows: Path


@dataclass(frozen=True)
class PortalSource(CrimeSource):
    """Downloads full years, or their changes.

    Attributes:
        url: address of the portal, without a trailing slash.
        app_token: optional app token, for a higher rate limit.
        today: the current date, None for the real one. The newest year is that of 8 days ago.
        full_download_after_days: maximum age of the last full download of a year; 0 to always download full years.
        changes: changes by year, set by `prepare`.
        read_until: newest time at which the portal had written a row when the run started; "" if unknown.
    """

    url: str
    app_token: SecretStr | None = None
    rows_per_page: int = ROWS_PER_PAGE
    policy: RetryPolicy = PUBLISHER_POLICY
    today: date | None = None
    full_download_after_days: int = 7
    changes: Mapping[int, _Changes] = field(default_factory=dict, repr=False)
    read_until: str = ""
    name = "portal"
    fresh_for = timedelta(days=8)  # a week, and a day for the run
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False, compare=False)

    @override
    def years(self) -> list[int]:
        """Return the years that the portal must have, without a request."""
        return list(range(FIRST_YEAR, self._newest_year + 1))

    @override
    def prepare(
        self, years: Sequence[int], directory: Path, progress: Progress = no_progress, previous: Previous = NO_FILES
    ) -> "PortalSource":
        """Download the changes of years since their previous download; `fetch` downloads the other years in full."""
        waiting = {year: previous[year] for year in years if year in previous and self._can_update(previous[year])}
        found: dict[int, _Changes] = {}
        with self._lock, self._connected() as portal:
            before = portal.states()
            read_until = max((state.written_at for state in before.values()), default="")
            if not read_until:
                return self
            for _ in range(MAX_READS):
                rows = {year: directory / f"{year}.changes" for year in waiting}
                changed = {
                    year: one for year, one in waiting.items() if str(before.get(year)) != one.details.get(VERSION)
                }
                _download_changes(portal, changed, rows, progress)
                after = portal.states() if changed else before
                for year in [year for year in waiting if year in after and after[year] == before.get(year)]:
                    found[year] = _Changes(waiting.pop(year), after[year], rows[year])
                before = after
        return replace(self, changes=found, read_until=read_until)

    @override
    def unchanged(self) -> list[int]:
        return [
            year
            for year, one in self.changes.items()
            if str(one.state) == one.previous.details.get(VERSION)
            and not self._needs_full_download(one.previous)
            and one.previous.details["partial"] == (year == self._newest_year)
        ]

    @override
    def fetch(self, year: int, directory: Path, progress: Progress = no_progress) -> SourceFile:
        """Fetch one year at a time across threads, so that the portal sees a single connection."""
        if year not in self.years():
            raise SourceError(f"the portal has no year {year}: it has {FIRST_YEAR} to {self._newest_year}")
        path, changes = directory / f"chicago_crimes_{year}.csv", self.changes.get(year)
        if not changes or not self._update(changes, year, path):
            return self._download_full(year, path, progress)
        since = str(changes.previous.details["read_whole"])
        if not self._needs_full_download(changes.previous):
            return self._source_file(path, year, changes.state, since)
        updated = path.rename(directory / "updated.csv")
        full = self._download_full(year, path, progress)
        if full.details[VERSION] == str(changes.state) and not filecmp.cmp(path, updated, shallow=False):
            full.details[DIFFERENCE] = _difference(path, updated, since)
        return full

    def _download_full(self, year: int, path: Path, progress: Progress) -> SourceFile:
        nothing = State(0, "", "")
        with self._lock, self._connected() as portal:
            for _ in range(MAX_READS):
                before = portal.states(year).get(year, nothing)
                if not before.rows:
                    raise SourceError(f"{portal.server} has no crimes for {year} yet")
                read = 0
                with path.open("wb") as file:
                    file.write(_HEADER)
                    for page in portal.pages(f"year = {year}", least=before.rows):
                        file.write(page.content)
                        read += page.rows
                        progress(read, max(read, before.rows))
                after = portal.states(year).get(year, nothing)
                if after == before and read == before.rows:
                    return self._source_file(path, year, before, (self.today or date.today()).isoformat())
        raise SourceError(
            f"{portal.server} changed {year} during each of {MAX_READS} downloads: it had {before.rows:,} rows "
            f"before the last one, sent {read:,}, and had {after.rows:,} after it. It is updated at night: try again "
            "in an hour."
        )

    @override
    def expect(self, years: Sequence[int]) -> dict[int, Expected]:
        """One request for all years."""
        with self._lock, self._connected() as portal:
            found = portal.states()
        dataset = f"dataset {DATASET} at {self.url}"
        return {
            year: Expected(dataset, rows=found[year].rows) for year in self.years() if year in found and year in years
        }

    @override
    def check_access(self) -> str:
        with replace(self, policy=replace(self.policy, attempts=1))._connected() as portal:
            portal.states()
        return f"{self.url} responds to requests with{'' if self.app_token else 'out'} an app token"

    @property
    def _newest_year(self) -> int:
        return ((self.today or date.today()) - timedelta(PUBLISHED_AFTER_DAYS)).year

    @contextmanager
    def _connected(self) -> Iterator[Portal]:
        with publisher_session(self.policy, self.app_token) as session:
            yield Portal(session, self.url, self.rows_per_page, self.policy)

    def _source_file(self, path: Path, year: int, state: State, read_whole: str) -> SourceFile:
        details: dict[str, str | int | bool] = {
            "dataset": DATASET,
            "portal": self.url,
            **state._asdict(),
            "read_until": self.read_until or state.written_at,
            "read_whole": read_whole,
            "partial": year == self._newest_year,
            VERSION: str(state),
        }
        return SourceFile(path, origin=f"{self.url}/d/{DATASET}, year {year}, {state.rows:,} rows", details=details)

    def _can_update(self, previous: PreviousFile) -> bool:
        """Whether a file came from this portal, with the same columns and the details that an update needs."""
        if (
            not self.full_download_after_days
            or previous.details.get("portal") != self.url
            or not previous.details.get("read_until")
        ):
            return False
        with previous.path.open("rb") as file:
            return file.readline() == _HEADER

    def _needs_full_download(self, previous: PreviousFile) -> bool:
        last = date.fromisoformat(str(previous.details["read_whole"]))
        return (self.today or date.today()) - last >= timedelta(self.full_download_after_days)

    def _update(self, changes: _Changes, year: int, path: Path) -> bool:
        """Apply the changes to the previous file; return False if the result is not the portal's current state.

        Rows that were removed, or moved to another year, are not among the changes. If the number of rows shows that
        there are some, the ids are requested to find them.
        """
        with changes.previous.path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != changes.previous.sha256:
                return False
        if _apply_changes(changes, path) == changes.state.rows:
            return True
        with self._lock, self._connected() as portal:
            ids = portal.ids(year)
        return _apply_changes(changes, path, ids) == changes.state.rows


def _download_changes(portal: Portal, previous: Previous, rows: Mapping[int, Path], progress: Progress) -> None:
    """Download the rows written since the previous download of each year, to one file per year."""
    since = {year: datetime.fromisoformat(str(one.details["read_until"])) - OVERLAP for year, one in previous.items()}
    either = " OR ".join(
        f"(year = {year} AND :updated_at >= '{at:%Y-%m-%dT%H:%M:%S}.000Z')" for year, at in sorted(since.items())
    )
    with ExitStack() as stack:
        files = {year: stack.enter_context(path.open("wb")) for year, path in rows.items()}
        read = 0
        for page in portal.pages(f"({either})") if previous else ():
            for _, row in rows_of(io.BytesIO(page.content)):
                files[int(next(csv.reader([row.decode()]))[_YEAR])].write(row)
            read += page.rows
            progress(read, None)


def _apply_changes(changes: _Changes, path: Path, only: Collection[int] | None = None) -> int:
    """Write a year with its changes applied, optionally only the rows with some ids; return the number of rows."""
    with changes.rows.open("rb") as file:
        changed = {id_ for id_, _ in rows_of(file)}
    written = 0
    with changes.previous.path.open("rb") as old, changes.rows.open("rb") as new, path.open("wb") as file:
        file.write(old.readline())
        kept = (one for one in rows_of(old) if one[0] not in changed)
        for id_, row in merge(kept, rows_of(new)):
            if only is None or id_ in only:
                file.write(row)
                written += 1
    return written


def _difference(full: Path, updated: Path, since: str) -> str:
    """Describe the differences between a full download and the updated previous file."""
    with full.open("rb") as new, updated.open("rb") as old:
        for file in (new, old):
            file.readline()
        rows_by_id = groupby(merge(rows_of(new), rows_of(old)), key=itemgetter(0))
        ids = [id_ for id_, (first, *others) in rows_by_id if others != [first]]
    return (
        f"{len(ids):,} rows, the first with id {ids[0]}, differ from the changes downloaded since {since}; they are "
        "loaded as the portal has them now"
    )
