"""Split a file into one plain CSV per year, in a single pass.

Plain CSV is UTF-8 without a byte order mark, with LF line ends and commas. In converted files, a damaged line is kept
unchanged, behind a mark that names its problem.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path

import numpy as np

from chicago_crime.sources.base import (
    MAX_REJECTED_SHARE,
    MIN_REJECTED,
    Place,
    Progress,
    SourceError,
    Span,
    no_progress,
)
from chicago_crime.sources.containers import Item, open_item, unpacked_size, utf8_blocks
from chicago_crime.sources.header import Header, HeaderError, repeated_header
from chicago_crime.sources.layouts import Layout, detect_layout
from chicago_crime.sources.records import (
    MAX_RECORD_BYTES,
    MAX_RECORD_LINES,
    REPEATED_HEADER,
    Dialect,
    LongLineError,
    Records,
    as_csv,
    csv_line,
    field_offsets,
    find_records,
    strip_mark,
    whole_lines,
)
from chicago_crime.tables.years import current_year

_YEAR = re.compile(r"(?<!\d)(?<!:\d\d\.)(?:19|20)\d\d(?=(?:\d{4})?(?!\d))", re.ASCII)  # no fraction of a second
_SHORT_YEAR = re.compile(
    r"(?:[A-Za-z]{3}[-., ]+(?:\d{1,2}[-, ]+)?|^\W*\d\d?(?:[-/]\d\d?[-/]|[A-Za-z]{3,}))(\d\d)"
    r'(?:[\s",]|$|(?<=[A-Za-z]\d\d):)',
    re.ASCII,
)
"""Matches 18-Jun-16, 18JUN16:13:00, June 18, 16 and 6/18/16."""

_WINDOWS = {chr(0xDC00 + byte): bytes([byte]).decode("cp1252", "ignore") for byte in range(0x80, 0x100)}
_NOT_UTF8 = re.compile(f"[{''.join(raw for raw, letter in _WINDOWS.items() if letter)}]")
_WRAPPED = re.compile(rb'^"((?:[^"\n]|"")*+)"[;,]*$', re.MULTILINE)

NO_YEAR = 0
"""Year of lines without a readable year."""

SHEET_LINES = 1_048_576
"""Lines of a sheet in Excel and LibreOffice, which drop all others."""

MAX_DATE_BYTES = 40
"""Bytes of a date that are searched for its year."""


@dataclass
class YearSplit:
    """The result of splitting a file by year.

    Attributes:
        version: version of the file, taken before reading.
        unit: unit of its line numbers: "line", or "record" for JSON.
        is_one_year: True if all lines are assigned to one year, whatever their dates.
        read: physical lines after the header.
        windows_letters: bytes that are not UTF-8 and were read as Windows-1252.
        lines: physical lines by year, including `NO_YEAR`; they add up to `read`.
        bytes: bytes of these lines by year, as UTF-8.
        blank_or_header: lines without a year that are empty, have only empty fields, or repeat the header.
        first_without_year: place and start of the first other line without a year.
        incomplete: start of an incomplete last line that lacks its line end; "" if there is none.
        last_line: number of the last line.
        files: for each requested year, a CSV with a header; a file beside it, `.numbers`, has the line numbers.
    """

    item: Item
    version: str
    layout: Layout
    unit: str
    is_one_year: bool
    read: int = 0
    windows_letters: int = 0
    lines: Counter[int] = field(default_factory=Counter)
    bytes: Counter[int] = field(default_factory=Counter)
    blank_or_header: int = 0
    first_without_year: str = ""
    incomplete: str = ""
    last_line: int = 0
    files: dict[int, Path] = field(default_factory=dict)

    @property
    def without_year(self) -> int:
        """Lines without a year that may be rows."""
        return self.lines[NO_YEAR] - self.blank_or_header

    @property
    def described_without_year(self) -> str:
        """The number of lines without a year, and the first; "" if all have one."""
        return f"{self.without_year:,}, such as {self.first_without_year}" if self.without_year else ""

    @property
    def problems(self) -> list[str]:
        """Problems for which all its years are refused unless a user accepts them."""
        problems: list[str] = []
        if self.incomplete:
            problems.append(
                f"the last line of {self.item}, {Place(self.last_line, unit=self.unit)}, is incomplete "
                f"({self.incomplete!r}). If the file was truncated, download it again. If no rows are missing, remove "
                "this line."
            )
        if self.layout.line + self.read == SHEET_LINES:
            problems.append(f"{self.item} has {SHEET_LINES:,} lines, all that a spreadsheet keeps: download it again.")
        if self.without_year > self.read * MAX_REJECTED_SHARE and self.without_year >= MIN_REJECTED:
            problems.append(
                f"{self.without_year:,} of {self.read:,} lines of {self.item} have no year in their date; the "
                f"first is {self.first_without_year}. Export the file again with dates like 02/28/2016 03:50:00 PM."
            )
        return problems

    def span(self, year: int) -> Span:
        """Return the origin of the lines in a year's file."""
        return Span(str(self.item), self.lines[year], self.files[year].with_suffix(".numbers"), self.unit)

    def details(self, year: int) -> dict[str, str | int]:
        """Return facts for the manifest about the file and its lines of other years."""
        details: dict[str, str | int] = {
            "lines_before_header": self.layout.line - 1,
            "windows_1252_letters": self.windows_letters,
        }
        if not self.is_one_year:
            details |= {
                "lines_of_all_years": self.read,
                "lines_of_other_years": self.read - self.lines[year] - self.lines[NO_YEAR],
                "lines_without_year": self.without_year,
                "blank_lines_and_headers": self.blank_or_header,
                "first_without_year": self.first_without_year,
            }
        return {key: value for key, value in details.items() if value}


