"""Tests of the report."""

import re
from datetime import date
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from chicago_crime.dashboard import caveats
from chicago_crime.dashboard.charts import charts
from chicago_crime.dashboard.data import Data
from chicago_crime.dashboard.filters import Filters
from chicago_crime.dashboard.page_request import PageRequest
from chicago_crime.dashboard.pages.overview import overview
from chicago_crime.dashboard.report import as_svg, shortened, write_report
from chicago_crime.dashboard.view import Column, PageTable
from chicago_crime.errors import UsageError
from chicago_crime.installation import Installation
from chicago_crime.settings import Settings


@pytest.mark.parametrize(
    ("place", "title", "table"),
    [
        ({}, "Chicago", "Areas with the most crimes"),
        ({"beat": 1834}, "Beat 1834", "Blocks with the most crimes"),
    ],
)
def test_a_report_on_any_place_is_one_file_with_the_numbers_of_the_pages(
    sample: Settings, data: Data, client: TestClient, tmp_path: Path, place: dict[str, int], title: str, table: str
) -> None:
    file = tmp_path / "report.html"
    assert write_report(Installation(sample), 2016, file, **place) == f"Reported crime in {title}, 2016"
    text = file.read_text()
    chosen = Filters(year=(2016,)).changed(**{name: (number,) for name, number in place.items()})
    crimes = overview(PageRequest(data, chosen)).numbers[0].value
    assert f'<p class="value">{crimes}</p>' in text
    assert table in text and "table next to" not in text, "it may have blocks, while the map has cells"
    assert text.count("<svg") == 3 and "SYNTHETIC" in text
    assert f"To cite: Chicago crime snapshot {data.catalog.snapshot}, published" in text
    assert re.findall(r'src="|href="(?!#|data:,)|@import', text) == []
    assert "http" not in re.sub(r"http://www\.w3\.org/\S+", "", text)
    notes = re.findall(r"<li><strong>([^<]+)\.</strong> (.+?)</li>", unescape(text))
    assert ("Arrest rate", caveats.ARREST) in notes
    headings = {*re.findall(r"<(?:h2|li><p)>([^<]+)</", unescape(text))}
    assert {heading for shared, _ in notes for heading in shared.split("; ")} <= headings
    assert len({shared for shared, _ in notes}) == len(notes)
    assert '<td class="">Theft</td>' in text
    assert "cannot tell" in client.get("/download/compare/spans.csv", params={"rows": "type", **place}).text
    assert "cannot tell" not in text and caveats.NO_VERDICT in unescape(text)
    assert client.get("/report", params={"year": 2016, **place}).text == text


def test_paper_keeps_homicide_and_unusual_counts_and_does_not_count_places_without_crimes() -> None:
    verdicts = {"THEFT": "usual", "ARSON": "may be chance", "STALKING": "unusual", "HOMICIDE": None}
    rows = [{"name": name, "year_to_date_verdict": verdict} for name, verdict in verdicts.items()]
    table, left_out = shortened(PageTable("spans", "Counts by type", [Column("name", "Type")], rows), 1)
    assert ([row["name"] for row in table.rows], left_out) == (["THEFT", "STALKING", "HOMICIDE"], 1)
    rows = [{"name": name, "crimes": crimes} for name, crimes in {"Loop": 3, "Uptown": 2, "Avalon Park": 0}.items()]
    assert shortened(PageTable("areas", "Crimes", [Column("name", "Area")], rows), 1)[1] == 1


def test_the_periods_of_a_report_end_on_the_chosen_day(client: TestClient) -> None:
    text = client.get("/report?end=2016-03-15").text
    assert "By type, through March 15, 2016" in text and "By type, through December 31, 2016" not in text
    days = client.get("/report?start=2016-04-01&finish=2016-04-30").text
    assert "<h1>Reported crime in Chicago, the selected days of 2016</h1>" in days and "By type, through" not in days
    assert "Month by month" not in days, "there is no chart"
    refused = client.get("/report?end=2017-03-15")
    assert refused.status_code == 400 and "Choose another end date" in refused.text


def test_charts_have_a_description_and_labels_for_whole_crimes() -> None:
    rows = [{"name": "a", "hour": 1, "weekday": "Monday", "year": 2016, "month_name": "Jan", "crimes": 1, "share": 1}]
    rows.append({**rows[0], "weekday": "Tuesday", "month_name": "Feb", "crimes": 0})
    far = [{"name": "Theft, Loop", "now": 90, "low": 5, "high": 25, "mean": 10}]
    for make in (charts.hours, charts.months, charts.ranked, charts.ranges):
        figure = make("name", "What it shows", far if make == charts.ranges else rows)
        labels = re.findall(r">([^<]+)</text>", as_svg(figure))
        assert figure.spec["description"] == "What it shows"
        assert "100%" in labels if make == charts.ranges else "0.5" not in labels and {"0", "1"} <= {*labels}
    assert charts.ranges("name", "", far).spec["data"]["values"][0]["now_share"] == 9
    thousand = [rows[0] | {"crimes": 757}, rows[1] | {"crimes": 1110}]
    assert {">757<", ">1,110<"} <= {*re.findall(">[0-9,]+<", as_svg(charts.months("name", "", thousand)))}


@pytest.mark.parametrize(
    ("months", "labels"),
    [(2, "Jan 2016, Feb, 0"), (13, "Jan 2016, Apr, Jul, Oct, 2017"), (48, "2016, April, July, October, 2017")],
)
def test_each_month_of_a_chart_is_labeled_once(months: int, labels: str) -> None:
    held = {"crimes": 9, "low": None, "high": None, "run": 1}
    rows = [held | {"month": date(2016 + number // 12, number % 12 + 1, 1)} for number in range(months)]
    drawn = re.findall(r">([^<]+)</text>", as_svg(charts.trend("trend", "", rows, False)))
    assert ", ".join(drawn).startswith(labels)


@pytest.mark.parametrize("place", [{"ward": 51}, {"area": ""}])
def test_a_missing_place_is_an_error(sample: Settings, tmp_path: Path, place: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"there is no (ward '51'. Closest matches: 48, 49, 50|community area '')"):
        write_report(Installation(sample), 2016, tmp_path / "report.html", **place)
    assert list(tmp_path.glob("*.html")) == []
