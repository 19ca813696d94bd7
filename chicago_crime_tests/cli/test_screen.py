"""Tests of the layout of results on an 80-column terminal."""

import io
from decimal import Decimal

import pytest
from rich.console import Console

from chicago_crime.cli.screen import lay_out, printable


def shown(columns: dict[str, list], width: int = 80) -> str:
    text = io.StringIO()
    console = Console(file=text, width=width, highlight=False, markup=False, emoji=False)
    console.print(*lay_out(list(columns), list(zip(*columns.values(), strict=True)), width), sep="\n")
    assert all(len(line) <= width for line in text.getvalue().splitlines())
    return text.getvalue()


def test_counts_have_separators_but_years_ids_and_beats_do_not() -> None:
    columns = {"y": [2014, 2015], "n": [2005, 275200], "id": [9441120, None], "beat": [1011, 223]}
    text = shown(columns | {"total": [Decimal("868704")] * 2, "rate": [Decimal("0.25")] * 2, "arrest": [True] * 2})
    for value in ("2,005", "275,200", "2014", "9441120", "1011", "NULL", "868,704", "0.25", "True"):
        assert value in text


def test_markup_emoji_and_terminal_codes_in_values_are_printed_literally() -> None:
    text = shown({"a [b]": ["root:x:0", "[red]x[/]"], "c": ["\x1b[31mred", "two\nlines\u202e"]})
    for value in ("a [b]", "root:x:0", "[red]x[/]", "\\x1b[31mred", "two\\nlines\\u202e"):
        assert value in text
    assert printable("two\nlines\x07", keep="\n") == "two\nlines\\x07"


@pytest.mark.parametrize("rows", [1, 3])
def test_a_few_wide_rows_are_records(rows: int) -> None:
    columns = {f"a_long_name_of_column_{n}": [f"some [long] value {n}"] * rows for n in range(22)}
    lines = shown(columns).splitlines()
    assert sum(line.startswith("a_long_name_of_column_7 ") and "some [long] value 7" in line for line in lines) == rows
    assert [line for line in lines if line.startswith("row ")] == ([] if rows == 1 else ["row 1", "row 2", "row 3"])


def test_many_rows_are_a_table_wrapped_between_words_or_truncated_to_a_few_records() -> None:
    text = shown({"a_name_of_one_word": [1] * 4, "meaning": ["words and words " * 6] * 4})
    assert "a_name_of_one_word" in text and text.count("words") == 4 * 12
    text = shown({f"column{n}": [f"unbreakable{n}"] * 60 for n in range(22)})
    assert text.count("unbreakable10") == 3
    assert "Only the first 3 rows are shown, because the columns do not fit" in " ".join(text.split())
    assert "c0" in shown({f"c{n}": [] for n in range(12)}), "an empty result shows its columns"
