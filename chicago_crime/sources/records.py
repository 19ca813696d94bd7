"""Find the records of a CSV that may be damaged.

Counting separators and quotes recognizes blocks in which every line is a well-formed row. In other blocks, a regular
expression matches runs of well-formed rows, and only the remaining lines are parsed one by one. Fast CSV readers do not
suffice: they stop at damage, or swallow good rows between an unclosed quote and the next.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MAX_RECORD_LINES = 20
"""Lines of a row with quoted line ends. If a longer one contains a line that could be a row itself, its opening quote
is taken for a stray one, which would swallow all rows up to the next quote."""

MAX_RECORD_BYTES = 1_000_000
"""Maximum bytes of a row."""

MAX_LINE_BYTES = 64_000_000
"""Maximum bytes of a line; a file with a longer one is not a CSV."""

csv.field_size_limit(max(csv.field_size_limit(), MAX_RECORD_BYTES))

REPEATED_HEADER = "repeated header"
_OPEN_QUOTE = "unclosed quote"
_BLANK_LINES = re.compile(rb"\n+")
_MARK = re.compile(rb"\0damaged: ([^\0\n]+)\0")


class LongLineError(ValueError):
    """A line too long for a CSV."""


class Records(NamedTuple):
    """Consecutive rows of a CSV, consecutive blank lines, or a damaged line.

    Attributes:
        text: complete lines.
        ends: offset in the text of the end of each row, after its line end.
        lines: number of physical lines of each row.
        fields: the fields of a single irregular row, such as one with quotes inside unquoted fields; else None.
        problem: why the line is not a row; "" for rows and for blank lines.
    """

    text: bytes
    ends: NDArray[np.int64]
    lines: NDArray[np.int64]
    fields: list[str] | None = None
    problem: str = ""

    @property
    def are_rows(self) -> bool:
        """False for a damaged line and for blank lines."""
        return not self.problem and not self.text.startswith(b"\n")

    @property
    def starts(self) -> NDArray[np.int64]:
        """Offset of each row in the text."""
        return np.append(0, self.ends[:-1])

    @property
    def are_blank(self) -> NDArray[np.bool_]:
        """Mask of blank lines and of rows with only empty fields, which spreadsheets write below a table."""
        starts = self.starts
        first_two = np.column_stack([starts, np.minimum(starts + 1, self.ends - 1)])  # quoted fields start with a quote
        may_be = np.isin(np.frombuffer(self.text, np.uint8)[first_two], list(b', "\n'))
        found = may_be[:, 0] & may_be[:, 1] & (not self.problem)
        for row in np.flatnonzero(found):
            found[row] = not self.text[starts[row] : self.ends[row] - 1].strip(b', "')
        return found

    def select(self, which: NDArray[np.bool_]) -> "Records":
        """Return the rows in a mask; runs of neighbors are copied together."""
        edges = np.flatnonzero(np.diff(np.concatenate(([False], which, [False]))))
        starts, ends = self.starts[edges[::2]], self.ends[edges[1::2] - 1]
        text = b"".join(map(self.text.__getitem__, map(slice, starts.tolist(), ends.tolist())))
        return self._replace(text=text, ends=np.cumsum((self.ends - self.starts)[which]), lines=self.lines[which])


class Dialect(NamedTuple):
    """The dialect of a CSV.

    Attributes:
        width: number of fields of a record.
        has_blanks: True if separators may be followed by blanks that are not part of the values.
    """

    width: int
    separator: str = ","
    has_blanks: bool = False


def whole_lines(blocks: Iterable[bytes], at_end: bytes = b"\n") -> Iterator[bytes]:
    """Regroup a text into blocks of complete lines, with CR and CRLF converted to LF.

    `at_end` is appended to a last line without a line end.
    """
    rest = b""
    for block in chain(blocks, [b""]):
        text = rest + block
        held = b"\r" if block and text.endswith(b"\r") else b""  # an LF may follow
        if b"\r" in text:
            text = text.removesuffix(held).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        end = text.rfind(b"\n") + 1
        rest = text[end:] + held
        if len(rest) > MAX_LINE_BYTES:
            raise LongLineError(f"a line is longer than {MAX_LINE_BYTES // 10**6} MB, so this is not a CSV")
        if end:
            yield text[:end]
    if rest:
        yield rest + at_end


def find_records(blocks: Iterable[bytes], dialect: Dialect, *headers: Sequence[str]) -> Iterator[Records]:
    """Find the records in blocks of complete lines with LF line ends, without the header.

    A line with the column names in one of the headers is not a row, as in concatenated files.
    """
    finder = _Finder(dialect, headers)
    rest = b""
    for block in blocks:
        rest += block
        done = 0
        for records in finder.find(rest, is_last=False):
            yield records
            done += len(records.text)
        rest = rest[done:]
    yield from finder.find(rest, is_last=True)


class _Finder:
    """Finds the records of texts in one dialect."""

    def __init__(self, dialect: Dialect, headers: Sequence[Sequence[str]]) -> None:
        self._width, self._separator, self._has_blanks = dialect
        encoded = [[name.encode(errors="surrogateescape") for name in header] for header in headers]
        self._longest_names = [max(names, key=len) for names in encoded]
        by = re.escape(self._separator.encode())
        quoted = (by.join(b' *+"?+%b"?+' % re.escape(name) for name in names) for names in encoded)
        again = rb"(?:\xef\xbb\xbf)?+(?:%b)\n" % b"|".join(quoted)
        self._header = re.compile(again) if headers else None
        not_again = b"(?!%b)" % again if headers else b""
        of_utf8, of_ascii = (not_again + _row_pattern(dialect, excluded) for excluded in (rb"\0", rb"\0\x80-\xff"))
        self._row, self._rows = re.compile(of_utf8), re.compile(b"(?:%b)++" % of_utf8)
        self._ascii_rows = re.compile(b"(?:%b)++" % of_ascii)

    def find(self, text: bytes, is_last: bool) -> Iterator[Records]:
        """Find the records of complete lines; stop at a record that may continue after the text, unless `is_last`."""
        if (ends := self._ends_of_rows(text)) is not None:
            yield Records(text, ends, np.ones_like(ends))
            return
        start, rows = 0, self._rows if _is_utf8(text) else self._ascii_rows
        while start < len(text):
            run = rows.match(text, start)
            records = self._run(text[start : run.end()]) if run else None
            if not records and (blank := _BLANK_LINES.match(text, start)):
                ends = np.arange(1, len(blank[0]) + 1)
                records = Records(blank[0], ends, np.ones_like(ends))
            if not records and self._header and (again := self._header.match(text, start)):
                records = _single(again[0], 1, problem=REPEATED_HEADER)
            records = records or self._one(text, start, is_last)
            if not records:
                return
            yield records
            start += len(records.text)

    def _ends_of_rows(self, text: bytes) -> NDArray[np.int64] | None:
        """Return the ends of the lines if all are well-formed rows; None if some line needs a closer look."""
        is_simple = text.isascii() and b"\0" not in text and not self._has_blanks
        if not is_simple or not text or any(name and name in text for name in self._longest_names):
            return None
        run, separator = np.frombuffer(text, np.uint8), ord(self._separator)
        ends, quotes = np.flatnonzero(run == ord("\n")) + 1, np.flatnonzero(run == ord('"'))
        opening, closing = quotes[::2], quotes[1::2]
        line = np.searchsorted(ends, opening, "right")
        beside = [separator, *b'\n"']  # of two adjacent quotes, one closes and one opens
        if (
            len(quotes) % 2
            or (ends[line] <= closing).any()
            or not np.isin(run[opening - 1], beside).all()  # index -1 is the last byte, a line end
            or not np.isin(run[closing + 1], beside).all()
        ):
            return None
        starts, is_separator = np.append(0, ends[:-1]), run == separator
        separators = np.add.reduceat(is_separator, starts, dtype=np.int32)
        if len(quotes):
            quoted = np.add.reduceat(is_separator, quotes, dtype=np.int32)[::2]
            separators -= np.bincount(line, quoted, len(ends)).astype(np.int32)
        is_row = (separators == self._width - 1) & (ends - starts <= MAX_RECORD_BYTES)
        return ends if is_row.all() else None

    def _one(self, text: bytes, start: int, is_last: bool) -> Records | None:
        """Parse one row or damaged line; None if the row may continue after the text.

        Only the first line is reported as damaged, because the next ones may be good rows.
        """
        line = text[start : text.index(b"\n", start) + 1]
        if damage := _MARK.match(line):
            return _single(line, 1, problem=damage[1].decode())
        ends: list[int] = []
        fields, problem = self._fields(text, start, ends)
        if problem == _OPEN_QUOTE and ends[-1] == len(text) and not is_last:
            return None
        if not problem:
            row = text[start : ends[-1]]
            return _single(row, len(ends), None if self._row.fullmatch(row) else fields)
        if b'\\"' in line:  # as Spark and MySQL write quotes
            fields, still = self._fields(line.replace(b'\\"', b'""'), 0, [])
            problem = problem if still else ""
        return _single(line, 1, None if problem else fields, problem)

    def _fields(self, text: bytes, start: int, ends: list[int]) -> tuple[list[str], str]:
        """Parse the row at an offset; append the end of each line to `ends`.

        Returns:
            The fields, and why they are not a row; "" if they are one.
        """
        lines = self._lines(text, start, ends)
        try:
            fields = next(csv.reader(lines, delimiter=self._separator, skipinitialspace=self._has_blanks, strict=True))
        except _UnreadableError as error:
            return [], _OPEN_QUOTE if ends else str(error)
        except csv.Error as error:
            is_unfinished = "end of data" in str(error)
            return [], _OPEN_QUOTE if is_unfinished else f"misplaced quote: {error}"
        noun = "field" if len(fields) == 1 else "fields"
        is_row = len(fields) == self._width
        return fields, "" if is_row else f"{len(fields)} {noun} where the header has {self._width}"

    def _run(self, text: bytes) -> Records | None:
        """Return the well-formed rows before the first one that is too long; None if there are none."""
        run = np.frombuffer(text, np.uint8)
        line_ends = np.flatnonzero(run == ord("\n"))
        ends = _outside_quotes(run, line_ends) + 1
        starts, lines = np.append(0, ends[:-1]), np.diff(np.searchsorted(line_ends, ends), prepend=0)
        is_long = ends - starts - 1 > MAX_RECORD_BYTES
        for row in np.flatnonzero(lines > MAX_RECORD_LINES):
            is_long[row] |= self._has_row(text[starts[row] : ends[row]].split(b"\n")[1:-2])
        rows = int(is_long.argmax()) if is_long.any() else len(lines)
        return Records(text[: ends[rows - 1]], ends[:rows], lines[:rows]) if rows else None

    def _lines(self, text: bytes, start: int, ends: list[int]) -> Iterator[str]:
        """Yield the lines from an offset that may form one row, after appending the end of each to `ends`.

        Raises:
            _UnreadableError: the next line cannot be part of a row.
        """
        at, looked_at = start, 0
        while at < len(text):
            end = text.index(b"\n", at) + 1
            line = text[at:end]
            if b"\0" in line:
                raise _UnreadableError("NUL byte")
            if end - 1 - start > MAX_RECORD_BYTES:
                raise _UnreadableError(f"longer than {MAX_RECORD_BYTES:,} bytes")
            if len(ends) >= MAX_RECORD_LINES:
                if self._has_row(text[looked_at or ends[0] : at].split(b"\n")):
                    raise _UnreadableError(_OPEN_QUOTE)
                looked_at = at
            try:
                decoded = line.decode()
            except UnicodeDecodeError:
                raise _UnreadableError("not UTF-8") from None
            ends.append(end)
            yield decoded
            at = end

    def _has_row(self, lines: Iterable[bytes]) -> bool:
        """Whether one of these lines inside a quoted field could be a row itself."""
        by, width = self._separator.encode(), self._width
        return any(line.count(by) == width - 1 and b'"' not in line.replace(b'""', b"") for line in lines)


def _row_pattern(dialect: Dialect, excluded: bytes) -> bytes:
    """Return a regular expression for one well-formed row without the excluded bytes."""
    by = re.escape(dialect.separator.encode())
    field = rb'%b(?:"[^"%b]*+(?:""[^"%b]*+)*+"|[^"\n%b%b]*+)' % (
        b" *+" if dialect.has_blanks else b"",
        excluded,
        excluded,
        by,
        excluded,
    )
    return by.join([field] * dialect.width) + b"\n"


class _UnreadableError(Exception):
    """A line that cannot be part of a row; the message is the reason."""


def _single(text: bytes, lines: int, fields: list[str] | None = None, problem: str = "") -> Records:
    return Records(text, np.array([len(text)]), np.array([lines]), fields, problem)


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def field_offsets(records: Records, dialect: Dialect) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the start and end offsets of the fields of well-formed rows, as arrays of rows x fields."""
    text = np.frombuffer(records.text, np.uint8)
    between = _outside_quotes(text, np.flatnonzero(text == ord(dialect.separator))).reshape(-1, dialect.width - 1)
    starts = np.column_stack([records.starts, between + 1])
    ends = np.column_stack([between, records.ends - 1])
    while dialect.has_blanks and (is_blank := text[starts] == ord(" ")).any():
        starts += is_blank
    return starts, ends


