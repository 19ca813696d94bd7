"""Tests of the page Incidents, links to it, and search."""

import html
import io
import json
import re
from collections import Counter
from datetime import date

import openpyxl
import pyarrow as pa
import pyarrow.csv
import pytest
from starlette.testclient import TestClient

from chicago_crime.dashboard import downloads
from chicago_crime.dashboard.app import PAGES
from chicago_crime.dashboard.data import Data
from chicago_crime.dashboard.filters import Filters
from chicago_crime.dashboard.page_request import PageRequest
from chicago_crime.dashboard.pages import incidents as page
from chicago_crime.dashboard.pages.incidents import incidents
from chicago_crime.dashboard.search import understand
from chicago_crime.settings import Settings
from chicago_crime_tests.dashboard.conftest import rows
from chicago_crime_tests.support import rows_of


@pytest.mark.parametrize("sort", ["", "date", "-block", "-location_description", "arrest", "-domestic"])
def test_incidents_are_paged_in_order(sample: Settings, data: Data, sort: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "ROWS_SHOWN", 400)
    chosen = Filters(type=("THEFT",), sort=f"incidents:{sort}" if sort else "")
    crimes = rows_of(sample, "enriched_crimes", 2014, 2015, 2016)
    expected = [row for row in crimes if row["primary_type"] == "THEFT"]
    listed = []
    for number in range(1, -(-len(expected) // 400) + 1):
        request = PageRequest(data, chosen.changed(page=number))
        listed += rows(incidents(request), "incidents")
    assert len(listed) == len(expected) > 400
    assert {row["id"] for row in listed} == {row["id"] for row in expected}
    name, is_descending = sort.removeprefix("-") or "date", sort.startswith("-") or not sort
    values = [row[name] for row in listed]
    known = [value for value in values if value is not None]
    assert known == sorted(known, reverse=is_descending)
    assert values[len(known) :] == [None] * (len(values) - len(known)), "unknown values are last"


def test_a_download_has_all_rows_up_to_the_limit(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(client.get("/download/incidents/incidents.json?year=2016").json()["rows"]) == 4000
    monkeypatch.setattr(page, "ROWS_DOWNLOADED", 70)
    assert "Downloads contain the first 70 rows" in client.get("/incidents?year=2016").text
    assert len(client.get("/download/incidents/incidents.json?year=2016").json()["rows"]) == 70


def test_every_block_is_ranked(sample: Settings, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = Counter(row["block"] for row in rows_of(sample, "enriched_crimes", 2014, 2015, 2016))
    ranked = client.get("/download/incidents/blocks.json").json()["rows"]
    assert {row["block"]: row["crimes"] for row in ranked} == counts
    assert [row["crimes"] for row in ranked] == sorted(counts.values(), reverse=True)
    assert len(counts) > 1000
    text = client.get("/incidents?sort=blocks:block").text
    assert f"First 20 of {len(counts):,} rows. Downloads contain all rows." in text
    assert f"block={min(counts).replace(' ', '+')}" in text
    monkeypatch.setattr(page, "COUNT_BLOCKS_UP_TO", 100)
    [later] = re.findall(r'<a href="([^"]*)">Count crimes by block', client.get("/incidents?year=2016").text)
    assert later == "/incidents?year=2016&amp;sort=blocks%3A-crimes#blocks"
    assert 'data-table="blocks"' in client.get(later.replace("&amp;", "&")).text
    assert client.get("/download/incidents/blocks.json?year=2016").json()["rows"]


def test_blocks_are_found_by_part_of_their_name(client: TestClient) -> None:
    found = client.get("/blocks", params={"part": " state "}).json()
    assert found
    assert all("STATE" in block for block in found)
    without_script = client.get("/incidents", params={"block": "n state", "year": 2016}).text
    assert "No crimes match: there is no block 'N STATE'. Closest matches: " in html.unescape(without_script)
    assert re.findall(r"year=2016&amp;block=[^\"]*STATE[^\"]*", without_script)


@pytest.mark.parametrize("name", [page for page in PAGES if page != "data"])
@pytest.mark.parametrize("filters", [Filters(), Filters(year=(2015,), area=(25, 32), arrest=False)], ids=str)
def test_every_count_links_to_as_many_incidents(data: Data, client: TestClient, name: str, filters: Filters) -> None:
    """The first and last count of each column equal the numbers of crimes on the linked pages."""
    view = PAGES[name](PageRequest(data, filters))
    tried = 0
    for table in (table for section in view.sections for table in section.tables):
        for column in (column for column in table.columns if column.incidents and column.kind == "count"):
            filled = [row for row in (*table.rows, table.total or {}) if row.get(column.name)]
            counted = [row for row in filled if row.get(column.incidents)]
            for row in (counted[0], counted[-1]) if counted else ():
                text = client.get(f"/incidents?{row[column.incidents]}").text
                [count] = re.findall(r'Reported crimes</p>\s*<p class="value">([\d,]+)', text)
                assert int(count.replace(",", "")) == row[column.name], (table.name, column.name, row)
                tried += 1
    assert tried >= 2 or name == "signals"


def test_tables_are_sorted_by_their_headers_with_totals_at_the_bottom(client: TestClient) -> None:
    text = client.get("/overview?year=2016&sort=types:-arrest_rate").text
    [head] = re.findall(r'<th[^>]*aria-sort="descending"[^>]*>.*?</th>', text)
    assert "Arrest rate" in head
    assert "sort=types%3Aarrest_rate" in head, "the next click reverses it"
    found = client.get("/download/overview/types.json?year=2016&sort=types:-arrest_rate").json()["rows"]
    rates = [row["arrest_rate"] for row in found if row["arrest_rate"] is not None]
    assert rates == sorted(rates, reverse=True)
    foot = re.findall(r"<tfoot>.*?</tfoot>", client.get("/compare").text, re.DOTALL)
    assert "All selected" in foot[0]
    names = [row["name"] for row in client.get("/download/compare/spans.json").json()["rows"]]
    assert names
    assert "All selected" not in names


def test_strings_that_look_like_formulas_stay_strings() -> None:
    texts = ["=1+1", "+1", "-1", "@A1", "\t=1", "plain", "https://example.org", None]
    table = pa.table({"text": texts, "number": [-1.5] * len(texts)})
    book = openpyxl.load_workbook(io.BytesIO(downloads.FORMATS["xlsx"][1](table, "cited")))
    cells = [[(cell.value, cell.data_type, cell.hyperlink) for cell in row] for row in book.active.iter_rows(min_row=2)]
    assert [row[0] for row in cells] == [(text, "s" if text else "n", None) for text in texts]
    assert {row[1] for row in cells} == {(-1.5, "n", None)}
    read = pyarrow.csv.read_csv(io.BytesIO(downloads.FORMATS["csv"][1](table, "cited"))).to_pylist()
    assert [row["text"] for row in read] == ["'=1+1", "'+1", "'-1", "'@A1", "'\t=1", "plain", "https://example.org", ""]
    assert {row["number"] for row in read} == {-1.5}
    assert [row["text"] for row in json.loads(downloads.FORMATS["json"][1](table, "cited"))["rows"]] == texts


def test_file_names_include_filters_days_and_snapshot(client: TestClient, data: Data) -> None:
    for address, name in {
        "incidents/blocks.csv?type=THEFT&area=41&year=2015&arrest=no": (
            "incidents-blocks-theft-hyde-park-arrest-flag-not-set-2015"
        ),
        "when/hours.csv?finish=2015-05-31": "when-hours-2014-to-2015-05-31",
        "compare/spans.csv?end=2015-06-30": "compare-spans-to-2015-06-30",
        "compare/by-year.csv?end=2015-06-30": "compare-by-year-2014-2016",
        "compare/spans.csv?start=2015-01-01&finish=2015-12-31": "compare-spans-2016",  # which do not apply
        "data/checks.csv?year=2015&type=THEFT": "data-checks-2015",
        "signals/days_28.csv?ward=24&finish=2015-12-31": "signals-days_28-2016",
    }.items():
        header = client.get(f"/download/{address}").headers["content-disposition"]
        assert f'"chicago-crime-{name}-{data.catalog.snapshot}-SYNTHETIC.csv"' in header


def test_only_embedded_charts_may_be_framed(client: TestClient) -> None:
    chart = client.get("/embed/overview/trend?year=2016")
    assert "frame-ancestors *" in chart.headers["content-security-policy"]
    assert 'data-chart="trend"' in chart.text
    assert "SYNTHETIC" in chart.text
    of_table = "counts were tested together"
    assert of_table in client.get("/overview?year=2016").text and of_table not in chart.text
    missing = client.get("/embed/overview/trend?start=2016-04-01&finish=2016-04-30")
    assert missing.status_code == 404
    assert "There is no chart or map &#39;trend&#39; on the page &#39;overview&#39; with these filters." in missing.text
    for address in ("/", "/overview", "/incidents", "/embed/overview/nothing"):
        assert "frame-ancestors 'none'" in client.get(address).headers["content-security-policy"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Burglaries in the Loop, 2014-2016", Filters(type=("BURGLARY",), area=(32,), year=(2014, 2015, 2016))),
        ("beat 2012 2016", Filters(beat=(2012,), year=(2016,))),
        ("beat 1834 violent arrest", Filters(beat=(1834,), offense_class=("violent",), arrest=True)),
        ("thefts from a car in the 7th district", Filters(group=("theft_from_vehicle",), district=(7,))),
        ("shoplifting near north", Filters(group=("retail_theft",), area=(8,))),
        ("robbery at hyde park, burglary by ward 24", Filters(type=("BURGLARY", "ROBBERY"), area=(41,), ward=(24,))),
        ("domestic batteries", Filters(type=("BATTERY",), domestic=True)),
        ("non-domestic thefts", Filters(type=("THEFT",), domestic=False)),
        ("domestic violence", Filters(group=("domestic_violence",))),
        ("no arrest burglary", Filters(type=("BURGLARY",), arrest=False)),
        ("thefts in apr 2016", Filters(type=("THEFT",), start=date(2016, 4, 1), finish=date(2016, 4, 30))),
        ("2016-02", Filters(start=date(2016, 2, 1), finish=date(2016, 2, 29))),
        ("loop since March 2015", Filters(area=(32,), start=date(2015, 3, 1))),
        ("homicides in the city of Chicago", Filters(type=("HOMICIDE",))),
        ("property damage, Lakeview", Filters(type=("CRIMINAL DAMAGE",), area=(6,))),
        ("assault at hotel", Filters(type=("ASSAULT",), location=("HOTEL/MOTEL",))),
        ("apartment burglary", Filters(type=("BURGLARY",), location=("APARTMENT", "CHA APARTMENT"))),
        ("vehicle break-ins", Filters(group=("theft_from_vehicle",))),
        ("theft between 2014 and 2016", Filters(type=("THEFT",), year=(2014, 2015, 2016))),
        ("theft January to March 2016", Filters(type=("THEFT",), start=date(2016, 1, 1), finish=date(2016, 3, 31))),
        ("March 2015 \u2013 2016", Filters(start=date(2015, 3, 1), finish=date(2016, 12, 31))),
        ("after July 4th, 2016", Filters(start=date(2016, 7, 5))),
        ("before 2015", Filters(finish=date(2014, 12, 31))),
        ("until 7/4/2016", Filters(finish=date(2016, 7, 4))),
        ("2016-07-04", Filters(start=date(2016, 7, 4), finish=date(2016, 7, 4))),
        ("wards 24 and 28 2016", Filters(ward=(24, 28), year=(2016,))),
        ("1st or 2nd police district", Filters(district=(1, 2))),
        ("001XX N STATE ST", Filters(block=("001XX N STATE ST",))),
        ("robbery at 2035 N. Clark Street 2016", Filters(type=("ROBBERY",), block=("020XX N CLARK ST",), year=(2016,))),
        ("900 block of South Michigan Avenue", Filters(block=("009XX S MICHIGAN AVE",))),
    ],
)
def test_words_become_filters(data: Data, text: str, expected: Filters) -> None:
    assert understand(text, data) == (expected, [], [])


@pytest.mark.parametrize(
    ("text", "expected", "unknown"),
    [
        ("hyde park -theft -2015", Filters(area=(41,)), ["not theft", "not 2015"]),
        ("without theft or the burglaries, loop", Filters(area=(32,)), ["without theft", "without burglaries"]),
        ("non-criminal except", Filters(type=("NON-CRIMINAL",)), ["except"]),
        ("homocide lincon park", Filters(), ["homocide lincon park (closest: HOMICIDE, Lincoln Park)"]),
        ("thefts on State Street 2016", Filters(type=("THEFT",), year=(2016,)), ["State Street"]),
        ("Back of the Yards", Filters(), ["Back of the Yards"]),
        (
            "lincon park and burgalry",
            Filters(),
            ["lincon park (closest: Lincoln Park)", "burgalry (closest: BURGLARY)"],
        ),
    ],
)
def test_other_words_are_listed_as_typed(data: Data, text: str, expected: Filters, unknown: list[str]) -> None:
    assert understand(text, data) == (expected, unknown, [])


def test_a_search_adds_to_the_filters_and_names_unknown_words(client: TestClient) -> None:
    chosen = "map=cells&year=2016&district=11&type=THEFT&start=2016-02-01&page=3"
    page = client.get(f"/where?{chosen}").text
    [form] = re.findall(r'<form class="search".*?</form>', page, re.DOTALL)
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form))
    page = client.get("/where", params={"q": "robbery 2015", **fields}).text
    [report] = re.findall(r'href="/report\?([^"]*)"', page)
    assert html.unescape(report) == "year=2015&type=ROBBERY&district=11&map=cells"
    text = client.get("/incidents", params={"q": "theft xyzzy 2016 <b>"}).text
    assert "Not recognized: xyzzy, b." in text
    assert "Remove the filter Theft" in text
    assert "Not recognized: beat." in client.get("/overview", params={"q": "beat 2016"}).text, "no beat has that number"
    assert "Not recognized: homocide (closest: HOMICIDE)" in client.get("/overview", params={"q": "homocide"}).text
    assert "the maximum is 500. Shorten it." in client.get("/overview", params={"q": "theft " * 100}).text
    assert "There is no year &#39;1999&#39;" in client.get("/overview", params={"q": "theft 1999"}).text
