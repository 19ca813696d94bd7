"""Tests of `chicago_crime/csv_records.py`."""

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from chicago_crime.intake.csv_records import LONGEST_RECORD, records


def read(text: str, width: int = 2) -> list[tuple[int, int, list[str], str]]:
    lines = iter(["a,b", *text.split("\n")])
    return [(number, taken, fields, problem) for number, taken, fields, problem, _ in records(lines, width)]


def test_rows_come_with_their_line_number() -> None:
    assert read("1,x\n2,y") == [(2, 1, ["1", "x"], ""), (3, 1, ["2", "y"], "")]


def test_a_quoted_newline_goes_on_with_the_row() -> None:
    assert read('1,"x\ny"\n2,z') == [(2, 2, ["1", "x\ny"], ""), (4, 1, ["2", "z"], "")]


def test_an_open_quote_costs_its_own_line_only() -> None:
    rows = [f"{n},x" for n in range(LONGEST_RECORD + 5)]
    found = read("\n".join(['9,"x', *rows]))
    assert [problem for *_, problem in found] == ["a quote is opened and not closed", *[""] * len(rows)]


def test_an_open_quote_does_not_swallow_up_to_another_quote() -> None:
    found = read('1,"x\n2,y\n3,"z"')
    assert [fields for _, _, fields, problem in found if not problem] == [["2", "y"], ["3", "z"]]


def test_too_few_and_too_many_fields_are_told() -> None:
    assert [problem for *_, problem in read("1\n1,2,3")] == [
        "1 fields where the header has 2",
        "3 fields where the header has 2",
    ]


values = st.text(alphabet="ab ,\"\n'", max_size=6)


@given(st.lists(st.lists(values, min_size=2, max_size=2), max_size=8))
def test_whatever_a_csv_writer_writes_is_read_back(rows: list[list[str]]) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(rows)
    if any(value.count("\n") for row in rows for value in row) and len(text.getvalue().split("\n")) > LONGEST_RECORD:
        return
    found = read(text.getvalue().removesuffix("\n"))
    assert [fields for _, _, fields, problem in found if fields] == rows
    assert sum(taken for _, taken, _, _ in found) == len(text.getvalue().removesuffix("\n").split("\n"))
