"""Two ways to run a PySpark program on Dataproc: on a temporary cluster, or as a serverless batch.

No run leaves a cluster behind: it is deleted after the job, the next run deletes the clusters of runs that died, and
Google deletes clusters that are idle or too old.
"""

import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, ClassVar, NamedTuple, TypeVar

from google.api_core import exceptions
from google.cloud import dataproc_v1
from google.cloud.dataproc_v1 import Batch, Cluster, ClusterStatus
from google.cloud.dataproc_v1.types import AuthenticationConfig
from typing_extensions import override

from chicago_crime.settings import Settings
from chicago_crime.sources.retry import RetryPolicy
from chicago_crime.storage.google.access import call, credentials_for, google_retry
from chicago_crime.storage.google.permissions import ACT_AS, BATCHES, CLUSTERS, MACHINES
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
SUCCEEDED_STATES = {"DONE", "SUCCEEDED"}
"""States of a job and of a batch that succeeded."""

TERMINAL_STATES = SUCCEEDED_STATES | {"ERROR", "FAILED", "CANCELLED"}

Log = Callable[[str], None]
Program = dict[str, Any]
"""A PySpark program as jobs and batches describe it: `main_python_file_uri` and `args`."""

Labels = dict[str, str]
"""Labels for Google's lists and bills."""

_Answer = TypeVar("_Answer")
_Client = TypeVar("_Client")
_SERVICE_AGENT = "@dataproc-accounts"
"""Part of Google's messages about Dataproc's service agent, which is created some time after the API is enabled."""


class JobState(NamedTuple):
    """The state of a program that was started.

    Attributes:
        state: Google's name for it.
        message: Google's explanation, if any.
        output: URI prefix of the driver's output files; "" if there are none.
    """

    state: str
    message: str = ""
    output: str = ""


@dataclass(frozen=True)
class Backend(ABC):
    """Runs programs on Dataproc, as the settings say. A name identifies one program of one run.

    Attributes:
        settings: of the installation.
        pause_s: longest interval between polls, in seconds.
        stop_timeout_s: how long to wait for a cluster or batch to stop, in seconds.
        policy: timeouts and retries of each request.
        stop_command: the command of `gcloud dataproc` that stops a program.
    """

    settings: Settings
    pause_s: float = 5
    stop_timeout_s: float = 1200
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    stop_command: ClassVar[str]

    @property
    def project(self) -> str:
        """Id of the project."""
        return self.settings.gcp_project or ""

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
    def page(self, name: str) -> str:
        """Return the URL of a program's page in Google's console."""

    @abstractmethod
    def _left(self, name: str) -> str:
        """Return the state of what is billed for a program; "" if nothing is."""

    @abstractmethod
    def _stop(self, name: str) -> None:
        """Request that a program and its machines stop."""

    def end(self, name: str, log: Log) -> None:
        """Stop a program and everything billed for it, and wait until it has stopped.

        The request is repeated, because a deletion can fail and leave the machines.

        Raises:
            SparkError: something could not be stopped.
        """
        if not self._left(name):
            return
        log(f"stopping {name}")
        began, refusal = time.monotonic(), ""
        while left := self._left(name):
            if time.monotonic() - began > self.stop_timeout_s:
                command = f"{self.stop_command} {name} --region {self.settings.gcp_region} --project {self.project}"
                raise SparkError(
                    f"it is still {left}{refusal}. Stop it with `gcloud dataproc {command}`. Google stops it after "
                    f"{self.settings.dataproc_max_minutes} minutes at the latest."
                )
            try:
                self._stop(name)
            except (exceptions.NotFound, exceptions.Conflict):  # it stopped in the meantime
                pass
            except SparkError as error:
                refusal = f" ({error})"
            self.pause(began)
        log(f"{name} has stopped")

    def pause(self, began: float) -> None:
        """Wait before the next poll: a quarter of the time since `time.monotonic()` was `began`, at most `pause_s`."""
        time.sleep(min(self.pause_s, max(self.pause_s / 25, (time.monotonic() - began) / 4)))

    def explain(self, message: str) -> str:
        """Add the fix to one of Google's messages, depending on its words."""
        remedies = {
            "quota": "Use fewer or smaller machines (CHICAGO_CRIME_DATAPROC_WORKERS, 0 for a single node, and "
            "CHICAGO_CRIME_DATAPROC_MACHINE_TYPE) or another CHICAGO_CRIME_GCP_REGION, or request more quota: "
            f"https://console.cloud.google.com/iam-admin/quotas?project={self.project}",
            f"service agent|{_SERVICE_AGENT}": "Google creates Dataproc's service agent some minutes after the API is "
            "enabled: run again in five minutes.",
            "stockout|does not have enough resources|resource_pool_exhausted": "Run again later, or choose another "
            "CHICAGO_CRIME_DATAPROC_MACHINE_TYPE.",
            "permission": self._permissions,
            "network": "The machines have only internal addresses: the subnetwork (CHICAGO_CRIME_DATAPROC_SUBNET) must "
            f"be in {self.settings.gcp_region}, have Private Google Access, and allow traffic between its machines.",
        }
        for words, remedy in remedies.items():
            if re.search(words, message.lower()):
                return message if remedy in message else f"{message.strip().rstrip('.')}. {remedy}"
        return message

    def _client(self, kind: Callable[..., _Client]) -> _Client:
        settings = self.settings
        options = {"api_endpoint": settings.dataproc_endpoint or f"{settings.gcp_region}-dataproc.googleapis.com"}
        credentials = credentials_for(settings, settings.dataproc_endpoint)
        return kind(credentials=credentials, transport="rest", client_options=options)

    def _call(self, method: Callable[..., _Answer], request: Any) -> _Answer:
        """Call a method of a client, and retry it after transient errors. The request must be safe to repeat.

        Raises:
            SparkError: Dataproc refused the request or our credentials, or is unreachable.
            NotFound, Conflict: the resource does not exist, or exists already.
        """
        once = partial(method, request, retry=None, timeout=self.policy.timeout_s)
        retry = google_retry(self.policy, "Dataproc", lambda error: _SERVICE_AGENT in str(error).lower())
        return call(retry(once), "Dataproc", lambda problem: SparkError(self.explain(problem)), self._permissions)

    def _find(self, method: Callable[..., _Answer], request: Any) -> _Answer | None:
        """Get a resource, or None if it does not exist."""
        try:
            return self._call(method, request)
        except exceptions.NotFound:
            return None

    @property
    def _permissions(self) -> str:
        return (
            f"Enable the API: `gcloud services enable dataproc.googleapis.com --project {self.project}`. The "
            f"platform's account needs {CLUSTERS.role} ({BATCHES.role} for serverless) on the project, and "
            f"{ACT_AS.role} on CHICAGO_CRIME_DATAPROC_SERVICE_ACCOUNT, which needs {MACHINES[0].role}."
        )


