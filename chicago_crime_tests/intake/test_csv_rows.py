"""Tests of `chicago_crime/intake/csv_rows.py`, with Python's csv module as the oracle."""

import csv
import hashlib
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chicago_crime.intake import csv_rows
from chicago_crime.intake.csv_rows import Counts, RowSplit, split_rows
from chicago_crime.sources import records
from chicago_crime.sources.base import SourceFile
from chicago_crime.sources.header import Header

HEADER = Header(("a", "b", "c"), (0, 1, 2), ())
UNQUOTED_ROW = '([^,"]|"")*,([^,"]|"")*,([^,"]|"")*'
Damage = tuple[int, str, str]


def split(
    folder: Path, content: bytes, block: int = csv_rows.BLOCK, longest: int = 20, most: int = records.MAX_RECORD_BYTES
) -> tuple[RowSplit, list[Damage]]:
    """Split a file with these limits for blocks and records; return the split and the damaged lines."""
    source = folder / "source.csv"
    source.write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_rows, "BLOCK", block)
        patch.setattr(records, "MAX_RECORD_LINES", longest)
        patch.setattr(records, "MAX_RECORD_BYTES", most)
        found = split_rows(SourceFile(source, ""), HEADER, folder)
    with found.quarantine.open(newline="", encoding="utf-8") as file:
        return found, [(int(line), problem, text) for line, problem, text, *_ in [*csv.reader(file)][1:]]


def rows_in(file: Path) -> list[list[str]]:
    with file.open(newline="", encoding="utf-8-sig") as stream:
        return [row for row in csv.reader(stream, strict=True) if row][1:]


def expected(content: bytes, longest: int, most: int) -> tuple[list[list[str]], list[int], list[tuple], Counts]:
    """Find rows, their line numbers, damaged lines and counts, line by line."""
    text = content.removeprefix(b"\xef\xbb\xbf").decode(errors="surrogateescape")
    lines = re.split("\r\n|\r|\n", text)
    lines = (lines[:-1] if lines[-1] == "" else lines)[1:]
    rows, numbers, damaged, counts, number = [], [], [], Counts(), 0
    while number < len(lines):
        taken, row = next(_records(lines[number:], longest, most), (1, None))
        if not lines[number] or (row and taken == 1 and not lines[number].strip(', "')):
            counts.blank += 1
        elif row is None:
            damaged.append((number + 2, lines[number].encode(errors="backslashreplace").decode()))
            counts.quarantined += 1
        else:
            rows.append(row)
            numbers.append(number + 2)
            counts.rows += 1
            counts.continuations += taken - 1
        number += taken
    return rows, numbers, damaged, counts


def _records(lines: list[str], longest: int, most: int) -> Iterator[tuple[int, list[str]]]:
    """Yield the well-formed row that starts on the first line, if any, and its number of lines."""
    for taken in range(1, len(lines) + 1):
        if taken > longest and any(re.fullmatch(UNQUOTED_ROW, one) for one in lines[1 : taken - 1]):
            return
        text = "\n".join(lines[:taken])
        if len(text.encode(errors="surrogateescape")) > most or "\0" in text:
            return
        if any("\ud800" <= character <= "\udfff" for character in text):
            return
        try:
            row = next(csv.reader(io.StringIO(text, newline=""), strict=True), [])
        except csv.Error as error:
            if "end of data" in str(error):
                continue
            return
        if len(row) == 3:
            yield taken, row
        return


values = st.text(alphabet='ab ,"\né', max_size=5)
rows = st.lists(st.lists(values, min_size=3, max_size=3), max_size=8)
pieces = [b'"', b",", b"a", b"\n", b"\r", b"\0", b"\xe9", "é".encode(), b'""', b',"']
noise = st.lists(st.sampled_from(pieces), max_size=3)


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """Draw a CSV with or without damage: inserted or removed pieces, or a truncated end."""
    text = io.StringIO()
    newline = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    csv.writer(text, lineterminator=newline, quoting=quoting).writerows(draw(rows))
    content = bytearray(text.getvalue().encode())
    for piece in draw(st.lists(noise, max_size=4)):
        at = draw(st.integers(0, len(content)))
        content[at : at + draw(st.integers(0, 2))] = b"".join(piece)
    mark = draw(st.sampled_from([b"", b"\xef\xbb\xbf"]))
    return mark + b"a,b,c" + newline.encode() + bytes(content[: draw(st.integers(0, len(content)))] or content)


@settings(max_examples=150, deadline=None)
@given(
    content=files(),
    block=st.sampled_from([1, 2, 7, 40, 1 << 20]),
    longest=st.sampled_from([2, 3, 20]),
    most=st.sampled_from([5, 12, 1_000_000]),
)
@example(content=b'a,b,c\n1,"x\n2,y,\n3,"z",\n', block=9, longest=20, most=99)
@example(content=b'a,b,c\r\n1,"x\r\ny",z\r\n\r\n1,2,3\r', block=1, longest=3, most=99)
@example(content=b'a,b,c\n1,2,3\n,,\n"", ,\n4,5,6\n,"\n",\n,,\n"",""\n', block=9, longest=20, most=99)
@example(content=b'a,b,c\n1,b"b,c\n1,"",""""\n', block=5, longest=2, most=99)
@example(content=b'a,b,c\n1,"x\ny",z\n1,"x\n\n\ny",z\n"\n","""",\xe9\n', block=99, longest=2, most=99)
@example(content=b'a,b,c\n1,"x\n4,5,6\n7,8,9\ny",z\n1,"x\n""""\n7\n8,9,9,9\ny",z\n', block=9, longest=2, most=99)
def test_rows_and_damage_match_the_csv_module(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, block: int, longest: int, most: int
) -> None:
    found, damage = split(tmp_path_factory.mktemp("split"), content, block, longest, most)
    good, numbers, damaged, counts = expected(content, longest, most)
    assert rows_in(found.file) == good
    assert [found.line_of(row) for row in range(1, len(good) + 1)] == numbers
    assert [(line, text) for line, _, text in damage] == damaged
    assert found.counts == counts
    assert (found.sha256, found.size) == (hashlib.sha256(content).hexdigest(), len(content))
    if found.file.name == "source.csv":
        assert not damage and b"\r" not in content and not content.startswith(b"\xef\xbb\xbf")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"1,2", "2 fields where the header has 3"),
        (b"1,2,3,", "4 fields where the header has 3"),
        (b'1,"2"x,3', "misplaced quote: ',' expected after '\"'"),
        (b"1,2,\xe9", "not UTF-8"),
        (b"1,2,\0", "NUL byte"),
        (b"1,2," + b"x" * 1_000_000, "longer than 1,000,000 bytes"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_quarantine_names_the_problem(tmp_path: Path, line: bytes, problem: str) -> None:
    found, damage = split(tmp_path, b"a,b,c\n1,2,3\n" + line + b"\n4,5,6\n")
    assert [(number, why) for number, why, _ in damage] == [(3, problem)]
    assert rows_in(found.file) == [["1", "2", "3"], ["4", "5", "6"]]
