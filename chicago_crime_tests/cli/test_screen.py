"""How answers look on a terminal of 80 columns."""

import io
from decimal import Decimal

import pyarrow as pa
from rich.console import Console

from chicago_crime.cli.screen import answer_table


def shown(columns: dict[str, list]) -> str:
    text = io.StringIO()
    Console(file=text, width=80, highlight=False).print(answer_table(pa.table(columns)))
    return text.getvalue()


def test_counts_have_separators_and_years_ids_and_beats_have_none() -> None:
    text = shown({"y": [2014, 2015], "n": [2005, 275200], "id": [9441120, None], "beat": [1011, 223]})
    assert "2,005" in text and "275,200" in text
    assert "2014" in text and "9441120" in text and "1011" in text and "NULL" in text


def test_sums_and_flags_are_shown_as_what_they_are() -> None:
    text = shown({"total": [Decimal("868704"), Decimal("1")], "rate": [Decimal("0.25"), None], "arrest": [True, False]})
    assert "868,704" in text and "0.25" in text and "True" in text


def test_long_names_and_values_are_folded_and_not_cut_off() -> None:
    columns = {f"a_rather_long_name_{n}": ["some [long] text without a blank".replace(" ", "_")] for n in range(6)}
    text = shown(columns)
    assert "…" not in text
    letters = "".join(line.split("│")[1].strip() for line in text.splitlines() if line.startswith("│"))
    assert letters == "some_[long]_text_without_a_blank"


def test_a_column_of_nothing_but_null_is_shown() -> None:
    assert shown({"n": pa.array([None], pa.int64())}).count("NULL") == 1
