"""Separate the rows of a CSV from its damaged lines, with every line accounted for."""

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
"""Characters of a damaged line that are kept, because CSV readers limit the length of a field."""

BLOCK = 1 << 18
"""Bytes per read."""

QUARANTINE_COLUMNS = ("line", "problem", "text", "file", "unit")


@dataclass
class Counts:
    """Counts of the lines after the header: `lines = rows + quarantined + continuations + blank`.

    Attributes:
        rows: lines on which a row starts.
        quarantined: damaged lines.
        continuations: lines that continue a row, inside a quoted field.
        blank: empty lines, and lines with only empty fields.
    """

    rows: int = 0
    quarantined: int = 0
    continuations: int = 0
    blank: int = 0

    @property
    def lines(self) -> int:
        """All lines after the header, including a last line without a line end."""
        return self.rows + self.quarantined + self.continuations + self.blank


@dataclass(frozen=True)
class RowSplit:
    """The rows of a file, separated from its damaged lines.

    Attributes:
        file: a well-formed CSV of the rows: the source itself if it is canonical, else a new file.
        quarantine: a CSV of the damaged lines, with `QUARANTINE_COLUMNS`.
        counts: counts of the source's lines.
        sha256: SHA-256 of the source, in hexadecimal.
        size: size of the source, in bytes.
        rows_above: for each line on which no row starts, the number of rows that start above it.
    """

    file: Path
    quarantine: Path
    counts: Counts
    sha256: str
    size: int
    rows_above: np.ndarray

    def line_of(self, row: int) -> int:
        """Return the line on which a row starts; both are numbered from 1, and the header is line 1."""
        return 1 + row + int(np.searchsorted(self.rows_above, row))


def split_rows(
    fetched: SourceFile, header: Header, folder: Path, other_headers: Sequence[Sequence[str]] = ()
) -> RowSplit:
    """Separate the rows of a CSV from its damaged lines.

    Lines may end in CR, LF or CRLF. A canonical source is returned as it is: UTF-8 without a byte order mark, LF line
    ends, exactly the source columns in their order, and no damaged lines. The rows of any other, and the damaged
    lines, are written into `folder`. Repeated headers in other spellings (`other_headers`) are not rows either.
    """
    target, quarantine = folder / "rows", folder / "quarantine"  # the source's CSV may be in this folder
    digest, counts, rows_above = hashlib.sha256(), Counts(), [np.empty(0, np.int64)]
    dialect = Dialect(len(header.names))
    is_in_order = list(header.positions) == list(range(len(header.names)))
    is_same = is_in_order

    def blocks() -> Iterator[bytes]:
        nonlocal is_same
        while block := source.read(BLOCK):
            digest.update(block)
            is_same = is_same and b"\r" not in block
            yield block

    with (
        fetched.path.open("rb") as source,
        target.open("wb") as rows,
        quarantine.open("w", encoding="utf-8", errors="backslashreplace", newline="") as bad,
    ):
        rejects = csv.writer(bad, lineterminator="\n")
        rejects.writerow(QUARANTINE_COLUMNS)
        lines = whole_lines(blocks())
        first, _, after = next(lines, b"").partition(b"\n")
        is_same = is_same and not first.startswith(codecs.BOM_UTF8)
        rows.write(csv_line(SOURCE_NAMES))
        for records in find_records(chain([after], lines), dialect, header.names, *other_headers):
            is_blank = records.are_blank
            is_row = ~is_blank & (not records.problem)
            rows_above.append(np.repeat(counts.rows + np.cumsum(is_row), records.lines - is_row))
            if records.problem:
                text = strip_mark(records.text[:-1]).decode(errors="surrogateescape")
                place = fetched.place(counts.lines + 2)
                rejects.writerow((place.number, records.problem, text[:MAX_QUARANTINED_CHARS], place.file, place.unit))
                counts.quarantined += 1
                is_same = False
                continue
            is_unchanged = is_in_order and records.fields is None
            is_same = is_same and is_unchanged and bool(is_row.all() or not records.are_rows)
            if is_blank.any():
                records = records.select(is_row)
            if len(records.ends):
                rows.write(records.text if is_unchanged else as_csv(records, dialect, header.positions))
            counts.rows += len(records.ends)
            counts.continuations += int((records.lines - 1).sum())
            counts.blank += int(is_blank.sum())
        size = source.tell()
    file = fetched.path if is_same else target
    return RowSplit(file, quarantine, counts, digest.hexdigest(), size, np.concatenate(rows_above))


def describe_line(quarantined: Mapping[str, str]) -> str:
    """Describe a quarantined line: its place, problem and start. Quarantines of earlier versions lack `unit`."""
    place = Place(int(quarantined["line"]), quarantined["file"], quarantined.get("unit", "line"))
    return f"{place} ({quarantined['problem']}): {quarantined['text'][:120]!r}"