class ClusterBackend(Backend):
    """Runs each program as a job on its own cluster; both have the program's name."""

    stop_command = "clusters delete"

    @cached_property
    def _clusters(self) -> dataproc_v1.ClusterControllerClient:
        return self._client(dataproc_v1.ClusterControllerClient)

    @cached_property
    def _jobs(self) -> dataproc_v1.JobControllerClient:
        return self._client(dataproc_v1.JobControllerClient)

    @property
    def _here(self) -> dict[str, str]:
        """The fields common to all requests."""
        return {"project_id": self.project, "region": self.settings.gcp_region}

    @override
    def find(self, name: str) -> JobState | None:
        job = self._find(self._jobs.get_job, self._here | {"job_id": name})
        return JobState(job.status.state.name, job.status.details, job.driver_output_resource_uri) if job else None

    @override
    def start(self, name: str, program: Program, labels: Labels, log: Log) -> None:
        request = self._here | {"cluster": self._config(name, labels)}
        with suppress(exceptions.Conflict):  # an earlier request created it
            self._call(self._clusters.create_cluster, request)
            machines = f"{self.settings.dataproc_workers} workers, {self.settings.dataproc_machine_type}"
            log(f"creating the cluster {name}: {machines}")
        self._wait_until_running(name, log)
        quiet = {"spark.ui.showConsoleProgress": "false"}  # progress bars are noise in a log
        job = {
            "reference": {"project_id": self.project, "job_id": name},
            "placement": {"cluster_name": name},
            "labels": labels,
            "pyspark_job": program | {"properties": quiet},
        }
        with suppress(exceptions.Conflict):  # an earlier request got through
            self._call(self._jobs.submit_job, self._here | {"job": job})
        log(f"submitted the job {name}: its log is at {self.page(name)}")

    @override
    def _left(self, name: str) -> str:
        cluster = self._cluster(name)
        return cluster.status.state.name if cluster else ""

    @override
    def _stop(self, name: str) -> None:
        """Delete the cluster, which ends its job."""
        self._call(self._clusters.delete_cluster, self._here | {"cluster_name": name})

    @override
    def page(self, name: str) -> str:
        place = f"region={self.settings.gcp_region}&project={self.project}"
        return f"https://console.cloud.google.com/dataproc/jobs/{name}?{place}"

    def _wait_until_running(self, name: str, log: Log) -> None:
        start, limit = time.monotonic(), self.settings.dataproc_max_minutes
        while time.monotonic() - start < limit * 60:
            cluster = self._cluster(name)
            if cluster and cluster.status.state == ClusterStatus.State.RUNNING:
                log(f"the cluster {name} is running, after {time.monotonic() - start:.0f} s")
                return
            if cluster and cluster.status.state in _CLUSTER_UNUSABLE:
                reason = cluster.status.detail or f"its state is {cluster.status.state.name}, without an explanation"
                raise SparkError(self.explain(f"the cluster {name} could not be created: {reason}"))
            self.pause(start)
        raise SparkError(f"the cluster {name} is not running after {limit} minutes: run again")

    def _cluster(self, name: str) -> Cluster | None:
        return self._find(self._clusters.get_cluster, self._here | {"cluster_name": name})

    def _config(self, name: str, labels: Labels) -> dict[str, Any]:
        settings, workers = self.settings, self.settings.dataproc_workers
        disk = {"boot_disk_size_gb": CLUSTER_DISK_GB}
        machine = {"machine_type_uri": settings.dataproc_machine_type, "disk_config": disk}
        config = {
            "config_bucket": settings.staging_bucket,  # for the driver's output: we may not read Dataproc's own bucket
            "gce_cluster_config": {
                "internal_ip_only": True,
                # Policies of new organizations may require all three (constraints/compute.requireShieldedVm).
                "shielded_instance_config": {
                    "enable_secure_boot": True,
                    "enable_vtpm": True,
                    "enable_integrity_monitoring": True,
                },
                "service_account": settings.dataproc_service_account,
                "service_account_scopes": ["https://www.googleapis.com/auth/cloud-platform"],
                "subnetwork_uri": settings.dataproc_subnet,
            },
            "master_config": machine | {"num_instances": 1},
            "worker_config": machine | {"num_instances": workers} if workers else None,
            "software_config": {
                "image_version": IMAGE,
                "properties": {} if workers else {"dataproc:dataproc.allow.zero.workers": "true"},
            },
            "lifecycle_config": {
                "idle_delete_ttl": {"seconds": IDLE_MINUTES * 60},
                "auto_delete_ttl": {"seconds": settings.dataproc_max_minutes * 60},
            },
        }
        return {"project_id": self.project, "cluster_name": name, "labels": labels, "config": config}


