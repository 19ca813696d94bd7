"""Tests of the web application: pages, downloads, and error pages."""

import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from starlette.testclient import TestClient

from chicago_crime.dashboard.app import PAGES
from chicago_crime.settings import Settings, load_settings
from chicago_crime_tests.dashboard.conftest import client_of

READERS = {
    "csv": pd.read_csv,
    "parquet": pd.read_parquet,
    "xlsx": pd.read_excel,
    "json": lambda file: pd.DataFrame(json.load(file)["rows"]),
}


@pytest.mark.parametrize("page", PAGES)
def test_pages_and_downloads_name_their_snapshot_and_synthetic_rows(client: TestClient, page: str) -> None:
    response = client.get(f"/{page}?year=2016&map=hot_spots")
    assert response.status_code == 200
    text = response.text
    assert "<strong>SYNTHETIC</strong> 2014-2016" in text and "sample or an extract" not in text
    assert "SYNTHETIC" in re.findall("<title>(.*)</title>", text)[0]
    assert all("SYNTHETIC" in title for title in re.findall("data-title='([^']*)'", text))
    [snapshot] = re.findall(r"To cite: Chicago crime snapshot (\S+), published", text)
    links = re.findall(r'href="(/download/[^"]+)"', text)
    assert len(links) >= 2
    for link in links:
        response = client.get(link.replace("&amp;", "&"))
        assert response.status_code == 200
        assert f"-{snapshot}-SYNTHETIC." in response.headers["content-disposition"]
        table = READERS[link.split("?")[0].rpartition(".")[2]](io.BytesIO(response.content))
        assert table["data"].unique().tolist() == ["SYNTHETIC"]
        name = link.split("/")[3].split(".")[0]
        summary = rf'data-table="{name}">\s*<summary>.*?<span class="count">([\d,]+) rows?</span>'
        [count] = re.findall(summary, text, re.DOTALL)
        assert len(table) == int(count.replace(",", ""))


def test_real_data_is_not_labeled_synthetic_but_as_a_sample_if_it_is_small(loaded_years: Settings) -> None:
    client = client_of(loaded_years)
    for page in ("overview", "where"):
        text = client.get(f"/{page}").text
        assert "2014-2015: fewer than 400 crimes a day, but the City reports over 500: the file is a sample" in text
        assert "SYNTHETIC" not in text
    response = client.get("/download/overview/types.csv?year=2014")
    assert "SYNTHETIC" not in response.headers["content-disposition"]
    assert response.text.splitlines() == ['"name","crimes","share","arrest_rate"', '"THEFT",36,1,0']


def test_streets_are_loaded_only_from_the_configured_address(client: TestClient, sample: Settings) -> None:
    response = client.get("/where")
    assert "http" not in response.headers["content-security-policy"]
    assert '"streets":null' in response.text
    address = "https://tiles.example.org:8443/streets/{z}/{x}/{y}.png"
    response = client_of(sample.model_copy(update={"map_tiles": address})).get("/where")
    policy = response.headers["content-security-policy"]
    assert re.findall(r"https?://\S+", policy) == ["https://tiles.example.org:8443/"]
    assert policy.endswith("img-src 'self' data: https://tiles.example.org:8443/")
    assert f'"url":"{address}"' in response.text
    assert "OpenStreetMap contributors" in response.text


def test_markup_in_a_value_is_escaped(client: TestClient) -> None:
    text = client.get("/overview", params={"type": "<script>alert(1)</script>", "color": "<b>red"}).text.lower()
    assert "<script>alert" not in text
    assert "<b>red" not in text
    assert "&lt;script&gt;" in text


@pytest.mark.parametrize(
    ("address", "hint"),
    [
        ("/overview?year=2009", "chicago-crime run --years 2009"),
        ("/overview?type=THEFTS", "there is no crime type &#39;THEFTS&#39;. Closest matches: THEFT"),
        ("/compare?end=2003-01-01", "Choose another end date"),
        ("/overview?type=ROBBERY&area=41&year=2016", "Matching years: 2014-2015."),
        ("/when?type=HOMICIDE&area=9", "match these filters. Remove a filter."),
        ("/overview?area=999&year=2016", "There is no community area &#39;999&#39;"),
        ("/overview?map=globe&year=2016", "Ignored &#39;map=globe&#39;"),
        ("/overview?year=2016&start=2015-01-01&finish=2015-12-31", "No loaded year matches these dates"),
    ],
)
def test_filters_without_a_match_show_a_hint(client: TestClient, address: str, hint: str) -> None:
    response = client.get(address)
    assert response.status_code == 200
    assert hint in response.text
    assert 'id="filters"' in response.text


def test_unknown_addresses_too_many_filter_values_and_downloads_with_invalid_filters_are_rejected(
    client: TestClient,
) -> None:
    for address in ("/nowhere", "/download/overview/types.xls", "/download/overview/nothing.csv"):
        response = client.get(address)
        assert (response.status_code, "There is no page at" in response.text) == (404, True)
    assert client.get("/overview?" + "&".join(f"type=T{n}" for n in range(100))).status_code == 200
    for address in ("/overview", "/download/overview/types.csv"):
        response = client.get(f"{address}?" + "&".join(f"type=T{n}" for n in range(4000)))
        assert response.status_code == 400
        assert "The filters have 4,000 values; the maximum is 200" in response.text
        assert len(response.content) < 10_000
    response = client.get("/download/compare/spans.csv?rows=zz")
    assert response.status_code == 400
    assert "&#39;rows=zz&#39;: choose one of area, district, ward, beat, type." in response.text


def test_an_empty_installation_shows_new_data_without_a_restart(sample: Settings, tmp_path: Path) -> None:
    client = client_of(load_settings(data_dir=tmp_path / "data"))
    for page in PAGES:
        text = client.get(f"/{page}").text
        assert "Nothing is loaded yet" in text
        assert "chicago-crime demo" in text
    assert client.get("/download/overview/types.csv").status_code == 404
    (tmp_path / "data").mkdir(exist_ok=True)
    (tmp_path / "data" / "objects").symlink_to(sample.data_dir / "objects")
    assert "Reported crimes" in client.get("/where").text


BURST = """
import sys
from concurrent.futures import ThreadPoolExecutor
from starlette.testclient import TestClient
from chicago_crime.dashboard.app import Dashboard
from chicago_crime.installation import Installation
from chicago_crime.settings import load_settings

dashboard = Dashboard(Installation(load_settings(data_dir=sys.argv[1])))
dashboard.warm_up()
one_loop = TestClient(dashboard.application(), "http://localhost", raise_server_exceptions=False)
with one_loop as client, ThreadPoolExecutor(12) as pool:
    pages = ["/data", "/overview", "/where", "/when", "/compare", "/download/data/checks.csv"] * 2
    print([response.status_code for response in pool.map(client.get, pages)])
"""


def test_a_burst_of_requests_right_after_startup_succeeds(sample: Settings) -> None:
    """In a new process, where no modules are imported yet."""
    ended = subprocess.run([sys.executable, "-c", BURST, str(sample.data_dir)], capture_output=True, text=True)
    assert ended.stdout.strip() == str([200] * 12), ended.stderr
