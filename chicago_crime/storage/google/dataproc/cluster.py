"""A PySpark job on a cluster of its own, which is made for it and deleted after it, whatever happens.

Here belongs what the cluster is made of, and its life. That no run leaves one behind rests on three things: it is
deleted when the job is over; the next run deletes those of dead runs; Google deletes it when it idles or grows old.
"""

import time
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import Any

from google.api_core import exceptions
from google.cloud.dataproc_v1 import ClusterStatus, JobStatus

from chicago_crime.storage.google.dataproc.api import DataprocApi, RefusedError
from chicago_crime.storage.google.dataproc.work import Launch, Log, Work, WorkState, start_id
from chicago_crime.storage.spark import SparkError

IMAGE = "3.0-debian13"
"""Spark 4.1, Python 3.12, Java 21: the line that the tests run on. Google takes its latest patch by itself."""

IDLE_MINUTES = 10
"""So long after its last job Google deletes the cluster, should we have died."""

DISK_GB = 100

_BROKEN = {ClusterStatus.State.ERROR, ClusterStatus.State.ERROR_DUE_TO_UPDATE, ClusterStatus.State.STOPPED}
_OVER = {JobStatus.State.DONE, JobStatus.State.ERROR, JobStatus.State.CANCELLED}


@dataclass(frozen=True)
class ClusterSize:
    """What a cluster is made of.

    Attributes:
        machine_type: of the master and of each worker.
        workers: how many; 0 for a single node.
        max_minutes: after so long Google deletes it, whatever runs.
        service_account: of its machines; None for the project's default.
        subnet: its subnetwork; None for the region's default.
    """

    machine_type: str
    workers: int
    max_minutes: int
    service_account: str | None = None
    subnet: str | None = None


