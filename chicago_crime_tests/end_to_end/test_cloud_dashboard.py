"""The dashboard after a run in the cloud: its pages equal those of a laptop with the same rows, without BigQuery."""

from collections.abc import Iterator
from itertools import product
from urllib.parse import parse_qsl, urlsplit

import pytest
from dagster import AssetKey

from chicago_crime.graph.assets.dashboard import REPORTED
from chicago_crime.graph.instance import open_instance
from chicago_crime.installation import Installation
from chicago_crime.sources.sample.source import SampleSource
from chicago_crime_tests.dashboard.conftest import client_of
from chicago_crime_tests.end_to_end.cloud import Cloud, cloud_in
from chicago_crime_tests.support import folder_settings, run_well


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A cloud with two years, and the same years on a laptop in the folder `laptop`."""
    folder = tmp_path_factory.mktemp("dashboards")
    (folder / "in").mkdir()
    for year in (2014, 2015):
        (folder / "made" / str(year)).mkdir(parents=True)
        file = SampleSource(rows=1500).fetch(year, folder / "made" / str(year)).path
        file.rename(folder / "in" / f"{year}.csv")
    run_well(folder_settings(folder / "laptop", folder / "in"), 2014, 2015)
    with pytest.MonkeyPatch.context() as patch, cloud_in(folder) as cloud:
        patch.setenv("NO_PROXY", "127.0.0.1,localhost")
        ended = cloud.command("run", "--years", "2014-2015", "--folder", str(folder / "in"))
        assert ended.code == 0, ended.output
        yield cloud


PAGES = ("overview", "where", "where?map=cells", "where?map=hot_spots", "when", "compare")
CHOICES = ("", "year=2014&offense_class=violent&measure=rate&rows=district", "area=25&area=32&arrest=no&end=2015-03-01")


def test_pages_equal_those_of_a_laptop_and_ask_bigquery_nothing(cloud: Cloud) -> None:
    places = cloud.settings, folder_settings(cloud.folder / "laptop", cloud.folder / "in")
    ids = [Installation(one).reader().catalog.snapshot for one in places]
    cloud.forget_calls()
    clients = [client_of(one) for one in places]
    for page, choice in product(PAGES, CHOICES):
        address = f"/{page}{'&' if '?' in page else '?'}{choice}"
        answers = [client.get(address) for client in clients]
        assert [answer.status_code for answer in answers] == [200, 200], address
        on_google, on_laptop = (answer.text.replace(id_, "ID") for answer, id_ in zip(answers, ids, strict=True))
        assert on_google == on_laptop, address
    assert cloud.bigquery.calls == []


@pytest.mark.parametrize("content", [b"", None], ids=["empty", "other bytes"])
def test_each_file_is_fetched_once_and_again_if_its_copy_is_damaged(cloud: Cloud, content: bytes | None) -> None:
    before = client_of(cloud.settings).get("/data").text
    cloud.forget_calls()
    assert client_of(cloud.settings).get("/data").text == before
    fetched = [call.path for call in cloud.storage.calls if call.query.get("alt") == "media"]
    assert fetched and all("catalog.json" in path for path in fetched)
    [file] = (cloud.data / "snapshots" / "published" / "data" / "rejected_crimes" / "2014").iterdir()
    size = file.stat().st_size
    file.chmod(0o600)
    file.write_bytes(b"x" * size if content is None else content)
    assert client_of(cloud.settings).get("/data").text == before


def test_the_link_to_looker_studio_names_existing_tables(cloud: Cloud) -> None:
    with open_instance(cloud.settings) as instance:
        event = instance.get_latest_materialization_event(AssetKey("looker_studio_report"))
    assert event and event.asset_materialization
    url = str(event.asset_materialization.metadata["report"].value)
    parameters = dict(parse_qsl(urlsplit(url).query, strict_parsing=True))
    assert parameters["r.reportName"] == "Chicago crime", "no row is of the sample"
    for number, table in enumerate(REPORTED):
        source = f"ds.ds{number}"
        assert parameters[f"{source}.projectId"] == cloud.settings.gcp_project
        live = cloud.bigquery.catalog.find(parameters[f"{source}.datasetId"], parameters[f"{source}.tableId"])
        assert live.name == table.name
        assert cloud.bigquery.catalog.size(live)[0] > 0
