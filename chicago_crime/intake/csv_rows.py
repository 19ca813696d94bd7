"""Splitting a CSV that may be damaged into rows, blank lines and unreadable lines, with every line accounted for.

numpy finds the quotes, commas and line ends of a block of the file at once. That identifies every well-formed row, also
rows with quoted commas, quotes and line ends. Only the other lines are parsed one by one in Python: fast CSV readers
either stop at damage, or read an open quote up to the next quote, good rows included.
"""

import csv
import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

LONGEST_RECORD = 20
"""Most lines of a row with quoted line ends; beyond that the opening quote counts as damage."""

MOST_BYTES = 1_000_000
"""Most bytes of a row."""

MOST_QUARANTINED = 20_000
"""Characters of an unreadable line that are kept: CSV readers limit the length of a field."""

BLOCK = 1 << 20
"""Bytes that are read at once: small enough that the arrays stay in the processor's cache."""

QUARANTINE_COLUMNS = ("line", "problem", "text")

_OPEN_QUOTE = "a quote is opened and not closed"
_BOM = b"\xef\xbb\xbf"
_NEWLINE, _QUOTE, _COMMA = b'\n",'

Integers = NDArray[np.integer]
Flags = NDArray[np.bool_]


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


def split_rows(
    source: Path, header: Sequence[str], target: Path, quarantine: Path, always_write: bool = False
) -> Split:
    """Separate the rows of a CSV from its unreadable lines.

    CR, LF and CRLF all end a line. The source itself is returned if it is UTF-8 without a byte order mark, its lines
    end in LF, and all of them are rows, continuations or blank.

    Args:
        source: a CSV file with a header.
        header: names to write above the rows if they are written; a row must have as many fields.
        target: where to write the rows.
        quarantine: CSV file to which unreadable lines are appended as line, problem and text.
        always_write: write the rows also if the source could be returned.
    """
    blocks, counts, line = _Blocks(source), Counts(), 1
    rest = b""
    with (
        _RowFile(source, target, header) as rows,
        quarantine.open("a", encoding="utf-8", errors="backslashreplace", newline="") as bad,
    ):
        rejects = csv.writer(bad, lineterminator="\n")
        for text, is_last in blocks:
            rest += text
            if not rows.first_line_passed:
                head, end, rest = rest.partition(b"\n")
                if not end and not is_last:
                    rest = head
                    continue
                rows.pass_first_line(len(head) + len(end))
            if always_write or blocks.is_changed:
                rows.write_from_here()
            if is_last and rest and not rest.endswith(b"\n"):
                rest += b"\n"
            whole = rest[: rest.rfind(b"\n") + 1]
            if not whole:
                continue
            part = _Part(whole, len(header), is_last)
            for number, problem, damaged in part.damage:
                rejects.writerow((line + number + 1, problem, damaged[:MOST_QUARANTINED]))
            part.add_to(counts)
            rows.add(part)
            line += part.lines
            rest = rest[part.size :]
    return Split(rows.file, counts, blocks.digest.hexdigest(), blocks.size)


def first_line(source: Path) -> str:
    """The first line of a file, without its end."""
    with source.open(encoding="utf-8-sig", errors="surrogateescape", newline=None) as file:
        return file.readline().removesuffix("\n")


class _Blocks:
    """The blocks of a file with LF for every line end and without a byte order mark; the last one may be empty.

    Attributes:
        size, digest: of the bytes that were read.
        is_changed: whether any block so far differs from the file's bytes.
    """

    def __init__(self, source: Path) -> None:
        self.source, self.size, self.digest, self.is_changed = source, 0, hashlib.sha256(), False

    def __iter__(self) -> Iterator[tuple[bytes, bool]]:
        held = b""  # a CR at the end of a block may be half of a CRLF
        with self.source.open("rb") as file:
            start = file.read(len(_BOM))
            self._count(start)
            if start == _BOM:
                self.is_changed, start = True, b""
            while raw := file.read(BLOCK):
                self._count(raw)
                block, start = held + start + raw, b""
                held = b"\r" if block.endswith(b"\r") else b""
                yield self._unify(block.removesuffix(held)), False
            yield self._unify(held + start), True

    def _count(self, raw: bytes) -> None:
        self.size += len(raw)
        self.digest.update(raw)

    def _unify(self, block: bytes) -> bytes:
        if b"\r" not in block:
            return block
        self.is_changed = True
        return block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


