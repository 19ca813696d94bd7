"""Two ways to run a PySpark program on Dataproc: on a temporary cluster, or as a serverless batch.

No run leaves a cluster behind: it is deleted after the job, the next run deletes the clusters of runs that died, and
Google deletes clusters that are idle or too old.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from google.api_core import exceptions
from google.cloud.dataproc_v1 import Batch, Cluster, ClusterStatus, JobStatus
from google.cloud.dataproc_v1.types import AuthenticationConfig
from typing_extensions import override

from chicago_crime.storage.google.dataproc.api import DataprocApi
from chicago_crime.storage.google.prices import CLUSTER_DISK_GB
from chicago_crime.storage.spark import SparkError

IMAGE = "3.0-debian13"
"""A cluster's image: Spark 4.1, Python 3.12, Java 21, as in the tests. Google picks its latest patch release."""

RUNTIME = "3.0"
"""A batch's runtime: Spark 4.0, Python 3.12, Java 21. Its logs are in Cloud Logging only."""

IDLE_MINUTES = 10
"""Google deletes a cluster after this many minutes without a job."""

_CLUSTER_UNUSABLE = {
    ClusterStatus.State.ERROR,
    ClusterStatus.State.ERROR_DUE_TO_UPDATE,
    ClusterStatus.State.STOPPED,
    ClusterStatus.State.DELETING,
}
_JOB_OVER = {JobStatus.State.DONE, JobStatus.State.ERROR, JobStatus.State.CANCELLED}
_BATCH_OVER = {Batch.State.SUCCEEDED, Batch.State.FAILED, Batch.State.CANCELLED}

Log = Callable[[str], None]
Program = dict[str, Any]
"""A PySpark program as jobs and batches describe it: `main_python_file_uri` and `args`."""

Labels = dict[str, str]
"""Labels for Google's lists and bills."""


@dataclass(frozen=True)
class JobState:
    """The state of a program that was started.

    Attributes:
        state: Google's name for it.
        is_over: whether the state is final.
        is_good: whether the program succeeded.
        message: Google's explanation, if any.
        output: URI prefix of the driver's output files; "" if there are none.
    """

    state: str
    is_over: bool
    is_good: bool
    message: str = ""
    output: str = ""


@dataclass(frozen=True)
class Backend(ABC):
    """Runs programs on Dataproc. A name identifies one program of one run.

    Attributes:
        api: client of Dataproc.
        max_minutes: Google ends the cluster or batch after this time, even if a program is running.
        service_account: account that programs run as; None for the default.
        subnet: subnetwork of the machines; None for the region's default.
        stop_timeout_s: how long to wait for a cluster or batch to stop, in seconds.
    """

    api: DataprocApi
    max_minutes: int
    service_account: str | None = None
    subnet: str | None = None
    stop_timeout_s: float = 1200

    @abstractmethod
    def find(self, name: str) -> JobState | None:
        """Return the state of a program; None if it was not started."""

    @abstractmethod
    def start(self, name: str, program: Program, labels: Labels, log: Log) -> None:
        """Start a program, unless it was started before.

        Raises:
            SparkError: Google refused the request, or cannot provide the machines.
        """

    @abstractmethod
    def end(self, name: str, log: Log) -> None:
        """Stop a program and everything billed for it, and wait until it has stopped.

        Raises:
            SparkError: something could not be stopped.
        """

    @abstractmethod
    def page(self, name: str) -> str:
        """Return the URL of a program's page in Google's console."""

    def _stop(self, command: str, state: Callable[[], str], method: Callable[..., Any], request: Any) -> None:
        """Stop a cluster or a batch, and wait until its state is "". `command` is the equivalent gcloud command.

        The API call is repeated, because a deletion can fail and leave the machines.
        """
        began, refusal = time.monotonic(), ""
        while left := state():
            if time.monotonic() - began > self.stop_timeout_s:
                raise SparkError(
                    f"it is still {left}{refusal}. Stop it with `gcloud dataproc {command} --region {self.api.region} "
                    f"--project {self.api.project}`. Google stops it after {self.max_minutes} minutes at the latest."
                )
            try:
                self.api.call(method, request)
            except (exceptions.NotFound, exceptions.Conflict):  # it stopped in the meantime
                pass
            except SparkError as error:
                refusal = f" ({error})"
            self.api.pause(began)


