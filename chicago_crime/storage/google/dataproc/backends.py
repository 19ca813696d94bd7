"""The two ways to run a PySpark program on Dataproc: a cluster made for it, or a serverless batch.

No run leaves a cluster behind: it is deleted when the job is over, the next run deletes those of runs that died, and
Google deletes it when it is idle or too old.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import UUID, uuid5

from google.api_core import exceptions
from google.cloud.dataproc_v1 import Batch, Cluster, ClusterStatus, JobStatus
from google.cloud.dataproc_v1.types import AuthenticationConfig
from typing_extensions import override

from chicago_crime.storage.google.dataproc.api import DataprocApi, RefusedError
from chicago_crime.storage.spark import SparkError

IMAGE = "3.0-debian13"
"""A cluster's image: Spark 4.1, Python 3.12, Java 21, as in the tests. Google picks its latest patch release."""

RUNTIME = "3.0"
"""A batch's runtime: Spark 4.0, Python 3.12, Java 21."""

IDLE_MINUTES = 10
"""Google deletes a cluster that has had no job for this many minutes."""

DISK_GB = 100

_NAMESPACE = UUID("5b6d9e0c-6f0d-4c38-9d0c-2a4b8d8f6f1e")  # arbitrary, but it must never change

_CLUSTER_BROKEN = {ClusterStatus.State.ERROR, ClusterStatus.State.ERROR_DUE_TO_UPDATE, ClusterStatus.State.STOPPED}
_CLUSTER_UNUSABLE = _CLUSTER_BROKEN | {ClusterStatus.State.DELETING}
_JOB_OVER = {JobStatus.State.DONE, JobStatus.State.ERROR, JobStatus.State.CANCELLED}
_BATCH_OVER = {Batch.State.SUCCEEDED, Batch.State.FAILED, Batch.State.CANCELLED}

Log = Callable[[str], None]


@dataclass(frozen=True)
class Launch:
    """A PySpark program to start.

    Attributes:
        main: URI of its main file.
        modules: URIs of the Python files that it imports.
        arguments: command-line arguments.
        labels: labels for Google's lists and bills.
        salt: makes the request ids of this attempt differ from those of an earlier one that failed.
    """

    main: str
    modules: Sequence[str]
    arguments: Sequence[str]
    labels: Mapping[str, str] = field(default_factory=dict)
    salt: str = ""

    def request_id(self, what: str) -> str:
        """The id of the request that starts `what`. It is the same for every retry, so that Google starts it once."""
        return str(uuid5(_NAMESPACE, f"{what} {self.salt}"))

    @property
    def program(self) -> dict[str, Any]:
        """The program as jobs and batches describe it."""
        return {
            "main_python_file_uri": self.main,
            "python_file_uris": list(self.modules),
            "args": list(self.arguments),
        }


@dataclass(frozen=True)
class JobState:
    """The state of one start of a program.

    Attributes:
        state: Google's name for it.
        is_over: whether the state is final.
        is_good: whether the program succeeded.
        message: Google's explanation, if any.
        output: URI prefix of the files with the driver's output; "" if there are none.
    """

    state: str
    is_over: bool
    is_good: bool
    message: str = ""
    output: str = ""


class Backend(ABC):
    """Runs programs on Dataproc. A name identifies one program of one run; a number, one start of that program."""

    @abstractmethod
    def find(self, name: str, number: int) -> JobState | None:
        """The state of a start of a program; None if there was no such start."""

    @abstractmethod
    def start(self, name: str, number: int, launch: Launch, log: Log) -> None:
        """Start a program, unless this start was made before.

        Raises:
            SparkError: Google refuses, or cannot provide the machines.
        """

    @abstractmethod
    def end(self, name: str, log: Log) -> str:
        """Stop everything of a program that runs or costs money, and wait until it has stopped.

        Returns:
            Prefix of the objects that Dataproc left in the bucket; "" for none.

        Raises:
            SparkError: something could not be stopped.
        """

    @abstractmethod
    def page(self, name: str, number: int) -> str:
        """URL of a start's page in Google's console."""


def start_id(name: str, number: int) -> str:
    """The id that Google knows one start by."""
    return f"{name}-{number}"


@dataclass(frozen=True)
class ClusterSize:
    """What a cluster consists of.

    Attributes:
        machine_type: of the master and of each worker.
        workers: how many; 0 for a single node.
        max_minutes: Google deletes the cluster after this time, even if a job is running.
        service_account: of its machines; None for the project's default.
        subnet: its subnetwork; None for the region's default.
    """

    machine_type: str
    workers: int
    max_minutes: int
    service_account: str | None = None
    subnet: str | None = None