class _RowFile:
    """The file of the rows. It is written from the first block on that differs from the source."""

    def __init__(self, source: Path, target: Path, header: Sequence[str]) -> None:
        self.source, self.target, self.header = source, target, header
        self.first_line_passed = False
        self._head = self._passed = 0  # bytes of the first line; bytes of the rows that equal the source's
        self._stream: BinaryIO | None = None

    def __enter__(self) -> "_RowFile":
        return self

    def __exit__(self, *_: object) -> None:
        if self._stream:
            self._stream.close()

    @property
    def file(self) -> Path:
        return self.target if self._stream else self.source

    def pass_first_line(self, size: int) -> None:
        """Skip the source's header; `size` includes the line end."""
        self._head, self.first_line_passed = size, True

    def write_from_here(self) -> None:
        """Copy the rows that passed so far, and write all that follow."""
        if self._stream:
            return
        self._stream = self.target.open("wb")
        self._stream.write(_csv_line(self.header))
        with self.source.open("rb") as file:
            file.seek(self._head)
            left = self._passed
            while left:
                block = file.read(min(left, BLOCK))
                self._stream.write(block)
                left -= len(block)

    def add(self, part: "_Part") -> None:
        if part.damage or part.repaired:
            self.write_from_here()
        if self._stream:
            self._stream.writelines(part.rows_written())
        else:
            self._passed += part.size