@dataclass(frozen=True)
class ClusterBackend(Backend):
    """Runs each program as a job on its own cluster; both have the program's name.

    Attributes:
        bucket: bucket for the drivers' output. The platform may not read Dataproc's default bucket.
        machine_type: type of the master and of each worker.
        workers: number of workers; 0 for a single node.
    """

    bucket: str = field(kw_only=True)
    machine_type: str = field(kw_only=True)
    workers: int = field(kw_only=True)

    @override
    def find(self, name: str) -> JobState | None:
        job = self.api.find(self.api.jobs.get_job, self.api.here | {"job_id": name})
        if job is None:
            return None
        state, details, output = job.status.state, job.status.details, job.driver_output_resource_uri
        return JobState(state.name, state in _JOB_OVER, state == JobStatus.State.DONE, details, output)

    @override
    def start(self, name: str, program: Program, labels: Labels, log: Log) -> None:
        request = self.api.here | {"cluster": self._config(name, labels)}
        with suppress(exceptions.Conflict):  # an earlier request created it
            self.api.call(self.api.clusters.create_cluster, request)
            log(f"creating the cluster {name}: {self.workers} workers, {self.machine_type}")
        self._wait_until_running(name, log)
        quiet = {"spark.ui.showConsoleProgress": "false"}  # progress bars are noise in a log
        job = {
            "reference": {"project_id": self.api.project, "job_id": name},
            "placement": {"cluster_name": name},
            "labels": labels,
            "pyspark_job": program | {"properties": quiet},
        }
        with suppress(exceptions.Conflict):  # an earlier request got through
            self.api.call(self.api.jobs.submit_job, self.api.here | {"job": job})
        log(f"submitted the job {name}: its log is at {self.page(name)}")

    @override
    def end(self, name: str, log: Log) -> None:
        def state() -> str:
            cluster = self._cluster(name)
            return cluster.status.state.name if cluster else ""

        if state():
            log(f"deleting the cluster {name}, which ends its job")
            request = self.api.here | {"cluster_name": name}
            self._stop(f"clusters delete {name}", state, self.api.clusters.delete_cluster, request)
            log(f"the cluster {name} is gone")

    @override
    def page(self, name: str) -> str:
        place = f"region={self.api.region}&project={self.api.project}"
        return f"https://console.cloud.google.com/dataproc/jobs/{name}?{place}"

    def _wait_until_running(self, name: str, log: Log) -> None:
        start = time.monotonic()
        while time.monotonic() - start < self.max_minutes * 60:
            cluster = self._cluster(name)
            if cluster and cluster.status.state == ClusterStatus.State.RUNNING:
                log(f"the cluster {name} is running, after {time.monotonic() - start:.0f} s")
                return
            if cluster and cluster.status.state in _CLUSTER_UNUSABLE:
                reason = cluster.status.detail or f"its state is {cluster.status.state.name}, without an explanation"
                raise SparkError(self.api.explain(f"the cluster {name} could not be created: {reason}"))
            self.api.pause(start)
        raise SparkError(f"the cluster {name} is not running after {self.max_minutes} minutes: run again")

    def _cluster(self, name: str) -> Cluster | None:
        return self.api.find(self.api.clusters.get_cluster, self.api.here | {"cluster_name": name})

    def _config(self, name: str, labels: Labels) -> dict[str, Any]:
        machine = {"machine_type_uri": self.machine_type, "disk_config": {"boot_disk_size_gb": CLUSTER_DISK_GB}}
        config: dict[str, Any] = {
            "config_bucket": self.bucket,
            "gce_cluster_config": {
                "internal_ip_only": True,
                # Policies of new organizations may require all three (constraints/compute.requireShieldedVm).
                "shielded_instance_config": {
                    "enable_secure_boot": True,
                    "enable_vtpm": True,
                    "enable_integrity_monitoring": True,
                },
                "service_account_scopes": ["https://www.googleapis.com/auth/cloud-platform"],
            },
            "master_config": machine | {"num_instances": 1},
            "software_config": {"image_version": IMAGE},
            "lifecycle_config": {
                "idle_delete_ttl": {"seconds": IDLE_MINUTES * 60},
                "auto_delete_ttl": {"seconds": self.max_minutes * 60},
            },
        }
        if self.workers:
            config["worker_config"] = machine | {"num_instances": self.workers}
        else:
            config["software_config"]["properties"] = {"dataproc:dataproc.allow.zero.workers": "true"}
        if self.service_account:
            config["gce_cluster_config"]["service_account"] = self.service_account
        if self.subnet:
            config["gce_cluster_config"]["subnetwork_uri"] = self.subnet
        return {"project_id": self.api.project, "cluster_name": name, "labels": labels, "config": config}


@dataclass(frozen=True)
class BatchBackend(Backend):
    """Runs each program as a serverless batch, on machines chosen by Google."""

    @override
    def find(self, name: str) -> JobState | None:
        batch = self._batch(name)
        if batch is None:
            return None
        is_good = batch.state == Batch.State.SUCCEEDED
        return JobState(batch.state.name, batch.state in _BATCH_OVER, is_good, batch.state_message)

    @override
    def start(self, name: str, program: Program, labels: Labels, log: Log) -> None:
        as_account = AuthenticationConfig.AuthenticationType.SERVICE_ACCOUNT  # the default is the caller's account
        execution: dict[str, Any] = {
            "ttl": {"seconds": self.max_minutes * 60},
            "authentication_config": {"user_workload_authentication_type": as_account},
        }
        if self.service_account:
            execution["service_account"] = self.service_account
        if self.subnet:
            execution["subnetwork_uri"] = self.subnet
        batch = {
            "labels": labels,
            "pyspark_batch": program,
            "runtime_config": {"version": RUNTIME},
            "environment_config": {"execution_config": execution},
        }
        request = {"parent": self._parent, "batch": batch, "batch_id": name}
        with suppress(exceptions.Conflict):  # an earlier request got through
            self.api.call(self.api.batches.create_batch, request)
        log(f"started the batch {name}: its log is at {self.page(name)}")

    @override
    def end(self, name: str, log: Log) -> None:
        """Cancel the batch. Finished batches stay in Google's list, at no cost."""

        def state() -> str:
            now = self._batch(name)
            return now.state.name if now and now.state not in _BATCH_OVER else ""

        if (batch := self._batch(name)) and state():
            log(f"canceling the batch {name}")
            request = {"name": batch.operation}
            self._stop(f"batches cancel {name}", state, self.api.batches.cancel_operation, request)

    @override
    def page(self, name: str) -> str:
        path = f"{self.api.region}/{name}"
        return f"https://console.cloud.google.com/dataproc/batches/{path}?project={self.api.project}"

    @property
    def _parent(self) -> str:
        return f"projects/{self.api.project}/locations/{self.api.region}"

    def _batch(self, id_: str) -> Batch | None:
        return self.api.find(self.api.batches.get_batch, {"name": f"{self._parent}/batches/{id_}"})