@dataclass(frozen=True)
class ClusterBackend(Backend):
    """Runs each program on its own cluster, which has the program's name; each start is a job there.

    Attributes:
        api: client of Dataproc.
        bucket: where Dataproc writes the drivers' output.
        size: of each cluster.
        delete_timeout_s: timeout of a deletion, in seconds.
    """

    api: DataprocApi
    bucket: str
    size: ClusterSize
    delete_timeout_s: float = 1200

    @override
    def find(self, name: str, number: int) -> JobState | None:
        job = self.api.find(self.api.jobs.get_job, self.api.here | {"job_id": start_id(name, number)})
        if job is None:
            return None
        state, details, output = job.status.state, job.status.details, job.driver_output_resource_uri
        return JobState(state.name, state in _JOB_OVER, state == JobStatus.State.DONE, details, output)

    @override
    def start(self, name: str, number: int, launch: Launch, log: Log) -> None:
        self._ensure_cluster(name, launch, log)
        id_ = start_id(name, number)
        quiet = {"spark.ui.showConsoleProgress": "false"}  # progress bars are noise in a log
        job = {
            "reference": {"project_id": self.api.project, "job_id": id_},
            "placement": {"cluster_name": name},
            "labels": dict(launch.labels),
            "pyspark_job": launch.program | {"properties": quiet},
        }
        request = self.api.here | {"job": job, "request_id": launch.request_id(id_)}
        with suppress(exceptions.Conflict):  # an earlier request got through
            self.api.call(self.api.jobs.submit_job, request)
        log(f"submitted the job {id_}")

    @override
    def end(self, name: str, log: Log) -> str:
        if self._cluster(name) is None:
            return ""
        try:
            for number in count():
                state = self.find(name, number)
                if state is None:
                    break
                if not state.is_over:  # cancelled first, so that Google does not list it as a failure
                    log(f"cancelling the job {start_id(name, number)}")
                    self.api.call(self.api.jobs.cancel_job, self.api.here | {"job_id": start_id(name, number)})
        except SparkError as error:
            log(f"a job of {name} could not be cancelled ({error}): it ends when its cluster is deleted")
        return f"google-cloud-dataproc-metainfo/{self._delete_cluster(name, log)}"

    @override
    def page(self, name: str, number: int) -> str:
        place = f"region={self.api.region}&project={self.api.project}"
        return f"https://console.cloud.google.com/dataproc/jobs/{start_id(name, number)}?{place}"

    def _ensure_cluster(self, name: str, launch: Launch, log: Log) -> None:
        """Create the cluster and wait until it is running; reuse a usable cluster of this name."""
        former = self._cluster(name)
        if former and former.status.state in _CLUSTER_UNUSABLE:
            self._delete_cluster(name, log)
        if former is None or self._cluster(name) is None:
            # Google remembers the ids of requests beyond the deletion of a cluster: a second cluster needs another id.
            request_id = launch.request_id(f"cluster {name} {former.cluster_uuid if former else ''}")
            request = self.api.here | {"cluster": self._config(name, launch), "request_id": request_id}
            with suppress(exceptions.Conflict):  # an earlier request got through
                self.api.call(self.api.clusters.create_cluster, request)
            log(f"creating the cluster {name}: {self.size.workers} workers, {self.size.machine_type}")
        self._wait_until_running(name, log)

    def _wait_until_running(self, name: str, log: Log) -> None:
        start = time.monotonic()
        while time.monotonic() - start < self.size.max_minutes * 60:
            cluster = self._cluster(name)
            if cluster and cluster.status.state == ClusterStatus.State.RUNNING:
                log(f"the cluster {name} is running, after {time.monotonic() - start:.0f} s")
                return
            if cluster and cluster.status.state in _CLUSTER_UNUSABLE:
                reason = cluster.status.detail or f"its state is {cluster.status.state.name}, without an explanation"
                raise SparkError(self.api.explain(f"the cluster {name} could not be created", reason))
            self.api.pause(start)
        raise SparkError(f"the cluster {name} is not running after {self.size.max_minutes} minutes: run again")

    def _delete_cluster(self, name: str, log: Log) -> str:
        """Delete the cluster, wait until it is gone, and return its UUID."""
        start, uuid = time.monotonic(), ""
        log(f"deleting the cluster {name}")
        try:
            while cluster := self._cluster(name):
                uuid = cluster.cluster_uuid
                if time.monotonic() - start > self.delete_timeout_s:
                    raise SparkError(f"it is still {cluster.status.state.name}")
                # Again and again: a deletion can end in ERROR, with the machines still there.
                if cluster.status.state != ClusterStatus.State.DELETING:
                    with suppress(exceptions.NotFound, exceptions.Conflict, RefusedError):  # deleted in the meantime
                        self.api.call(self.api.clusters.delete_cluster, self.api.here | {"cluster_name": name})
                self.api.pause(start)
        except SparkError as error:
            raise SparkError(
                f"the cluster {name} could not be deleted: {error}. Delete it yourself: gcloud dataproc clusters "
                f"delete {name} --region {self.api.region} --project {self.api.project}. Google deletes it after "
                f"{self.size.max_minutes} minutes at the latest."
            ) from error
        log(f"the cluster {name} is gone")
        return uuid

    def _cluster(self, name: str) -> Cluster | None:
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


