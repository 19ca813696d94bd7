"""Splitting a CSV that may be damaged into rows, blank lines and unreadable lines, with every line accounted for.

One regular expression takes runs of well-formed rows at once. Only the other lines are parsed one by one: fast CSV
readers either stop at damage, or read an open quote up to the next quote, good rows included.
"""

import csv
import hashlib
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

LONGEST_RECORD = 20
"""Most lines of a row with quoted line ends; beyond that the opening quote counts as damage."""

MOST_BYTES = 1_000_000
"""Most bytes of a row."""

MOST_QUARANTINED = 20_000
"""Characters of an unreadable line that are kept: CSV readers limit the length of a field."""

BLOCK = 1 << 20
"""Bytes that are read at once."""

QUARANTINE_COLUMNS = ("line", "problem", "text")

_OPEN_QUOTE = "a quote is opened and not closed"
_BOM = b"\xef\xbb\xbf"


@dataclass
class Counts:
    """Lines after the header: `lines = rows + quarantined + continuations + blank`.

    Attributes:
        rows: lines on which a row begins.
        quarantined: unreadable lines.
        continuations: lines that continue a row, inside a quoted field.
        blank: empty lines.
    """

    rows: int = 0
    quarantined: int = 0
    continuations: int = 0
    blank: int = 0

    @property
    def lines(self) -> int:
        """All lines after the header, including the last if it lacks a line end."""
        return self.rows + self.quarantined + self.continuations + self.blank


@dataclass(frozen=True)
class Split:
    """A file's rows, separated from its unreadable lines.

    Attributes:
        file: a well-formed CSV of the rows: the source itself if it is one, else a new file.
        counts: of the source's lines.
        sha256: checksum of the source, hexadecimal.
        size: of the source, in bytes.
        others: of each line that begins no row, in order, how many rows begin above it.
    """

    file: Path
    counts: Counts
    sha256: str
    size: int
    others: np.ndarray

    def line_of(self, row: int) -> int:
        """The line of the source on which a row begins; both are counted from 1, and the header is line 1."""
        return 1 + row + int(np.searchsorted(self.others, row))


def split_rows(source: Path, header: Sequence[str], target: Path, quarantine: Path) -> Split:
    """Separate the rows of a CSV from its unreadable lines.

    CR, LF and CRLF all end a line. The source itself is returned if it is UTF-8 without a byte order mark, its lines
    end in LF, and all of them are rows, continuations or blank.

    Args:
        source: a CSV file with a header.
        header: names to write above the rows if they are written; a row must have as many fields.
        target: where to write the rows.
        quarantine: CSV file to which unreadable lines are appended as line, problem and text.
    """
    digest, size, rest = hashlib.sha256(), 0, b""
    newlines = io.IncrementalNewlineDecoder(None, translate=True)
    is_last = header_passed = False
    with (
        source.open("rb") as file,
        closing(_Rows(source, target, _csv_line(header))) as rows,
        quarantine.open("a", encoding="utf-8", errors="backslashreplace", newline="") as bad,
    ):
        splitter = _Splitter(len(header), rows, csv.writer(bad, lineterminator="\n"))
        while not is_last:
            raw = file.read(BLOCK)
            digest.update(raw)
            size += len(raw)
            is_last = not raw
            rest += newlines.decode(raw.decode("latin-1"), final=is_last).encode("latin-1")
            if is_last and rest and not rest.endswith(b"\n"):
                rest += b"\n"
            if not header_passed:
                first, line_end, after = rest.partition(b"\n")
                if not line_end:
                    continue
                header_passed, rest, rows.start = True, after, len(first) + 1
                if first.startswith(_BOM):
                    rows.differ()
            if newlines.newlines not in (None, "\n"):
                rows.differ()
            rest = rest[splitter.take(rest[: rest.rfind(b"\n") + 1], is_last) :]
    return Split(target if rows.differs else source, splitter.counts, digest.hexdigest(), size, splitter.others)


def first_line(source: Path) -> str:
    """The first line of a file, without its end."""
    with source.open(encoding="utf-8-sig", errors="surrogateescape", newline=None) as file:
        return file.readline().removesuffix("\n")


class _UnreadableError(Exception):
    """A line cannot be part of a row; the message says why."""


class _Rows:
    """Rows as a well-formed CSV: the source itself up to where it is not one, and only then a copy of it.

    Attributes:
        start: offset of the first line after the header in the source, in bytes.
        differs: whether there is a copy.
    """

    def __init__(self, source: Path, target: Path, header: bytes) -> None:
        self.start = 0
        self._source, self._target, self._header = source, target, header
        self._same = 0
        self._copy: BinaryIO = io.BytesIO()

    @property
    def differs(self) -> bool:
        return not isinstance(self._copy, io.BytesIO)

    def keep(self, text: bytes) -> None:
        """Add lines as they are in the source."""
        if self.differs:
            self._copy.write(text)
        else:
            self._same += len(text)

    def differ(self, text: bytes = b"") -> None:
        """Add rows that are not in the source like this."""
        if not self.differs:
            self._copy = self._target.open("wb")
            self._copy.write(self._header)
            with self._source.open("rb") as same:
                same.seek(self.start)
                while self._same:
                    self._same -= self._copy.write(same.read(min(self._same, BLOCK)))
        self._copy.write(text)

    def close(self) -> None:
        """Finish the copy."""
        self._copy.close()


