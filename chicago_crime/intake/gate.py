"""The gate: what may enter the lake, and what is set aside.

Here belongs telling rows from what is no row, without a look at what the values mean: that is the warehouse's part.
A canonical file passes as it is. Any other is read line by line (`csv_records.py`) and written anew.
"""

import csv
import io
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import duckdb
from sqlglot import exp

from chicago_crime import sql
from chicago_crime.errors import PlatformError
from chicago_crime.intake.csv_records import lines_of, records
from chicago_crime.intake.file_facts import MOST_COMMAS, FileFacts, examine
from chicago_crime.intake.header import Header, HeaderError, read_header
from chicago_crime.sql.duckdb_dialect import to_duckdb
from chicago_crime.sql.duckdb_scans import csv_scan
from chicago_crime.tables.columns import SOURCE_COLUMNS

LEAST_SHARE_OF_YEAR = 0.1
"""A file with fewer rows of its year is of another year. Some may stray: the warehouse rejects them one by one."""

QUARANTINE_COLUMNS = ("line", "problem", "text")


class GateError(PlatformError):
    """A file cannot enter; the message names the file, what is wrong with it and what to do."""


@dataclass(frozen=True)
class Passage:
    """What the gate found in one year's file.

    Every line after the header is accounted for: `lines = rows + quarantined + continuations + blank`.

    Attributes:
        file: the canonical CSV: the source file itself, or the rewritten one.
        quarantine: CSV of line, problem and text for every line that is no row.
        facts: checksum and size of the source file.
        columns: the header's names.
        ignored: columns of the file that are not ours.
        missing: our columns that the file lacks; they are empty.
        lines: physical lines after the header.
        rows: rows in `file`.
        quarantined: lines in `quarantine`.
        continuations: lines that go on with a row, inside a quoted field.
        blank: empty lines.
        months: rows of the year by month, "2014-01" and on.
    """

    file: Path
    quarantine: Path
    facts: FileFacts
    columns: tuple[str, ...]
    ignored: tuple[str, ...]
    missing: tuple[str, ...]
    lines: int
    rows: int
    quarantined: int
    continuations: int
    blank: int
    months: dict[str, int]

    @property
    def is_canonical(self) -> bool:
        """True if the source file passed as it is, byte by byte."""
        return self.file.name != REWRITTEN


REWRITTEN = "rewritten.csv"


def pass_through(source: Path, year: int, folder: Path) -> Passage:
    """Take a year's file through the gate.

    Args:
        source: a CSV file in any known spelling, order, encoding mark and line end.
        year: the year that its rows should be of.
        folder: where the quarantine and, if need be, the rewritten file are put.

    Raises:
        GateError: the file is empty, no CSV, lacks columns that matter, is mostly unreadable or of another year.
    """
    facts = examine(source)
    names, header = _header(source, facts)
    quarantine = empty_quarantine(folder)
    lines = facts.lines - 1
    coverage = _read_fast(source, year) if facts.is_plain and header.is_canonical else None
    if coverage and coverage.rows == lines and _is_regular(facts, coverage):
        file, counts = source, _Counts(rows=lines)
    else:
        file = folder / REWRITTEN
        counts = _rewrite(source, header, file, quarantine)
        if coverage and not counts.quarantined and counts.rows == coverage.rows:
            file = source  # well-formed after all: some rows have quoted newlines or quotes, or there are blank lines
        else:
            coverage = _read_fast(file, year)
    if counts.quarantined * 2 > lines or not counts.rows:
        raise GateError(_mostly_unreadable(source, lines, counts, quarantine))
    assert coverage, f"{file} was written by the gate and cannot be read"
    months = coverage.months
    in_year = {month: rows for month, rows in sorted(months.items()) if month.startswith(f"{year}-")}
    if sum(in_year.values()) < counts.rows * LEAST_SHARE_OF_YEAR:
        most = max(months, key=lambda month: months[month])
        raise GateError(
            f"{source} is no file of {year}: {sum(in_year.values()):,} of its {counts.rows:,} rows are of that year, "
            f"most are of {most[:4] if most else 'no readable date'}. Put the right file in its place."
        )
    return Passage(
        file=file,
        quarantine=quarantine,
        facts=facts,
        columns=tuple(names),
        ignored=header.ignored,
        missing=header.missing,
        lines=lines,
        rows=counts.rows,
        quarantined=counts.quarantined,
        continuations=counts.continuations,
        blank=counts.blank,
        months=in_year,
    )