def split_by_year(
    item: Item,
    years: Sequence[int] = (),
    directory: Path | None = None,
    progress: Progress = no_progress,
    is_one_year: bool = False,
) -> YearSplit:
    """Read a file once, and write the lines of each requested year to its own file.

    The year of a row is that of its date or, if the date is unreadable, its column `year`. Damaged lines are assigned
    by their date, too, if one is found.

    Args:
        years: the years to write into `directory`; none to only count.
        progress: receives the bytes so far, and the file size.
        is_one_year: assign all lines to the one year in `years`, whatever their dates.

    Raises:
        SourceError: the file is damaged, or has no crimes.
    """
    version = item.version  # before reading, so that a later change gives another version
    with open_item(item, directory) as (stream, unit), ExitStack() as stack:
        layout = detect_layout(item, stream)
        split, number = YearSplit(item, version, layout, unit, is_one_year), layout.line + (unit == "line")
        total, done = unpacked_size(item), 0
        outputs = {}
        for year in years:
            assert directory
            split.files[year] = file = directory / f"{year}.csv"
            outputs[year] = [stack.enter_context(one.open("wb")) for one in (file, file.with_suffix(".numbers"))]
            outputs[year][0].write(csv_line(layout.header.names))
        lines, dialect = _read_lines(stream, split), layout.dialect
        # If all lines belong to one year and need no conversion, only the gate needs to find the ends of the rows.
        is_by_line = is_one_year and unit == "line" and layout.is_plain
        all_records = _line_records(lines) if is_by_line else find_records(lines, dialect, layout.header.names)
        for found in all_records:
            in_year = np.full(len(found.ends), years[0]) if is_one_year else find_years(found, layout.header, dialect)
            counted = found.lines if unit == "record" else np.ones(found.lines.sum(), np.int64)
            numbers = np.repeat(np.arange(number, number + len(counted)), counted)
            for year in np.unique(in_year).tolist():
                is_of_year = in_year == year
                split.lines[year] += int(found.lines[is_of_year].sum())
                split.bytes[year] += int((found.ends - found.starts)[is_of_year].sum())
                if year in outputs:
                    rows, row_numbers = outputs[year]
                    of_year = found.select(is_of_year)
                    rows.write(of_year.text if layout.is_plain else as_csv(of_year, dialect, range(dialect.width)))
                    row_numbers.write(numbers[np.repeat(is_of_year, found.lines)].tobytes())
                elif year == NO_YEAR:
                    _count_without_year(split, found, is_of_year, numbers)
            number += len(counted)
            done += len(found.text)
            progress(done, max(done, total) if total else None)
    progress(done, done)
    assert split.lines.total() == split.read, f"{item}: {split.lines} of {split.read} lines"
    split.last_line = number - 1
    return split


def _read_lines(stream: BufferedReader, split: YearSplit) -> Iterator[bytes]:
    """Read the lines after the header as UTF-8, with LF line ends and fully quoted lines unquoted; count them."""
    to_skip, before, text, is_cut = split.layout.line, b"", b"", False
    try:
        for block in whole_lines(utf8_blocks(stream), at_end=b""):
            while to_skip and block:
                _, line_end, block = block.partition(b"\n")
                to_skip -= len(line_end)
            block = block.removesuffix(b"\x1a")  # as `copy a+b` of Windows ends a text
            if block:
                is_cut = not block.endswith(b"\n")
                split.read += block.count(b"\n") + is_cut
                before, text = text, (block if block.isascii() else _utf8(block, split)) + is_cut * b"\n"
                if split.layout.is_wrapped:
                    text = _WRAPPED.sub(lambda line: line[1].replace(b'""', b'"'), text)
                yield text
    except LongLineError as error:
        raise SourceError(f"{split.item}, after line {split.read + split.layout.line - to_skip:,}: {error}") from None
    if is_cut:
        end = b"".join((before + text).splitlines(keepends=True)[-MAX_RECORD_LINES:])
        *_, last = find_records([end], split.layout.dialect)
        if last.problem:
            split.incomplete = strip_mark(last.text[:-1]).decode(errors="replace")[:80]


