"""Tests of the Spark runner on Dataproc: its requests, and failures, after which nothing is left and no job runs twice.

Programs do not really run here, except for one. `end_to_end/test_cloud.py` compares the job's tables, and
`benchmarks/faults.py` tries every fault, and a kill, at every call of full runs.
"""

import json
import logging
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import pytest

from chicago_crime.errors import PlatformError
from chicago_crime.installation import build_dataproc
from chicago_crime.settings import SettingsError
from chicago_crime.sources.retry import RetryPolicy
from chicago_crime.storage.google.dataproc.runner import DataprocSpark
from chicago_crime_tests.servers.credentials import PROJECT_ID
from chicago_crime_tests.servers.faults import NO_FAULT, Fault
from chicago_crime_tests.servers.google_server import RefusedError
from chicago_crime_tests.whole_cloud import STAGING, WORKER, WholeCloud, whole_cloud

LOST = Fault(loses_answer=True)


class Cloud(WholeCloud):
    """The servers, and a runner of a broken job."""

    def spark(self, **settings: object) -> DataprocSpark:
        """The runner for these settings, with short waits."""
        built = build_dataproc(self.settings.model_copy(update=settings))
        policy = RetryPolicy(timeout_s=2, first_wait_s=0.01, deadline_s=5)
        backend = replace(built.backend, pause_s=0.02, policy=policy)
        store = replace(built.store, policy=policy)
        return replace(built, backend=backend, store=store, program=self.folder / "broken.py")


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    (tmp_path / "broken.py").write_text('raise ValueError("the job is broken")')
    subnet = f"projects/{PROJECT_ID}/regions/us-central1/subnetworks/crime"
    with whole_cloud(tmp_path, False, Cloud, dataproc_service_account=WORKER, dataproc_subnet=subnet) as cloud:
        yield cloud
        assert cloud.left() == []


class Ran(NamedTuple):
    """The log of a Spark job, why it failed ("" if it did not), and the clusters while its output was read."""

    log: str
    reason: str
    clusters: list[str]


def start(
    cloud: Cloud,
    spark: DataprocSpark,
    run_id: str | None = None,
    before_job: Callable[[Path], object] = lambda folder: None,
) -> Ran:
    """Run a Spark job, as the platform's asset does; `before_job` is called with the input folder."""
    run_id, reason, clusters, output, log = run_id or str(uuid4()), "", list[str](), StringIO(), logging.Logger("run")
    log.addHandler(logging.StreamHandler(output))
    try:
        with spark.workspace(run_id, log) as workspace:
            before_job(cloud.storage.buckets.path(STAGING, workspace.input.removeprefix(f"gs://{STAGING}/")))
            spark.run(run_id, workspace, log)
            clusters += cloud.dataproc.clusters
    except (PlatformError, KeyboardInterrupt) as error:
        reason = str(error) or repr(error)
    return Ran(output.getvalue(), reason, clusters)


def test_all_years_share_one_private_temporary_cluster(cloud: Cloud) -> None:
    ran = start(cloud, cloud.spark())
    [created] = [json.loads(one.body) for one in cloud.dataproc.calls if one.call.endswith("clusters.create")]
    assert (len(cloud.dataproc.jobs), ran.clusters) == (1, [])
    config, machines = created["config"], created["config"]["gceClusterConfig"]
    assert machines["internalIpOnly"] is True
    assert all(machines["shieldedInstanceConfig"].values())  # new organizations refuse other machines
    assert (machines["serviceAccount"], machines["subnetworkUri"]) == (WORKER, cloud.settings.dataproc_subnet)
    assert config["lifecycleConfig"] == {"idleDeleteTtl": "600s", "autoDeleteTtl": "7200s"}
    assert config["softwareConfig"]["imageVersion"].startswith("3.0-")
    assert (config["masterConfig"]["numInstances"], config["workerConfig"]["numInstances"]) == (1, 2)
    assert created["labels"]["asset"] == "enrich-crimes"
    assert created["labels"]["run"].replace("-", "") in created["clusterName"]
    uploads = [name for _, name, _ in cloud.storage.buckets.written if "/job/" in name]
    assert sorted(name.rpartition(".")[2] for name in uploads) == ["csv", "csv", "csv", "py"]


def test_a_batch_has_a_time_limit_and_an_account(cloud: Cloud) -> None:
    start(cloud, cloud.spark(dataproc_mode="serverless"))
    [created] = [json.loads(one.body) for one in cloud.dataproc.calls if one.call.endswith("batches.create")]
    execution = created["environmentConfig"]["executionConfig"]
    assert execution["ttl"] == "7200s"
    assert execution["serviceAccount"] == WORKER
    assert execution["authenticationConfig"] == {"userWorkloadAuthenticationType": 1}, "SERVICE_ACCOUNT"
    assert "stagingBucket" not in execution, "runtime 3.0 uses none"
    assert created["runtimeConfig"]["version"] == "3.0"


def test_a_failed_job_is_reported_with_the_end_of_its_log_and_leaves_nothing(cloud: Cloud) -> None:
    cloud.dataproc.runs = True
    ran = start(cloud, cloud.spark())
    assert "failed with the state ERROR" in ran.reason
    assert "The end of its log" in ran.reason and "ValueError: the job is broken" in ran.reason
    assert "https://console.cloud.google.com/dataproc/jobs/enrich-crimes-" in ran.reason


