"""The records of a CSV, found in blocks of bytes with numpy: only damaged ones are looked at one by one."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LONGEST_RECORD = 20
"""Most lines of a record with quoted line ends; beyond that the opening quote counts as damage."""

_LF, _QUOTE, _COMMA, _BLANK = b"\n", b'"', b",", b" "
_DATE_STARTS = 24
"""Characters at the start of a date among which its year is."""

_Offsets = NDArray[np.int64]


@dataclass(frozen=True)
class Records:
    """Consecutive records of a text.

    Attributes:
        text: its bytes.
        starts: offset of each record.
        ends: offset of the end of each record, after its line end.
        lines: how many physical lines each record has.
        separators: offsets of all separators outside quotes.
        first: for each record, the index of its first separator.
        fields: how many fields each record has.
    """

    text: bytes
    starts: _Offsets
    ends: _Offsets
    lines: _Offsets
    separators: _Offsets
    first: _Offsets
    fields: _Offsets

    @property
    def bytes(self) -> NDArray[np.uint8]:
        """The text as numbers."""
        return np.frombuffer(self.text, np.uint8)


def records_of(blocks: Iterable[bytes], separator: bytes, width: int) -> Iterator[Records]:
    """Find the records of a text in which every line ends in LF.

    An open quote takes the following lines into its record only if that gives it as many fields as the header has;
    else it is damage, which concerns its own line alone.

    Args:
        blocks: the text after the header, as whole lines.
        separator: of fields.
        width: how many fields the header has.
    """
    rest = b""
    for block in blocks:
        found, rest = _find(rest + block, separator, width, is_last=False)
        yield found
    if rest:
        yield _find(rest, separator, width, is_last=True)[0]


def _find(text: bytes, separator: bytes, width: int, is_last: bool) -> tuple[Records, bytes]:
    """The records that are whole, and the rest of the text."""
    data = np.frombuffer(text, np.uint8)
    ends, quotes, separators = (np.flatnonzero(data == mark[0]) for mark in (_LF, _QUOTE, separator))
    ends += 1
    starts = np.concatenate(([0], ends[:-1])) if len(ends) else ends
    quotes_before, separators_before = np.searchsorted(quotes, starts), np.searchsorted(separators, starts)
    counts = np.diff(separators_before, append=len(separators))
    # Whether a separator is within quotes, if its line begins outside of them; else it is the other way round.
    is_quoted = (np.searchsorted(quotes, separators) - np.repeat(quotes_before, counts)) & 1 == 1
    lines = _Lines(counts, _per_line(is_quoted, separators_before), np.diff(quotes_before, append=len(quotes)))
    continues, used = _continuations(lines, partial(_misplaced, data, quotes, quotes_before, separator), width, is_last)
    at = np.flatnonzero(~continues[:used])
    plain = separators[is_quoted == np.repeat(continues, counts)]
    after = np.append(at[1:], used)[: len(at)]  # the line after each record's last
    starts_of, ends_of = starts[at], ends[after - 1]
    end = int(ends_of[-1]) if len(at) else 0
    plain = plain[: np.searchsorted(plain, end)]
    first = np.searchsorted(plain, starts_of)
    fields = np.diff(first, append=len(plain)) + 1
    return Records(text[:end], starts_of, ends_of, after - at, plain, first, fields), text[end:]


class _Lines(NamedTuple):
    """Of each line: its separators, those within quotes if it begins outside of them, and its quotes."""

    separators: _Offsets
    quoted: _Offsets
    quotes: _Offsets


def _continuations(
    lines: _Lines, misplaced: Callable[[int], _Offsets], width: int, is_last: bool
) -> tuple[NDArray[np.bool_], int]:
    """For each line whether it continues a record, and how many lines make whole records.

    Args:
        lines: what they have.
        misplaced: gives the number of quotes of each line that cannot be where they are, if it begins outside (0) or
            within (1) quotes.
        width: how many fields a record has.
        is_last: whether nothing follows.
    """
    count = len(lines.quotes)
    steps = np.zeros(count + 1, np.int64)
    odd = np.flatnonzero(lines.quotes & 1)  # one such line opens a quoted line end, the next one closes it
    if len(odd):
        unquoted, bad = lines.separators - lines.quoted, misplaced(0)
        within = np.append(0, np.cumsum(lines.quoted))
        bad_within = np.append(0, np.cumsum(misplaced(1)))
    while len(odd):
        opening, closing = odd[0 : len(odd) - 1 : 2], odd[1::2]
        fields = unquoted[opening] + within[closing + 1] - within[opening + 1] + 1
        is_good = (fields == width) & (closing - opening < LONGEST_RECORD)
        is_good &= bad[opening] + bad_within[closing + 1] - bad_within[opening + 1] == 0
        good = len(is_good) if is_good.all() else int(is_good.argmin())
        steps[opening[:good] + 1] += 1
        steps[closing[:good] + 1] -= 1
        odd = odd[2 * good :]
        if len(odd) == 1 and not is_last and count - odd[0] < LONGEST_RECORD:
            count = int(odd[0])  # its end may follow
            break
        odd = odd[1:]
    return np.cumsum(steps[:-1]) > 0, count


def _misplaced(
    data: NDArray[np.uint8], quotes: _Offsets, before: _Offsets, separator: bytes, begins_quoted: int
) -> _Offsets:
    """Quotes of each line that neither begin or end a field nor are doubled."""
    order = np.arange(len(quotes)) - np.repeat(before, np.diff(before, append=len(quotes)))
    outside = np.where((order + begins_quoted) % 2 == 0, data[np.maximum(quotes - 1, 0)], data[quotes + 1])
    is_misplaced = ~np.isin(outside, [*separator, *_LF, *_QUOTE, *_BLANK]) & (quotes > 0)
    return _per_line(is_misplaced, before)


def _per_line(values: NDArray[np.bool_], before: _Offsets) -> _Offsets:
    """How many values of each line are true; `before` is how many values there are before each line."""
    return np.diff(np.append(0, np.cumsum(values))[np.append(before, len(values))])


def as_csv(
    found: Records, separator: bytes, width: int, has_blanks: bool, columns: Sequence[int | None] | None
) -> Iterator[bytes]:
    """Write records with commas, line by line as they are.

    Args:
        found: the records.
        separator: of their fields.
        width: how many fields the header has.
        has_blanks: whether blanks follow the separators, which are not part of the values.
        columns: index of the field to write, for each column; None for an empty one. Without it, all fields.
    """
    columns = range(width) if columns is None else columns
    is_regular = (found.fields == width) & (found.ends - found.starts > 1)
    if separator != _COMMA:  # a quote within an unquoted field has to be doubled once the field is quoted
        quotes = np.flatnonzero(found.bytes == _QUOTE[0])
        beside = [*separator, *_LF, *_QUOTE, *(_BLANK if has_blanks else b"")]
        around = np.isin(found.bytes[np.maximum(quotes - 1, 0)], beside) | np.isin(found.bytes[quotes + 1], beside)
        is_regular[np.searchsorted(found.starts, quotes[~around], "right") - 1] = False
    for at, end in _runs(is_regular):
        if is_regular[at]:
            yield _regular_as_csv(found, at, end, separator, has_blanks, columns)
        else:
            for index in range(at, end):
                record = found.text[found.starts[index] : found.ends[index]]
                yield _one_as_csv(record, separator, width, has_blanks, columns)


def _runs(values: NDArray[np.generic]) -> Iterator[tuple[int, int]]:
    """Start and end of every run of equal values."""
    bounds = [0, *(np.flatnonzero(values[1:] != values[:-1]) + 1).tolist(), len(values)]
    return pairwise(bounds) if len(values) else iter(())


def _regular_as_csv(
    found: Records, at: int, end: int, separator: bytes, has_blanks: bool, columns: Sequence[int | None]
) -> bytes:
    """Gather the bytes of the chosen fields, each with a comma or line end after it."""
    data, width = found.bytes, int(found.fields[at])
    shape, first = (end - at, width - 1), found.first[at]
    between = found.separators[first : first + shape[0] * shape[1]].reshape(shape)
    starts = np.column_stack((found.starts[at:end], between + 1))
    ends = np.column_stack((between, found.ends[at:end] - 1))
    while has_blanks and (is_blank := (data[starts] == _BLANK[0]) & (starts < ends)).any():
        starts += is_blank
    chosen = [column or 0 for column in columns]
    is_missing = np.array([column is None for column in columns])
    starts = starts[:, chosen]
    sizes = np.where(is_missing, 0, ends[:, chosen] - starts) + 1
    starts, sizes = starts.ravel(), sizes.ravel()
    needs_quotes = np.zeros(len(sizes), bool)
    if separator != _COMMA:
        commas = np.append(0, np.cumsum(data == _COMMA[0]))
        needs_quotes = (commas[starts + sizes - 1] > commas[starts]) & (data[starts] != _QUOTE[0])
        sizes = sizes + 2 * needs_quotes
    offsets = np.cumsum(sizes) - sizes
    source = np.arange(sizes.sum()) + np.repeat(starts - offsets - needs_quotes, sizes)
    written = data[np.clip(source, 0, len(data) - 1)]
    last = offsets + sizes - 1
    written[last] = _COMMA[0]
    written[last[len(columns) - 1 :: len(columns)]] = _LF[0]
    written[offsets[needs_quotes]] = written[last[needs_quotes] - 1] = _QUOTE[0]
    return written.tobytes()


def _one_as_csv(record: bytes, separator: bytes, width: int, has_blanks: bool, columns: Sequence[int | None]) -> bytes:
    """Write a damaged record as it is, so that the gate finds it damaged, too."""
    text = record.decode(errors="surrogateescape")
    fields = _fields_of(text, separator.decode(), has_blanks)
    if len(fields) == width:
        return csv_line(["" if column is None else fields[column] for column in columns])
    if len(_fields_of(text, ",", False)) == len(columns):
        return record[:-1] + b",\n"
    return record


def _fields_of(text: str, separator: str, has_blanks: bool) -> list[str]:
    try:
        rows = list(csv.reader([text], delimiter=separator, skipinitialspace=has_blanks, strict=True))
    except csv.Error:
        return []
    return rows[0] if len(rows) == 1 else []


def csv_line(fields: Sequence[str]) -> bytes:
    """A record as CSV, with its line end."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(fields)
    return text.getvalue().encode(errors="surrogateescape")