def _utf8(block: bytes, split: YearSplit) -> bytes:
    """Convert bytes that are not UTF-8 from Windows-1252, as older spreadsheets write."""
    try:
        block.decode()
    except UnicodeDecodeError:
        text, letters = _NOT_UTF8.subn(lambda byte: _WINDOWS[byte[0]], block.decode(errors="surrogateescape"))
        split.windows_letters += letters
        return text.encode(errors="surrogateescape")
    return block


def _line_records(blocks: Iterable[bytes]) -> Iterator[Records]:
    """Treat each line as a record."""
    for text in blocks:
        ends = np.flatnonzero(np.frombuffer(text, np.uint8) == ord("\n")) + 1
        yield Records(text, ends, np.ones_like(ends))


def find_years(records: Records, header: Header, dialect: Dialect) -> np.ndarray:
    """Return the year of each record in `date` or else in `year`; `NO_YEAR` if none is found.

    Damaged lines are split at the separator.
    """
    positions = [p for p in (header.position("date"), header.position("year")) if p is not None]
    if records.are_rows and records.fields is None:
        years = np.full(len(records.ends), NO_YEAR)
        starts, ends = field_offsets(records, dialect)
        for position in positions:
            if (unknown := years == NO_YEAR).any():
                at = starts[unknown, position]
                years[unknown] = _years_in(records.text, at, ends[unknown, position] - at)
            for row in np.flatnonzero(years == NO_YEAR):
                years[row] = _year_in(records.text[starts[row, position] : ends[row, position]].decode())
        return years
    start = strip_mark(records.text)[:MAX_RECORD_BYTES].decode(errors="replace")  # csv refuses longer fields
    fields = records.fields or next(
        csv.reader([start], delimiter=dialect.separator, skipinitialspace=dialect.has_blanks), []
    )
    found = (_year_in(fields[position]) for position in positions if position < len(fields))
    return np.full(len(records.ends), next(filter(None, found), NO_YEAR))


def _year_in(text: str) -> int:
    """Return the first number from 1900 to 2099, else a two-digit year after month and day, else `NO_YEAR`.

    A two-digit year in the future is a day: the year comes first, as in 16-Jan-31.
    """
    if found := _YEAR.search(text):
        return int(found[0])
    short = _SHORT_YEAR.search(" ".join(text.split()))  # other kinds of blanks
    return year if short and (year := 2000 + int(short[1])) <= current_year() else NO_YEAR


def _years_in(text: bytes, starts: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return the first four-digit year in each field of a text that no dot precedes; else `NO_YEAR`."""
    around = np.frombuffer(b",%b%b" % (text, bytes(MAX_DATE_BYTES)), np.uint8)
    window = np.lib.stride_tricks.sliding_window_view(around, MAX_DATE_BYTES + 1)[starts]
    digits = window - ord("0")
    is_digit = (digits < 10) & (np.arange(MAX_DATE_BYTES + 1) <= sizes[:, np.newaxis])
    is_year = ~is_digit[:, :-5] & ~is_digit[:, 5:] & (window[:, :-5] != ord("."))
    for place in range(1, 5):
        is_year &= is_digit[:, place : place - 5]
    first = is_year.argmax(axis=1)[:, np.newaxis] + np.arange(1, 5)
    years = np.take_along_axis(digits, first, 1) @ (1000, 100, 10, 1)
    return np.where(is_year.any(axis=1) & np.isin(years // 100, (19, 20)), years, NO_YEAR)


def _count_without_year(split: YearSplit, found: Records, is_none: np.ndarray, numbers: np.ndarray) -> None:
    is_blank_or_header = (found.are_blank | (found.problem == REPEATED_HEADER)) & is_none
    split.blank_or_header += int(is_blank_or_header.sum())
    starts = found.starts
    for row in np.flatnonzero(is_none & ~is_blank_or_header):
        line = strip_mark(found.text[starts[row] : found.ends[row] - 1])
        may_be_header = found.are_rows and b"date" in line.lower()
        if split.first_without_year and not may_be_header:
            continue
        text = line.decode(errors="replace")
        place = Place(int(numbers[found.lines[:row].sum()]), unit=split.unit)
        try:
            is_header = may_be_header and repeated_header(text, split.layout.header, split.layout.dialect.separator)
        except HeaderError as error:
            raise SourceError(f"{split.item}: {place} {error}") from None
        if is_header:
            split.blank_or_header += 1
        else:
            split.first_without_year = split.first_without_year or f"{split.item}, {place}: {text[:80]!r}"
