"""The gate: validates a year's file before it enters the lake, and quarantines damaged lines.

It refuses files with too many damaged lines or unreadable values. A canonical file passes unchanged; the rows of any
other are written as a canonical CSV, with their values unchanged.
"""

import csv
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from itertools import accumulate, islice
from pathlib import Path
from textwrap import shorten
from typing import Any

import duckdb

from chicago_crime.intake.csv_rows import RowSplit, describe_line, split_rows
from chicago_crime.intake.values import read_values
from chicago_crime.sources.base import SourceError, SourceFile
from chicago_crime.sources.header import Header, HeaderError, read_header, repeated_header
from chicago_crime.tables.columns import SOURCE_NAMES
from chicago_crime.tables.years import MIN_ROWS_A_DAY, SAMPLE, find_gaps, format_years

MIN_SHARE_OF_YEAR = 0.1
"""Minimum share of rows of the year in any file. The warehouse rejects rows of other years one by one."""

USUAL_SHARE_OF_YEAR = 0.9
"""Minimum share of dates of the year in a file that is loaded without --accept."""

MIN_OF_OTHER_YEARS = 50
"""Minimum number of rows of other years for that share to be meaningful."""


@dataclass(frozen=True)
class GateResult:
    """The findings of the gate in one year's file.

    Attributes:
        split: the rows and the damaged lines; every line after the header is accounted for.
        months, days, gaps, unreadable, details: as in `Manifest`.
        problems: problems for which the file is refused unless a user accepts them.
        damage: the number of damaged lines, and the first one; "" without damage.
    """

    split: RowSplit
    header: Header
    months: dict[str, int]
    days: dict[str, int]
    gaps: list[tuple[str, str]]
    unreadable: dict[str, dict[str, Any]]
    problems: list[str]
    damage: str
    details: dict[str, str | int | bool]


def run_gate(fetched: SourceFile, year: int, folder: Path, other_headers: Sequence[Sequence[str]] = ()) -> GateResult:
    """Validate a year's file.

    Args:
        fetched: a CSV file with the columns in any known spelling and order, with or without a byte order mark, and
            with any line ends. Messages name the user's own files and lines.
        year: the expected year of its rows.
        folder: where to write the quarantine and, if necessary, the canonical file.
        other_headers: repeated headers in other spellings, found in a first pass.

    Raises:
        SourceError: the file lacks required columns or rows, is mostly damaged or of another year, or has a column
            whose values would be misread.
    """
    try:
        header = read_header(next(csv.reader([_line(fetched.path, 1)]), []))
    except HeaderError as error:
        raise SourceError(f"{fetched.origin}, line 1: {error}") from None
    split = split_rows(fetched, header, folder, other_headers)
    counts, damage = split.counts, _damage(split)
    if not counts.rows + counts.quarantined:
        raise SourceError(f"{fetched.origin} has a header but no rows: download it again")
    if counts.quarantined * 2 > counts.lines or not counts.rows:
        advice = "Download or export the file again, with double quotes around values that contain commas."
        raise SourceError(f"{fetched.origin}: {damage}. {advice}")
    try:
        values = read_values(split.file, lambda row: fetched.place(split.line_of(row)), _last_rows(fetched, split))
    except duckdb.Error as error:
        problem = shorten(f"DuckDB cannot read its rows: {error}", 200)  # it quotes a row, however long
        raise SourceError(f"{fetched.origin}: {problem}. Export the file again.") from error
    repeated_headers = [*filter(None, (_header_at(fetched, split.line_of(row), header) for row in values.headers))]
    if repeated_headers and not other_headers:
        return run_gate(fetched, year, folder, repeated_headers)
    assert values.rows == counts.rows, f"DuckDB reads {values.rows} of {counts.rows} rows of {fetched.path}"
    positions = zip(SOURCE_NAMES, header.positions, strict=True)
    own_names = {name: header.names[index] for name, index in positions if index is not None}
    if place := own_names.get("location"):  # where coordinates may come from
        own_names = {"latitude": place, "longitude": place} | own_names
    for name, problem in values.column_errors.items():
        raise SourceError(f"{fetched.origin}: column {own_names[name]!r} {problem}")
    of_year = sum(rows for day, rows in values.days.items() if day.year == year)
    of_others = _rows_of_other_years(year, of_year, values.days, counts.rows)
    problems = list(dict.fromkeys([*filter(None, [of_others, *fetched.problems]), *values.problems(own_names)]))
    if min(of_year, counts.rows - values.rejected) < counts.rows * MIN_SHARE_OF_YEAR:  # nothing to accept
        raise SourceError(f"{fetched.origin}: {' '.join(problems)}")
    crimes = {day: count for day, count in sorted(values.crimes.items()) if day.year == year}
    unreadable = {name: asdict(found) for name, found in values.unreadable.items()}
    empty = dict.fromkeys(own for name, own in own_names.items() if not values.present.get(name, 1))
    remarks = {
        "no_times": "" if values.has_times else _without_times([*header.ignored, *fetched.ignored]),
        "dates_after_update": values.after_update,
        "future_updates": values.future_updates,
        "empty_columns": f"columns without any value: {', '.join(empty)}" if empty else "",
        "sample": "" if fetched.synthetic or sum(crimes.values()) >= MIN_ROWS_A_DAY * len(crimes) else SAMPLE,
    }
    details: dict[str, str | int | bool] = {key: text for key, text in remarks.items() if text}
    months, days = Counter[str](), Counter[str]()
    for day, count in crimes.items():
        months[f"{day:%Y-%m}"] += count
        days[f"{day:%Y-%m}"] += 1
    gaps = [(first.isoformat(), last.isoformat()) for first, last in find_gaps(crimes)]
    return GateResult(split, header, dict(months), dict(days), gaps, unreadable, problems, damage, details)


