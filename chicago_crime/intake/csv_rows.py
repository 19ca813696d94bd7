"""Separating the rows of a CSV that may be damaged from its unreadable lines, with every line accounted for."""

import csv
import hashlib
import io
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from chicago_crime.sources.records import csv_line, records_of, unmarked, whole_lines

MOST_QUARANTINED = 20_000
"""Characters of an unreadable line that are kept: CSV readers limit the length of a field."""

BLOCK = 1 << 20
"""Bytes that are read at once."""

QUARANTINE_COLUMNS = ("line", "problem", "text")

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
    digest, counts, others = hashlib.sha256(), Counts(), [np.empty(0, np.int64)]
    with (
        source.open("rb") as file,
        closing(_Rows(source, target, csv_line(header))) as rows,
        quarantine.open("a", encoding="utf-8", errors="backslashreplace", newline="") as bad,
    ):
        rejects = csv.writer(bad, lineterminator="\n")
        again = next(csv.reader([first_line(source)]), [])
        for records in records_of(_lines_after_header(file, digest, rows), len(header), header=again):
            if records.are_rows:
                if records.fields is None:
                    rows.keep(records.text)
                else:
                    rows.differ(csv_line(records.fields))
                continuations = records.lines - 1
                others.append(np.repeat(counts.rows + 1 + np.arange(len(continuations)), continuations))
                counts.rows += len(continuations)
                counts.continuations += int(continuations.sum())
                continue
            others.append(np.array([counts.rows]))
            if records.problem:
                text = unmarked(records.text[:-1]).decode(errors="surrogateescape")
                rejects.writerow((counts.lines + 2, records.problem, text[:MOST_QUARANTINED]))
                counts.quarantined += 1
                rows.differ()
            else:
                counts.blank += 1
                rows.keep(records.text)
        size = file.tell()
    return Split(target if rows.differs else source, counts, digest.hexdigest(), size, np.concatenate(others))


def _lines_after_header(file: BinaryIO, digest: Any, rows: "_Rows") -> Iterator[bytes]:
    """What follows the header, as blocks of whole lines that end in LF; `rows` learns whether the file differs."""

    def blocks() -> Iterator[bytes]:
        while block := file.read(BLOCK):
            digest.update(block)
            if b"\r" in block:
                rows.differ()
            yield block

    lines = whole_lines(blocks())
    header, _, after = next(lines, b"").partition(b"\n")
    rows.start = len(header) + 1
    if header.startswith(_BOM):
        rows.differ()
    yield after
    yield from lines


def first_line(source: Path) -> str:
    """The first line of a file, without its end."""
    with source.open(encoding="utf-8-sig", errors="surrogateescape", newline=None) as file:
        return file.readline().removesuffix("\n")


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
