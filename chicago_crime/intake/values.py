"""Judge the values of a file before any table changes: columns that cannot be read, or would be misread."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from chicago_crime.intake.date_errors import date_errors, other_year
from chicago_crime.intake.value_counts import MAX_UNREADABLE_SHARE, CountedRows
from chicago_crime.sources.base import MAX_REJECTED_SHARE, MIN_REJECTED, Place
from chicago_crime.sources.header import SPELLINGS, normalize
from chicago_crime.tables.columns import TYPED

MAX_HEADERS = 20
"""Maximum number of repeated headers that are examined."""

_FORMS = {
    "BOOL": "true or false, t or f, yes or no, y or n, 1 or 0",
    "INT64": "whole numbers such as 1811, 1811.0 and 1,811",
    "FLOAT64": "numbers with all digits such as 41.883500187 or 1176352",
    "DATETIME": "02/28/2016 03:50:00 PM, 02/28/2016 15:50, 2016-02-28 15:50:00, 28-Feb-2016, with or without a time",
}
_COORDINATES = {
    "x_coordinate": "feet east in Illinois East, such as 1176352",
    "y_coordinate": "feet north in Illinois East, such as 1900927",
    "latitude": "degrees north, such as 41.883500187",
    "longitude": "degrees east, such as -87.627876698",
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


def read_values(file: Path, place_of: Callable[[int], Place], ends: Sequence[int] = ()) -> Values:
    """Count the readable and unreadable values of a canonical CSV.

    `place_of` returns the place in the user's file of a row, numbered from 1. `ends` has the number of the last row of
    each of the user's files, if the CSV joins several.
    """
    with duckdb.connect(config={"threads": 2}) as connection:
        rows = CountedRows.of_file(connection, file, place_of)
        total = rows.total
        unread = {name: total[f"unreadable_{name}"] for name in total if f"unreadable_{name}" in total}
        present = {name: total[name] + unread.get(name, 0) for name in TYPED if name in total}
        found = Values(total["crimes"], total["rejected"], rows.days, rows.crimes_by_day, present)
        for name in [name for name, count in unread.items() if count]:
            example, place = rows.first(f"unreadable_{name}")
            found.unreadable[name] = Unreadable(unread[name], str(place), example[:80])
        found.column_errors = other_year(rows)
        for part in rows.by_file(ends) if len(ends) > 1 else [rows]:  # good files must not hide a bad one
            found.column_errors |= date_errors(part)
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


def _coordinate_errors(rows: CountedRows) -> dict[str, str]:
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


def _shared_id_errors(rows: CountedRows) -> dict[str, str]:
    """Find ids that several crimes share, if too many do; all but one of these crimes would be rejected."""
    ids, shared = rows.total["id"], rows.shared_ids
    limit = max(MIN_REJECTED, ids * MAX_REJECTED_SHARE)
    if shared is None or (not shared["lost_digits"] and shared["all_crimes"] < limit):
        return {}
    return {
        "id": f"has ids shared by several crimes: {shared['all_crimes']:,} of {ids:,} rows share their id with another "
        f"crime, {shared['crimes']:,} of them {shared['written']!r}, the first in {rows.place_of(shared['row'])}. "
        "Export the file again with the City's ids as whole numbers. Row numbers cannot replace them, and spreadsheets "
        "round ids not formatted as whole numbers."
    }