@dataclass(frozen=True)
class ClusterWork(Work):
    """Runs each program on a cluster of its name; each start of it is a job there.

    Attributes:
        api: where.
        bucket: where Dataproc puts the drivers' output.
        size: of each cluster.
        delete_patience_s: seconds that a deletion may take.
    """

    api: DataprocApi
    bucket: str
    size: ClusterSize
    delete_patience_s: float = 1200

    def find(self, name: str, number: int) -> WorkState | None:
        """See `Work.find`."""
        job = self.api.find(self.api.jobs.get_job, self.api.here | {"job_id": start_id(name, number)})
        if job is None:
            return None
        state = job.status.state
        return WorkState(
            state.name,
            state in _OVER,
            state == JobStatus.State.DONE,
            job.status.details,
            job.driver_output_resource_uri,
        )

    def start(self, name: str, number: int, launch: Launch, log: Log) -> None:
        """See `Work.start`."""
        self._have_cluster(name, launch, log)
        id_ = start_id(name, number)
        job = {
            "reference": {"project_id": self.api.project, "job_id": id_},
            "placement": {"cluster_name": name},
            "labels": dict(launch.labels),
            "pyspark_job": {
                "main_python_file_uri": launch.main,
                "python_file_uris": list(launch.modules),
                "args": list(launch.arguments),
                "properties": {"spark.ui.showConsoleProgress": "false"},  # its bars are noise in a log
            },
        }
        try:
            request = self.api.here | {"job": job, "request_id": launch.request_id(id_)}
            self.api.call(self.api.jobs.submit_job, request)
        except exceptions.Conflict:
            log(f"the job {id_} was submitted already")
        log(f"submitted the job {id_}")

    def end(self, name: str, log: Log) -> str:
        """See `Work.end`. A job is cancelled before its cluster goes, so that no list shows it as an accident."""
        if self._cluster(name) is None:
            return ""
        try:
            for number in count():
                state = self.find(name, number)
                if state is None:
                    break
                if not state.is_over:
                    log(f"cancelling the job {start_id(name, number)}")
                    self.api.call(self.api.jobs.cancel_job, self.api.here | {"job_id": start_id(name, number)})
        except SparkError as error:
            log(f"a job of {name} could not be cancelled ({error}): it ends with its cluster")
        return f"google-cloud-dataproc-metainfo/{self._delete_cluster(name, log)}"

    def page(self, name: str, number: int) -> str:
        """See `Work.page`."""
        place = f"region={self.api.region}&project={self.api.project}"
        return f"https://console.cloud.google.com/dataproc/jobs/{start_id(name, number)}?{place}"

    def _have_cluster(self, name: str, launch: Launch, log: Log) -> None:
        """Create the cluster and wait until it runs; take the one of this name that is there."""
        former = self._cluster(name)
        if former and (former.status.state in _BROKEN or former.status.state == ClusterStatus.State.DELETING):
            self._delete_cluster(name, log)
        if former is None or self._cluster(name) is None:
            # A request's id is used up even when the cluster is gone; the id of the former one makes a fresh one.
            request_id = launch.request_id(f"cluster {name} {former.cluster_uuid if former else ''}")
            request = self.api.here | {"cluster": self._config(name, launch), "request_id": request_id}
            try:
                self.api.call(self.api.clusters.create_cluster, request)
            except exceptions.Conflict:
                log(f"the cluster {name} is there already")
            log(f"creating the cluster {name}: {self.size.workers} workers, {self.size.machine_type}")
        self._wait_until_it_runs(name, log)

    def _wait_until_it_runs(self, name: str, log: Log) -> None:
        start = time.monotonic()
        unseen = 0
        while True:
            cluster = self._cluster(name)
            if cluster and cluster.status.state == ClusterStatus.State.RUNNING:
                log(f"the cluster {name} runs, after {time.monotonic() - start:.0f} s")
                return
            if cluster and (cluster.status.state in _BROKEN or cluster.status.state == ClusterStatus.State.DELETING):
                reason = cluster.status.detail or f"it is {cluster.status.state.name}, and Google does not say why"
                raise SparkError(self.api.explained(f"the cluster {name} could not be created", reason))
            unseen = 0 if cluster else unseen + 1
            if unseen > 5:
                raise SparkError(f"the cluster {name} is gone before it ran: run again")
            if time.monotonic() - start > self.size.max_minutes * 60:
                raise SparkError(f"the cluster {name} does not come up within {self.size.max_minutes} minutes")
            self.api.pause(start)

    def _delete_cluster(self, name: str, log: Log) -> str:
        """Delete the cluster, wait until it is gone, and return what Dataproc knew it by."""
        start, uuid = time.monotonic(), ""
        asked_at = -float("inf")
        try:
            while cluster := self._cluster(name):
                uuid = cluster.cluster_uuid
                if time.monotonic() - start > self.delete_patience_s:
                    raise SparkError(f"it is still {cluster.status.state.name}")
                # Asked again now and then: a deletion can end in ERROR, with the machines still there.
                if cluster.status.state != ClusterStatus.State.DELETING and time.monotonic() - asked_at > 60:
                    log(f"deleting the cluster {name}")
                    self._ask_to_delete(name)
                    asked_at = time.monotonic()
                self.api.pause(start)
        except SparkError as error:
            raise SparkError(
                f"the cluster {name} could not be deleted: {error}. Delete it by hand: gcloud dataproc clusters delete "
                f"{name} --region {self.api.region} --project {self.api.project}. Google does it after "
                f"{self.size.max_minutes} minutes at the latest."
            ) from error
        if uuid:
            log(f"the cluster {name} is gone")
        return uuid

    def _ask_to_delete(self, name: str) -> None:
        # Gone, or being deleted: the answer to an earlier request was lost.
        with suppress(exceptions.NotFound, exceptions.Conflict, RefusedError):
            self.api.call(self.api.clusters.delete_cluster, self.api.here | {"cluster_name": name})

    def _cluster(self, name: str) -> Any:
        return self.api.find(self.api.clusters.get_cluster, self.api.here | {"cluster_name": name})

    def _config(self, name: str, launch: Launch) -> dict[str, Any]:
        machine = {"machine_type_uri": self.size.machine_type, "disk_config": {"boot_disk_size_gb": DISK_GB}}
        config: dict[str, Any] = {
            "config_bucket": self.bucket,
            "gce_cluster_config": {
                "internal_ip_only": True,
                "service_account_scopes": ["https://www.googleapis.com/auth/cloud-platform"],
            },
            "master_config": machine | {"num_instances": 1},
            "software_config": {"image_version": IMAGE},
            "lifecycle_config": {
                "idle_delete_ttl": {"seconds": IDLE_MINUTES * 60},
                "auto_delete_ttl": {"seconds": self.size.max_minutes * 60},
            },
        }
        if self.size.workers:
            config["worker_config"] = machine | {"num_instances": self.size.workers}
        else:
            config["software_config"]["properties"] = {"dataproc:dataproc.allow.zero.workers": "true"}
        if self.size.service_account:
            config["gce_cluster_config"]["service_account"] = self.size.service_account
        if self.size.subnet:
            config["gce_cluster_config"]["subnetwork_uri"] = self.size.subnet
        return {"project_id": self.api.project, "cluster_name": name, "labels": dict(launch.labels), "config": config}
