"""The source `portal`: the City's open-data API (Socrata), which has every year up to today and needs no key.

A year is read page by page. Because the data changes every night, row count and newest change are compared before and
after, so that all pages belong to one state of the data.
"""

import csv
import io
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple, TypeVar

import requests
from pydantic import SecretStr
from typing_extensions import override

from chicago_crime.sources.base import VERSION, CrimeSource, Expected, Progress, SourceError, SourceFile, no_progress
from chicago_crime.sources.http import PUBLISHER_POLICY, USER_AGENT, HttpError, error_of, set_timeout, with_retries
from chicago_crime.sources.retry import RetryPolicy
from chicago_crime.tables.columns import SOURCE_COLUMNS
from chicago_crime.tables.years import FIRST_YEAR

DATASET = "ijzp-q8t2"

ROWS_A_PAGE = 50_000
"""Page size that every version of the API allows; some 12 MB."""

READINGS = 3
"""How many times a year is read before it fails because its data kept changing."""

PUBLISHED_AFTER_DAYS = 8
"""The City publishes a crime a week after it was reported."""

_STATE = "count(*) AS crimes, max(updated_on) AS newest_change"
_COLUMNS = [column.name for column in SOURCE_COLUMNS]
_T = TypeVar("_T")


class _State(NamedTuple):
    """Identifies one state of a year's data: its number of rows and the time of the newest change."""

    rows: int
    newest_change: str

    def __str__(self) -> str:
        return f"{self.rows} rows, changed {self.newest_change}"


class _Page(NamedTuple):
    """A page's rows as received, without the header; their number, and the last id."""

    content: bytes
    rows: int
    last_id: int


