"""Tests of `chicago_crime/gate.py`."""

import csv
import gzip
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chicago_crime.intake.gate import GateError, Passage, pass_through
from chicago_crime_tests.support import NAMES, crime, crimes_of_months, real_variant, real_year, write_csv


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "gate").mkdir()
    return tmp_path / "gate"


def quarantine_of(passage: Passage) -> list[tuple[int, str, str]]:
    with passage.quarantine.open(newline="", encoding="utf-8") as file:
        return [(int(row["line"]), row["problem"], row["text"]) for row in csv.DictReader(file)]


def rows_of(passage: Passage) -> list[dict[str, str]]:
    with passage.file.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, fieldnames=NAMES))[1:]


def is_accounted_for(passage: Passage) -> bool:
    return (
        passage.counts.lines
        == passage.counts.rows + passage.counts.quarantined + passage.counts.continuations + passage.counts.blank
    )


def test_a_canonical_file_passes_byte_by_byte(tmp_path: Path, folder: Path) -> None:
    source = write_csv(tmp_path / "2014.csv", crimes_of_months(2014))
    passage = pass_through(source, 2014, folder)
    assert passage.file == source
    assert passage.is_canonical
    assert (passage.counts.lines, passage.counts.rows, quarantine_of(passage)) == (36, 36, [])
    assert passage.months == {f"2014-{month:02}": 3 for month in range(1, 13)}


def test_quoted_newlines_and_a_missing_last_line_end_do_not_make_a_file_less_canonical(
    tmp_path: Path, folder: Path
) -> None:
    rows = crimes_of_months(2014)
    rows[5]["location_description"] = "STREET,\nCORNER"
    source = write_csv(tmp_path / "2014.csv", rows)
    source.write_bytes(source.read_bytes().rstrip(b"\n"))
    passage = pass_through(source, 2014, folder)
    assert passage.file == source
    assert (passage.counts.lines, passage.counts.rows, passage.counts.continuations) == (37, 36, 1)
    assert is_accounted_for(passage)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["no mark", "byte order mark"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
def test_marks_and_line_ends_change_nothing(tmp_path: Path, folder: Path, mark: bytes, newline: str) -> None:
    rows = crimes_of_months(2014)
    source = write_csv(tmp_path / "2014.csv", rows)
    source.write_bytes(mark + source.read_bytes().replace(b"\n", newline.encode()))
    passage = pass_through(source, 2014, folder)
    assert rows_of(passage) == rows
    assert passage.is_canonical == (newline == "\n" and not mark)
    assert is_accounted_for(passage)


def test_columns_are_read_by_name_in_any_order_with_others_between(tmp_path: Path, folder: Path) -> None:
    rows = crimes_of_months(2014)
    shuffled = [dict(sorted(row.items()), extra="?") for row in rows]
    passage = pass_through(write_csv(tmp_path / "f.csv", shuffled, header=list(shuffled[0])), 2014, folder)
    assert rows_of(passage) == rows
    assert passage.ignored == ("extra",)


def test_columns_that_a_file_lacks_are_empty_and_named(tmp_path: Path, folder: Path) -> None:
    rows = [{name: row[name] for name in NAMES if name != "ward"} for row in crimes_of_months(2014)]
    passage = pass_through(write_csv(tmp_path / "f.csv", rows, header=list(rows[0])), 2014, folder)
    assert passage.missing == ("ward",)
    assert {row["ward"] for row in rows_of(passage)} == {""}


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"1,HX1", "2 fields where the header has 22"),
        (b"," * 22, "23 fields where the header has 22"),
        (b'1,"HX' + b"," * 20, "quote"),
        (b'1,"H"X' + b"," * 20, "misplaced quote"),
        (b"1,H\xe9" + b"," * 20, "not UTF-8"),
        (b"1,H\0" + b"," * 20, "a NUL byte"),
    ],
)
def test_a_line_that_is_no_row_goes_to_the_quarantine_with_number_and_text(
    tmp_path: Path, folder: Path, line: bytes, problem: str
) -> None:
    rows = crimes_of_months(2014)
    source = write_csv(tmp_path / "2014.csv", rows)
    lines = source.read_bytes().splitlines(keepends=True)
    source.write_bytes(b"".join([*lines[:7], line + b"\n", *lines[7:]]))
    passage = pass_through(source, 2014, folder)
    assert rows_of(passage) == rows
    [(number, found, text)] = quarantine_of(passage)
    assert number == 8
    assert problem in found
    assert text.startswith("1," if line[0:1] == b"1" else ",")
    assert is_accounted_for(passage)


NOWHERE = {"latitude": "", "longitude": "", "location": ""}


def test_rows_that_end_in_empty_fields_pass_byte_by_byte(tmp_path: Path, folder: Path) -> None:
    rows = crimes_of_months(2014)
    for number, empty in enumerate((NOWHERE, {"location": ""}, NOWHERE)):
        rows[number] |= empty
    source = write_csv(tmp_path / "2014.csv", rows)
    passage = pass_through(source, 2014, folder)
    assert passage.file == source
    assert (passage.counts.rows, quarantine_of(passage)) == (36, [])