@dataclass(frozen=True)
class BatchBackend(Backend):
    """Runs each start of a program as a serverless batch, on machines that Google chooses.

    Attributes:
        api: client of Dataproc.
        bucket: where Google writes the driver's output. Its default is a bucket that the platform may not read.
        max_minutes: Google ends a batch after this time.
        service_account: that the program runs as; None for whoever started it.
        subnet: its subnetwork; None for the region's default.
        cancel_timeout_s: timeout of a cancellation, in seconds.
    """

    api: DataprocApi
    bucket: str
    max_minutes: int
    service_account: str | None = None
    subnet: str | None = None
    cancel_timeout_s: float = 600

    @override
    def find(self, name: str, number: int) -> JobState | None:
        batch = self._batch(start_id(name, number))
        if batch is None:
            return None
        is_good, output = batch.state == Batch.State.SUCCEEDED, batch.runtime_info.output_uri
        return JobState(batch.state.name, batch.state in _BATCH_OVER, is_good, batch.state_message, output)

    @override
    def start(self, name: str, number: int, launch: Launch, log: Log) -> None:
        id_ = start_id(name, number)
        execution: dict[str, Any] = {"ttl": {"seconds": self.max_minutes * 60}, "staging_bucket": self.bucket}
        if self.service_account:
            execution["service_account"] = self.service_account
            as_account = AuthenticationConfig.AuthenticationType.SERVICE_ACCOUNT
            execution["authentication_config"] = {"user_workload_authentication_type": as_account}
        if self.subnet:
            execution["subnetwork_uri"] = self.subnet
        batch = {
            "labels": dict(launch.labels),
            "pyspark_batch": launch.program,
            "runtime_config": {"version": RUNTIME},
            "environment_config": {"execution_config": execution},
        }
        request = {"parent": self._parent, "batch": batch, "batch_id": id_, "request_id": launch.request_id(id_)}
        with suppress(exceptions.Conflict):  # an earlier request got through
            self.api.call(self.api.batches.create_batch, request)
        log(f"started the batch {id_}: its log is at {self.page(name, number)}")

    @override
    def end(self, name: str, log: Log) -> str:
        for number in count():
            batch = self._batch(start_id(name, number))
            if batch is None:
                break
            if batch.state not in _BATCH_OVER:
                self._cancel(start_id(name, number), batch.operation, log)
        return ""  # finished batches stay in Google's list, where they cost nothing

    @override
    def page(self, name: str, number: int) -> str:
        path = f"{self.api.region}/{start_id(name, number)}"
        return f"https://console.cloud.google.com/dataproc/batches/{path}?project={self.api.project}"

    def _cancel(self, id_: str, operation: str, log: Log) -> None:
        """Cancel a batch and wait until it is over."""
        start = time.monotonic()
        log(f"cancelling the batch {id_}")
        try:
            with suppress(exceptions.NotFound, exceptions.Conflict, RefusedError):  # it ended in the meantime
                self.api.call(self.api.batches.cancel_operation, {"name": operation})
            while (batch := self._batch(id_)) and batch.state not in _BATCH_OVER:
                if time.monotonic() - start > self.cancel_timeout_s:
                    raise SparkError(f"it is still {batch.state.name}")
                self.api.pause(start)
        except SparkError as error:
            raise SparkError(
                f"the batch {id_} could not be cancelled: {error}. Cancel it yourself: gcloud dataproc batches cancel "
                f"{id_} --region {self.api.region} --project {self.api.project}. Google ends it after "
                f"{self.max_minutes} minutes at the latest."
            ) from error

    @property
    def _parent(self) -> str:
        return f"projects/{self.api.project}/locations/{self.api.region}"

    def _batch(self, id_: str) -> Batch | None:
        return self.api.find(self.api.batches.get_batch, {"name": f"{self._parent}/batches/{id_}"})
