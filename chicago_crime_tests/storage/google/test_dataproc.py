"""Tests of the Spark runner on Dataproc with jobs that really run. What fails is in `test_dataproc_faults.py`."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import spark_jobs
from chicago_crime.sources.sample.source import SampleSource
from chicago_crime.storage.local.duckdb_warehouse import DuckDBWarehouse
from chicago_crime.tables import CRIMES, RAW_CRIMES, TABLES
from chicago_crime_tests.end_to_end.test_engines import assert_same_rows, java_home
from chicago_crime_tests.servers.dataproc_programs import connector_jar
from chicago_crime_tests.storage.google.dataproc_support import (
    ROWS,
    YEARS,
    Cloud,
    Ran,
    cloud_in,
    nothing_is_left,
    start,
)
from chicago_crime_tests.support import program_missing

pytestmark = pytest.mark.filterwarnings("ignore:AssetExecutionContext.run_id is deprecated")  # Dagster uses it


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with cloud_in(tmp_path_factory.mktemp("cloud"), "sail") as made:
        yield made


@pytest.fixture(scope="module")
def runs(cloud: Cloud) -> dict[str, Ran]:
    """A run in each mode."""
    return {mode: start(cloud, cloud.spark(dataproc_mode=mode)) for mode in ("cluster", "serverless")}


def assert_copied(ran: Ran) -> None:
    assert ran.success, ran.reason
    assert sorted(ran.tables["copies"]["id"].to_pylist()) == [100 * year + n for year in YEARS for n in range(ROWS)]


@pytest.mark.parametrize("mode", ["cluster", "serverless"])
def test_a_run_has_the_output_of_its_job(runs: dict[str, Ran], mode: str) -> None:
    assert_copied(runs[mode])
    report = runs[mode].report
    assert report and str(report.about["dataproc"].value).startswith("https://console.cloud.google.com/dataproc/")


@pytest.mark.java
def test_apache_spark_with_googles_connector_makes_the_same_tables(tmp_path: Path) -> None:
    java_home()
    if connector_jar() is None:
        program_missing("Google's connector is missing: uv pip install --no-deps pyspark-gcs==2.2.6.1")

    def fill(folder: Path) -> None:
        folder.mkdir(parents=True)
        pq.write_table(crimes, folder / "crimes.parquet")

    crimes = typed_crimes(tmp_path)
    with cloud_in(tmp_path / "sail", "sail") as embedded, cloud_in(tmp_path / "jvm", "jvm") as other:
        ours, theirs = (
            start(each, replace(each.spark(), programs=Path(spark_jobs.__path__[0])), job="enrich_crimes", fill=fill)
            for each in (embedded, other)
        )
    assert (ours.success, theirs.success) == (True, True), f"{ours.reason}\n{theirs.reason}\n{theirs.log}"
    assert sorted(ours.tables) == ["crime_type_count", "crimes_daily", "enriched_crimes", "hot_spots"]
    for name, rows in ours.tables.items():
        assert_same_rows(TABLES[name], rows, theirs.tables[name])


def typed_crimes(folder: Path) -> pa.Table:
    warehouse = DuckDBWarehouse(folder=folder / "warehouse", staging=folder / "staging", threads=2, memory="500MB")
    warehouse.load_csv(RAW_CRIMES, 2021, str(SampleSource(rows=300).fetch(2021, folder).path), "")
    warehouse.replace_year(CRIMES, 2021)
    return warehouse.query("SELECT * FROM crimes")


def test_all_years_share_one_private_cluster_that_does_not_stay(cloud: Cloud, runs: dict[str, Ran]) -> None:
    [created] = [json.loads(request.body) for request in cloud.dataproc.calls if request.call == "clusters.create"]
    assert len(cloud.dataproc.dataproc.jobs) == 1
    assert runs["cluster"].live_at_load == []
    config = created["config"]
    assert config["gceClusterConfig"]["internalIpOnly"] is True
    assert all(config["gceClusterConfig"]["shieldedInstanceConfig"].values())  # new organizations refuse other machines
    assert config["gceClusterConfig"]["serviceAccount"] == cloud.settings.dataproc_service_account
    assert config["gceClusterConfig"]["subnetworkUri"] == cloud.settings.dataproc_subnet
    assert config["lifecycleConfig"] == {"idleDeleteTtl": "600s", "autoDeleteTtl": "7200s"}
    assert config["softwareConfig"]["imageVersion"].startswith("3.0-")
    assert (config["masterConfig"]["numInstances"], config["workerConfig"]["numInstances"]) == (1, 2)
    assert created["labels"]["asset"] == "copies"
    assert created["labels"]["run"].replace("-", "") in created["clusterName"]


def test_a_batch_has_a_time_limit_an_account_and_our_bucket(cloud: Cloud, runs: dict[str, Ran]) -> None:
    [created] = [json.loads(request.body) for request in cloud.dataproc.calls if request.call == "batches.create"]
    execution = created["environmentConfig"]["executionConfig"]
    assert execution["ttl"] == "7200s"
    assert execution["serviceAccount"] == cloud.settings.dataproc_service_account
    assert execution["stagingBucket"] == cloud.settings.gcs_staging_bucket
    assert created["runtimeConfig"]["version"] == "3.0"


def test_only_the_programs_stay_and_are_uploaded_once(cloud: Cloud, runs: dict[str, Ran]) -> None:
    assert nothing_is_left(cloud)
    uploads = [name for _, name, _ in cloud.storage.buckets.written if name.startswith("jobs/")]
    assert sorted(name.rpartition(".")[2] for name in uploads) == ["csv", "csv", "csv", "py"]


def test_a_failed_job_is_reported_with_the_end_of_its_log_and_leaves_nothing(cloud: Cloud) -> None:
    ran = start(cloud, cloud.spark(), fill=lambda folder: None)
    assert not ran.success
    assert "ended as ERROR" in ran.reason
    assert "The end of its log" in ran.reason and "Traceback" in ran.reason
    assert "https://console.cloud.google.com/dataproc/jobs/copies-" in ran.reason
    assert nothing_is_left(cloud)
