"""Tests of `chicago_crime/sources/records.py`; `test_folder.py` and `intake/test_csv_rows.py` test it with any text."""

import csv
import io

import pytest

from chicago_crime.sources.by_year import find_years
from chicago_crime.sources.header import HeaderError, read_header
from chicago_crime.sources.records import Dialect, as_csv, find_records

WIDTH = 4


def test_blank_lines_are_found_together() -> None:
    """A damaged field may leave a million of them, which take minutes one by one."""
    found = list(find_records([b'1,"\n' + b"\n" * 1000 + b"a,b,c,d\n"], Dialect(WIDTH)))
    assert [(len(one.ends), one.are_rows) for one in found] == [(1, False), (1000, False), (1, True)]


@pytest.mark.parametrize("text", ['CTA "L" PLATFORM', 'PIPE 6"', '","', '"'])
def test_a_backslash_escapes_a_quote_only_in_a_line_that_is_not_a_row(text: str) -> None:
    escaped = text.replace('"', '\\"')
    lines = f'1,"{escaped}","(41.8, -87.6)",false\n2,"\\","","\\"\n3,"{escaped}",b,"\n'
    found = list(find_records([lines.encode()], Dialect(WIDTH)))
    converted = b"".join(as_csv(one, Dialect(WIDTH), range(WIDTH)) for one in found if not one.problem)
    assert [*csv.reader(io.StringIO(converted.decode()), strict=True)] == [
        ["1", text, "(41.8, -87.6)", "false"],
        ["2", "\\", "", "\\"],
    ]
    assert found[-1].problem


@pytest.mark.parametrize(
    ("date", "year"),
    [
        ("01/02/2016 05:00:00 PM", 2016),
        ('"2016-01-02T00:00:00.000"', 2016),
        ("2016/1/2", 2016),
        ("18-Jun-2016", 2016),
        ("June 18, 2016", 2016),
        ("31.12.2016", 2016),
        ("18-Jun-16", 2016),
        ("6/18/16 0:01", 2016),
        ("20160228 15:50", 2016),
        ("20160228 15:50:00.2015", 2016),
        ("6/18/16 15:50:00.2015", 2016),
        ("Jun\u00a018\u202f16\u00a03:50", 2016),
        ("June 18, 16", 2016),
        ("18 Jun 16 10:30 PM", 2016),
        ("18JUN16:13:00:00", 2016),
        ('"=""06/18/16 13:00"""', 2016),
        (" 6/18/16", 2016),
        ("18 Jun 13:00", 0),
        ("12345", 0),
        ("42005.5625", 0),
        ("1030 01/02/2016", 2016),
        ("", 0),
    ],
)
@pytest.mark.parametrize("damage", ["", ",too many", ',"open', ',CTA "L"'])
def test_the_year_of_a_date(date: str, year: int, damage: str) -> None:
    names = ["2001", "date", "id", "primary_type", "arrest", "fbi_code", "year"]
    line = ",".join(["2001", f'"{date}"' if "," in date else date, *"1234", "2003"]) + damage
    dialect = Dialect(len(names) + ("CTA" in damage))
    [found] = find_records([line.encode() + b"\n"], dialect)
    assert find_years(found, read_header(names), dialect).tolist() == [year or 2003]
    assert find_years(found, read_header([*names[:-1], "x"]), dialect).tolist() == [year]


def test_a_second_column_for_the_year_is_ignored_and_other_columns_come_once() -> None:
    names = ["ID", "Date", "Primary Type", "Arrest", "FBI Code", "Year", "year"]
    header = read_header(names)
    assert (header.position("year"), header.ignored) == (5, ("year",))
    with pytest.raises(HeaderError, match="two columns for arrest, 'Arrest' and 'arrest'"):
        read_header([*names, "arrest"])
    with pytest.raises(HeaderError, match=r"lacks id .* needs columns for id, date, primary_type, arrest, fbi_code:"):
        read_header(names[1:])
