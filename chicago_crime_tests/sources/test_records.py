"""Tests of `chicago_crime/sources/records.py`; any text in any layout is in `intake/test_gate.py`."""

from collections.abc import Iterator, Sequence

import pytest

from chicago_crime.sources.by_year import YearsOf
from chicago_crime.sources.header import read_header
from chicago_crime.sources.records import Records, records_of

WIDTH = 4


def blocks(content: bytes, lines: int) -> Iterator[bytes]:
    """The content in blocks of a number of lines."""
    pieces = content.splitlines(keepends=True)
    for start in range(0, len(pieces), lines):
        yield b"".join(pieces[start : start + lines])


def texts_of(found: Sequence[Records]) -> list[str]:
    return [one.text[a:b].decode() for one in found for a, b in zip(one.starts, one.ends, strict=True)]


def test_a_record_of_many_lines_is_found_across_blocks_and_an_open_quote_is_not() -> None:
    long = '1,"' + "\n" * 15 + '",c,d\n'
    endless = '2,"never closed,c,d\n' + "x,y,z,1\n" * 40
    content = (long + endless + long).encode()
    records = texts_of(list(records_of(blocks(content, 3), WIDTH)))
    assert records == [long, *endless.splitlines(keepends=True), long]


@pytest.mark.parametrize(
    ("date", "year"),
    [
        ("01/02/2016 05:00:00 PM", 2016),
        ('"2016-01-02T00:00:00.000"', 2016),
        ("2016/1/2", 2016),
        ("18-Jun-2016", 2016),
        ("June 18, 2016", 2016),
        ("31.12.2016", 2016),
        ("18-Jun-16", 0),
        ("12345", 0),
        ("", 0),
    ],
)
@pytest.mark.parametrize("damage", ["", ",too many", ',"open', ',CTA "L"'])
def test_the_year_of_a_date(date: str, year: int, damage: str) -> None:
    names = ["2001", "date", "id", "primary_type", "arrest", "fbi_code", "year"]
    line = ",".join(["2001", f'"{date}"' if "," in date else date, *"1234", "2003"]) + damage
    [found] = records_of([line.encode() + b"\n"], len(names) + ("CTA" in damage))
    assert YearsOf(read_header(names))(found).tolist() == [year or 2003]
    assert YearsOf(read_header([*names[:-1], "x"]))(found).tolist() == [year]
