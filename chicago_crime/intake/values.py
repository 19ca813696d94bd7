"""Count readable and unreadable values of a file before any table changes, with the SQL of the typed table."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
from sqlglot import exp

from chicago_crime import sql
from chicago_crime.sources.base import Place
from chicago_crime.sources.header import SPELLINGS, normalize
from chicago_crime.sql.duckdb_dialect import to_duckdb
from chicago_crime.sql.duckdb_scans import csv_scan
from chicago_crime.tables.columns import LATITUDE, LONGITUDE, SOURCE_NAMES, TYPED, X_FT, Y_FT

MAX_UNREADABLE_SHARE = 0.001
"""Maximum share of unreadable values in a column."""

MAX_REJECTED_SHARE = 0.01
"""Maximum share of unusable rows or lines, if there are at least `MIN_REJECTED`."""

MIN_REJECTED = 5
"""Minimum number of unusable rows or lines for a share to be meaningful."""

MAX_HEADERS = 20
"""Maximum number of repeated headers that are examined."""

MIN_PER_FORMAT = 10
"""Minimum number of dates in each of two formats, one with all days up to 12 and the other with all later ones."""

_FORMS = {
    "BOOL": "true or false, t or f, yes or no, y or n, 1 or 0",
    "INT64": "whole numbers such as 1811, 1811.0 and 1,811",
    "FLOAT64": "numbers with a decimal point such as 41.883500187",
    "DATETIME": "02/28/2016 03:50:00 PM, 02/28/2016 15:50, 2016-02-28 15:50:00, 28-Feb-2016, with or without a time",
}
_DAY_MONTH = r"(?:1[3-9]|[23]\d)[-/](?:0?[1-9]|1[0-2])"
_DAY_FIRST = (
    rf"WHERE REGEXP_MATCHES(value, '^\s*(?:{_DAY_MONTH}[-/](?:[12]\d)?\d\d|[12]\d{{3}}[-/]{_DAY_MONTH})(?:\D|$)')"
)
_AM_PM = r"WHERE REGEXP_MATCHES(value, '(?i)\d\s*[ap]\.?m')"
_COORDINATES = {
    "x_coordinate": "feet east in Illinois East, such as 1176352",
    "y_coordinate": "feet north in Illinois East, such as 1900927",
    "latitude": "degrees north, such as 41.883500187",
    "longitude": "degrees east, such as -87.627876698",
}
_BOUNDS = {
    **dict(zip(("west_ft", "east_ft", "south_ft", "north_ft"), (*X_FT, *Y_FT), strict=True)),
    **dict(zip(("south", "north", "west", "east"), (*LATITUDE, *LONGITUDE), strict=True)),
}
_NEEDED = [name for name, column in TYPED.items() if column.needed and name not in ("id", "date")]
_First = Callable[..., tuple[Any, Place]]
"""Returns the first value that a count includes, and its place, optionally under a condition."""


@dataclass(frozen=True)
class Unreadable:
    """The unreadable values of a column.

    Attributes:
        count: number of values.
        place: place of the first one in the user's file.
        example: the first one.
    """

    count: int
    place: str
    example: str


@dataclass
class Values:
    """The readable and unreadable values of a file.

    Attributes:
        rows: number of rows.
        rejected: rows without a readable id or date.
        months: rows by month ("2014-01", ...); "" for unreadable dates.
        present: by typed column, the number of values that are not empty.
        unreadable: by typed column, the unreadable values; omits columns without any.
        column_errors: by column, an error because of which even its readable values are wrong.
        after_update: warning about dates after the last update of their row; "" if there are few.
        has_times: whether any date has a time of day; True if there are too few dates to tell.
        headers: numbers, from 1, of rows with a column name in place of an id.
    """

    rows: int
    rejected: int
    months: dict[str, int]
    present: dict[str, int]
    unreadable: dict[str, Unreadable] = field(default_factory=dict)
    column_errors: dict[str, str] = field(default_factory=dict)
    after_update: str = ""
    has_times: bool = True
    headers: list[int] = field(default_factory=list)

    def problems(self, own_names: Mapping[str, str]) -> list[str]:
        """Describe the columns with too many unreadable values: column, count, line, example and advice.

        Args:
            own_names: the file's own names of the columns.
        """
        problems = [
            f"column {own_names[name]!r}: {empty:,} of {self.rows:,} values are empty. "
            "Export the file again with all values."
            for name in _NEEDED
            if (empty := self.rows - self.present[name]) > self.rows * MAX_REJECTED_SHARE and empty >= MIN_REJECTED
        ]
        problems += [
            f"column {own_names[name]!r}: {found.count:,} of {self.present[name]:,} values cannot be read; the first "
            f"is {found.example!r} in {found.place}. Export the file again with values like {_FORMS[TYPED[name].type]}."
            for name, found in self.unreadable.items()
            if found.count > self.present[name] * MAX_UNREADABLE_SHARE
        ]
        unread = sum(self.unreadable[name].count for name in ("id", "date") if name in self.unreadable)
        lacking = self.rejected - unread
        if lacking > self.rows * MAX_REJECTED_SHARE and lacking >= MIN_REJECTED:
            problems.append(f"{lacking:,} of {self.rows:,} rows lack an id or a date. Export the file again with both.")
        return problems


def read_values(file: Path, place_of: Callable[[int], Place]) -> Values:
    """Count the readable and unreadable values of a canonical CSV.

    Args:
        file: the canonical CSV.
        place_of: returns the place in the user's file of a row, numbered from 1.
    """
    with duckdb.connect(config={"threads": 2}) as connection:

        def first(name: str, where: str = "WHERE value IS NOT NULL") -> tuple[Any, Place]:
            query = _numbered_values(name, f"{where} ORDER BY row LIMIT 1")
            row, value = connection.execute(query, {"file": str(file)}).fetchone() or (1, "")
            return value, place_of(row)

        total = _only_row(connection, file, _counts())
        unread = {name: total[f"unreadable_{name}"] for name in total if f"unreadable_{name}" in total}
        present = {name: total[name] + unread.get(name, 0) for name in TYPED if name in total}
        found = Values(total["crimes"], total["rejected"], total["months"], present)
        for name in [name for name, count in unread.items() if count]:
            example, place = first(f"unreadable_{name}")
            found.unreadable[name] = Unreadable(unread[name], str(place), example[:80])
        found.column_errors = _swapped_dates(connection, file, total, first)
        found.column_errors |= _ambiguous_dates(connection, file, total, first) | _date_errors(total, first)
        empty = [name for name in _NEEDED if not present[name]]
        found.column_errors |= dict.fromkeys(empty, "has no values. Export the file again with its values.")
        found.column_errors |= _flag_errors(total) | _coordinate_errors(total, first)
        found.has_times = bool(total["with_time"]) or total["date"] < MIN_REJECTED
        if (late := total["after_update"]) >= MIN_REJECTED:  # none is in 868,704 real rows
            date, place = first("after_update")
            found.after_update = (
                f"{late:,} of {total['date']:,} dates are later than the last update of their row; the first is "
                f"{date!r} in {place}. Are day and month swapped?"
            )
        if unread["id"]:
            query = _numbered_values("unreadable_id", "WHERE value IS NOT NULL ORDER BY row")
            ids = connection.execute(query, {"file": str(file)}).fetchall()
            found.headers = [row for row, text in ids if normalize(text) in SPELLINGS][:MAX_HEADERS]
        if total["distinct_ids"] < total["id"]:
            shared = _shared_id_errors(connection, file, total["id"], place_of)
            if shared and (one := found.unreadable.get("id")):
                shared["id"] = (
                    f"has {one.count:,} of {present['id']:,} values that cannot be read, the first {one.example!r} in "
                    f"{one.place}, and {shared['id'].removeprefix('has ')}"
                )
            found.column_errors |= shared
    return found


def _only_row(connection: duckdb.DuckDBPyConnection, file: Path, query: str) -> dict[str, Any]:
    answer = connection.execute(query, {"file": str(file)})
    return dict(zip([column[0] for column in answer.description], answer.fetchone() or (), strict=True))


def _swapped_dates(
    connection: duckdb.DuckDBPyConnection, file: Path, total: Mapping[str, Any], first: _First
) -> dict[str, str]:
    """Find date columns in which a program rewrote only the dates that it could read day first."""
    found: dict[str, str] = {}
    for name in ("date", "updated_on"):
        rewritten = total[f"rewritten_{name}"]
        others = total[name] - rewritten
        if min(rewritten, others) < MIN_PER_FORMAT:
            continue
        days = _only_row(connection, file, _swapped())
        if days[f"first_month_{name}"] != days[f"last_month_{name}"] and not days[f"not_swapped_{name}"]:
            date, place = first(f"rewritten_{name}")
            found[name] = (
                f"has day and month swapped in some dates: the {rewritten:,} that are written like {date!r} in {place} "
                f"all have a day up to 12, and the {others:,} others all have a later day. A program read dates day "
                "first where it could. Export the file again without that conversion."
            )
    return found


def _ambiguous_dates(
    connection: duckdb.DuckDBPyConnection, file: Path, total: Mapping[str, Any], first: _First
) -> dict[str, str]:
    """Find date columns that may have the day before the month."""
    columns = [name for name in ("date", "updated_on") if total[f"unsure_{name}"]]
    days = _only_row(connection, file, _days_after_12()) if columns else {}
    found: dict[str, str] = {}
    for name in columns:
        if not days["after_12"] or (days[f"short_year_{name}"] and not days["short_year_after_12"]):
            date, place = first(f"unsure_{name}")
            found[name] = (
                f"has ambiguous dates, such as {date!r} in {place}: no day is after 12, so it is unknown whether the "
                "day or the month comes first. Export the file again with dates like 2016-02-28 15:50:00."
            )
    return found


def _date_errors(total: Mapping[str, Any], first: _First) -> dict[str, str]:
    """Find date columns in which some values would be read as a wrong day or hour."""
    found: dict[str, str] = {}
    is_unread = total["unreadable_date"] > total["date"] * MAX_UNREADABLE_SHARE  # such as 13:00:00 PM
    has_clock = is_unread and first("unreadable_date", _AM_PM)[0]
    if min(total["at_1"], total["at_12"]) >= MIN_REJECTED and not total["at_other_hours"] and not has_clock:
        found["date"] = (
            f"lacks AM and PM: all {total['date']:,} times are between 1:00 and 12:59. Export the file again with "
            "dates like 02/28/2016 03:50:00 PM or 2016-02-28 15:50:00."
        )
    for name in ("date", "updated_on"):
        if (unread := total[f"unreadable_{name}"]) and (day_first := first(f"unreadable_{name}", _DAY_FIRST))[0]:
            date, place = day_first
            parts = "the day" if re.search(r"[12]\d{3}", date) else "the day or a two-digit year"
            found[name] = (
                f"has {parts} before the month, as in {date!r} in {place}: {unread:,} of {total[name] + unread:,} "
                "values cannot be read, and others would be misread. Export the file again with dates like 2016-02-28 "
                "15:50:00."
            )
    return found


def _flag_errors(total: Mapping[str, Any]) -> dict[str, str]:
    """Find flags with only one of true and false, next to empty values that could mean either."""
    found: dict[str, str] = {}
    for name in ("arrest", "domestic"):
        yes, known = total[f"{name}_yes"], total[name]
        empty = total["crimes"] - known - total[f"unreadable_{name}"]
        seen, never = ("true", "false") if yes else ("false", "true")
        if yes in (0, known) and min(known, empty) >= max(MIN_REJECTED, total["crimes"] * MAX_REJECTED_SHARE):
            problem = f"is never {never}: {known:,} values are {seen} and {empty:,} are empty"
            found[name] = f"{problem}. Export the file again with true and false."
    return found


def _coordinate_errors(total: Mapping[str, Any], first: _First) -> dict[str, str]:
    """Find coordinate columns without any value in Chicago."""
    found: dict[str, str] = {}
    for name, unit in _COORDINATES.items():
        if not total[f"inside_{name}"] and total[f"outside_{name}"] >= MIN_REJECTED:
            value, place = first(f"outside_{name}")
            found[name] = (
                f"has no value in Chicago: {value} in {place}, and {total[f'outside_{name}'] - 1:,} others outside. "
                f"Expected {unit}. Is it swapped with another column, or is a minus sign missing?"
            )
    return found


def _shared_id_errors(
    connection: duckdb.DuckDBPyConnection, file: Path, ids: int, place_of: Callable[[int], Place]
) -> dict[str, str]:
    """Find ids that several crimes share, if too many do; all but one of these crimes would be rejected."""
    query = _numbered(sql.statement("fragments/shared_ids").select("MIN(raw.row) AS row"))
    shared = connection.execute(query, {"file": str(file)}).fetchone()
    written, lost_digits, rows, all_rows, row = shared or ("", False, 0, 0, 1)
    if not lost_digits and all_rows < max(MIN_REJECTED, ids * MAX_REJECTED_SHARE):
        return {}
    return {
        "id": f"has ids shared by several crimes: {all_rows:,} of {ids:,} rows share their id with another crime, "
        f"{rows:,} of them {written!r}, first in {place_of(row)}. Export the file again with the City's ids as whole "
        "numbers. Row numbers cannot replace them, and spreadsheets round ids not formatted as whole numbers."
    }


@cache
def _counts() -> str:
    # GoogleSQL has no histogram, and counting distinct ids in a query grouped by month is slower.
    months = "HISTOGRAM(COALESCE(STRFTIME(date, '%Y-%m'), '')) AS months"
    query = sql.statement("fragments/values_read").select(months, dialect="duckdb")
    return to_duckdb(query, _BOUNDS, lambda _: csv_scan("$file", SOURCE_NAMES))


@cache
def _swapped() -> str:
    return to_duckdb(sql.statement("fragments/swapped_dates"), {}, lambda _: csv_scan("$file", SOURCE_NAMES))


@cache
def _days_after_12() -> str:
    return to_duckdb(sql.statement("fragments/days_after_12"), {}, lambda _: csv_scan("$file", SOURCE_NAMES))


@cache
def _numbered_values(counted: str, where: str) -> str:
    """Return a query for the row number and original text of the values that a column of `values_read` counts."""
    query = sql.statement("fragments/values_read")
    [value] = [column.this.this for column in query.selects if column.alias == counted]
    written = next((column for column in value.find_all(exp.Column) if column.table == "raw"), value)
    values = query.select(value.as_("value"), written.as_("written"), exp.column("row", "raw"), append=False)
    return f"SELECT row, written FROM ({_numbered(values)}) {where}"


def _numbered(query: exp.Query) -> str:
    """Translate a query to DuckDB's dialect, over raw rows with their number as `row`."""
    numbered = exp.select("*", "ROW_NUMBER() OVER () AS row").from_(csv_scan("$file", SOURCE_NAMES)).subquery()
    return to_duckdb(query, _BOUNDS, lambda _: numbered)
