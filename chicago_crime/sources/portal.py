"""The source `portal`: the City's open-data API, which has every year up to today and needs no key.

Here belongs how a year is read page by page, and how it is made sure that the pages are of one state of the data,
which changes every night. Waiting and asking again is in `http.py`.
"""

import csv
import io
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple, TypeVar

import requests
from pydantic import SecretStr

from chicago_crime.sources.base import VERSION, CrimeSource, Expected, Progress, SourceError, SourceFile, no_progress
from chicago_crime.sources.http import USER_AGENT, HttpError, Patience, limit_time, patiently, refusal
from chicago_crime.tables.columns import SOURCE_COLUMNS
from chicago_crime.tables.years import FIRST_YEAR

DATASET = "ijzp-q8t2"

ROWS_A_PAGE = 50_000
"""The most that every version of the API gives at once; some 12 MB."""

READINGS = 3
"""How often a year is read in all if its data changes meanwhile."""

PUBLISHED_AFTER_DAYS = 8
"""The City publishes a crime a week after it was reported."""

_STATE = "count(*) AS crimes, max(updated_on) AS newest_change"
_COLUMNS = [column.name for column in SOURCE_COLUMNS]
_T = TypeVar("_T")


class _State(NamedTuple):
    """What tells one state of a year's data from another: its number of rows, and when the newest change was."""

    rows: int
    newest_change: str

    def __str__(self) -> str:
        return f"{self.rows} rows, changed {self.newest_change}"


class _Page(NamedTuple):
    """Rows of a page as they came, without the header; how many, and the id of the last."""

    content: bytes
    rows: int
    last_id: int


