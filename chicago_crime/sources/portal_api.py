"""Requests to the City's open-data API (Socrata): the state of each year, and the rows of the crimes dataset."""

import csv
import io
import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import requests

from chicago_crime.sources.base import SourceError
from chicago_crime.sources.http import TOKEN, HttpError, status_error, with_retries
from chicago_crime.sources.retry import RetryPolicy
from chicago_crime.tables.columns import SOURCE_NAMES

DATASET = "ijzp-q8t2"

_STATES = {
    "$select": "year, count(*) AS crimes, max(updated_on) AS newest_change",
    "$group": "year",
    "$order": "year",
}
_T = TypeVar("_T")


class State(NamedTuple):
    """A state of a year's data.

    Attributes:
        rows: number of rows.
        newest_change: the newest `updated_on`, set by the police.
        written_at: the newest `:updated_at` (UTC), which the portal sets on each row it writes; "" if unavailable.
    """

    rows: int
    newest_change: str
    written_at: str

    def __str__(self) -> str:
        return f"{self.rows} rows, changed {self.newest_change}, written {self.written_at}"


class Page(NamedTuple):
    """The rows of a page as received, without the header; their count, and the last id."""

    content: bytes
    rows: int
    last_id: int


def rows_of(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Split the portal's CSV into unparsed rows, each with its id; quoted values may contain line ends."""
    row = b""
    for line in lines:
        row += line
        if row.count(b'"') % 2 == 0:
            yield int(row.partition(b",")[0].strip(b'"\n')), row
            row = b""


@dataclass(frozen=True)
class Portal:
    """A connection to the portal; the session has the app token if there is one, and the URL no trailing slash."""

    session: requests.Session
    url: str
    rows_per_page: int
    policy: RetryPolicy

    @property
    def server(self) -> str:
        """The portal's name in error messages."""
        return f"the City's portal ({self.url}, dataset {DATASET})"

    def states(self, year: int | None = None) -> dict[int, State]:
        """Request the state of one year, or of all years with rows."""
        only = {} if year is None else {"$where": f"year = {year}"}
        query = _STATES | only
        try:
            written = {"$select": f"{query['$select']}, max(:updated_at) AS written_at"}
            return self._get("json", query | written, self._parse_states)
        except HttpError as error:
            if error.status != 400:
                raise
            return self._get("json", query, self._parse_states)

    def ids(self, year: int) -> set[int]:
        """Request the ids of a year."""
        pages = self.pages(f"year = {year}", columns=("id",))
        return {id_ for page in pages for id_, _ in rows_of(io.BytesIO(page.content))}

    def pages(self, where: str, least: float = math.inf, columns: tuple[str, ...] = SOURCE_NAMES) -> Iterator[Page]:
        """Request the rows that meet a condition, ordered by id; a page starts after the last id of the previous one.

        Args:
            where: the condition.
            least: minimum number of rows. Short pages do not end the result before that, because the portal may limit
                the page size. Without a minimum, only an empty page ends it.
            columns: the columns to request, the id first.
        """
        read, page = 0, Page(b"", 1, 0)
        while page.rows and (page.rows >= self.rows_per_page or read < least):
            page = self._page(where, page.last_id, columns)
            read += page.rows
            yield page

    def _page(self, where: str, after_id: int, columns: tuple[str, ...]) -> Page:
        query = {
            "$select": ", ".join(columns),
            "$where": f"{where} AND id > {after_id}",
            "$order": "id",
            "$limit": str(self.rows_per_page),
        }
        return self._get("csv", query, lambda response: self._parse_page(response, after_id, list(columns)))

    def _parse_page(self, response: requests.Response, after_id: int, columns: list[str]) -> Page:
        """Verify that a page is complete, has the requested columns, and is ordered by id."""
        content, rows, last_id = response.content, 0, after_id
        try:
            records = csv.reader(io.StringIO(content.decode(), newline=""), strict=True)
            is_complete = next(records, []) == columns and content.endswith(b"\n")
            for fields in records:
                rows += 1
                is_complete = is_complete and len(fields) == len(columns) and last_id < int(fields[0])
                last_id = int(fields[0])
        except (ValueError, IndexError, csv.Error):
            is_complete = False
        if not is_complete:
            raise HttpError(f"{self.server} sent an incomplete or unordered page", is_transient=True)
        return Page(content[content.index(b"\n") + 1 :], rows, last_id)

    def _parse_states(self, response: requests.Response) -> dict[int, State]:
        try:
            return {
                int(row["year"]): State(int(row["crimes"]), row.get("newest_change", ""), row.get("written_at", ""))
                for row in response.json()
                if "year" in row or "crimes" not in row  # some crimes may have no year
            }
        except (ValueError, TypeError, KeyError, AttributeError):
            raise HttpError(f"{self.server} sent an unexpected response to a count of rows") from None

    def _get(self, form: str, query: dict[str, str], parse: Callable[[requests.Response], _T]) -> _T:
        def call() -> _T:
            # A redirect would send the app token to another server.
            address = f"{self.url}/resource/{DATASET}.{form}"
            response = self.session.get(address, params=query, allow_redirects=False)
            if response.status_code == 400 and (gone := _column_gone(response)):
                raise SourceError(
                    f"{self.server} no longer has the column {gone!r}: the City removed or renamed it. Update "
                    "chicago-crime, or download a CSV from the portal and use the source 'folder'"
                )
            if response.status_code != 200:
                raise status_error(response, self.server, self.policy)
            if response.content.lstrip()[:1] == b"<":
                raise HttpError(f"{self.server} is under maintenance: it sent an HTML page", is_transient=True)
            return parse(response)

        try:
            return with_retries(call, self.server, self.policy)
        except HttpError as error:
            if error.status in (401, 403):
                advice = (
                    "the app token in CHICAGO_CRIME_PORTAL_APP_TOKEN was not accepted. Correct it or unset it"
                    if TOKEN in self.session.headers
                    else f"it may require an app token. Create a free one in the developer settings of an account at "
                    f"{self.url}/login, and set CHICAGO_CRIME_PORTAL_APP_TOKEN to it"
                )
                raise SourceError(f"{error}: {advice}") from None
            if error.status in (301, 302, 307, 308, 404):
                raise SourceError(f"{error}: set CHICAGO_CRIME_PORTAL_URL to the portal's own address") from None
            raise


def _column_gone(response: requests.Response) -> str | None:
    """Return the requested column that the portal reports as unknown; ignore the rest of the response."""
    gone = re.search(r"[Nn]o such column:? ['`\"]?(\w+)", response.text)
    return gone[1] if gone and gone[1] in SOURCE_NAMES else None
