"""The dashboard after a run in the cloud: its pages equal those of a laptop with the same rows, without BigQuery."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from dagster import AssetKey
from starlette.testclient import TestClient

from chicago_crime.dashboard.filters import Filters
from chicago_crime.dashboard.page_request import PageRequest
from chicago_crime.dashboard.pages.data import data_page
from chicago_crime.graph.assets.dashboard import REPORTED
from chicago_crime.graph.instance import open_instance
from chicago_crime.installation import Installation
from chicago_crime.settings import Settings, load_settings
from chicago_crime.sources.sample.source import SampleSource
from chicago_crime_tests.dashboard.conftest import client_of, data_of, rows
from chicago_crime_tests.end_to_end.cloud import Cloud, cloud_in
from chicago_crime_tests.support import folder_settings, run_well

YEARS = (2013, 2014, 2015)


@dataclass
class Both:
    """The same rows on Google Cloud and on a laptop, each with its dashboard."""

    cloud: Cloud
    settings: dict[str, Settings]
    clients: dict[str, TestClient]

    def pages(self, address: str) -> list[str]:
        """A page from each."""
        answers = [client.get(address) for client in self.clients.values()]
        assert [answer.status_code for answer in answers] == [200, 200], [answer.text[-2000:] for answer in answers]
        ids = [Installation(one).reader().catalog.snapshot for one in self.settings.values()]
        return [answer.text.replace(snapshot, "ID") for answer, snapshot in zip(answers, ids, strict=True)]


def write_years(folder: Path) -> None:
    """Write years of the sample as files of a folder, so that they count as real."""
    for year in YEARS:
        (folder / str(year)).mkdir(parents=True)
        SampleSource(rows=1500).fetch(year, folder / str(year)).path.rename(folder / f"{year}.csv")


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder = tmp_path_factory.mktemp("dashboards")
    write_years(folder / "in")
    with pytest.MonkeyPatch.context() as patch, cloud_in(folder) as cloud:
        patch.setenv("NO_PROXY", "127.0.0.1,localhost")
        laptop = folder_settings(folder / "laptop", folder / "in")
        run_well(laptop, *YEARS)
        ended = cloud.command("run", "--years", "2013-2015", "--folder", str(folder / "in"))
        assert ended.code == 0, ended.output
        with patch.context() as inner:
            for name, value in cloud.environment.items():
                inner.setenv(name, value)
            on_google = load_settings(source="folder", folder=folder / "in")
        settings = {"cloud": on_google, "laptop": laptop}
        yield Both(cloud, settings, {where: client_of(one) for where, one in settings.items()})


PAGES = ("overview", "where", "where?map=cells", "where?map=hot_spots", "when", "compare")


def choices() -> Iterator[Filters]:
    """Filters, alone and combined; the same ones every time."""
    yield Filters()
    dice = random.Random(5)
    for number in range(12):
        yield Filters(
            year=tuple(sorted(dice.sample(YEARS, dice.randrange(1, 4)))) if number % 2 else (),
            offense_class=tuple(dice.sample(["violent", "property", "non_index"], 2)) if number % 3 == 0 else (),
            type=tuple(dice.sample(["THEFT", "BATTERY", "CRIM SEXUAL ASSAULT"], 2)) if number % 4 == 1 else (),
            area=tuple(sorted(dice.sample(range(1, 78), 40))) if number % 5 == 2 else (),
            district=tuple(sorted(dice.sample(range(1, 26), 15))) if number % 5 == 3 else (),
            arrest=dice.choice([None, True, False]),
            domestic=dice.choice([None, None, True, False]),
            source_labels=number % 6 == 1,
            measure=dice.choice(["count", "rate"]),
            rows=dice.choice(["area", "district", "type"]),
            end=dice.choice([None, date(2015, 3, 1), date(2014, 12, 31), date(2015, 10, 17)]),
        )


@pytest.mark.parametrize("page", PAGES)
def test_pages_are_equal_under_any_filters(both: Both, page: str) -> None:
    shown = set()
    for filters in choices():
        address = f"/{page}{'&' if '?' in page else '?'}{filters.query()}"
        on_google, on_laptop = both.pages(address)
        assert on_google == on_laptop, address
        shown.add(on_google)
    assert len(shown) >= 11


def test_the_page_data_has_the_same_rows(both: Both) -> None:
    views = [data_page(PageRequest(data_of(one), Filters(year=(2013, 2015)))) for one in both.settings.values()]
    for name in ("layers", "checks"):
        on_google, on_laptop = (rows(view, name) for view in views)
        assert on_google == on_laptop, name


def test_pages_ask_bigquery_nothing_and_fetch_each_file_once(both: Both) -> None:
    for page in ("overview", "where", "when", "compare", "data"):
        assert both.clients["cloud"].get(f"/{page}").status_code == 200
    for server in both.cloud.servers.values():
        server.requests.clear()
    again = client_of(both.settings["cloud"])
    for page in ("overview", "where", "when", "compare", "data"):
        assert again.get(f"/{page}").status_code == 200
    assert both.cloud.bigquery.calls == []
    fetched = [call.path for call in both.cloud.storage.calls if call.query.get("alt") == "media"]
    assert fetched
    assert all("catalog.json" in path for path in fetched)


@pytest.mark.parametrize("content", [b"", None], ids=["empty", "other bytes"])
def test_a_damaged_copy_of_a_file_is_fetched_again(both: Both, content: bytes | None) -> None:
    before = both.clients["cloud"].get("/data").text
    [file] = (both.cloud.data / "snapshots" / "published" / "data" / "rejected_crimes" / "2014").iterdir()
    size = file.stat().st_size
    file.chmod(0o600)
    file.write_bytes(b"x" * size if content is None else content)
    assert client_of(both.settings["cloud"]).get("/data").text == before


def test_the_link_to_looker_studio_names_existing_tables(both: Both) -> None:
    with open_instance(both.settings["cloud"]) as instance:
        event = instance.get_latest_materialization_event(AssetKey("looker_studio_report"))
    assert event and event.asset_materialization
    url = str(event.asset_materialization.metadata["report"].value)
    parameters = dict(parse_qsl(urlsplit(url).query, strict_parsing=True))
    assert parameters["r.reportName"] == "Chicago crime", "no row is of the sample"
    for number, table in enumerate(REPORTED):
        source = f"ds.ds{number}"
        assert parameters[f"{source}.projectId"] == both.settings["cloud"].gcp_project
        catalog = both.cloud.bigquery.catalog
        live = catalog.find(parameters[f"{source}.datasetId"], parameters[f"{source}.tableId"])
        assert live.name == table.name
        assert catalog.size(live)[0] > 0
