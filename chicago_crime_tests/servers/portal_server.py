"""The City's portal on loopback: the part of Socrata's API used by the source `portal` and the boundaries."""

import csv
import gzip
import io
import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from datetime import datetime, timedelta

from chicago_crime.tables.columns import SOURCE_NAMES
from chicago_crime_tests.servers.faults import FaultyHandler, FaultyServer

TIMES = {"date", "updated_on"}
WRITTEN_AT = ":updated_at"
MAX_ROWS = 50_000
NUMBERS = ("id", "year")  # of those in queries


class _Handler(FaultyHandler):
    def answer(self) -> None:
        token = self.received.headers.get("X-App-Token")
        match = re.fullmatch(r"/resource/ijzp-q8t2\.(csv|json)", self.received.path)
        if token and token != self.server.app_token:
            self._refuse(403, "permission_denied", f"Invalid app_token specified: {token}")
        elif outlines := self.server.outlines.get(self.received.path):
            self._reply_gzipped(outlines, "application/vnd.geo+json; charset=utf-8")
        elif match:
            self._reply_rows(match[1])
        else:
            self._refuse(404, "dataset.missing", "Not found")

    def _reply_rows(self, form: str) -> None:
        rows, names = self.server.select(self.received.query, self.fault.is_stale)
        self.server.rows_sent[",".join(names)] += len(rows)
        if form == "json":
            known = [{name: value for name, value in row.items() if value != ""} for row in rows]
            self._reply_gzipped(json.dumps(known), "application/json; charset=utf-8")
        else:
            text = io.StringIO()
            writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
            writer.writerow(names)
            writer.writerows([row[name] for name in names] for row in rows)
            self._reply_gzipped(text.getvalue(), "text/csv; charset=utf-8")

    def _refuse(self, status: int, code: str, message: str) -> None:
        body = {"code": code, "error": True, "message": message}
        self.reply(status, json.dumps(body).encode(), {"Content-Type": "application/json; charset=utf-8"})

    def _reply_gzipped(self, text: str, type_: str) -> None:
        body, headers = text.encode(), {"Content-Type": type_}
        if "gzip" in self.received.headers.get("Accept-Encoding", ""):
            body, headers = gzip.compress(body, 1), headers | {"Content-Encoding": "gzip"}
        self.reply(200, body, headers)


class PortalServer(FaultyServer):
    """Answers queries over rows of crimes.

    Attributes:
        rows: the rows as the portal formats them; tests may `change` them.
        now: the portal's clock, which advances a day before each change.
        rows_sent: number of rows sent, by column names.
        app_token: the valid app token; requests without one are always allowed.
        outlines: GeoJSON by path, such as /resource/igwz-8jzy.geojson; none at first.
    """

    handler = _Handler

    def __init__(self, rows: Iterable[dict[str, str]], app_token: str = ""):
        super().__init__()
        self.now = datetime(2026, 1, 1, 4, 30)
        self.rows_sent: Counter[str] = Counter()
        self.rows: list[dict[str, str]] = []
        self._written: dict[str, str] = {}
        self.change(rows)
        self.app_token, self.most_rows = app_token, MAX_ROWS
        self.outlines: dict[str, str] = {}

    def change(self, rows: Iterable[dict[str, str]], passed: timedelta = timedelta(days=1)) -> None:
        """Replace the rows, stamping new and changed ones; a stale response has the previous rows."""
        self.now += passed
        self._previous, self.rows = self.rows, [portal_row(row) for row in rows]
        now = self.now.isoformat(timespec="milliseconds") + "Z"
        before = {str(row): self._written[str(row)] for row in self._previous}
        self._written = {str(row): now for row in self.rows} | before

    def alter(self, row: dict[str, str], **values: str) -> None:
        """Change a row without updating its time."""
        written = self._written[str(row)]
        row |= values
        self._written[str(row)] = written

    def select(self, query: dict[str, str], is_stale: bool) -> tuple[list[dict[str, str]], list[str]]:
        """The rows that match a query, as text, and the names of their columns."""
        assert query.keys() <= {"$select", "$where", "$group", "$order", "$limit"}, query
        part = {name.removeprefix("$"): text.replace(WRITTEN_AT, f'"{WRITTEN_AT}"') for name, text in query.items()}
        rows = [(*row.values(), self._written[str(row)]) for row in (self._previous if is_stale else self.rows)]
        columns = ", ".join(f'"{name}" {"INT" if name in NUMBERS else "TEXT"}' for name in (*SOURCE_NAMES, WRITTEN_AT))
        with closing(sqlite3.connect(":memory:")) as database:
            database.execute(f"CREATE TABLE crimes ({columns})")
            database.executemany(f"INSERT INTO crimes VALUES ({', '.join('?' * (len(SOURCE_NAMES) + 1))})", rows)
            found = database.execute(
                f"SELECT {part.get('select', ', '.join(SOURCE_NAMES))} FROM crimes WHERE {part.get('where', 'TRUE')} "
                f"{'GROUP BY year' if part.get('group') else ''} "
                f"ORDER BY {part['order']} LIMIT {min(int(part.get('limit', 1000)), self.most_rows)}"
            )
            names = [name for name, *_ in found.description]
            return [dict(zip(names, map(str, row), strict=True)) for row in found], names


def portal_row(row: dict[str, str]) -> dict[str, str]:
    """Format a row like the portal: ISO times, and all values as text."""
    return {name: _iso(row[name]) if name in TIMES else row[name] for name in SOURCE_NAMES}


def _iso(text: str) -> str:
    if not re.match(r"\d\d/", text):
        return text
    return datetime.strptime(text, "%m/%d/%Y %I:%M:%S %p").isoformat(timespec="milliseconds")
