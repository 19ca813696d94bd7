"""Separating the rows of a CSV that may be damaged from its unreadable lines, with every line accounted for."""

import codecs
import csv
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from chicago_crime.sources.base import Place, SourceFile
from chicago_crime.sources.header import Header
from chicago_crime.sources.records import Dialect, as_csv, csv_line, find_records, strip_mark, whole_lines
from chicago_crime.tables.columns import SOURCE_NAMES

MAX_QUARANTINED_CHARS = 20_000
"""Characters of an unreadable line that are kept: CSV readers limit the length of a field."""

BLOCK = 1 << 18
"""Bytes that are read at once."""

QUARANTINE_COLUMNS = ("line", "problem", "text", "file", "unit")


@dataclass
class Counts:
    """Lines after the header: `lines = rows + quarantined + continuations + blank`.

    Attributes:
        rows: lines on which a row begins.
        quarantined: unreadable lines.
        continuations: lines that continue a row, inside a quoted field.
        blank: empty lines, and those of empty fields alone.
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
class RowSplit:
    """A file's rows, separated from its unreadable lines.

    Attributes:
        file: a well-formed CSV of the rows: the source itself if it is one, else a new file.
        quarantine: a CSV of the unreadable lines, with `QUARANTINE_COLUMNS`.
        counts: of the source's lines.
        sha256: checksum of the source, hexadecimal.
        size: of the source, in bytes.
        others: of each line that begins no row, in order, how many rows begin above it.
    """

    file: Path
    quarantine: Path
    counts: Counts
    sha256: str
    size: int
    others: np.ndarray

    def line_of(self, row: int) -> int:
        """The line of the source on which a row begins; both are counted from 1, and the header is line 1."""
        return 1 + row + int(np.searchsorted(self.others, row))


def split_rows(
    fetched: SourceFile, names: Sequence[str], header: Header, folder: Path, again: Sequence[Sequence[str]] = ()
) -> RowSplit:
    """Separate the rows of a CSV from its unreadable lines.

    CR, LF and CRLF all end a line. The source itself is returned if it is UTF-8 without a byte order mark, its lines
    end in LF, all of them are rows, continuations or empty, and it has the columns and no others, in their order.

    Args:
        fetched: a CSV file with a header.
        names: in its header.
        header: the same, matched to the source columns, which are written.
        folder: where to write the rows and the unreadable lines.
        again: names of headers with other spellings, which are no rows either.
    """
    target, quarantine = folder / "rows.csv", folder / "quarantine.csv"
    digest, counts, others = hashlib.sha256(), Counts(), [np.empty(0, np.int64)]
    dialect = Dialect(header.width)
    is_in_order = list(header.positions) == list(range(header.width))
    is_same = is_in_order

    def blocks() -> Iterator[bytes]:
        nonlocal is_same
        while block := file.read(BLOCK):
            digest.update(block)
            is_same = is_same and b"\r" not in block
            yield block

    with (
        fetched.path.open("rb") as file,
        target.open("wb") as rows,
        quarantine.open("w", encoding="utf-8", errors="backslashreplace", newline="") as bad,
    ):
        rejects = csv.writer(bad, lineterminator="\n")
        rejects.writerow(QUARANTINE_COLUMNS)
        lines = whole_lines(blocks())
        first, _, after = next(lines, b"").partition(b"\n")
        is_same = is_same and not first.startswith(codecs.BOM_UTF8)
        rows.write(csv_line(SOURCE_NAMES))
        for records in find_records(chain([after], lines), dialect, names, *again):
            is_blank = records.are_blank
            is_row = ~is_blank & (not records.problem)
            others.append(np.repeat(counts.rows + np.cumsum(is_row), records.lines - is_row))
            if records.problem:
                text = strip_mark(records.text[:-1]).decode(errors="surrogateescape")
                place = fetched.place(counts.lines + 2)
                rejects.writerow((place.number, records.problem, text[:MAX_QUARANTINED_CHARS], place.file, place.unit))
                counts.quarantined += 1
                is_same = False
                continue
            as_it_is = is_in_order and records.fields is None
            is_same = is_same and as_it_is and bool(is_row.all() or not records.are_rows)
            if is_blank.any():
                records = records.chosen(is_row)
            if len(records.ends):
                rows.write(records.text if as_it_is else as_csv(records, dialect, header.positions))
            counts.rows += len(records.ends)
            counts.continuations += int((records.lines - 1).sum())
            counts.blank += int(is_blank.sum())
        size = file.tell()
    passed = fetched.path if is_same else target
    return RowSplit(passed, quarantine, counts, digest.hexdigest(), size, np.concatenate(others))


def describe_line(quarantined: Mapping[str, str]) -> str:
    """A line of a quarantine, maybe of an earlier version, in words: its place, its problem and how it begins."""
    place = Place(int(quarantined["line"]), quarantined["file"], quarantined.get("unit", "line"))
    return f"{place} ({quarantined['problem']}): {quarantined['text'][:120]!r}"


def first_line(source: Path) -> str:
    """The first line of a file, without its end."""
    with source.open(encoding="utf-8-sig", errors="surrogateescape", newline=None) as file:
        return file.readline().removesuffix("\n")