def _last_rows(fetched: SourceFile, split: RowSplit) -> list[int]:
    """Return the number of the last row of each of the user's files."""
    lines = accumulate((span.lines for span in fetched.spans), initial=1)
    rows = range(1, split.counts.rows + 1)
    return [bisect_right(rows, line, key=split.line_of) for line in islice(lines, 1, None)]


def _without_times(ignored: Sequence[str]) -> str:
    """Describe the problem of a file in which every date is at midnight."""
    names = [repr(name) for name in ignored if "time" in name.lower()]
    unused = f" (unused: {', '.join(names)})" if names else ""
    return f"dates have no time of day{unused}, so hours are unknown. To include hours, add the time to the date column"


def _rows_of_other_years(year: int, of_year: int, days: Mapping[date, int], rows: int) -> str:
    """Describe the problem if too many rows are from other years; "" if few are."""
    all_years = sum(days.values())  # unreadable dates are reported by column
    share = USUAL_SHARE_OF_YEAR if all_years - of_year >= MIN_OF_OTHER_YEARS else MIN_SHARE_OF_YEAR
    if of_year >= all_years * share:
        return ""
    years = format_years(day.year for day in days)
    return (
        f"only {of_year:,} of {rows:,} rows are from {year}; the dates are from {years}. Replace the "
        "file or, if it has several years, remove the year from its name: its rows are then split by year."
    )


def _header_at(fetched: SourceFile, line: int, header: Header) -> list[str]:
    """Return the column names if a line repeats the header in another spelling, else an empty list.

    Raises:
        SourceError: its columns are in a different order.
    """
    try:
        return repeated_header(_line(fetched.path, line), header)
    except HeaderError as error:
        raise SourceError(f"{fetched.origin}: {fetched.place(line)} {error}") from None


def _line(file: Path, number: int) -> str:
    with file.open(encoding="utf-8-sig", errors="surrogateescape") as stream:
        return next(islice(stream, number - 1, number), "")


def _damage(split: RowSplit) -> str:
    with split.quarantine.open(encoding="utf-8", newline="") as file:
        first = next(csv.DictReader(file), None)
    if first is None:
        return ""
    lines = f"{split.counts.quarantined:,} of {split.counts.lines:,} lines cannot be read as rows"
    return f"{lines}; the first is {describe_line(first)}"
