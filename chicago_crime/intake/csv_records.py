"""Reading a CSV that may be damaged, record by record, so that one bad line costs one line.

In Python, because the fast readers either stop at damage or swallow whole stretches of good lines after an open quote.
What a record means, and where bad lines go, is for the gate to say.
"""

import csv
import io
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

LONGEST_RECORD = 20
"""Lines that one row with quoted newlines may take; beyond that the opening quote is taken for damage."""


def lines_of(source: Path) -> Iterator[str]:
    """Lines without their ends; CR, LF and CRLF all end one. What is no UTF-8 comes as lone surrogates."""
    with source.open(encoding="utf-8-sig", errors="surrogateescape", newline=None) as file:
        for line in file:
            yield line.removesuffix("\n")


_OPEN_QUOTE = "a quote is opened and not closed"


def records(lines: Iterator[str], width: int) -> Iterator[tuple[int, int, list[str], str, str]]:
    """Go through all lines after the header as (line number, lines taken, fields, problem, text)."""
    next(lines)
    number, ahead = 2, list(islice(lines, 1))
    while ahead:
        text, taken = ahead[0], 1
        fields, problem = _parse(text, width)
        while problem == _OPEN_QUOTE and taken < LONGEST_RECORD:
            if taken == len(ahead):
                ahead.extend(islice(lines, 1))
            if taken == len(ahead):
                break
            taken += 1
            joined = "\n".join(ahead[:taken])
            fields, problem = _parse(joined, width)
            if not problem:
                text = joined
        if problem:  # only the first line is set aside: the ones behind it may be good
            taken = 1
        yield number, taken, fields, problem, text
        del ahead[:taken]
        number += taken
        if not ahead:
            ahead.extend(islice(lines, 1))


def _parse(text: str, width: int) -> tuple[list[str], str]:
    """The fields of a line, and what is wrong with it ("" if nothing is)."""
    if not text:
        return [], ""
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        return [], "not UTF-8"
    if "\0" in text:
        return [], "a NUL byte"
    if '"' not in text:
        fields = text.split(",")
    else:
        try:
            fields = next(csv.reader(io.StringIO(text, newline=""), strict=True))
        except csv.Error as error:
            return [], _OPEN_QUOTE if "end of data" in str(error) else f"misplaced quote: {error}"
    return fields, "" if len(fields) == width else f"{len(fields)} fields where the header has {width}"