@dataclass
class _Splitter:
    """Separates the rows of a text from its unreadable lines.

    Attributes:
        width: how many fields a row has.
        rows: receives the rows.
        rejects: writer of the quarantine.
        counts: the lines so far.
    """

    width: int
    rows: _Rows
    rejects: Any
    counts: Counts = field(default_factory=Counts)
    _others: list[np.ndarray] = field(default_factory=list)

    @property
    def others(self) -> np.ndarray:
        """Of each line so far that begins no row, in order, how many rows begin above it."""
        return np.concatenate([np.empty(0, np.int64), *self._others])

    def __post_init__(self) -> None:
        self._of_utf8 = _run_of_rows(self.width, rb"\0")
        self._of_ascii = _run_of_rows(self.width, rb"\0\x80-\xff")

    def take(self, text: bytes, is_last: bool) -> int:
        """Split whole lines. A row at their end that may continue in the next text is left, unless this one is last.

        Returns:
            How many bytes were split.
        """
        start, run_of_rows = 0, self._of_utf8 if _is_utf8(text) else self._of_ascii
        while start < len(text):
            end = start
            if run := run_of_rows.match(text, start):
                end = self._take_run(text, start, run.end())
            elif text.startswith(b"\n", start):
                end = start + 1
                self.rows.keep(b"\n")
                self.counts.blank += 1
                self._others.append(np.array([self.counts.rows]))
            if end == start:
                end = self._take_one(text, start, is_last)
                if end == start:
                    break
            start = end
        return start

    def _take_run(self, text: bytes, start: int, end: int) -> int:
        """Take well-formed rows up to one that is too long, and return their end."""
        run = np.frombuffer(text, np.uint8, end - start, start)
        line_ends, quotes = np.flatnonzero(run == ord("\n")), np.flatnonzero(run == ord('"'))
        last_lines = np.flatnonzero(np.searchsorted(quotes, line_ends) % 2 == 0)  # of rows: no quote is open there
        lines = np.diff(last_lines, prepend=-1)
        size = np.diff(line_ends[last_lines], prepend=-1) - 1
        rows = len(lines)
        if lines.max() > LONGEST_RECORD or size.max() > MOST_BYTES:
            rows = int(np.argmax((lines > LONGEST_RECORD) | (size > MOST_BYTES)))
            end = start + int(line_ends[last_lines[rows - 1]]) + 1 if rows else start
        self.rows.keep(text[start:end])
        if rows < line_ends.size:
            self._others.append(np.repeat(self.counts.rows + 1 + np.arange(rows), lines[:rows] - 1))
        self.counts.rows += rows
        self.counts.continuations += int(lines[:rows].sum()) - rows
        return end

    def _take_one(self, text: bytes, start: int, is_last: bool) -> int:
        """Split off a row or an unreadable line, and return its end: `start` if the row may continue after the text.

        A problem concerns the first line only: the others may be good rows.
        """
        ends: list[int] = []
        fields: list[str] = []
        try:
            fields = next(csv.reader(_lines(text, start, ends), strict=True))
            problem = "" if len(fields) == self.width else f"{len(fields)} fields where the header has {self.width}"
        except _UnreadableError as error:
            problem = _OPEN_QUOTE if ends else str(error)
        except csv.Error as error:
            problem = f"misplaced quote: {error}"
            if "end of data" in str(error):
                if len(ends) < LONGEST_RECORD and not is_last:
                    return start
                problem = _OPEN_QUOTE
        if problem:
            end = text.index(b"\n", start) + 1
            damaged = text[start : end - 1].decode(errors="surrogateescape")
            self.rejects.writerow((self.counts.lines + 2, problem, damaged[:MOST_QUARANTINED]))
            self.counts.quarantined += 1
            self._others.append(np.array([self.counts.rows]))
            self.rows.differ()
            return end
        row = text[start : ends[-1]]
        if self._of_utf8.fullmatch(row):
            self.rows.keep(row)
        else:
            self.rows.differ(_csv_line(fields))
        self.counts.rows += 1
        self.counts.continuations += len(ends) - 1
        self._others.append(np.repeat(self.counts.rows, len(ends) - 1))
        return ends[-1]


def _run_of_rows(width: int, excluded: bytes) -> re.Pattern[bytes]:
    """Matches well-formed rows, one after the other, without certain bytes."""
    field = rb'(?:"[^"%b]*+(?:""[^"%b]*+)*+"|[^",\n%b]*+)' % (excluded, excluded, excluded)
    return re.compile(rb"(?:%b(?:,%b){%d}\n)++" % (field, field, width - 1))


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _lines(text: bytes, start: int, ends: list[int]) -> Iterator[str]:
    """The lines from an offset on that may form one row; the end of each is appended to `ends` before it is given.

    Raises:
        _UnreadableError: the next line cannot be part of a row.
    """
    at = start
    while at < len(text) and len(ends) < LONGEST_RECORD:
        end = text.index(b"\n", at) + 1
        line = text[at:end]
        if b"\0" in line:
            raise _UnreadableError("a NUL byte")
        if end - 1 - start > MOST_BYTES:
            raise _UnreadableError(f"longer than {MOST_BYTES:,} bytes")
        try:
            decoded = line.decode()
        except UnicodeDecodeError:
            raise _UnreadableError("not UTF-8") from None
        ends.append(end)
        yield decoded
        at = end


def _csv_line(fields: Sequence[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(fields)
    return text.getvalue().encode()