def empty_quarantine(folder: Path) -> Path:
    """A new quarantine file, with its header and no line yet."""
    file = folder / "quarantine.csv"
    file.write_text(",".join(QUARANTINE_COLUMNS) + "\n")
    return file


@dataclass
class _Counts:
    rows: int = 0
    quarantined: int = 0
    continuations: int = 0
    blank: int = 0


def _header(source: Path, facts: FileFacts) -> tuple[list[str], Header]:
    if facts.size == 0:
        raise GateError(f"{source} is empty: download it again")
    if facts.start.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise GateError(f"{source} is UTF-16: save it as UTF-8")
    start = facts.start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<", b"{", b"[")):
        kind = "an HTML or XML page" if start.startswith(b"<") else "JSON"
        raise GateError(f"{source} is {kind}, not a CSV; most likely an error message was saved. Download it again.")
    names = next(csv.reader(io.StringIO(next(lines_of(source)))), [])
    try:
        return names, read_header(names)
    except HeaderError as error:
        raise GateError(f"{source}, line 1: {error}. Is it a file of the City's crimes?") from None


def _rewrite(source: Path, header: Header, target: Path, quarantine: Path) -> _Counts:
    """Write every row of `source` as a canonical one, and every line that is no row into the quarantine."""
    counts = _Counts()
    with (
        target.open("w", encoding="utf-8", newline="") as good,
        quarantine.open("a", encoding="utf-8", errors="backslashreplace", newline="") as bad,
    ):
        rows, rejects = csv.writer(good, lineterminator="\n"), csv.writer(bad, lineterminator="\n")
        rows.writerow(column.name for column in SOURCE_COLUMNS)
        for number, taken, fields, problem, text in records(lines_of(source), header.width):
            if problem:
                rejects.writerow((number, problem, text))
                counts.quarantined += 1
            elif not text:
                counts.blank += 1
            else:
                rows.writerow("" if index is None else fields[index] for index in header.positions)
                counts.rows += 1
                counts.continuations += taken - 1
    return counts


@dataclass(frozen=True)
class _Coverage:
    """What a fast reader sees in a file: rows by month ("" where the date cannot be read), and empty fields at ends."""

    months: dict[str, int]
    empty_at_ends: int

    @property
    def rows(self) -> int:
        return sum(self.months.values())


def _read_fast(file: Path, year: int) -> _Coverage | None:
    """See what a file in canonical columns covers; None if it is not well-formed."""
    names = [column.name for column in SOURCE_COLUMNS]
    last = [f"COALESCE(raw.{name}, '')" for name in names[-MOST_COMMAS:][::-1]]
    empty = "".join(f"WHEN {value} != '' THEN {place} " for place, value in enumerate(last))
    query = sql.statement("fragments/rows_by_month").select("SUM(empty_at_end)", dialect="duckdb")
    # Counted where the file is read: further out, every row would have to be carried there whole.
    read = query.find(exp.Subquery)
    assert read, "coverage.sql reads parsed_crimes"
    read.this.select(f"CASE {empty} ELSE {MOST_COMMAS} END AS empty_at_end", dialect="duckdb", copy=False)
    with duckdb.connect(config={"threads": 2}) as connection:
        try:
            rows = connection.sql(to_duckdb(query, {"year": year}, lambda _: csv_scan(file, names))).fetchall()
        except duckdb.InvalidInputException:
            return None
    return _Coverage({month: n for month, n, _ in rows}, int(sum(empty for _, _, empty in rows)))


def _is_regular(facts: FileFacts, coverage: _Coverage) -> bool:
    """Whether the fast reader is known to have seen every field of a file that has a row on every line.

    It drops an empty field too many at the end of a row, and says nothing. Then the lines end in more commas than it
    has seen empty fields there. Paired quotes may be such an empty field, too, or stand in a value: a closer look.
    """
    return (
        sum(facts.commas_at_ends) == coverage.empty_at_ends
        and not facts.commas_at_ends[-1]
        and not facts.has_paired_quotes
    )


def _mostly_unreadable(source: Path, lines: int, counts: _Counts, quarantine: Path) -> str:
    with quarantine.open(encoding="utf-8", newline="") as file:
        first = next(islice(csv.DictReader(file), 1), None)
    if first is None:
        return f"{source} has a header and no rows: download it again"
    return (
        f"{source}: {counts.quarantined:,} of {lines:,} lines cannot be read as rows. "
        f"The first is line {first['line']} ({first['problem']}): {first['text'][:120]}. "
        "Download or export the file again."
    )
