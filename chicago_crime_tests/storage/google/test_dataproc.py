"""Tests of the Spark runner on Dataproc: its requests. `test_dataproc_faults.py` has the failures.

Only one test really runs its program. `end_to_end/test_cloud.py` compares the job's tables.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from chicago_crime_tests.storage.google.dataproc_support import Cloud, JobRun, cloud_in, start


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with cloud_in(tmp_path_factory.mktemp("cloud"), False) as made:
        yield made


@pytest.fixture(scope="module")
def runs(cloud: Cloud) -> dict[str, JobRun]:
    return {mode: start(cloud, cloud.spark(dataproc_mode=mode)) for mode in ("cluster", "serverless")}


def test_all_years_share_one_private_temporary_cluster(cloud: Cloud, runs: dict[str, JobRun]) -> None:
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
    assert created["labels"]["asset"] == "broken"
    assert created["labels"]["run"].replace("-", "") in created["clusterName"]


def test_a_batch_has_a_time_limit_and_an_account(cloud: Cloud, runs: dict[str, JobRun]) -> None:
    [created] = [json.loads(request.body) for request in cloud.dataproc.calls if request.call == "batches.create"]
    execution = created["environmentConfig"]["executionConfig"]
    assert execution["ttl"] == "7200s"
    assert execution["serviceAccount"] == cloud.settings.dataproc_service_account
    assert execution["authenticationConfig"] == {"userWorkloadAuthenticationType": 1}, "SERVICE_ACCOUNT"
    assert "stagingBucket" not in execution, "runtime 3.0 uses none"
    assert created["runtimeConfig"]["version"] == "3.0"


def test_each_run_uploads_its_program_and_leaves_nothing(cloud: Cloud, runs: dict[str, JobRun]) -> None:
    assert cloud.left() == []
    uploads = [name for _, name, _ in cloud.storage.buckets.written if "/job/" in name]
    assert sorted(name.rpartition(".")[2] for name in uploads) == [*["csv"] * 3 * len(runs), *["py"] * len(runs)]


def test_a_failed_job_is_reported_with_the_end_of_its_log_and_leaves_nothing(tmp_path: Path) -> None:
    with cloud_in(tmp_path, True) as cloud:
        ran = start(cloud, cloud.spark())
        assert "failed with the state ERROR" in ran.reason
        assert "The end of its log" in ran.reason and "ValueError: the job is broken" in ran.reason
        assert "https://console.cloud.google.com/dataproc/jobs/broken-" in ran.reason
        assert cloud.left() == []
