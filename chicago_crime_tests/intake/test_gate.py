"""Tests of `chicago_crime/intake/gate.py`; rows and damaged lines are tested in `test_csv_rows.py`."""

import csv
import os
from pathlib import Path

import pytest

from chicago_crime.intake.gate import GateResult, run_gate
from chicago_crime.sources.base import SourceError
from chicago_crime.sources.folder import FolderSource
from chicago_crime_tests.support import NAMES, crimes_of_months, folder_settings, gate_of, real_variant, run, write_csv


def quarantine_of(result: GateResult) -> list[tuple[int, str, str]]:
    with result.split.quarantine.open(newline="", encoding="utf-8") as file:
        return [(int(row["line"]), row["problem"], row["text"]) for row in csv.DictReader(file)]


def test_all_problems_are_reported(tmp_path: Path) -> None:
    rows = [*crimes_of_months(2013, 10), *crimes_of_months(2014, arrest="maybe")]
    problems = gate_of(write_csv(tmp_path / "half.csv", rows), 2014, tmp_path).problems
    assert [problem[:15] for problem in problems] == ["only 36 of 156 ", "column 'arrest'"]
    with pytest.raises(SourceError, match=r"only 5 of 125 rows are from 2014; .* column 'arrest': 5 of 125"):
        gate_of(write_csv(tmp_path / "few.csv", rows[:125]), 2014, tmp_path)
    with pytest.raises(SourceError, match=r"few\.csv, line 1: the header lacks id \(found: x, "):
        gate_of(write_csv(tmp_path / "few.csv", rows, ["x", *NAMES[1:]]), 2014, tmp_path)


def test_dates_without_times_pass_with_a_warning_that_names_unused_time_columns(tmp_path: Path) -> None:
    rows = [row | {"date": row["date"][:10], "Time": "10:15:00 AM"} for row in crimes_of_months(2014, 13)]
    result = gate_of(write_csv(tmp_path / "2014.csv", rows, [*NAMES, "Time"]), 2014, tmp_path)
    assert (result.problems, sum(result.months.values())) == ([], 156)
    assert "dates have no time of day (unused: 'Time')" in result.details["no_times"]


def test_dates_after_the_last_update_pass_with_a_warning(tmp_path: Path) -> None:
    result = gate_of(write_csv(tmp_path / "2014.csv", crimes_of_months(2014, updated_on="2014-06-01")), 2014, tmp_path)
    assert result.problems == []
    assert "21 of 36 dates are later" in str(result.details["dates_after_update"])
    assert "Are day and month swapped?" in str(result.details["dates_after_update"])
    rows = crimes_of_months(2014)
    rows[7]["updated_on"] = "01/05/2071 03:50:00 PM"
    found = str(gate_of(write_csv(tmp_path / "2014.csv", rows), 2014, tmp_path).details["future_updates"])
    assert found.startswith("1 of 36 last updates are in the future; the first is 2071-01-05 15:50:00 in line 9.")


def test_damaged_lines_of_a_converted_file_are_quarantined_unchanged(tmp_path: Path) -> None:
    text = write_csv(tmp_path / "in" / "2014.csv", crimes_of_months(2014)).read_text().replace('"', "")
    lines = [line.replace(", -", " -").replace(",", ";") for line in text.splitlines()]
    content = "\r\n".join([*lines[:9], "1;2", '"open', *lines[9:], lines[0], ""])
    (tmp_path / "in" / "2014.csv").write_bytes(content.encode("utf-16"))
    result = run_gate(FolderSource(tmp_path / "in").fetch(2014, tmp_path), 2014, tmp_path)
    assert quarantine_of(result) == [
        (10, "2 fields where the header has 22", "1;2"),
        (11, "unclosed quote", '"open'),
        (40, "repeated header", ";".join(NAMES)),
    ]
    assert result.split.counts.rows == 36


def test_a_converted_file_distinguishes_empty_fields_and_empty_texts(tmp_path: Path) -> None:
    """The warehouse reads an empty field as NULL, and an empty quoted field as an empty text."""
    file = write_csv(tmp_path / "2014.csv", crimes_of_months(2014, per_month=2, months=[1], ward=""))
    header, first, second = file.read_text().replace("case_number", "renamed").splitlines()
    file.write_text("\n".join([header, first, second.replace("001,,", '"001","",'), ""]))
    content = gate_of(file, 2014, tmp_path).split.file.read_text()
    assert ("001,," in content, '"001","",' in content) == (True, True)


@pytest.mark.parametrize(
    ("name", "year", "rows", "of_year"),
    [
        ("bigquery_export.csv", 2001, 2000, 2000),
        ("kaggle_split_with_index.csv", 2014, 2000, 402),
        ("socrata_api.csv", 2025, 1000, 1000),
        ("truncated_last_line.csv", 2023, 499, 296),
    ],
)
def test_real_variants_are_read(tmp_path: Path, name: str, year: int, rows: int, of_year: int) -> None:
    result = gate_of(real_variant(name), year, tmp_path)
    assert (result.split.counts.rows, sum(result.months.values())) == (rows, of_year)
    assert result.split.counts.quarantined == name.startswith("truncated")
    assert (result.split.file == real_variant(name)) == name.startswith("bigquery"), "a canonical file is not copied"


def test_names_that_are_not_utf_8_are_read_and_shown(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"d\xeda")
    write_csv(folder / os.fsdecode(b"cr\xedmenes_2016.csv"), crimes_of_months(2016))
    (folder / os.fsdecode(b"r\xe9sum\xe9.txt")).touch()
    [report] = run(folder_settings(tmp_path / "data", folder), 2016)
    details = report.metadata["crime_csv", 2016]["details"]
    assert details["skipped_files"].startswith("r\ufffdsum\ufffd.txt is not a supported format")
