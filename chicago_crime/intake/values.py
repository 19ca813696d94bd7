"""Count readable and unreadable values of a file before any table changes, with the SQL of the typed table."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from sqlglot import exp

from chicago_crime import sql
from chicago_crime.sources.base import MAX_REJECTED_SHARE, MIN_REJECTED, Place
from chicago_crime.sources.header import SPELLINGS, normalize
from chicago_crime.sql.duckdb_dialect import to_duckdb
from chicago_crime.sql.duckdb_scans import csv_scan
from chicago_crime.tables.columns import LATITUDE, LONGITUDE, SOURCE_NAMES, TYPED, X_FT, Y_FT

MAX_UNREADABLE_SHARE = 0.001
"""Maximum share of unreadable values in a column."""

MAX_HEADERS = 20
"""Maximum number of repeated headers that are examined."""

MIN_PER_FORMAT = 10
"""Minimum number of dates in each of two formats, one with days up to 12 and the other with later ones."""

MAX_CONTRARY_SHARE = 0.01
"""Maximum share of values that contradict what the others of a file say about its format."""

MIN_TIMES = 20
"""Minimum number of times to tell whether they lost AM and PM, or are in UTC."""

_FORMS = {
    "BOOL": "true or false, t or f, yes or no, y or n, 1 or 0",
    "INT64": "whole numbers such as 1811, 1811.0 and 1,811",
    "FLOAT64": "numbers with all digits such as 41.883500187 or 1176352",
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
_REQUIRED = [name for name, column in TYPED.items() if column.required and name not in ("id", "date")]


@dataclass(frozen=True)
class Unreadable:
    """The unreadable values of a column: their number, and the place in the user's file and text of the first one."""

    count: int
    place: str
    example: str


@dataclass
class Values:
    """The readable and unreadable values of a file.

    Attributes:
        rows: number of rows.
        rejected: rows without a readable id or date.
        days: rows by day, of any year.
        crimes: crimes by day: the same, but rows that share an id count once.
        present: by typed column, the number of values that are not empty.
        unreadable: by typed column, the unreadable values; omits columns without any.
        column_errors: by column, an error because of which even its readable values are wrong.
        after_update: warning about dates after the last update of their row; "" if there are none.
        future_updates: warning about last updates in the future; "" if there are none.
        has_times: whether any date has a time of day; True if there are too few dates to tell.
        headers: numbers, from 1, of rows with a column name in place of an id.
    """

    rows: int
    rejected: int
    days: dict[date, int]
    crimes: dict[date, int]
    present: dict[str, int]
    unreadable: dict[str, Unreadable] = field(default_factory=dict)
    column_errors: dict[str, str] = field(default_factory=dict)
    after_update: str = ""
    future_updates: str = ""
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
            for name in _REQUIRED
            if (empty := self.rows - self.present[name]) > self.rows * MAX_REJECTED_SHARE and empty >= MIN_REJECTED
        ]
        problems += [
            f"column {own_names[name]!r}: {found.count:,} of {self.present[name]:,} values cannot be read; the first "
            f"is {found.example!r} in {found.place}. Expected: {_FORMS[TYPED[name].type]}. Export the file again."
            for name, found in self.unreadable.items()
            if found.count > self.present[name] * MAX_UNREADABLE_SHARE
            and found.count >= min(MIN_REJECTED, self.present[name] * MAX_REJECTED_SHARE)
        ]
        unread = sum(self.unreadable[name].count for name in ("id", "date") if name in self.unreadable)
        lacking = self.rejected - unread
        if lacking > self.rows * MAX_REJECTED_SHARE and lacking >= MIN_REJECTED:
            problems.append(f"{lacking:,} of {self.rows:,} rows lack an id or a date. Export the file again with both.")
        return problems


