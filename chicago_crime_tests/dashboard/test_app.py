"""Tests of `chicago_crime/dashboard/app.py`: pages, downloads, and what goes wrong, told kindly."""

import io
import re
import shutil
from pathlib import Path

import duckdb
import pyarrow.csv
import pyarrow.parquet
import pytest
from starlette.testclient import TestClient

from chicago_crime.dashboard.app import PAGES
from chicago_crime.settings import Settings, load_settings
from chicago_crime.storage.local.duckdb_warehouse import DuckDBWarehouse
from chicago_crime.tables import CRIMES_MONTHLY
from chicago_crime_tests.dashboard.conftest import client_of, data_of
from chicago_crime_tests.support import crimes_of_months, folder_settings, run_well, write_csv


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("query", ["", "?year=2016&area=25&type=THEFT&arrest=no&source_labels=yes&end=2016-06-30"])
def test_every_page_says_that_sample_data_is_synthetic(client: TestClient, page: str, query: str) -> None:
    answer = client.get(f"/{page}{query}")
    assert answer.status_code == 200
    assert "<strong>SYNTHETIC</strong> The rows of 2014-2016 are made up" in answer.text
    assert "SYNTHETIC" in re.findall("<title>(.*)</title>", answer.text)[0]


@pytest.mark.parametrize("page", PAGES)
def test_every_table_can_be_downloaded_as_shown(client: TestClient, page: str) -> None:
    text = client.get(f"/{page}?year=2016&map=hot_spots").text
    links = re.findall(r'href="(/download/[^"]+)"', text)
    assert len(links) >= 2
    for link in links:
        answer = client.get(link.replace("&amp;", "&"))
        assert answer.status_code == 200
        assert "-SYNTHETIC." in answer.headers["content-disposition"]
        read = pyarrow.csv.read_csv if ".csv" in link else pyarrow.parquet.read_table
        table = read(io.BytesIO(answer.content))
        assert table["data"].unique().to_pylist() == ["SYNTHETIC"]
        name = link.split("/")[3].split(".")[0]
        summary = rf'data-table="{name}">\s*<summary>.*?<span class="count">([\d,]+) rows?</span>'
        [count] = re.findall(summary, text, re.DOTALL)
        assert table.num_rows == int(count.replace(",", ""))


def test_real_data_is_not_called_synthetic(tmp_path: Path) -> None:
    write_csv(tmp_path / "in" / "2014.csv", crimes_of_months(2014))
    settings = folder_settings(tmp_path / "data", tmp_path / "in")
    run_well(settings, 2014)
    client = client_of(settings)
    assert "SYNTHETIC" not in client.get("/overview").text
    answer = client.get("/download/overview/types.csv")
    assert "SYNTHETIC" not in answer.headers["content-disposition"]
    assert answer.text.splitlines() == ['"name","crimes","share","arrest_rate"', '"THEFT",36,1,0']


def test_a_value_with_markup_in_it_is_shown_and_not_run(client: TestClient) -> None:
    text = client.get("/overview", params={"type": "<script>alert(1)</script>", "colour": "<b>red"}).text
    assert "<SCRIPT>ALERT" not in text
    assert "<b>red" not in text
    assert "&lt;script&gt;" in text.lower()


def test_a_choice_that_cannot_be_read_is_told_and_the_rest_is_shown(client: TestClient) -> None:
    answer = client.get("/overview?year=soon&area=99&year=2016")
    assert answer.status_code == 200
    assert "“year=soon” is left out" in answer.text
    assert "“area=99” is left out" in answer.text
    assert "in 2016" in answer.text


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("/overview?year=2009", "chicago-crime run --years 2009"),
        ("/overview?type=NOTHING", "Take one of them off"),
        ("/compare?end=2003-01-01", "Choose another end date"),
        ("/where?district=31&area=1&type=RITUALISM", "Take one of them off"),
    ],
)
def test_nothing_to_show_is_a_page_that_helps(client: TestClient, address: str, told: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 200
    assert told in answer.text
    assert 'id="filters"' in answer.text


@pytest.mark.parametrize("address", ["/nowhere", "/download/overview/types.xlsx", "/download/overview/nothing.csv"])
def test_an_address_that_leads_nowhere_says_so(client: TestClient, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 404
    assert "There is no page at" in answer.text


def test_only_this_machine_is_answered(client: TestClient) -> None:
    assert client.get("/overview", headers={"host": "evil.example"}).status_code == 400


@pytest.mark.parametrize("page", PAGES)
def test_an_empty_warehouse_says_how_to_fill_it(tmp_path: Path, page: str) -> None:
    answer = client_of(load_settings(data_dir=tmp_path / "data")).get(f"/{page}")
    assert answer.status_code == 200
    assert "Nothing is loaded yet" in answer.text
    assert "chicago-crime demo" in answer.text


def copy_of(sample: Settings, tmp_path: Path) -> Settings:
    shutil.copytree(sample.data_dir, tmp_path / "data")
    return sample.model_copy(update={"data_dir": tmp_path / "data"})


def rewrite(settings: Settings, query: str) -> None:
    file = settings.data_dir / "warehouse" / "crimes_monthly" / "2015.parquet"
    fresh = file.with_suffix(".new")
    rows = query.format(old=f"'{file}'")
    duckdb.execute(f"COPY ({rows}) TO '{fresh}' (FORMAT parquet)")
    fresh.replace(file)


def test_a_table_of_an_older_version_says_how_to_renew_it(sample: Settings, tmp_path: Path) -> None:
    settings = copy_of(sample, tmp_path)
    rewrite(settings, "SELECT year, month, offense_class, crimes FROM {old}")
    answer = client_of(settings).get("/overview")
    assert answer.status_code == 200
    assert "chicago-crime run --years 2015 --assets crimes_monthly" in answer.text
    warehouse = data_of(settings).warehouse
    assert isinstance(warehouse, DuckDBWarehouse)
    assert warehouse.outdated(CRIMES_MONTHLY) == [2015]


def test_checks_that_end_after_their_tables_changed_are_seen(sample: Settings, tmp_path: Path) -> None:
    data = data_of(sample)
    data.dagster_home = tmp_path / "dagster"
    assert data.checks() == []
    shutil.copytree(sample.home, data.dagster_home)  # the checks of the run end; no table changes with them
    assert {check.passed for check in data.checks()} == {True}


def test_a_year_that_is_replaced_is_seen_without_a_restart(
    sample: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chicago_crime.dashboard.data.SECONDS_BETWEEN_LOOKS", 0)
    settings = copy_of(sample, tmp_path)
    client = client_of(settings)
    before = client.get("/overview?year=2015").text
    assert client.get("/overview?year=2015").text == before
    rewrite(settings, "SELECT * REPLACE (crimes * 2 AS crimes) FROM {old}")
    after = client.get("/overview?year=2015").text
    [was, now] = [int(re.findall(r'class="value">([\d,]+)<', text)[0].replace(",", "")) for text in (before, after)]
    assert now == 2 * was > 0


def test_a_year_that_some_tables_lack_is_left_out_and_named(sample: Settings, tmp_path: Path) -> None:
    settings = copy_of(sample, tmp_path)
    (settings.data_dir / "warehouse" / "area_rates" / "2015.parquet").unlink()
    client = client_of(settings)
    assert "2014, 2016" in client.get("/overview").text
    assert "Not shown, because a table lacks them: 2015" in client.get("/data").text
