"""Tests of `chicago_crime/resources/dataproc.py`: jobs that really run. `test_dataproc_faults.py` has what fails."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from dagster import DagsterInstance, Definitions, build_asset_context
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG

from chicago_crime.graph.assets.spark import enrich_crimes
from chicago_crime.graph.progress import ignore_progress
from chicago_crime.storage.local.duckdb_warehouse import DuckDBWarehouse
from chicago_crime.storage.local.spark import EmbeddedSpark
from chicago_crime.storage.warehouse import TableYear
from chicago_crime.tables import CRIMES, Table
from chicago_crime_tests.end_to_end.test_engines import java_home
from chicago_crime_tests.storage.google.dataproc_support import (
    BUCKET,
    TABLES,
    YEARS,
    Cloud,
    Ran,
    arguments,
    cloud_in,
    rows_of,
    start,
    write_crimes,
)

pytestmark = pytest.mark.filterwarnings("ignore:AssetExecutionContext.run_id is deprecated")  # Dagster's own use


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with cloud_in(tmp_path_factory.mktemp("cloud"), "sail") as made:
        yield made


@pytest.fixture(scope="module")
def ran(cloud: Cloud) -> Ran:
    """A run on a cluster. It is the first one there is."""
    return start(cloud, cloud.spark())


@pytest.fixture(scope="module")
def ran_as_batch(cloud: Cloud) -> Ran:
    return start(cloud, cloud.spark(dataproc_mode="serverless"))


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """What the embedded engine makes of the same crimes."""
    spark, context = EmbeddedSpark(tmp_path_factory.mktemp("embedded"), threads=2), build_asset_context()
    with spark.workspace(context, "enrich_crimes") as workspace:
        write_crimes(Path(workspace.input))
        spark.run(context, "enrich_crimes", **arguments(workspace))
        return dict(rows_of(Path(workspace.output)))


def test_the_tables_are_those_of_the_embedded_engine(ran: Ran, ours: dict) -> None:
    assert ran.success, ran.reason
    assert ran.tables == ours
    assert all(len(ours["enriched_crimes", year]) == 60 for year in YEARS)


def test_a_batch_makes_the_same_tables(ran_as_batch: Ran, ours: dict) -> None:
    assert ran_as_batch.success, ran_as_batch.reason
    assert ran_as_batch.tables == ours


def test_all_years_share_one_cluster_which_is_gone_before_the_tables_are_loaded(cloud: Cloud, ran: Ran) -> None:
    assert len(cloud.dataproc.dataproc.clusters_made) == 1
    assert len(cloud.dataproc.dataproc.jobs) == 1
    assert ran.live_at_load == []


def test_the_cluster_is_private_and_google_deletes_it_if_we_die(cloud: Cloud, ran: Ran) -> None:
    [created] = [json.loads(asked.body) for asked in cloud.dataproc.calls if asked.call == "clusters.create"]
    config = created["config"]
    assert config["gceClusterConfig"]["internalIpOnly"] is True
    assert config["gceClusterConfig"]["serviceAccount"] == cloud.settings.dataproc_service_account
    assert config["gceClusterConfig"]["subnetworkUri"] == cloud.settings.dataproc_subnet
    assert config["lifecycleConfig"] == {"idleDeleteTtl": "600s", "autoDeleteTtl": "7200s"}
    assert config["softwareConfig"]["imageVersion"].startswith("3.0-")
    assert (config["masterConfig"]["numInstances"], config["workerConfig"]["numInstances"]) == (1, 2)
    assert created["labels"]["asset"] == "enrich_crimes"
    assert created["labels"]["run"].replace("-", "") in created["clusterName"]


@pytest.mark.parametrize("how", ["ran", "ran_as_batch"])
def test_the_job_tells_of_every_table_and_year(how: str, request: pytest.FixtureRequest) -> None:
    ran: Ran = request.getfixturevalue(how)
    assert ran.report
    assert ran.report.told.keys() == {(table, year) for table in TABLES for year in YEARS}
    assert {key: told["job_rows"] for key, told in ran.report.told.items()} == {
        key: len(rows) for key, rows in ran.tables.items()
    }
    assert all(told["job_seconds"] > 0 for told in ran.report.told.values())
    assert "enrich_crimes runs on Spark 4" in ran.log


def test_nothing_is_left_but_the_programs(cloud: Cloud, ran: Ran, ran_as_batch: Ran) -> None:
    batch_output = [name for name in cloud.staged() if "srvls-batch" in name]
    assert cloud.staged() == batch_output  # if it printed anything; a rule of the bucket removes it after a week
    assert list(cloud.settings.data_dir.glob("dataproc/*")) == []


def test_programs_are_uploaded_once_under_a_name_that_tells_their_content(
    cloud: Cloud, ran: Ran, ran_as_batch: Ran
) -> None:
    uploads = [name for _, name, _ in cloud.storage.buckets.written if name.startswith("jobs/")]
    assert sorted(name.rpartition("/")[2] for name in uploads) == [
        "community_areas.csv",
        "comparable_types.csv",
        "dagster_pipes.py",
        "enrich_crimes.py",
        "fbi_codes.csv",
        "with_pipes.py",
    ]


def test_a_batch_needs_no_cluster_and_ends_in_time(cloud: Cloud, ran_as_batch: Ran) -> None:
    assert cloud.calls("clusters.create") <= 1  # that of the other run
    [created] = [json.loads(asked.body) for asked in cloud.dataproc.calls if asked.call == "batches.create"]
    assert created["environmentConfig"]["executionConfig"]["ttl"] == "7200s"
    assert created["environmentConfig"]["executionConfig"]["serviceAccount"]
    assert created["environmentConfig"]["executionConfig"]["stagingBucket"] == cloud.settings.gcs_bucket
    assert created["runtimeConfig"]["version"] == "3.0"


def test_what_the_driver_prints_comes_while_the_job_runs(cloud: Cloud, tmp_path: Path) -> None:
    (tmp_path / "chatty.py").write_text(
        "import time\n"
        "def main(options, spark, tell):\n"
        "    for n in range(200):\n"
        "        print(f'line {n} of the Straße', flush=True)\n"
        "    time.sleep(1)\n"
        "    print('no end of line', end='', flush=True)\n"
    )
    ran = start(cloud, replace(cloud.spark(), programs=tmp_path), job="chatty")
    assert ran.success, ran.reason
    for n in range(200):
        assert ran.log.count(f"line {n} of the Straße\n") == 1
    assert "no end of line" in ran.log
    assert ran.log.index("line 199 of") < ran.log.index("is DONE") < ran.log.index("no end of line")


def test_a_job_tells_through_apache_spark_too(tmp_path: Path) -> None:
    java_home()
    (tmp_path / "tiny.py").write_text(
        "def main(options, spark, tell):\n"
        "    tell({'table': 'tiny', 'year': 2014, 'rows': spark.range(7).count(), 'seconds': 0.5})\n"
    )
    with cloud_in(tmp_path, "jvm") as cloud:
        ran = start(cloud, replace(cloud.spark(), programs=tmp_path), job="tiny")
    assert ran.success, ran.reason
    assert ran.report and ran.report.told == {("tiny", 2014): {"job_rows": 7, "job_seconds": 0.5}}


def test_the_asset_has_what_the_job_told_in_each_years_metadata(cloud: Cloud, tmp_path: Path) -> None:
    class Warehouse(DuckDBWarehouse):  # whose addresses in the bucket are folders of the storage server
        def export_parquet(self, table: Table, years: Sequence[int], folder: str) -> None:
            cloud.local(folder).mkdir(parents=True)
            super().export_parquet(table, years, str(cloud.local(folder)))

        def load_parquet(self, table: Table, year: int, folder: str) -> TableYear:
            return super().load_parquet(table, year, str(cloud.local(folder)))

    warehouse = Warehouse(tmp_path / "warehouse", tmp_path / "staging", 2, "200MB")
    for year in YEARS[:2]:
        write_crimes(tmp_path / str(year), (year,))
        DuckDBWarehouse.load_parquet(warehouse, CRIMES, year, str(tmp_path / str(year)))
    with DagsterInstance.ephemeral() as instance:
        definitions = Definitions(
            [enrich_crimes], resources={"spark": cloud.spark(), "warehouse": warehouse, "listener": ignore_progress}
        )
        tags = {ASSET_PARTITION_RANGE_START_TAG: "2014", ASSET_PARTITION_RANGE_END_TAG: "2015"}
        job = definitions.resolve_implicit_global_asset_job_def()
        result = job.execute_in_process(instance=instance, tags=tags)
    told = {
        (event.asset_key.to_user_string(), int(event.partition or 0)): event.materialization.metadata
        for event in result.get_asset_materialization_events()
        if event.asset_key
    }
    assert told.keys() == {(table, year) for table in TABLES for year in YEARS[:2]}
    for metadata in told.values():
        assert metadata["job_rows"].value == metadata["partition_row_count"].value > 0
        assert metadata["job_seconds"].value > 0
        assert metadata["spark_engine"].value == "dataproc"
        assert str(metadata["dataproc"].value).startswith("https://console.cloud.google.com/dataproc/jobs/")


def test_a_job_that_fails_is_told_with_the_end_of_its_log_and_leaves_nothing(cloud: Cloud) -> None:
    ran = start(cloud, cloud.spark(), fill=lambda folder: None)
    assert not ran.success
    assert "ended as ERROR" in ran.reason
    assert "The end of its log" in ran.reason and "Traceback" in ran.reason
    assert "https://console.cloud.google.com/dataproc/jobs/enrich-crimes-" in ran.reason
    assert cloud.dataproc.live_clusters() == []
    assert not [name for name in cloud.storage.names(BUCKET) if name.startswith("staging/")]