def unwrapped(block: bytes) -> bytes:
    """Remove the quotes around lines that are quoted as a whole, as if a line were one field."""
    data = np.frombuffer(block, np.uint8)
    ends, quotes = np.flatnonzero(data == _LF[0]), np.flatnonzero(data == _QUOTE[0])
    starts = np.concatenate(([0], ends[:-1] + 1))
    first = np.searchsorted(quotes, starts)
    counts = np.diff(first, append=len(quotes))
    order = np.arange(len(quotes)) - np.repeat(first, counts)
    is_last = order == np.repeat(counts, counts) - 1
    is_doubled = np.append(np.diff(quotes) == 1, False)  # the next byte is a quote, too
    # All inner quotes are doubled: the second of each pair, and so each with an odd place but the last, has its twin.
    is_broken = (order % 2 == 1) & ~is_last & ~is_doubled
    broken = np.append(0, np.cumsum(is_broken))
    bounds = np.append(first, len(quotes))
    is_wrapped = (data[starts] == _QUOTE[0]) & (data[np.maximum(ends - 1, 0)] == _QUOTE[0]) & (counts % 2 == 0)
    is_wrapped &= broken[bounds[1:]] == broken[bounds[:-1]]
    dropped = quotes[np.repeat(is_wrapped, counts) & ((order % 2 == 0) | is_last)]
    return np.delete(data, dropped).tobytes()