@dataclass(frozen=True)
class _Rows:
    """The rows of a canonical CSV, or of one of the user's files in it.

    Attributes:
        place_of: returns the place in the user's file of a row of the CSV, numbered from 1.
        total: counts of what can be read in them.
        above: number of rows above the first one; None for all rows.
    """

    connection: duckdb.DuckDBPyConnection
    file: Path
    place_of: Callable[[int], Place]
    total: Mapping[str, Any]
    above: int | None = None

    @cached_property
    def day_order(self) -> dict[str, Any]:
        """Whether days or months come first in dates in numbers: the row of `fragments/day_order.sql`."""
        [found] = self.query(_day_order(self.above is not None))
        return found

    def query(self, query: str) -> list[dict[str, Any]]:
        """Return the result of a query."""
        answer = self.connection.execute(query, self._parameters)
        names = [column[0] for column in answer.description]
        return [dict(zip(names, values, strict=True)) for values in answer.fetchall()]

    def first(self, name: str, where: str = "WHERE value IS NOT NULL") -> tuple[Any, Place]:
        """Return the first value that a count includes, and its place, optionally under a condition."""
        found = self.numbered(name, f"{where} ORDER BY row LIMIT 1")
        row, value = found[0] if found else (1, "")
        return value, self.place_of((self.above or 0) + row)

    def numbered(self, name: str, where: str) -> list[tuple[int, Any]]:
        """Return the numbers and original texts of the values that a count includes."""
        query = _numbered_values(name, where, self.above is not None)
        return self.connection.execute(query, self._parameters).fetchall()

    @property
    def _parameters(self) -> dict[str, Any]:
        part = {} if self.above is None else {"above": self.above, "count": self.total["crimes"]}
        return {"file": str(self.file)} | part


def read_values(file: Path, place_of: Callable[[int], Place], ends: Sequence[int] = ()) -> Values:
    """Count the readable and unreadable values of a canonical CSV.

    `place_of` returns the place in the user's file of a row, numbered from 1. `ends` has the number of the last row of
    each of the user's files, if the CSV joins several.
    """
    with duckdb.connect(config={"threads": 2}) as connection:
        rows = _Rows(connection, file, place_of, {})
        [total] = rows.query(_counts())
        rows = replace(rows, total=total)
        unread = {name: total[f"unreadable_{name}"] for name in total if f"unreadable_{name}" in total}
        present = {name: total[name] + unread.get(name, 0) for name in TYPED if name in total}
        days = total["days"] or {}
        crimes = days
        if total["distinct_ids"] < total["id"]:
            crimes = {one["day"]: one["crimes"] for one in rows.query(_crimes_by_day())}
        found = Values(total["crimes"], total["rejected"], days, crimes, present)
        for name in [name for name, count in unread.items() if count]:
            example, place = rows.first(f"unreadable_{name}")
            found.unreadable[name] = Unreadable(unread[name], str(place), example[:80])
        found.column_errors = _other_year(rows)
        for part in _by_file(rows, ends) if len(ends) > 1 else [rows]:  # good files must not hide a bad one
            found.column_errors |= _ambiguous_dates(part) | _swapped_dates(part) | _lost_am_pm(part) | _in_utc(part)
            found.column_errors |= _day_first(part)
        empty = [name for name, column in TYPED.items() if column.required and not present[name]]
        found.column_errors |= dict.fromkeys(empty, "has no values. Export the file again with its values.")
        found.column_errors |= _flag_errors(total) | _coordinate_errors(rows)
        found.has_times = bool(total["with_time"]) or total["date"] < MIN_REJECTED
        if (late := total["after_update"]) >= MIN_REJECTED:  # none is in 868,704 real rows
            date, place = rows.first("after_update")
            found.after_update = (
                f"{late:,} of {total['date']:,} dates are later than the last update of their row; the first is "
                f"{date!r} in {place}. Are day and month swapped?"
            )
        tomorrow = datetime.now(UTC).replace(tzinfo=None) + timedelta(days=1)
        if total["last_update"] and total["last_update"] > tomorrow:
            (row, update), *others = rows.numbered("updated_on", f"WHERE value > '{tomorrow}' ORDER BY row")
            found.future_updates = (
                f"{len(others) + 1:,} of {total['updated_on']:,} last updates are in the future; the first is {update} "
                f"in {place_of(row)}. Is its year right?"
            )
        if unread["id"]:
            ids = rows.numbered("unreadable_id", "WHERE value IS NOT NULL ORDER BY row")
            found.headers = [row for row, text in ids if normalize(text) in SPELLINGS][:MAX_HEADERS]
        if total["distinct_ids"] < total["id"]:
            shared = _shared_id_errors(rows)
            if shared and (one := found.unreadable.get("id")):
                shared["id"] = (
                    f"has {one.count:,} of {present['id']:,} values that cannot be read, the first {one.example!r} in "
                    f"{one.place}, and {shared['id'].removeprefix('has ')}"
                )
            found.column_errors |= shared
    return found


def _by_file(rows: _Rows, ends: Sequence[int]) -> list[_Rows]:
    """Return the rows of each of the user's files, counted in one pass."""
    import pyarrow as pa  # slow to import, and most years have one file

    counts = np.diff([0, *ends])
    above = np.repeat(np.cumsum(counts) - counts, counts)
    rows.connection.register("files", pa.table({"row": np.arange(1, len(above) + 1), "above": above}))
    return [replace(rows, total=total, above=total["above"]) for total in rows.query(_counts_by_file())]


