"""Tests of the report."""

import re
from pathlib import Path

import pytest

from chicago_crime.dashboard.data import Data
from chicago_crime.dashboard.report import find_area, write_report
from chicago_crime.errors import PlatformError, UsageError
from chicago_crime.installation import Installation
from chicago_crime.settings import Settings, load_settings


@pytest.mark.parametrize(("name", "number"), [("HYDE-PARK", 41), ("Ohare", 76), ("41", 41)])
def test_an_area_is_found_by_its_name_in_any_case_and_punctuation_or_its_number(
    data: Data, name: str, number: int
) -> None:
    assert find_area(data.facts(), name) == number


@pytest.mark.parametrize(("name", "suggested"), [("hyde prak", "Hyde Park"), ("Lawn", "West Lawn"), ("Xyz", "Loop")])
def test_an_unknown_area_is_answered_with_suggestions(data: Data, name: str, suggested: str) -> None:
    with pytest.raises(UsageError, match=f"{name}.*Did you mean one of these.*{suggested}"):
        find_area(data.facts(), name)


def test_the_report_is_one_file_that_loads_nothing_else(sample: Settings, tmp_path: Path) -> None:
    installation = Installation(sample)
    assert write_report(installation, "austin", 2016, tmp_path / "report.html") == "Reported crime in Austin, 2016"
    text = (tmp_path / "report.html").read_text()
    assert text.count("<svg") >= 6
    assert "SYNTHETIC" in text
    assert f"To cite: Chicago crime snapshot {installation.reader().catalog.snapshot}, published" in text
    assert re.findall(r'(?:src|href)="(?!#)', text) == []
    assert "http" not in re.sub(r"http://www\.w3\.org/\S+", "", text)
    assert write_report(installation, None, 2016, tmp_path / "report.html") == "Reported crime in Chicago, 2016"


@pytest.mark.parametrize(
    ("is_empty", "told"), [(False, "chicago-crime run --years 2009"), (True, "nothing is published yet: load some")]
)
def test_a_year_that_is_not_published_is_an_error_and_writes_nothing(
    sample: Settings, tmp_path: Path, is_empty: bool, told: str
) -> None:
    settings = load_settings(data_dir=tmp_path / "none") if is_empty else sample
    with pytest.raises(PlatformError, match=told):
        write_report(Installation(settings), "Loop", 2009, tmp_path / "report.html")
    assert list(tmp_path.glob("*.html")) == []
