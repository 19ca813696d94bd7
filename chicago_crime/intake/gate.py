"""The gate: decides what enters the lake, and puts unreadable lines into a quarantine.

It separates rows from damage, and refuses a file of which too much cannot be read. Values stay as they are. A canonical
file passes byte by byte. From any other, the rows are written as a canonical CSV.
"""

import csv
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb

from chicago_crime.intake.csv_rows import RowSplit, describe_line, first_line, split_rows
from chicago_crime.intake.values import MAX_REJECTED_SHARE, MIN_REJECTED, read_values
from chicago_crime.sources.base import SourceError, SourceFile
from chicago_crime.sources.header import Header, HeaderError, read_header
from chicago_crime.tables.columns import SOURCE_NAMES
from chicago_crime.tables.years import format_years

MIN_SHARE_OF_YEAR = 0.1
"""A file with a smaller share of rows of its year is refused. The warehouse rejects rows of other years one by one."""

USUAL_SHARE_OF_YEAR = 0.9
"""Smallest share of dates of its year with which a file needs no reason to be loaded."""


@dataclass(frozen=True)
class GateResult:
    """What the gate found in one year's file.

    Attributes:
        split: its rows and its unreadable lines; every line after the header is accounted for.
        columns: the header's names.
        header: the same, matched to the source columns.
        months: rows of the year by month, "2014-01" and on.
        unreadable: {column: {count, place, example}} of values that cannot be read and become NULL.
        problems: each why the file needs a person's reason to be loaded.
        damage: how many lines cannot be read as rows, and the first; "" if all can.
        details: what else a person should know of the file.
    """

    split: RowSplit
    columns: list[str]
    header: Header
    months: dict[str, int]
    unreadable: dict[str, dict[str, Any]]
    problems: list[str]
    damage: str
    details: dict[str, str | int | bool]


def run_gate(fetched: SourceFile, year: int, folder: Path, again: Sequence[Sequence[str]] = ()) -> GateResult:
    """Take a year's file through the gate.

    Args:
        fetched: a CSV file with any known spelling and order of columns, with or without a byte order mark, and with
            any line ends. Messages name the user's own files and lines.
        year: the year that its rows should be of.
        folder: where to write the quarantine and, if necessary, the canonical file.
        again: names of headers within the file in other spellings, once they are known.

    Raises:
        SourceError: the file lacks needed columns, is mostly of another year or no rows, or what can be read of a
            column is wrong.
    """
    names = next(csv.reader([first_line(fetched.path)]), [])
    try:
        header = read_header(names)
    except HeaderError as error:
        raise SourceError(f"{fetched.origin}, line 1: {error}") from None
    split = split_rows(fetched, names, header, folder, again)
    counts, damage = split.counts, _damage(split)
    if not counts.rows + counts.quarantined:
        raise SourceError(f"{fetched.origin} has a header and no rows: download it again")
    if counts.quarantined * 2 > counts.lines or not counts.rows:
        raise SourceError(f"{fetched.origin}: {damage}. Download or export the file again.")
    try:
        values = read_values(split.file, lambda row: fetched.place(split.line_of(row)))
    except duckdb.Error as error:
        raise SourceError(f"{fetched.origin}: DuckDB cannot read its rows ({error}). Export the file again.") from error
    repeated_headers = [*filter(None, (_header_at(fetched, split.line_of(row), header) for row in values.headers))]
    if repeated_headers and not again:
        return run_gate(fetched, year, folder, repeated_headers)
    assert values.rows == counts.rows, f"DuckDB reads {values.rows} of {counts.rows} rows of {fetched.path}"
    positions = zip(SOURCE_NAMES, header.positions, strict=True)
    called = {name: names[index] for name, index in positions if index is not None}
    for name, problem in values.column_errors.items():
        # A latitude or longitude may come out of `location`.
        raise SourceError(f"{fetched.origin}: column {called.get(name, called.get('location'))!r} {problem}")
    months = values.months
    in_year = {month: rows for month, rows in sorted(months.items()) if month.startswith(f"{year}-")}
    of_year = sum(in_year.values())
    cut_off = str(fetched.details.get("cut_off", ""))
    found = (_rows_of_other_years(year, of_year, months), cut_off, _lines_of_no_year(fetched))
    problems = [*filter(None, found), *values.problems(called)]
    if of_year < counts.rows * MIN_SHARE_OF_YEAR:
        raise SourceError(f"{fetched.origin}: {' '.join(problems)}")
    unreadable = {name: asdict(found) for name, found in values.unreadable.items()}
    no_times = "" if values.has_times else _without_times([*header.ignored, *fetched.ignored])
    odd = {"no_times": no_times, "dates_after_update": values.after_update}
    details: dict[str, str | int | bool] = {key: text for key, text in odd.items() if text}
    return GateResult(split, names, header, in_year, unreadable, problems, damage, details)


def _without_times(ignored: Sequence[str]) -> str:
    """What is wrong with a file whose dates are all at midnight."""
    names = [repr(name) for name in ignored if "time" in name.lower()]
    unread = f" (not read: {', '.join(names)})" if names else ""
    return f"no date has a time of day{unread}, so no hour can be told. To have hours, write the time behind the date"


def _lines_of_no_year(fetched: SourceFile) -> str:
    """What is wrong with a file of many years if too many of its lines belong to none; "" if few do."""
    lines, of_no_year = (int(fetched.details.get(f"lines_of_{which}", 0)) for which in ("all_years", "no_year"))
    if of_no_year <= lines * MAX_REJECTED_SHARE or of_no_year < MIN_REJECTED:
        return ""
    return (
        f"{of_no_year:,} of {lines:,} lines have no year in their date; the first is "
        f"{fetched.details['first_of_no_year']}. Export the file again with dates like 02/28/2016 03:50:00 PM."
    )


def _rows_of_other_years(year: int, of_year: int, months: Mapping[str, int]) -> str:
    """What is wrong with a file if too many of its rows are of other years; "" if few are."""
    read = {month: rows for month, rows in months.items() if month}
    if of_year >= sum(read.values()) * USUAL_SHARE_OF_YEAR:  # that dates cannot be read is told of their column
        return ""
    years = format_years(int(month[:4]) for month in read)
    return (
        f"{of_year:,} of {sum(months.values()):,} rows are of {year}; the dates are of {years}. Replace the file by "
        "the right one, or take the year out of its name: then it is searched for every year."
    )


def _header_at(fetched: SourceFile, line: int, header: Header) -> list[str]:
    """The names of a header within a file, in another spelling; none if it is no header.

    Raises:
        SourceError: its columns are in another order, so that those of the rows after it are, too.
    """
    with fetched.path.open(encoding="utf-8-sig", errors="replace", newline=None) as file:
        names = next(csv.reader(islice(file, line - 1, line)), [])
    with suppress(HeaderError):
        if read_header(names).positions != header.positions:
            raise SourceError(
                f"{fetched.origin}: {fetched.place(line)} is a header with the columns in another order: "
                "split the file before it, and put the parts into the folder as two files."
            )
        return names
    return []


def _damage(split: RowSplit) -> str:
    with split.quarantine.open(encoding="utf-8", newline="") as file:
        first = next(csv.DictReader(file), None)
    if first is None:
        return ""
    lines = f"{split.counts.quarantined:,} of {split.counts.lines:,} lines cannot be read as rows"
    return f"{lines}; the first is {describe_line(first)}"