def years_in_field(found: Records, position: int) -> _Offsets:
    """The year in a field of each record, such as its date: a number of four digits; 0 where there is none."""
    years = np.zeros(len(found.starts), np.int64)
    has = np.flatnonzero(found.fields > position)
    if not len(has):
        return years
    data, first = found.bytes, found.first[has]
    starts = found.starts[has] if position == 0 else found.separators[first + position - 1] + 1
    is_inner = found.fields[has] > position + 1
    ends = found.ends[has] - 1
    ends[is_inner] = found.separators[first[is_inner] + position]
    offsets = starts[:, None] + np.arange(_DATE_STARTS)
    text = data[np.minimum(offsets, len(data) - 1)] - np.uint8(ord("0"))  # wraps around below "0"
    is_digit = (text < 10) & (offsets < ends[:, None])
    around = np.pad(is_digit, ((0, 0), (1, 1)))
    is_year = is_digit[:, :-3] & is_digit[:, 1:-2] & is_digit[:, 2:-1] & is_digit[:, 3:]
    is_year &= ~around[:, :-5] & ~around[:, 5:]  # no digit before and after
    at = is_year.argmax(axis=1)
    rows = np.arange(len(has))
    digits = text[rows[:, None], at[:, None] + np.arange(4)].astype(np.int64) @ np.array([1000, 100, 10, 1])
    years[has] = np.where(is_year[rows, at], digits, 0)
    return years