class BatchBackend(Backend):
    """Runs each program as a serverless batch, on machines chosen by Google."""

    stop_command = "batches cancel"

    @cached_property
    def _batches(self) -> dataproc_v1.BatchControllerClient:
        return self._client(dataproc_v1.BatchControllerClient)

    @override
    def find(self, name: str) -> JobState | None:
        batch = self._batch(name)
        return JobState(batch.state.name, batch.state_message) if batch else None

    @override
    def start(self, name: str, program: Program, labels: Labels, log: Log) -> None:
        as_account = AuthenticationConfig.AuthenticationType.SERVICE_ACCOUNT  # the default is the caller's account
        execution = {
            "ttl": {"seconds": self.settings.dataproc_max_minutes * 60},
            "service_account": self.settings.dataproc_service_account,
            "subnetwork_uri": self.settings.dataproc_subnet,
            "authentication_config": {"user_workload_authentication_type": as_account},
        }
        batch = {
            "labels": labels,
            "pyspark_batch": program,
            "runtime_config": {"version": RUNTIME},
            "environment_config": {"execution_config": execution},
        }
        request = {"parent": self._parent, "batch": batch, "batch_id": name}
        with suppress(exceptions.Conflict):  # an earlier request got through
            self._call(self._batches.create_batch, request)
        log(f"started the batch {name}: its log is at {self.page(name)}")

    @override
    def _left(self, name: str) -> str:
        """Finished batches stay in Google's list, at no cost."""
        batch = self._batch(name)
        return batch.state.name if batch and batch.state.name not in TERMINAL_STATES else ""

    @override
    def _stop(self, name: str) -> None:
        if batch := self._batch(name):
            self._call(self._batches.cancel_operation, {"name": batch.operation})

    @override
    def page(self, name: str) -> str:
        path = f"{self.settings.gcp_region}/{name}"
        return f"https://console.cloud.google.com/dataproc/batches/{path}?project={self.project}"

    @property
    def _parent(self) -> str:
        return f"projects/{self.project}/locations/{self.settings.gcp_region}"

    def _batch(self, id_: str) -> Batch | None:
        return self._find(self._batches.get_batch, {"name": f"{self._parent}/batches/{id_}"})