def _outside_quotes(text: NDArray[np.uint8], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Filter ascending offsets to those outside quoted fields."""
    quotes = np.searchsorted(offsets, np.flatnonzero(text == ord('"')))
    return offsets[np.cumsum(np.bincount(quotes, minlength=len(offsets) + 1)[:-1]) % 2 == 0]


def as_csv(records: Records, dialect: Dialect, columns: Sequence[int | None]) -> bytes:
    """Convert records to comma-separated CSV, preserving line numbers.

    `columns` has the index of the field for each column to write; None for an empty column.
    """
    if records.problem:  # the gate, which no longer has the separator, recognizes it by the mark
        return mark_damaged(records.problem, strip_mark(records.text))
    if not records.are_rows:
        return records.text
    if records.fields is not None:
        return csv_line(["" if column is None else records.fields[column] for column in columns])
    text, width = np.frombuffer(records.text, np.uint8), dialect.width
    starts, ends = field_offsets(records, dialect)
    needs_quotes = np.zeros((len(starts), width + 1), bool)
    if dialect.separator != ",":
        commas = _outside_quotes(text, np.flatnonzero(text == ord(",")))
        needs_quotes[np.divmod(np.searchsorted(starts.ravel(), commas, "right") - 1, width)] = True
    chosen = [width if column is None else column for column in columns]  # an empty field after the last one
    starts, ends = (np.column_stack([some, records.starts])[:, chosen] for some in (starts, ends))
    sizes, needs_quotes = ends - starts, needs_quotes[:, chosen]
    past = np.cumsum(sizes + 2 * needs_quotes + 1).reshape(sizes.shape)  # end of each field, including its separator
    written = np.full(past[-1, -1], ord(","), np.uint8)
    written[past[:, -1] - 1] = ord("\n")
    written[past[needs_quotes] - 2] = ord('"')
    begins = past - 1 - sizes - needs_quotes
    written[begins[needs_quotes] - 1] = ord('"')
    written[_ranges(begins, sizes)] = text[_ranges(starts, sizes)]
    return written.tobytes()


def _ranges(starts: NDArray[np.int64], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Concatenate the integers of ranges with these starts and sizes."""
    before = np.cumsum(sizes) - sizes.ravel()
    return np.arange(sizes.sum()) + np.repeat(starts.ravel() - before, sizes.ravel())


def mark_damaged(problem: str, line: bytes) -> bytes:
    """Prefix a damaged line with a mark that names its problem."""
    return b"\0damaged: %b\0%b" % (problem.encode(), line)


def strip_mark(line: bytes) -> bytes:
    """Remove the mark of a damaged line."""
    mark = _MARK.match(line)
    return line[mark.end() :] if mark else line


def csv_line(fields: Sequence[str]) -> bytes:
    """Format a record as CSV, with its line end."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(fields)
    return text.getvalue().encode(errors="surrogateescape")
