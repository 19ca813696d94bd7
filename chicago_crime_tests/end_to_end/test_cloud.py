"""Full runs in the cloud, on loopback: tables and pages equal those of a laptop, with few writes and one cluster."""

import shutil
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from dagster import AssetKey

from chicago_crime.graph.instance import open_instance
from chicago_crime.installation import Installation
from chicago_crime.settings import Settings
from chicago_crime.sources.sample.source import SampleSource
from chicago_crime.tables import TABLES, Table
from chicago_crime_tests.dashboard.conftest import client_of
from chicago_crime_tests.end_to_end.cloud import Cloud, cloud_in, writes_in
from chicago_crime_tests.sql.dirt import edge_rows
from chicago_crime_tests.support import append_quoted, folder_settings, run_well

YEARS = (2014, 2015)
MAX_WRITES = 130
"""For one replaced and one new year: a statement and a label for each of 13 tables, and another label for the replaced
year. In addition: 12 published files, 4 staging tables with their load jobs, 4 files of the Spark job, and the lake."""

PAGES = ("overview", "where", "where?map=cells", "where?map=hot_spots", "when", "compare")
CHOICES = ("", "year=2014&offense_class=violent&measure=rate&rows=district", "area=25&area=32&arrest=no&end=2015-03-01")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder `old` with clean years, and `new` with the same years with changed rows and additional edge cases."""
    folder = tmp_path_factory.mktemp("years")
    for name in ("old", "new"):
        (folder / name).mkdir()
    for year in YEARS:
        clean = SampleSource(rows=3000).fetch(year, folder).path
        shutil.copy(clean, folder / "old" / f"{year}.csv")
        damage = "damage\n" if year == YEARS[-1] else ""  # the quarantine of a replaced year would be one more write
        (folder / "new" / f"{year}.csv").write_text(clean.read_text().replace(",true,true,", ",false,true,") + damage)
        append_quoted(folder / "new" / f"{year}.csv", list(edge_rows()))
    return folder


@pytest.fixture(scope="module")
def laptop(folder: Path) -> Settings:
    """An installation on a laptop that loaded one old year, then the new years."""
    run_well(folder_settings(folder / "laptop", folder / "old"), 2014)
    settings = folder_settings(folder / "laptop", folder / "new")
    run_well(settings, *YEARS, accept="a test")
    return settings


@pytest.fixture(scope="module")
def cloud(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A cloud after the same runs, with the calls of the second run."""
    with pytest.MonkeyPatch.context() as patch, cloud_in(tmp_path_factory.mktemp("cloud")) as cloud:
        patch.setenv("NO_PROXY", "127.0.0.1,localhost")
        for years, files in (("2014", "old"), ("2014-2015", "new")):
            cloud.forget_calls()
            run = ("run", "--years", years, "--folder", str(folder / files), "--accept", "a test")
            ended = cloud.command(*run, CHICAGO_CRIME_DATAPROC_MODE="serverless")
            assert ended.code == 0, ended.output
        yield cloud


def differences(cloud: Cloud, laptop: Settings) -> dict[str, str]:
    """The tables whose types or rows, in any order, differ between cloud and laptop, floats to the last bit."""
    found = {}
    cursor = cloud.bigquery.catalog.database.cursor()
    for name, table in TABLES.items():
        live = cloud.bigquery.catalog.find("chicago_crime", name)
        columns = ", ".join(f'"{column.name}"' for column in table.columns)
        files = [str(laptop.data_dir / "warehouse" / name / f"{year}.parquet") for year in YEARS]
        there, here = f"SELECT {columns} FROM {live.rows_table}", f"SELECT {columns} FROM READ_PARQUET({files})"
        kinds = [cursor.sql(f"DESCRIBE {query}").fetchall() for query in (here, there)]
        rows = [cursor.sql(f"{a} EXCEPT ALL {b} LIMIT 1").fetchall() for a, b in ((here, there), (there, here))]
        if kinds[0] != kinds[1] or any(rows):
            found[name] = f"types: {kinds}; a row only on the laptop, and one only in the cloud: {rows}"
    return found


def test_each_run_gives_the_laptops_tables_with_one_batch_and_few_writes(cloud: Cloud, laptop: Settings) -> None:
    dataproc = cloud.dataproc
    assert (len(dataproc.clusters_made), len(dataproc.batches)) == (0, 2)
    writes = writes_in(cloud)
    assert len(writes) <= MAX_WRITES, sorted(writes)
    assert differences(cloud, laptop) == {}
    assert sum(cloud.crimes("raw_crimes").values()) > 5_900
    assert min(len(cloud.rows(table)) for table in ("rejected_crimes", "revisions")) > 5
    assert cloud.left() == []
    with open_instance(cloud.settings) as instance:
        metadata = instance.get_latest_materialization_event(AssetKey("enriched_crimes")).asset_materialization.metadata
    assert metadata["spark_engine"].value == "dataproc"
    assert str(metadata["dataproc"].value).startswith("https://console.cloud.google.com/dataproc/batches/")


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_both_warehouses_give_the_same_measures_and_counts(cloud: Cloud, laptop: Settings, table: Table) -> None:
    google, duckdb = (Installation(settings).warehouse for settings in (cloud.settings, laptop))
    stored = [{year: of.rows for year, of in one.stored(table).items()} for one in (google, duckdb)]
    assert stored[0] == stored[1]
    measures = {c.name: f"COUNTIF({c.name} IS NULL)" for c in table.columns} | {"year_": "COUNTIF(@year > 2014)"}
    assert google.measure(table, YEARS, measures) == duckdb.measure(table, YEARS, measures)
    if texts := [column.name for column in table.columns if column.type == "STRING"]:
        counts = [one.count_by(table, YEARS, texts[0]) for one in (google, duckdb)]
        ordered = [{year: list(of.items()) for year, of in count.items()} for count in counts]
        assert ordered[0] == ordered[1]
    assert google.outdated(table) == []


def test_pages_equal_those_of_the_laptop_without_calls_to_bigquery(cloud: Cloud, laptop: Settings) -> None:
    places = cloud.settings, laptop
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
def test_each_file_is_fetched_once_and_refetched_if_its_copy_is_damaged(cloud: Cloud, content: bytes | None) -> None:
    before = client_of(cloud.settings).get("/data").text
    cloud.forget_calls()
    assert client_of(cloud.settings).get("/data").text == before
    fetched = [call.path for call in cloud.storage.calls if call.query.get("alt") == "media"]
    assert fetched and all("catalog.json" in path for path in fetched)
    [file] = (cloud.settings.data_dir / "snapshots/published/data/rejected_crimes/2014").iterdir()
    size = file.stat().st_size
    file.chmod(0o600)
    file.write_bytes(b"x" * size if content is None else content)
    assert client_of(cloud.settings).get("/data").text == before
