"""Requests to the City's open-data API (Socrata): the state of each year, and the rows of its dataset of crimes."""

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
    """Identifies one state of a year's data.

    Attributes:
        rows: how many it has.
        newest_change: the newest `updated_on`, which the police set.
        written_at: the newest `:updated_at`, the portal's own clock (UTC): it moves with every row that is written. ""
            from a portal that does not tell it.
    """

    rows: int
    newest_change: str
    written_at: str

    def __str__(self) -> str:
        return f"{self.rows} rows, changed {self.newest_change}, written {self.written_at}"


class Page(NamedTuple):
    """A page's rows as received, without the header; their number, and the last id."""

    content: bytes
    rows: int
    last_id: int


def rows_of(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """The rows in lines of the portal's CSV, as they are, each with its id; a quoted value may have line ends."""
    row = b""
    for line in lines:
        row += line
        if row.count(b'"') % 2 == 0:
            yield int(row.partition(b",")[0].strip(b'"\n')), row
            row = b""


@dataclass(frozen=True)
class Portal:
    """A connection to the portal.

    Attributes:
        session: sends the requests, with the app token if there is one.
        url: address of the portal, without a trailing slash.
        rows_per_page: rows to request at once.
        policy: timeout and retries of each request.
    """

    session: requests.Session
    url: str
    rows_per_page: int
    policy: RetryPolicy

    @property
    def server(self) -> str:
        """The portal in words, for error messages."""
        return f"the City's portal ({self.url}, dataset {DATASET})"

    def states(self, year: int | None = None) -> dict[int, State]:
        """The state of each year that has rows, or of one year, in one request."""
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
        """The ids of a year's rows."""
        pages = self.pages(f"year = {year}", columns=("id",))
        return {id_ for page in pages for id_, _ in rows_of(io.BytesIO(page.content))}

    def pages(self, where: str, least: float = math.inf, columns: tuple[str, ...] = SOURCE_NAMES) -> Iterator[Page]:
        """The rows for which a condition holds, ordered by id. Each page begins after the last id of the previous one.

        Args:
            where: the condition.
            least: how many rows are expected: a short page before is not the last one, as the portal may limit pages to
                fewer rows than requested. If it is not known, an empty page is the last one.
            columns: which to request, the id first.
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
        """Verify that a page is complete, has our columns, and continues in the order of ids."""
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
            raise HttpError(f"{self.server} sent a page that is incomplete or out of order", is_transient=True)
        return Page(content[content.index(b"\n") + 1 :], rows, last_id)

    def _parse_states(self, response: requests.Response) -> dict[int, State]:
        try:
            return {
                int(row["year"]): State(int(row["crimes"]), row.get("newest_change", ""), row.get("written_at", ""))
                for row in response.json()
            }
        except (ValueError, TypeError, KeyError, AttributeError):
            raise HttpError(f"{self.server} sent something other than a row count") from None

    def _get(self, form: str, query: dict[str, str], parse: Callable[[requests.Response], _T]) -> _T:
        def call() -> _T:
            # A redirect would send the app token to another server.
            address = f"{self.url}/resource/{DATASET}.{form}"
            response = self.session.get(address, params=query, allow_redirects=False)
            if response.status_code == 400 and (gone := _column_gone(response)):
                raise SourceError(
                    f"{self.server} no longer has the column {gone!r}: the City took it away or renamed it. Update "
                    "this program, or download a CSV from the portal and use the source folder"
                )
            if response.status_code != 200:
                raise status_error(response, self.server, self.policy)
            if response.content.lstrip()[:1] == b"<":
                raise HttpError(f"{self.server} is under maintenance: it sent a page of HTML", is_transient=True)
            return parse(response)

        try:
            return with_retries(call, self.server, self.policy)
        except HttpError as error:
            if error.status in (401, 403):
                advice = (
                    "it does not accept the app token in CHICAGO_CRIME_PORTAL_APP_TOKEN. Correct or unset it"
                    if TOKEN in self.session.headers
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
    return gone[1] if gone and gone[1] in SOURCE_NAMES else None
