"""Tests of the Spark runner on Dataproc when something fails: no cluster is left, and no job runs twice.

Programs do not really run here. `benchmarks/faults.py` tries every fault, and a kill, at every call of full runs.
"""

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from chicago_crime.installation import build_dataproc
from chicago_crime.settings import SettingsError
from chicago_crime_tests.servers.faults import NO_FAULT, Fault
from chicago_crime_tests.servers.google_server import RefusedError
from chicago_crime_tests.storage.google.dataproc_support import Cloud, cloud_in, start

LOST = Fault(loses_answer=True)


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    with cloud_in(tmp_path, False) as made:
        yield made


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
    state = cloud.dataproc.dataproc
    started = len(state.clusters_made), len(state.jobs), len(state.batches)
    assert started == ((1, 1, 0) if mode == "cluster" else (0, 0, 1))
    assert cloud.left() == []


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
    assert cloud.left() == []


def test_a_run_waits_for_the_service_agent_that_google_creates_late(cloud: Cloud) -> None:
    agent = "service-1@dataproc-accounts.iam.gserviceaccount.com"
    cloud.dataproc.refuses["clusters.create"] = RefusedError(400, f"Service account '{agent}' does not exist.")
    cloud.dataproc.will(Fault(before=cloud.dataproc.refuses.clear), on="/clusters", after=2)
    ran = start(cloud, cloud.spark())
    assert ran.reason == ""
    assert [one.status for one in cloud.dataproc.calls if one.call == "clusters.create"] == [400, 400, 200]


def test_a_cluster_that_cannot_be_created_is_deleted(cloud: Cloud) -> None:
    state = cloud.dataproc.dataproc
    state.creation_fails = "The zone does not have enough resources available to fulfill the request."
    ran = start(cloud, cloud.spark())
    assert "could not be created: The zone does not have enough resources" in ran.reason
    assert "CHICAGO_CRIME_DATAPROC_MACHINE_TYPE" in ran.reason
    assert (len(state.clusters_made), state.jobs, cloud.left()) == (1, {}, [])


@pytest.mark.parametrize("mode", ["cluster", "serverless"])
def test_cancelling_the_run_stops_the_job_and_deletes_the_cluster(cloud: Cloud, mode: str) -> None:
    cloud.dataproc.dataproc.pretend_s = 3600

    interrupt = Fault(before=lambda: os.kill(os.getpid(), signal.SIGINT))
    cloud.dataproc.will(interrupt, on="/jobs/" if mode == "cluster" else "/batches/", after=3)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs of scripts ignore it
    try:
        ran = start(cloud, cloud.spark(dataproc_mode=mode))
    finally:
        signal.signal(signal.SIGINT, before)
    assert ran.reason == "KeyboardInterrupt()"
    state = cloud.dataproc.dataproc
    assert [work.state for work in (*state.jobs.values(), *state.batches.values())] == [
        "ERROR" if mode == "cluster" else "CANCELLED"
    ]
    assert cloud.left() == []


def test_a_run_leaves_the_work_of_a_living_run_alone(cloud: Cloud) -> None:
    run_id = str(uuid4())

    def other_runs(folder: Path) -> None:
        (folder / "ours").parent.mkdir(parents=True)
        (folder / "ours").touch()
        assert start(cloud, cloud.spark()).reason == ""
        assert (folder / "ours").exists()
        twice = start(cloud, cloud.spark(), run_id)
        assert "another process is already running broken-" in twice.reason

    ran = start(cloud, cloud.spark(), run_id, before_job=other_runs)
    assert ran.reason == ""
    assert len(cloud.dataproc.dataproc.clusters_made) == 2
    assert cloud.left() == []


def test_a_cluster_that_cannot_be_deleted_is_deleted_by_the_next_run(cloud: Cloud) -> None:
    cloud.dataproc.refuses["clusters.delete"] = RefusedError(403, "You may not delete it")
    spark = cloud.spark()
    spark = replace(spark, backend=replace(spark.backend, stop_timeout_s=0.2))
    ran = start(cloud, spark)
    assert ran.reason == ""  # its tables are complete
    assert "gcloud dataproc clusters delete broken-" in ran.log
    assert len(cloud.dataproc.dataproc.clusters) == 1
    del cloud.dataproc.refuses["clusters.delete"]
    assert start(cloud, spark).reason == ""
    assert cloud.left() == []


def test_a_single_node_has_the_property_that_google_requires(cloud: Cloud) -> None:
    assert start(cloud, cloud.spark(dataproc_workers=0)).reason == ""
    with pytest.raises(SettingsError, match="0 for a single-node cluster, or 2 and more"):
        build_dataproc(cloud.settings.model_copy(update={"dataproc_workers": 1}))


def test_the_default_address_is_the_regions(cloud: Cloud) -> None:
    settings = cloud.settings.model_copy(update={"dataproc_endpoint": None, "gcp_region": "us-east4"})
    assert build_dataproc(settings).api.address == "us-east4-dataproc.googleapis.com"
