"""Tests of the Spark runner on Dataproc with jobs that really run. What fails is in `test_dataproc_faults.py`."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from dagster import build_asset_context

from chicago_crime.storage.local.spark import EmbeddedSpark
from chicago_crime_tests.end_to_end.test_engines import java_home
from chicago_crime_tests.storage.google.dataproc_support import (
    TABLES,
    YEARS,
    Cloud,
    Ran,
    arguments,
    cloud_in,
    nothing_is_left,
    rows_of,
    start,
    write_crimes,
)

pytestmark = pytest.mark.filterwarnings("ignore:AssetExecutionContext.run_id is deprecated")  # Dagster uses it


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with cloud_in(tmp_path_factory.mktemp("cloud"), "sail") as made:
        yield made


@pytest.fixture(scope="module")
def runs(cloud: Cloud) -> dict[str, Ran]:
    """A run in each mode."""
    return {mode: start(cloud, cloud.spark(dataproc_mode=mode)) for mode in ("cluster", "serverless")}


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """What the embedded engine computes from the same crimes."""
    spark, context = EmbeddedSpark(tmp_path_factory.mktemp("embedded"), threads=2), build_asset_context()
    with spark.workspace(context, "enrich_crimes") as workspace:
        write_crimes(Path(workspace.input))
        spark.run(context, "enrich_crimes", **arguments(workspace))
        return dict(rows_of(Path(workspace.output)))


@pytest.mark.parametrize("mode", ["cluster", "serverless"])
def test_a_run_computes_the_tables_of_the_embedded_engine_and_reports_them(
    runs: dict[str, Ran], expected: dict, mode: str
) -> None:
    ran = runs[mode]
    assert ran.success, ran.reason
    assert ran.tables == expected
    assert all(len(expected["enriched_crimes", year]) == 60 for year in YEARS)
    assert ran.report
    assert ran.report.told.keys() == {(table, year) for table in TABLES for year in YEARS}
    assert {key: of["job_rows"] for key, of in ran.report.told.items()} == {k: len(v) for k, v in expected.items()}
    assert all(of["job_seconds"] > 0 for of in ran.report.told.values())
    assert str(ran.report.about["dataproc"].value).startswith("https://console.cloud.google.com/dataproc/")
    assert "enrich_crimes runs on Spark 4" in ran.log


def test_all_years_share_one_private_cluster_that_does_not_stay(cloud: Cloud, runs: dict[str, Ran]) -> None:
    [created] = [json.loads(asked.body) for asked in cloud.dataproc.calls if asked.call == "clusters.create"]
    assert len(cloud.dataproc.dataproc.jobs) == 1
    assert runs["cluster"].live_at_load == []
    config = created["config"]
    assert config["gceClusterConfig"]["internalIpOnly"] is True
    assert config["gceClusterConfig"]["serviceAccount"] == cloud.settings.dataproc_service_account
    assert config["gceClusterConfig"]["subnetworkUri"] == cloud.settings.dataproc_subnet
    assert config["lifecycleConfig"] == {"idleDeleteTtl": "600s", "autoDeleteTtl": "7200s"}
    assert config["softwareConfig"]["imageVersion"].startswith("3.0-")
    assert (config["masterConfig"]["numInstances"], config["workerConfig"]["numInstances"]) == (1, 2)
    assert created["labels"]["asset"] == "enrich-crimes"
    assert created["labels"]["run"].replace("-", "") in created["clusterName"]


def test_a_batch_has_a_time_limit_an_account_and_our_bucket(cloud: Cloud, runs: dict[str, Ran]) -> None:
    [created] = [json.loads(asked.body) for asked in cloud.dataproc.calls if asked.call == "batches.create"]
    execution = created["environmentConfig"]["executionConfig"]
    assert execution["ttl"] == "7200s"
    assert execution["serviceAccount"] == cloud.settings.dataproc_service_account
    assert execution["stagingBucket"] == cloud.settings.gcs_bucket
    assert created["runtimeConfig"]["version"] == "3.0"


def test_only_the_programs_stay_and_are_uploaded_once(cloud: Cloud, runs: dict[str, Ran]) -> None:
    assert nothing_is_left(cloud)
    uploads = [name for _, name, _ in cloud.storage.buckets.written if name.startswith("jobs/")]
    assert sorted(name.rpartition("/")[2] for name in uploads) == [
        "community_areas.csv",
        "dagster_pipes.py",
        "enrich_crimes.py",
        "fbi_codes.csv",
        "with_pipes.py",
    ]


def test_the_drivers_output_is_logged_while_the_job_runs(cloud: Cloud, tmp_path: Path) -> None:
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


def test_messages_also_come_from_apache_spark(tmp_path: Path) -> None:
    java_home()
    (tmp_path / "tiny.py").write_text(
        "def main(options, spark, tell):\n"
        "    tell({'table': 'tiny', 'year': 2014, 'rows': spark.range(7).count(), 'seconds': 0.5})\n"
    )
    with cloud_in(tmp_path, "jvm") as cloud:
        ran = start(cloud, replace(cloud.spark(), programs=tmp_path), job="tiny")
    assert ran.success, ran.reason
    assert ran.report and ran.report.told == {("tiny", 2014): {"job_rows": 7, "job_seconds": 0.5}}


def test_a_failed_job_is_reported_with_the_end_of_its_log_and_leaves_nothing(cloud: Cloud) -> None:
    ran = start(cloud, cloud.spark(), fill=lambda folder: None)
    assert not ran.success
    assert "ended as ERROR" in ran.reason
    assert "The end of its log" in ran.reason and "Traceback" in ran.reason
    assert "https://console.cloud.google.com/dataproc/jobs/enrich-crimes-" in ran.reason
    assert nothing_is_left(cloud)
