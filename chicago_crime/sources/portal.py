"""The source `portal`: the City's open-data API (Socrata), which has every year up to today and needs no key.

A year that was read before is brought up to date by what changed since; it is read whole from time to time, as a check.
Because the data changes every night, the state of a year is compared before and after, so that all pages belong to one
state of the data.
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
from pathlib import Path
from typing import NamedTuple

from pydantic import SecretStr
from typing_extensions import override

from chicago_crime.sources.base import (
    DIFFERENCE,
    VERSION,
    CrimeSource,
    Expected,
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
"""Page size that every version of the API allows; some 12 MB."""

MAX_READS = 3
"""How many times a year is read before it fails because its data kept changing."""

OVERLAP = timedelta(hours=6)
"""How much of what was read before is read again: the portal may show a row later than others of the same update."""

_HEADER = (",".join(SOURCE_NAMES) + "\n").encode()
_YEAR = SOURCE_NAMES.index("year")


class _Changes(NamedTuple):
    """A year that was read before, and what changed in it since.

    Attributes:
        held: the year as it was read.
        state: the year's state now.
        rows: the rows that the portal wrote since, as CSV without a header, ordered by id.
    """

    held: PreviousFile
    state: State
    rows: Path


@dataclass(frozen=True)
class PortalSource(CrimeSource):
    """Reads whole years, or what changed in them.

    Attributes:
        url: address of the portal, without a trailing slash.
        app_token: raises the rate limit; None sends none.
        rows_per_page: rows to request at once.
        policy: timeout and retries of each request.
        today: the current date; None for the real one. The year of 8 days ago is the newest.
        full_download_after_days: after so many days, a year is read whole again; 0 to always do so.
        changes: what changed, by year; `prepare` finds it.
        read_until: the newest time at which the portal had written any row, before anything was read; "" if unknown.
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
        """Known without a request."""
        return list(range(FIRST_YEAR, self._newest_year + 1))

    @override
    def prepare(
        self,
        years: Sequence[int],
        directory: Path,
        progress: Progress = no_progress,
        held: Mapping[int, PreviousFile] = {},
    ) -> "PortalSource":
        """Request what changed since the years were read, once for all of them; the others will be read whole."""
        waiting = {year: held[year] for year in years if year in held and self._can_update(held[year])}
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
            if str(one.state) == one.held.details.get(VERSION)
            and not self._needs_full_download(one.held)
            and one.held.details["partial"] == (year == self._newest_year)
        ]

    @override
    def fetch(self, year: int, directory: Path, progress: Progress = no_progress) -> SourceFile:
        """Threads fetch one year at a time, so that the portal sees one connection."""
        if year not in self.years():
            raise SourceError(f"the portal has no year {year}: it has {FIRST_YEAR} to {self._newest_year}")
        path, changes = directory / f"chicago_crimes_{year}.csv", self.changes.get(year)
        if not changes or not self._update(changes, year, path):
            return self._download_full(year, path, progress)
        since = str(changes.held.details["read_whole"])
        if not self._needs_full_download(changes.held):
            return self._source_file(path, year, changes.state, since)
        followed = path.rename(directory / "followed.csv")
        whole = self._download_full(year, path, progress)
        if whole.details[VERSION] == str(changes.state) and not filecmp.cmp(path, followed, shallow=False):
            whole.details[DIFFERENCE] = _difference(path, followed, since)
        return whole

    def _download_full(self, year: int, path: Path, progress: Progress) -> SourceFile:
        nothing = State(0, "", "")
        with self._lock, self._connected() as portal:
            for _ in range(MAX_READS):
                before = portal.states(year).get(year, nothing)
                if not before.rows:
                    raise SourceError(f"{portal.server} has no crimes of {year} (yet)")
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
            f"{portal.server} changed its crimes of {year} during each of {MAX_READS} reads: it had {before.rows:,} "
            f"rows before, sent {read:,}, and had {after.rows:,} after. It is updated at night: try "
            "again in an hour."
        )

    @override
    def expect(self, years: Sequence[int]) -> dict[int, Expected]:
        """One request for all years."""
        with self._lock, self._connected() as portal:
            found = portal.states()
        what = f"dataset {DATASET} at {self.url}"
        return {year: Expected(what, rows=found[year].rows) for year in self.years() if year in found and year in years}

    @override
    def versions(self) -> dict[int, str]:
        """One request for all years."""
        with self._connected(attempts=1) as portal:
            found = portal.states()
        return {year: str(state) for year, state in found.items() if year in self.years()}

    @override
    def check_access(self) -> str:
        self.versions()
        return f"{self.url} responds to requests with{'' if self.app_token else 'out'} an app token"

    @property
    def _newest_year(self) -> int:
        return ((self.today or date.today()) - timedelta(PUBLISHED_AFTER_DAYS)).year

    @contextmanager
    def _connected(self, attempts: int | None = None) -> Iterator[Portal]:
        policy = replace(self.policy, attempts=attempts or self.policy.attempts)
        with publisher_session(policy, self.app_token) as session:
            yield Portal(session, self.url, self.rows_per_page, policy)

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
        if details["partial"]:
            details["partial_because"] = (
                f"{year} is not over: crimes appear {PUBLISHED_AFTER_DAYS} days after the report"
            )
        return SourceFile(path, origin=f"{self.url}/d/{DATASET}, year {year}, {state.rows:,} rows", details=details)

    def _can_update(self, held: PreviousFile) -> bool:
        """Whether a year was read from this portal, with the same columns, and all that is needed was noted."""
        if (
            not self.full_download_after_days
            or held.details.get("portal") != self.url
            or not held.details.get("read_until")
        ):
            return False
        with held.path.open("rb") as file:
            return file.readline() == _HEADER

    def _needs_full_download(self, held: PreviousFile) -> bool:
        read_whole = date.fromisoformat(str(held.details["read_whole"]))
        return (self.today or date.today()) - read_whole >= timedelta(self.full_download_after_days)

    def _update(self, changes: _Changes, year: int, path: Path) -> bool:
        """Write a year as the portal has it now, without reading it whole; False if that cannot be known.

        A row that was removed, or moved to another year, is not among the changes. As nothing else is missing, the
        number of rows tells, and then the ids tell which.
        """
        with changes.held.path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != changes.held.sha256:
                return False
        if _apply_changes(changes, path) == changes.state.rows:
            return True
        with self._lock, self._connected() as portal:
            ids = portal.ids(year)
        return _apply_changes(changes, path, ids) == changes.state.rows


