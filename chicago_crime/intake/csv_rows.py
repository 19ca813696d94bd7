"""Splitting a CSV that may be damaged into rows, blank lines and unreadable lines, with every line accounted for.

One regular expression takes runs of plain rows at once. Only the other lines are parsed one by one: fast CSV readers
either stop at damage, or read an open quote up to the next quote, good rows included.
"""

import csv
import hashlib
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

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
_FIELD = rb'(?:"[^"]*+(?:""[^"]*+)*+"|[^",\n]*+)'
_WELL_FORMED = re.compile(_FIELD + b"(?:," + _FIELD + b")*+\n")


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
    """

    file: Path
    counts: Counts
    sha256: str
    size: int


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
        target.open("wb") as rows,
        quarantine.open("a", encoding="utf-8", errors="backslashreplace", newline="") as bad,
    ):
        rows.write(_csv_line(header))
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
                header_passed, rest = True, after
                splitter.is_changed = first.startswith(_BOM)
            rest = rest[splitter.take(rest[: rest.rfind(b"\n") + 1], is_last) :]
    is_well_formed = not splitter.is_changed and newlines.newlines in (None, "\n")
    if is_well_formed:
        target.unlink()
    return Split(source if is_well_formed else target, splitter.counts, digest.hexdigest(), size)


def first_line(source: Path) -> str:
    """The first line of a file, without its end."""
    with source.open(encoding="utf-8-sig", errors="surrogateescape", newline=None) as file:
        return file.readline().removesuffix("\n")


class _UnreadableError(Exception):
    """A line cannot be part of a row; the message says why."""


@dataclass
class _Splitter:
    """Writes the rows of a text into one file and its unreadable lines into another.

    Attributes:
        width: how many fields a row has.
        rows: receives the rows as well-formed CSV, without blank lines.
        rejects: writer of the quarantine.
        counts: the lines so far.
        is_changed: True if a line so far was unreadable, or a row not well-formed.
    """

    width: int
    rows: BinaryIO
    rejects: Any
    counts: Counts = field(default_factory=Counts)
    is_changed: bool = False

    def __post_init__(self) -> None:
        # A plain row is one line of ASCII without doubled quotes, whose fields are too short to exceed MOST_BYTES.
        longest = MOST_BYTES // self.width - 3
        plain = rb'(?:"[^"\n\0\x80-\xff]{0,%d}+"|[^",\n\0\x80-\xff]{0,%d}+)' % (longest, longest)
        self._plain_rows = re.compile(rb"(?:%b(?:,%b){%d}\n)++" % (plain, plain, self.width - 1))

    def take(self, text: bytes, is_last: bool) -> int:
        """Split whole lines. A row at their end that may continue in the next text is left, unless this one is last.

        Returns:
            How many bytes were split.
        """
        start = 0
        while start < len(text):
            if plain := self._plain_rows.match(text, start):
                end = plain.end()
                self.rows.write(text[start:end])
                self.counts.rows += text.count(b"\n", start, end)
            elif text.startswith(b"\n", start):
                end = start + 1
                self.counts.blank += 1
            else:
                end = self._take_one(text, start, is_last)
                if end == start:
                    break
            start = end
        return start

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
            self.is_changed = True
            return end
        row = text[start : ends[-1]]
        is_well_formed = _WELL_FORMED.fullmatch(row) is not None
        self.rows.write(row if is_well_formed else _csv_line(fields))
        self.is_changed = self.is_changed or not is_well_formed
        self.counts.rows += 1
        self.counts.continuations += len(ends) - 1
        return ends[-1]


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