@dataclass(frozen=True)
class PortalSource(CrimeSource):
    """Reads a year in pages ordered by id. Each page begins after the last id of the previous one.

    Attributes:
        url: address of the portal, without a trailing slash.
        app_token: raises the rate limit; None sends none.
        rows_a_page: rows to request at once.
        policy: timeout and retries of each request.
        today: the current date; None for the real one. The year of 8 days ago is the newest.
    """

    url: str
    app_token: SecretStr | None = None
    rows_a_page: int = ROWS_A_PAGE
    policy: RetryPolicy = PUBLISHER_POLICY
    today: date | None = None
    name = "portal"
    fresh_for = timedelta(days=8)  # a week, and a day for the run
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False, compare=False)

    @override
    def years(self) -> list[int]:
        """Known without a request."""
        return list(range(FIRST_YEAR, self._newest_year + 1))

    @override
    def fetch(self, year: int, directory: Path, progress: Progress = no_progress) -> SourceFile:
        """Threads fetch one year at a time, so that the portal sees one connection."""
        if year not in self.years():
            raise SourceError(f"the portal has no year {year}: it has {FIRST_YEAR} to {self._newest_year}")
        path = directory / f"chicago_crimes_{year}.csv"
        with self._lock, self._session() as session:
            for _ in range(READINGS):
                before = self._state(session, year)
                if not before.rows:
                    raise SourceError(f"{self._server} has no crimes of {year} (yet)")
                read = self._read(session, year, before.rows, path, progress)
                if (after := self._state(session, year)) == before and read == before.rows:
                    return self._source_file(path, year, before)
        raise SourceError(
            f"{self._server} changed its crimes of {year} during each of {READINGS} reads: it had {before.rows:,} rows "
            f"before, sent {read:,}, and had {after.rows:,} after. It is updated at night: try again in an hour."
        )

    @override
    def expect(self, years: Sequence[int]) -> dict[int, Expected]:
        """Requests the number of rows of each year."""
        found = {}
        with self._lock, self._session() as session:
            for year in sorted(set(years) & set(self.years())):
                if rows := self._state(session, year).rows:
                    found[year] = Expected(f"dataset {DATASET} at {self.url}", rows=rows)
        return found

    @override
    def versions(self) -> dict[int, str]:
        """One request for all years."""
        query = {"$select": f"year, {_STATE}", "$group": "year", "$order": "year"}
        once = replace(self, policy=replace(self.policy, attempts=1))
        with once._session() as session:
            found = once._get(session, "json", query, self._parse_states)
        return {year: str(state) for year, state in found.items() if year in self.years()}

    @override
    def try_access(self) -> str:
        once = replace(self, policy=replace(self.policy, attempts=1))
        with once._session() as session:
            once._get(session, "json", {"$select": "id", "$limit": "1"}, requests.Response.json)
        return f"{self.url} responds to requests with{'' if self.app_token else 'out'} an app token"

    @property
    def _newest_year(self) -> int:
        return ((self.today or date.today()) - timedelta(PUBLISHED_AFTER_DAYS)).year

    @property
    def _server(self) -> str:
        return f"the City's portal ({self.url}, dataset {DATASET})"

    def _source_file(self, path: Path, year: int, state: _State) -> SourceFile:
        details: dict[str, str | int | bool] = {
            "dataset": DATASET,
            "rows": state.rows,
            "newest_change": state.newest_change,
            "partial": year == self._newest_year,
            VERSION: str(state),
        }
        if details["partial"]:
            details["partial_because"] = (
                f"{year} is not over: crimes appear {PUBLISHED_AFTER_DAYS} days after the report"
            )
        return SourceFile(path, origin=f"{self.url}/d/{DATASET}, year {year}, {state.rows:,} rows", details=details)

    @contextmanager
    def _session(self) -> Iterator[requests.Session]:
        with set_timeout(requests.Session(), self.policy) as session:
            session.headers["User-Agent"] = USER_AGENT
            if self.app_token:
                session.headers["X-App-Token"] = self.app_token.get_secret_value()
            yield session

    def _state(self, session: requests.Session, year: int) -> _State:
        return self._get(session, "json", {"$select": _STATE, "$where": f"year = {year}"}, self._parse_state)

    def _parse_state(self, response: requests.Response) -> _State:
        with self._expect_counts():
            [row] = response.json()
            return _State(int(row["crimes"]), row.get("newest_change", ""))

    def _parse_states(self, response: requests.Response) -> dict[int, _State]:
        with self._expect_counts():
            return {int(row["year"]): _State(int(row["crimes"]), row["newest_change"]) for row in response.json()}

    @contextmanager
    def _expect_counts(self) -> Iterator[None]:
        try:
            yield
        except (ValueError, TypeError, KeyError, AttributeError):
            raise HttpError(f"{self._server} sent something other than a row count") from None

    def _read(self, session: requests.Session, year: int, rows: int, path: Path, progress: Progress) -> int:
        """Write the pages of a year into a file and return the number of rows."""
        read, last_id = 0, 0
        with path.open("wb") as file:
            file.write((",".join(_COLUMNS) + "\n").encode())
            while True:
                page = self._page(session, year, last_id)
                file.write(page.content)
                read, last_id = read + page.rows, page.last_id
                progress(read, max(read, rows))
                # A short page is the last one, unless the portal limits pages to fewer rows than requested.
                if not page.rows or (page.rows < self.rows_a_page and read >= rows):
                    return read

    def _page(self, session: requests.Session, year: int, after_id: int) -> _Page:
        query = {
            "$select": ", ".join(_COLUMNS),
            "$where": f"year = {year} AND id > {after_id}",
            "$order": "id",
            "$limit": str(self.rows_a_page),
        }
        return self._get(session, "csv", query, lambda response: self._parse_page(response, after_id))

    def _parse_page(self, response: requests.Response, after_id: int) -> _Page:
        """Verify that a page is complete, has our columns, and continues in the order of ids."""
        content, rows, last_id = response.content, 0, after_id
        try:
            records = csv.reader(io.StringIO(content.decode(), newline=""), strict=True)
            is_complete = next(records, []) == _COLUMNS and content.endswith(b"\n")
            for fields in records:
                rows += 1
                is_complete = is_complete and len(fields) == len(_COLUMNS) and last_id < int(fields[0])
                last_id = int(fields[0])
        except (ValueError, IndexError, csv.Error):
            is_complete = False
        if not is_complete:
            raise HttpError(f"{self._server} sent a page that is incomplete or out of order", is_transient=True)
        return _Page(content[content.index(b"\n") + 1 :], rows, last_id)

    def _get(
        self, session: requests.Session, form: str, query: dict[str, str], parse: Callable[[requests.Response], _T]
    ) -> _T:
        def call() -> _T:
            # A redirect would send the app token to another server.
            response = session.get(f"{self.url}/resource/{DATASET}.{form}", params=query, allow_redirects=False)
            if response.status_code == 400 and (gone := _column_gone(response)):
                raise SourceError(
                    f"{self._server} no longer has the column {gone!r}: the City took it away or renamed it. Update "
                    "this program, or download a CSV from the portal and use the source folder"
                )
            if response.status_code != 200:
                raise error_of(response, self._server, self.policy)
            if response.content.lstrip()[:1] == b"<":
                raise HttpError(f"{self._server} is under maintenance: it sent a page of HTML", is_transient=True)
            return parse(response)

        try:
            return with_retries(call, self._server, self.policy)
        except HttpError as error:
            if error.status in (401, 403):
                advice = (
                    "it does not accept the app token in CHICAGO_CRIME_PORTAL_APP_TOKEN. Correct or unset it"
                    if self.app_token
                    else "it may ask for an app token. Create one, free of charge, in the developer settings of an "
                    f"account at {self.url}/login, and set CHICAGO_CRIME_PORTAL_APP_TOKEN to it"
                )
                raise SourceError(f"{error}: {advice}") from None
            if error.status in (301, 302, 307, 308, 404):
                raise SourceError(f"{error}: CHICAGO_CRIME_PORTAL_URL must be the portal's own address") from None
            raise


def _column_gone(response: requests.Response) -> str | None:
    """The column of ours that a refused query was refused for. Nothing else of the response is kept."""
    gone = re.search(r"[Nn]o such column:? ['`\"]?(\w+)", response.text)
    return gone[1] if gone and gone[1] in _COLUMNS else None