def _swapped_dates(rows: _Rows) -> dict[str, str]:
    """Find date columns in which a program rewrote only the dates that it could read day first.

    Some programs then write the same digits as before. If not, some dates are later than the last update.
    """
    total, found = rows.total, dict[str, str]()
    columns = [("date", "rewritten"), ("updated_on", "rewritten")]
    if total["after_update"] >= MIN_REJECTED:
        columns.append(("date", "reformatted"))
    for name, how in columns:
        rewritten = total[f"{how}_{name}"]
        others = total[name] - rewritten
        if min(rewritten, others) < MIN_PER_FORMAT:
            continue
        days = rows.day_order
        is_swapped = days[f"not_swapped_{how}_{name}"] <= total[name] * MAX_CONTRARY_SHARE
        if is_swapped and days[f"first_month_{name}"] != days[f"last_month_{name}"]:
            date, place = rows.first(f"{how}_{name}")
            found[name] = (
                f"has day and month swapped in some dates: the {rewritten:,} that are written like {date!r} in {place} "
                f"have a day up to 12, and the {others:,} others have a later day. A program read dates day first "
                "where it could. Export the file again without that conversion."
            )
    return found


def _ambiguous_dates(rows: _Rows) -> dict[str, str]:
    """Find date columns that may have the day before the month."""
    unsure = {name: count for name in ("date", "updated_on") if (count := rows.total[f"unsure_{name}"])}
    found: dict[str, str] = {}
    for name, count in unsure.items():
        days = rows.day_order
        after_12 = days["short_year_after_12" if days[f"short_year_{name}"] else "after_12"]
        if after_12 <= count * MAX_CONTRARY_SHARE:
            date, place = rows.first(f"unsure_{name}")
            found[name] = (
                f"has ambiguous dates, such as {date!r} in {place}: few or no days are after 12, so either the day "
                "or the month may come first. Export the file again with dates like 2016-02-28 15:50:00."
            )
    return found


def _lost_am_pm(rows: _Rows) -> dict[str, str]:
    """Find dates that lost AM and PM: without either, times end at 12:59."""
    total = rows.total
    times = total["without_am_pm"]
    is_12_hour = times >= MIN_TIMES and total["at_1"] and total["at_12"]
    if not is_12_hour or total["at_other_hours"] > times * MAX_CONTRARY_SHARE:
        return {}
    is_unread = total["unreadable_date"] > total["date"] * MAX_UNREADABLE_SHARE  # such as 13:00:00 PM
    if is_unread and rows.first("unreadable_date", _AM_PM)[0]:
        return {}
    date, place = rows.first("without_am_pm")
    return {
        "date": f"lacks AM and PM: {times:,} times, such as {date!r} in {place}, are between 1:00 and 12:59. Export "
        "the file again with dates like 02/28/2016 03:50:00 PM or 2016-02-28 15:50:00."
    }


def _in_utc(rows: _Rows) -> dict[str, str]:
    """Find dates in UTC: the City uses 0:01 for unknown times, which is 5:01 or 6:01 in UTC.

    In real years, these times are 0.05 times as frequent as 12:01, 13:01, ... and 23:01 together; in UTC, 3 to 7 times.
    """
    shifted, others = rows.total["at_midnight_in_utc"], rows.total["past_hours_from_12"]
    if shifted < others or min(shifted, others) < MIN_TIMES:  # without others, the file may only have morning hours
        return {}
    date, place = rows.first("at_midnight_in_utc")
    return {
        "date": f"is in UTC: {shifted:,} times, such as {date!r} in {place}, are 5:01 or 6:01. In Chicago's time, they "
        "are 0:01, which the City uses for unknown times. Export the file again with Chicago's times."
    }


def _day_first(rows: _Rows) -> dict[str, str]:
    """Find date columns in which some values cannot be read because the day comes first."""
    total, found = rows.total, dict[str, str]()
    for name in ("date", "updated_on"):
        unread, read = total[f"unreadable_{name}"], total[name]
        is_few = unread <= (unread + read) * MAX_UNREADABLE_SHARE
        if not unread or (is_few and rows.day_order["after_12"]):
            continue  # a few contrary values are damage
        date, place = rows.first(f"unreadable_{name}", _DAY_FIRST)
        if date:
            parts = "the day" if re.search(r"[12]\d{3}", date) else "the day or a two-digit year"
            found[name] = (
                f"has {parts} before the month, as in {date!r} in {place}: {unread:,} of {unread + read:,} values "
                "cannot be read. Export the file again with dates like 2016-02-28 15:50:00."
            )
    return found