@dataclass
class _Part:
    """Whole lines of a file, classified. Rows that may continue after the given lines are left to the next part.

    Attributes:
        lines, size: number and bytes of the lines that were classified.
        damage: unreadable lines: number (from 0), problem and text.
        repaired: readable rows that are not well-formed, as well-formed CSV, by the number of their first line.
    """

    text: bytes
    width: int
    is_last: bool
    lines: int = 0
    size: int = 0
    damage: list[tuple[int, str, str]] = field(default_factory=list)
    repaired: dict[int, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        marks = _Marks(self.text, self.width)
        self._starts, self._ends = marks.starts, marks.ends
        self.lines = len(marks.ends)
        spans: list[tuple[int, int]] = []  # first and last line of rows with several lines
        resume, joined = 0, marks.ends_of_joined_lines()
        for number in np.flatnonzero(~(marks.is_row | marks.is_blank)).tolist():
            if number < resume:
                continue
            if not self.is_last and number > len(marks.ends) - LONGEST_RECORD:
                self.lines = number
                break
            last = joined.get(number)
            if last is None:
                last = self._parse(number)
            if last > number:
                spans.append((number, last))
            resume = last + 1
        self.size = int(marks.ends[self.lines - 1]) + 1 if self.lines else 0
        self._account(marks, spans)

    def _parse(self, number: int) -> int:
        """Parse a row that is not well-formed, and return its last line."""
        stop = min(number + LONGEST_RECORD, len(self._ends))
        texts = [
            self.text[self._starts[n] : self._ends[n]].decode("utf-8", "surrogateescape") for n in range(number, stop)
        ]
        taken, fields, problem = parse_record(texts, self.width)
        if problem:
            self.damage.append((number, problem, texts[0]))
        else:
            self.repaired[number] = _csv_line(fields)
        return number + taken - 1

    def _account(self, marks: "_Marks", spans: list[tuple[int, int]]) -> None:
        change = np.zeros(self.lines + 1, np.int32)
        if spans:
            first, last = np.array(spans).T
            change[first + 1] += 1
            change[last + 1] -= 1
        continues = np.cumsum(change)[:-1] > 0
        is_blank = marks.is_blank[: self.lines] & ~continues
        self._continuations, self._blank = int(continues.sum()), int(is_blank.sum())
        is_written = ~is_blank
        is_written[[number for number, _, _ in self.damage]] = False
        for number, last in spans:
            if number in self.repaired:
                is_written[number : last + 1] = False
        is_written[list(self.repaired)] = False
        self._is_written = is_written

    def add_to(self, counts: Counts) -> None:
        """Add the lines of this part."""
        counts.quarantined += len(self.damage)
        counts.continuations += self._continuations
        counts.blank += self._blank
        counts.rows += self.lines - len(self.damage) - self._continuations - self._blank

    def rows_written(self) -> Iterator[bytes]:
        """The rows as well-formed CSV, without blank lines."""
        start = 0
        for number, row in sorted(self.repaired.items()):
            yield self._written_between(start, number)
            yield row
            start = number + 1
        yield self._written_between(start, self.lines)

    def _written_between(self, start: int, stop: int) -> bytes:
        if start == stop:
            return b""
        first, end = int(self._starts[start]), int(self._ends[stop - 1]) + 1
        is_written = self._is_written[start:stop]
        if is_written.all():
            return self.text[first:end]
        sizes = self._ends[start:stop] + 1 - self._starts[start:stop]
        return np.frombuffer(self.text, np.uint8)[first:end][np.repeat(is_written, sizes)].tobytes()


class _Marks:
    """Where the lines of a text are, which are rows, and which form rows together.

    In well-formed CSV a comma separates fields if the number of quotes before it is even, counted from the start of the
    row. An opening quote follows a comma, a line end or, in a doubled quote, another quote; a closing quote is followed
    by one of these. All other quotes are stray.

    Attributes:
        starts, ends: offsets of each line's first byte and of its LF.
        is_row: well-formed rows of one line.
        is_blank: empty lines.
    """

    def __init__(self, text: bytes, width: int) -> None:
        characters = np.frombuffer(text, np.uint8)
        special = np.flatnonzero((characters == _COMMA) | (characters == _QUOTE) | (characters == _NEWLINE))
        kinds = characters[special]
        at_ends = np.flatnonzero(kinds == _NEWLINE)
        self.width, self.ends = width, special[at_ends]
        self.starts = np.concatenate(([0], self.ends[:-1] + 1))
        is_quote, is_comma = kinds == _QUOTE, kinds == _COMMA
        quotes = np.cumsum(is_quote, dtype=np.int32)
        self._quotes_until = quotes[at_ends]
        quotes_before = np.concatenate(([0], self._quotes_until[:-1]))
        is_odd = ((quotes - np.repeat(quotes_before, np.diff(at_ends, prepend=-1))) & 1).astype(bool)

        def per_line(flags: Flags) -> Integers:
            return np.diff(np.cumsum(flags, dtype=np.int32)[at_ends], prepend=0)

        # A line may begin a row, or continue one inside of quotes, where all parities are the other way round.
        self._commas = per_line(is_comma & ~is_odd), per_line(is_comma & is_odd)
        self._stray = self._stray_quotes(characters, special[is_quote], is_odd[is_quote])
        self._is_open = (self._quotes_until - quotes_before) % 2 == 1
        self._is_bad = self._unreadable(text, characters)
        self.is_blank = self.ends == self.starts
        has_fields = self._commas[0] + 1 == width
        self.is_row = has_fields & ~self._is_open & (self._stray[0] == 0) & ~self._is_bad & ~self.is_blank

    def _stray_quotes(self, characters: NDArray[np.uint8], at: Integers, is_odd: Flags) -> tuple[Integers, Integers]:
        before, after = characters[at - 1], characters[at + 1]  # at the very start, -1 is the last LF
        opens_well = (before == _COMMA) | (before == _NEWLINE) | (before == _QUOTE)
        closes_well = (after == _COMMA) | (after == _NEWLINE) | (after == _QUOTE)

        def per_line(flags: Flags) -> Integers:
            total = np.concatenate(([0], np.cumsum(flags, dtype=np.int32)))
            return np.diff(total[self._quotes_until], prepend=0)

        return per_line(~np.where(is_odd, opens_well, closes_well)), per_line(
            ~np.where(is_odd, closes_well, opens_well)
        )

    def _unreadable(self, text: bytes, characters: NDArray[np.uint8]) -> Flags:
        """Lines with a NUL, too many bytes, or bytes that are not UTF-8."""
        is_bad = self.ends - self.starts > MOST_BYTES
        if b"\0" in text:
            is_bad[np.searchsorted(self.ends, np.flatnonzero(characters == 0))] = True
        if not text.isascii() and not _is_utf8(text):
            for line in np.unique(np.searchsorted(self.ends, np.flatnonzero(characters > 127))).tolist():
                is_bad[line] |= not _is_utf8(text[self.starts[line] : self.ends[line]])
        return is_bad

    def ends_of_joined_lines(self) -> dict[int, int]:
        """The last line of every well-formed row with quoted line ends, by its first line.

        Such a row goes from a line with an odd number of quotes to the next. Rows may overlap here: which of them are
        rows depends on where the row before them ends.
        """
        opening = np.flatnonzero(self._is_open)
        first, last = opening[:-1], opening[1:]
        if not len(first):
            return {}

        def between(values: Integers | Flags) -> Integers:
            total = np.cumsum(values, dtype=np.int64)
            return total[last] - total[first]

        commas = self._commas[0][first] + between(self._commas[1])
        is_row = (commas + 1 == self.width) & (self._stray[0][first] + between(self._stray[1]) == 0)
        is_row &= ~self._is_bad[first] & (between(self._is_bad) == 0)
        is_row &= (last - first < LONGEST_RECORD) & (self.ends[last] - self.starts[first] <= MOST_BYTES)
        return dict(zip(first[is_row].tolist(), last[is_row].tolist(), strict=True))


def parse_record(lines: Sequence[str], width: int) -> tuple[int, list[str], str]:
    """Parse the row that begins on the first of some lines.

    Returns:
        How many lines it takes, its fields, and the problem ("" if there is none). A problem concerns the first line
        only: the others may be good rows.
    """
    taken = 1
    fields, problem = _parse(lines[0], width)
    while problem == _OPEN_QUOTE and taken < min(len(lines), LONGEST_RECORD):
        taken += 1
        fields, problem = _parse("\n".join(lines[:taken]), width)
    return (1, [], problem) if problem else (taken, fields, "")


def _parse(text: str, width: int) -> tuple[list[str], str]:
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        return [], "not UTF-8"
    if "\0" in text:
        return [], "a NUL byte"
    if len(text) > MOST_BYTES or len(text.encode()) > MOST_BYTES:
        return [], f"longer than {MOST_BYTES:,} bytes"
    if '"' not in text:
        fields = text.split(",")
    else:
        try:
            fields = next(csv.reader(io.StringIO(text, newline=""), strict=True))
        except csv.Error as error:
            return [], _OPEN_QUOTE if "end of data" in str(error) else f"misplaced quote: {error}"
    return fields, "" if len(fields) == width else f"{len(fields)} fields where the header has {width}"


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _csv_line(fields: Sequence[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(fields)
    return text.getvalue().encode()