@dataclass(frozen=True)
class PortalSource(CrimeSource):
    """Reads a year in pages ordered by id. Each page begins after the last id of the one before.

    Attributes:
        url: address of the portal, without a slash at its end.
        app_token: one that the portal gave out; None asks without.
        rows_a_page: how many rows are asked for at once.
        patience: with the portal.
        today: the day that it is; None for the real one. The year of 8 days ago is the last there is.
    """

    url: str
    app_token: SecretStr | None = None
    rows_a_page: int = ROWS_A_PAGE
    patience: Patience = field(default_factory=Patience)
    today: date | None = None
    name = "portal"
    _turn: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False, compare=False)

    def years(self) -> list[int]:
        """See `CrimeSource.years`. Known without asking."""
        return list(range(FIRST_YEAR, self._newest_year + 1))

    def fetch(self, year: int, directory: Path, progress: Progress = no_progress) -> SourceFile:
        """See `CrimeSource.fetch`. One year at a time, whoever else asks, so that the portal sees one connection."""
        if year not in self.years():
            raise SourceError(f"the portal has no year {year}: it has {FIRST_YEAR} to {self._newest_year}")
        path = directory / f"chicago_crimes_{year}.csv"
        with self._turn, self._session() as session:
            for _ in range(READINGS):
                before = self._state(session, year)
                if not before.rows:
                    raise SourceError(f"{self._whom} has no crimes of {year} (yet)")
                read = self._read(session, year, before.rows, path, progress)
                if (after := self._state(session, year)) == before and read == before.rows:
                    return self._described(path, year, before)
        raise SourceError(
            f"{self._whom} changed its crimes of {year} each of the {READINGS} times that they were read: "
            f"{before.rows:,} rows were there, {read:,} came, {after.rows:,} were there afterwards. It is updated at "
            "night: try again in an hour."
        )

    def expect(self, years: Sequence[int]) -> dict[int, Expected]:
        """See `CrimeSource.expect`. The portal is asked how many rows each year has now."""
        found = {}
        with self._turn, self._session() as session:
            for year in sorted(set(years) & set(self.years())):
                if rows := self._state(session, year).rows:
                    found[year] = Expected(f"dataset {DATASET} at {self.url}", rows=rows)
        return found

    def versions(self) -> dict[int, str]:
        """See `CrimeSource.versions`. The portal is asked once, one question for all years."""
        query = {"$select": f"year, {_STATE}", "$group": "year", "$order": "year"}
        once = replace(self, patience=replace(self.patience, tries=1))
        with once._session() as session:
            found = once._get(session, "json", query, self._states_in)
        return {year: str(state) for year, state in found.items() if year in self.years()}

    def try_access(self) -> str:
        """See `CrimeSource.try_access`."""
        once = replace(self, patience=replace(self.patience, tries=1))
        with once._session() as session:
            once._get(session, "json", {"$select": "id", "$limit": "1"}, requests.Response.json)
        return f"{self.url} answers, asked with{'' if self.app_token else 'out'} an app token"

    @property
    def _newest_year(self) -> int:
        return ((self.today or date.today()) - timedelta(PUBLISHED_AFTER_DAYS)).year

    @property
    def _whom(self) -> str:
        return f"the City's portal ({self.url}, dataset {DATASET})"

    def _described(self, path: Path, year: int, state: _State) -> SourceFile:
        details: dict[str, str | int | bool] = {
            "dataset": DATASET,
            "rows": state.rows,
            "newest_change": state.newest_change,
            "partial": year == self._newest_year,
            VERSION: str(state),
        }
        if details["partial"]:
            details["partial_because"] = f"{year} goes on: crimes appear {PUBLISHED_AFTER_DAYS} days after the report"
        return SourceFile(path, origin=f"{self.url}/d/{DATASET}, year {year}, {state.rows:,} rows", details=details)

    @contextmanager
    def _session(self) -> Iterator[requests.Session]:
        with limit_time(requests.Session(), self.patience) as session:
            session.headers["User-Agent"] = USER_AGENT
            if self.app_token:
                session.headers["X-App-Token"] = self.app_token.get_secret_value()
            yield session

    def _state(self, session: requests.Session, year: int) -> _State:
        return self._get(session, "json", {"$select": _STATE, "$where": f"year = {year}"}, self._state_in)

    def _state_in(self, answer: requests.Response) -> _State:
        with self._count_expected():
            [row] = answer.json()
            return _State(int(row["crimes"]), row.get("newest_change", ""))

    def _states_in(self, answer: requests.Response) -> dict[int, _State]:
        with self._count_expected():
            return {int(row["year"]): _State(int(row["crimes"]), row["newest_change"]) for row in answer.json()}

    @contextmanager
    def _count_expected(self) -> Iterator[None]:
        try:
            yield
        except (ValueError, TypeError, KeyError, AttributeError):
            raise HttpError(f"{self._whom} sent something else than a count") from None

    def _read(self, session: requests.Session, year: int, rows: int, path: Path, progress: Progress) -> int:
        """Write the pages of a year into a file, and tell how many rows came."""
        read, last_id = 0, 0
        with path.open("wb") as file:
            file.write((",".join(_COLUMNS) + "\n").encode())
            while True:
                page = self._page(session, year, last_id)
                file.write(page.content)
                read, last_id = read + page.rows, page.last_id
                progress(read, max(read, rows))
                # A short page is the last, unless the portal gives less at once than it is asked for.
                if not page.rows or (page.rows < self.rows_a_page and read >= rows):
                    return read

    def _page(self, session: requests.Session, year: int, after_id: int) -> _Page:
        query = {
            "$select": ", ".join(_COLUMNS),
            "$where": f"year = {year} AND id > {after_id}",
            "$order": "id",
            "$limit": str(self.rows_a_page),
        }
        return self._get(session, "csv", query, lambda answer: self._page_in(answer, after_id))

    def _page_in(self, answer: requests.Response, after_id: int) -> _Page:
        """See that a page is whole, has our columns and goes on in order."""
        content, rows, last_id = answer.content, 0, after_id
        try:
            records = csv.reader(io.StringIO(content.decode(), newline=""), strict=True)
            is_whole = next(records, []) == _COLUMNS and content.endswith(b"\n")
            for fields in records:
                rows += 1
                is_whole = is_whole and len(fields) == len(_COLUMNS) and last_id < int(fields[0])
                last_id = int(fields[0])
        except (ValueError, IndexError, csv.Error):
            is_whole = False
        if not is_whole:
            raise HttpError(f"{self._whom} sent a page that is not whole or not in order", is_passing=True)
        return _Page(content[content.index(b"\n") + 1 :], rows, last_id)

    def _get(
        self, session: requests.Session, form: str, query: dict[str, str], understand: Callable[[requests.Response], _T]
    ) -> _T:
        def ask() -> _T:
            # Redirected elsewhere, the session would take the app token along.
            answer = session.get(f"{self.url}/resource/{DATASET}.{form}", params=query, allow_redirects=False)
            if answer.status_code != 200:
                raise refusal(answer, self._whom, self.patience)
            return understand(answer)

        try:
            return patiently(ask, self._whom, self.patience)
        except HttpError as error:
            if error.status in (401, 403) and self.app_token:
                raise SourceError(
                    f"{error}: it does not accept the app token in CHICAGO_CRIME_PORTAL_APP_TOKEN. Mend it, or unset "
                    "it: the portal can be asked without"
                ) from None
            if error.status in (301, 302, 307, 308, 404):
                raise SourceError(f"{error}: CHICAGO_CRIME_PORTAL_URL must be the portal's own address") from None
            raise