@pytest.mark.parametrize(
    ("mode", "fault", "method", "path"),
    [
        ("cluster", LOST, "POST", "/clusters"),
        ("cluster", LOST, "POST", "/jobs:submit"),
        ("cluster", LOST, "DELETE", "/clusters/"),
        ("serverless", LOST, "POST", "/batches"),
        ("serverless", Fault(status=503), "GET", "/batches/"),
    ],
)
def test_a_fault_at_a_call_starts_nothing_twice(cloud: Cloud, mode: str, fault: Fault, method: str, path: str) -> None:
    faults = [fault]
    cloud.dataproc.rule = lambda request: (
        faults.pop() if faults and request.method == method and path in request.path else NO_FAULT
    )
    ran = start(cloud, cloud.spark(dataproc_mode=mode))
    assert ran.reason == ""
    assert faults == []
    state = cloud.dataproc
    started = len(state.clusters_made), len(state.jobs), len(state.batches)
    assert started == ((1, 1, 0) if mode == "cluster" else (0, 0, 1))


@pytest.mark.parametrize(
    ("refusal", "remedy"),
    [
        ((400, "Insufficient 'CPUS' quota. Requested 12.0, available 8.0."), "CHICAGO_CRIME_DATAPROC_WORKERS"),
        ((403, "Cloud Dataproc API has not been used in project 1 before."), "gcloud services enable"),
        ((400, "Subnetwork 'crime' does not support Private Google Access"), "CHICAGO_CRIME_DATAPROC_SUBNET"),
    ],
)  # fmt: skip
def test_the_error_for_a_refused_request_has_the_fix(cloud: Cloud, refusal: tuple[int, str], remedy: str) -> None:
    cloud.dataproc.refuses["clusters.create"] = RefusedError(*refusal)
    ran = start(cloud, cloud.spark())
    assert refusal[1].rstrip(".") in ran.reason and remedy in ran.reason


def test_a_run_waits_for_the_service_agent_that_google_creates_late(cloud: Cloud) -> None:
    agent = "service-1@dataproc-accounts.iam.gserviceaccount.com"
    cloud.dataproc.refuses["clusters.create"] = RefusedError(400, f"Service account '{agent}' does not exist.")
    cloud.dataproc.will(Fault(before=cloud.dataproc.refuses.clear), on="/clusters", after=2)
    ran = start(cloud, cloud.spark())
    assert ran.reason == ""
    assert [one.status for one in cloud.dataproc.calls if one.call.endswith("clusters.create")] == [400, 400, 200]


def test_a_cluster_that_cannot_be_created_is_deleted(cloud: Cloud) -> None:
    state = cloud.dataproc
    state.creation_fails = "The zone does not have enough resources available to fulfill the request."
    ran = start(cloud, cloud.spark())
    assert "could not be created: The zone does not have enough resources" in ran.reason
    assert "CHICAGO_CRIME_DATAPROC_MACHINE_TYPE" in ran.reason
    assert (len(state.clusters_made), state.jobs) == (1, {})


@pytest.mark.parametrize("mode", ["cluster", "serverless"])
def test_cancelling_the_run_stops_the_job_and_deletes_the_cluster(cloud: Cloud, mode: str) -> None:
    cloud.dataproc.pretend_s = 3600
    interrupt = Fault(before=lambda: os.kill(os.getpid(), signal.SIGINT))
    cloud.dataproc.will(interrupt, on="/jobs/" if mode == "cluster" else "/batches/", after=3)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs of scripts ignore it
    try:
        ran = start(cloud, cloud.spark(dataproc_mode=mode))
    finally:
        signal.signal(signal.SIGINT, before)
    assert ran.reason == "KeyboardInterrupt()"
    [work] = [*cloud.dataproc.jobs.values(), *cloud.dataproc.batches.values()]
    assert work.state == ("ERROR" if mode == "cluster" else "CANCELLED")


def test_a_run_leaves_the_work_of_a_living_run_alone(cloud: Cloud) -> None:
    run_id = str(uuid4())

    def other_runs(folder: Path) -> None:
        (folder / "ours").parent.mkdir(parents=True)
        (folder / "ours").touch()
        assert start(cloud, cloud.spark()).reason == ""
        assert (folder / "ours").exists()
        twice = start(cloud, cloud.spark(), run_id)
        assert "another process holds this enrich-crimes-" in twice.reason

    ran = start(cloud, cloud.spark(), run_id, before_job=other_runs)
    assert ran.reason == ""
    assert len(cloud.dataproc.clusters_made) == 2


def test_a_cluster_that_cannot_be_deleted_is_deleted_by_the_next_run(cloud: Cloud) -> None:
    cloud.dataproc.refuses["clusters.delete"] = RefusedError(403, "You may not delete it")
    spark = cloud.spark()
    spark = replace(spark, backend=replace(spark.backend, stop_timeout_s=0.2))
    ran = start(cloud, spark)
    assert ran.reason == ""  # its tables are complete
    assert "gcloud dataproc clusters delete enrich-crimes-" in ran.log
    assert len(cloud.dataproc.clusters) == 1
    del cloud.dataproc.refuses["clusters.delete"]
    assert start(cloud, spark).reason == ""


def test_a_single_node_has_the_property_and_an_address_the_region_that_google_requires(cloud: Cloud) -> None:
    assert start(cloud, cloud.spark(dataproc_workers=0)).reason == ""
    with pytest.raises(SettingsError, match="0 for a single-node cluster, or 2 and more"):
        build_dataproc(cloud.settings.model_copy(update={"dataproc_workers": 1}))
    settings = cloud.settings.model_copy(update={"dataproc_endpoint": None, "gcp_region": "us-east4"})
    assert build_dataproc(settings).backend._clusters.api_endpoint == "us-east4-dataproc.googleapis.com"