@pytest.mark.parametrize("values", [{}, {"location": ""}, NOWHERE, NOWHERE | {"updated_on": ""}], ids=len)
@pytest.mark.parametrize("line", [9, 36])
@pytest.mark.parametrize("end", [b"", b"\n"], ids=["no last line end", "last line end"])
def test_an_empty_field_too_many_makes_a_line_no_row(
    tmp_path: Path, folder: Path, values: dict[str, str], line: int, end: bytes
) -> None:
    rows = crimes_of_months(2014)
    rows[0] |= NOWHERE
    rows[line - 1] |= values
    source = write_csv(tmp_path / "2014.csv", rows)
    lines = source.read_bytes().splitlines()
    source.write_bytes(b"\n".join([*lines[:line], lines[line] + b",", *lines[line + 1 :]]) + end)
    passage = pass_through(source, 2014, folder)
    assert rows_of(passage) == rows[: line - 1] + rows[line:]
    assert [number for number, *_ in quarantine_of(passage)] == [line + 1]


def test_blank_lines_are_counted_and_left_out(tmp_path: Path, folder: Path) -> None:
    source = write_csv(tmp_path / "2014.csv", crimes_of_months(2014))
    source.write_bytes(source.read_bytes().replace(b"\n", b"\n\n"))
    passage = pass_through(source, 2014, folder)
    assert (passage.counts.rows, passage.counts.blank) == (36, 37)
    assert is_accounted_for(passage)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html><html>Service unavailable</html>", "HTML or XML page"),
        (b'{"error": true}', "is JSON"),
        ("id,date".encode("utf-16"), "UTF-16"),
        (b"a,b\n1,2\n", "line 1: the header lacks id"),
        (",".join(NAMES).encode() + b"\n", "a header and no rows"),
        (",".join(NAMES).encode() + b"\n1\n2\n3\n", "3 of 3 lines cannot be read"),
    ],
)
def test_what_is_no_file_of_crimes_is_refused_by_name(tmp_path: Path, folder: Path, content: bytes, told: str) -> None:
    source = tmp_path / "Chicago_Crimes_2014.csv"
    source.write_bytes(content)
    with pytest.raises(GateError, match=told) as refused:
        pass_through(source, 2014, folder)
    assert str(source) in str(refused.value)


def test_a_file_of_another_year_is_refused(tmp_path: Path, folder: Path) -> None:
    source = write_csv(tmp_path / "2015.csv", crimes_of_months(2014))
    with pytest.raises(GateError, match="not a file of 2015: 0 of its 36 rows are of that year, most are of 2014"):
        pass_through(source, 2015, folder)


def test_some_rows_of_another_year_pass_and_are_not_counted_as_months(tmp_path: Path, folder: Path) -> None:
    stray = crime(id=9, date="12/31/2013 11:00:00 PM")
    passage = pass_through(write_csv(tmp_path / "f.csv", [*crimes_of_months(2014), stray]), 2014, folder)
    assert passage.counts.rows == 37
    assert sum(passage.months.values()) == 36


plain_text = st.text(st.characters(exclude_characters="\0\r\n", exclude_categories=["Cs"]), max_size=12)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(st.lists(st.tuples(plain_text, plain_text), min_size=1, max_size=6), st.sampled_from(["\n", "\r\n", "\r"]))
def test_any_text_survives_the_gate(tmp_path: Path, folder: Path, texts: list[tuple[str, str]], newline: str) -> None:
    rows = [crime(id=n, block=a, location_description=b) for n, (a, b) in enumerate(texts)]
    source = tmp_path / "2014.csv"
    with source.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator=newline)
        writer.writerow(NAMES)
        writer.writerows(row.values() for row in rows)
    passage = pass_through(source, 2014, folder)
    assert rows_of(passage) == rows
    assert is_accounted_for(passage)


@pytest.mark.parametrize(
    ("name", "year", "rows", "of_year", "quarantined", "canonical"),
    [
        ("bigquery_export.csv", 2001, 2000, 2000, 0, True),
        ("kaggle_split_with_index.csv", 2014, 2000, 402, 0, False),
        ("socrata_api.csv", 2025, 1000, 1000, 0, False),
        ("truncated_last_line.csv", 2023, 499, 296, 1, False),
    ],
)
def test_real_variants_are_read(
    folder: Path, name: str, year: int, rows: int, of_year: int, quarantined: int, canonical: bool
) -> None:
    passage = pass_through(real_variant(name), year, folder)
    assert (passage.counts.rows, sum(passage.months.values())) == (rows, of_year)
    assert passage.counts.quarantined == quarantined
    assert passage.is_canonical == canonical
    assert is_accounted_for(passage)


def test_rows_wrapped_in_quotes_end_in_a_clear_error(folder: Path) -> None:
    source = real_variant("rows_wrapped_in_quotes.csv")
    with pytest.raises(GateError, match="cannot be read as rows") as refused:
        pass_through(source, 2014, folder)
    assert "1 fields where the header has 22" in str(refused.value)


def test_a_real_year_passes_byte_by_byte(tmp_path: Path, folder: Path) -> None:
    source = tmp_path / "2014.csv"
    with gzip.open(real_year(2014)) as packed:
        source.write_bytes(packed.read())
    passage = pass_through(source, 2014, folder)
    assert (passage.counts.rows, passage.is_canonical) == (275_200, True)