def _other_year(rows: _Rows) -> dict[str, str]:
    """Find two-digit years that contradict the column `year`: in 16-Jan-05, the year may come first."""
    other, dates = rows.total["other_year"], rows.total["date"]
    if other < max(MIN_REJECTED, dates * MAX_REJECTED_SHARE):
        return {}
    date, place = rows.first("other_year")
    problem = f"contradicts the column year in {other:,} of {dates:,} rows; the first is {date!r} in {place}"
    return {"date": f"{problem}. If the dates are right, remove the column; else export the file again with ISO dates."}


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


def _coordinate_errors(rows: _Rows) -> dict[str, str]:
    """Find coordinate columns without any value in Chicago."""
    total, found = rows.total, dict[str, str]()
    for name, unit in _COORDINATES.items():
        if not total[f"inside_{name}"] and total[f"outside_{name}"] >= MIN_REJECTED:
            value, place = rows.first(f"outside_{name}")
            found[name] = (
                f"has no value in Chicago: {value} in {place}, and {total[f'outside_{name}'] - 1:,} others outside. "
                f"Expected {unit}. Is it swapped with another column, or is a minus sign missing?"
            )
    return found


def _shared_id_errors(rows: _Rows) -> dict[str, str]:
    """Find ids that several crimes share, if too many do; all but one of these crimes would be rejected."""
    ids = rows.total["id"]
    query = sql.statement("fragments/shared_ids").select("MIN(raw.row) AS row")
    shared = next(iter(rows.query(to_duckdb(query, _BOUNDS, lambda _: _numbered_rows(is_part=False)))), None)
    limit = max(MIN_REJECTED, ids * MAX_REJECTED_SHARE)
    if shared is None or (not shared["lost_digits"] and shared["all_crimes"] < limit):
        return {}
    return {
        "id": f"has ids shared by several crimes: {shared['all_crimes']:,} of {ids:,} rows share their id with another "
        f"crime, {shared['crimes']:,} of them {shared['written']!r}, the first in {rows.place_of(shared['row'])}. "
        "Export the file again with the City's ids as whole numbers. Row numbers cannot replace them, and spreadsheets "
        "round ids not formatted as whole numbers."
    }


@cache
def _counts() -> str:
    # GoogleSQL has no histogram, and counting distinct ids in a query grouped by day is slower.
    days = "HISTOGRAM(CAST(date AS DATE)) AS days"
    query = sql.statement("fragments/values_read").select(days, dialect="duckdb")
    return to_duckdb(query, _BOUNDS, lambda _: _raw_rows(is_part=False))


@cache
def _counts_by_file() -> str:
    by_file = exp.select("*").from_(_numbered_rows(is_part=False)).join("files", using="row").subquery()
    query = sql.statement("fragments/values_read").select("raw.above AS above")
    query.set("group", exp.Group(expressions=[exp.column("above", "raw")]))
    return to_duckdb(query, _BOUNDS, lambda _: by_file)


@cache
def _crimes_by_day() -> str:
    return to_duckdb(sql.statement("fragments/crimes_by_day"), {}, lambda _: _raw_rows(is_part=False))


@cache
def _day_order(is_part: bool) -> str:
    return to_duckdb(sql.statement("fragments/day_order"), {}, lambda _: _raw_rows(is_part))


@cache
def _numbered_values(counted: str, where: str, is_part: bool = False) -> str:
    """Return a query for the row number and original text of the values that a column of `values_read` counts."""
    query = sql.statement("fragments/values_read")
    [value] = [column.this.this for column in query.selects if column.alias == counted]
    raw = {column.name: column for column in value.find_all(exp.Column) if column.table == "raw"}
    written = raw.popitem()[1] if len(raw) == 1 else value
    values = query.select(value.as_("value"), written.as_("written"), exp.column("row", "raw"), append=False)
    return f"SELECT row, written FROM ({to_duckdb(values, _BOUNDS, lambda _: _numbered_rows(is_part))}) {where}"


def _numbered_rows(is_part: bool) -> exp.Expr:
    """The raw rows, with their number as `row`."""
    return exp.select("*", "ROW_NUMBER() OVER () AS row").from_(_raw_rows(is_part)).subquery()


def _raw_rows(is_part: bool) -> exp.Expr:
    """The rows of `$file`: all, or `$count` of them below the first `$above`."""
    scan = csv_scan("$file", SOURCE_NAMES)
    count, above = (exp.Parameter(this=exp.var(name)) for name in ("count", "above"))
    return exp.select("*").from_(scan).limit(count).offset(above).subquery() if is_part else scan