def _download_changes(
    portal: Portal, held: Mapping[int, PreviousFile], rows: Mapping[int, Path], progress: Progress
) -> None:
    """Write the rows that changed since the years were read, into a file for each year."""
    since = {year: datetime.fromisoformat(str(one.details["read_until"])) - OVERLAP for year, one in held.items()}
    either = " OR ".join(
        f"(year = {year} AND :updated_at >= '{at:%Y-%m-%dT%H:%M:%S}.000Z')" for year, at in sorted(since.items())
    )
    with ExitStack() as stack:
        files = {year: stack.enter_context(path.open("wb")) for year, path in rows.items()}
        read = 0
        for page in portal.pages(f"({either})") if held else ():
            for _, row in rows_of(io.BytesIO(page.content)):
                files[int(next(csv.reader([row.decode()]))[_YEAR])].write(row)
            read += page.rows
            progress(read, None)


def _apply_changes(changes: _Changes, path: Path, only: Collection[int] | None = None) -> int:
    """Write a year with its changes, of rows with these ids only; returns how many rows that are."""
    with changes.rows.open("rb") as file:
        changed = {id_ for id_, _ in rows_of(file)}
    written = 0
    with changes.held.path.open("rb") as old, changes.rows.open("rb") as new, path.open("wb") as file:
        file.write(old.readline())
        kept = (one for one in rows_of(old) if one[0] not in changed)
        for id_, row in merge(kept, rows_of(new)):
            if only is None or id_ in only:
                file.write(row)
                written += 1
    return written


def _difference(whole: Path, followed: Path, since: str) -> str:
    """How many rows a year differs in that was followed from one that was read whole."""
    rows: list[set[tuple[int, bytes]]] = []
    for path in (whole, followed):
        with path.open("rb") as file:
            file.readline()
            rows.append(set(rows_of(file)))
    ids = {id_ for id_, _ in rows[0] ^ rows[1]}
    return (
        f"{len(ids):,} rows, the first with id {min(ids)}, are not as the portal's changes since {since} told; they "
        "are loaded as the portal has them now"
    )
