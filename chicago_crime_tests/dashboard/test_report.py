"""Tests of `chicago_crime/dashboard/report.py`."""

import re
from pathlib import Path

import pytest

from chicago_crime.dashboard.data import Data
from chicago_crime.dashboard.report import find_area, write_report
from chicago_crime.errors import PlatformError, UsageError
from chicago_crime.settings import Settings, load_settings


@pytest.mark.parametrize(
    ("name", "area"),
    [
        ("Hyde Park", 41),
        ("hyde  park", 41),
        ("HYDE-PARK", 41),
        ("hyde prak", 41),
        ("Ohare", 76),
        ("o hare", 76),
        ("the loop", 32),
        ("Englwood", 68),
        ("west englewod", 67),
        ("41", 41),
        ("Mckinley park", 59),
    ],
)
def test_an_area_is_found_whatever_the_case_the_punctuation_and_small_misspellings(
    data: Data, name: str, area: int
) -> None:
    assert find_area(data.facts(), name) == area


@pytest.mark.parametrize(("name", "suggested"), [("Park", "Hyde Park"), ("Lawn", "Chicago Lawn"), ("Atlantis", "Loop")])
def test_an_unknown_area_is_answered_with_suggestions(data: Data, name: str, suggested: str) -> None:
    with pytest.raises(UsageError, match=f"{name}.*is it one of these.*"):
        find_area(data.facts(), name)


def test_the_report_is_one_file_with_its_charts_in_it(sample: Settings, tmp_path: Path) -> None:
    title = write_report(sample, "austin", 2016, tmp_path / "report.html")
    assert title == "Reported crime in Austin, 2016"
    text = (tmp_path / "report.html").read_text()
    assert text.count("<svg") >= 6
    assert "SYNTHETIC" in text
    assert re.findall(r'(?:src|href)="(?!#)', text) == []
    assert "http" not in re.sub(r"http://www\.w3\.org/\S+", "", text)


def test_the_whole_city_needs_no_area(sample: Settings, tmp_path: Path) -> None:
    assert write_report(sample, None, 2016, tmp_path / "report.html") == "Reported crime in Chicago, 2016"


def test_a_year_that_is_not_loaded_is_told(sample: Settings, tmp_path: Path) -> None:
    with pytest.raises(PlatformError, match="chicago-crime run --years 2009"):
        write_report(sample, "Loop", 2009, tmp_path / "report.html")
    with pytest.raises(PlatformError, match="nothing is loaded yet"):
        write_report(load_settings(data_dir=tmp_path / "none"), "Loop", 2009, tmp_path / "report.html")
    assert list(tmp_path.glob("*.html")) == []
