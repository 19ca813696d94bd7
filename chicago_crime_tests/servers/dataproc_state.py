"""The state of the Dataproc server: clusters, jobs, batches and operations, and their transitions."""

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import uuid4

from chicago_crime_tests.servers.dataproc_programs import Program
from chicago_crime_tests.servers.google_server import RefusedError

Json = dict[str, Any]

STEP_S = 0.02
"""How long the creation and the deletion of a cluster take."""
_OVER = {"DONE", "ERROR", "CANCELLED", "SUCCEEDED", "FAILED"}


@dataclass
class Cluster:
    """A cluster: the request, its state, and when the state changes."""

    given: Json
    state: str = "CREATING"
    detail: str = ""
    changes_at: float = 0.0

    def resource(self) -> Json:
        """The cluster as the API describes it."""
        status = {"state": self.state} | ({"detail": self.detail} if self.detail else {})
        return self.given | {"status": status}


@dataclass
class Task:
    """A job or a batch."""

    resource: Json
    program: Program | None = None
    state: str = ""

    @property
    def is_over(self) -> bool:
        """Whether its state is final."""
        return self.state in _OVER

    def stop(self) -> None:
        """Kill its program."""
        if self.program:
            self.program.stop()


@dataclass
class Dataproc:
    """Dataproc in one project and region.

    Attributes:
        run: starts a program, with the arguments of `Program` from `main` on.
        creation_fails: error of every cluster creation; "" for none.
        clusters_made: names of all clusters ever created, in order.
    """

    run: Callable[..., Program]
    creation_fails: str = ""
    clusters: dict[str, Cluster] = field(default_factory=dict)
    jobs: dict[str, Task] = field(default_factory=dict)
    batches: dict[str, Task] = field(default_factory=dict)
    clusters_made: list[str] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def cluster(self, name: str) -> Cluster:
        """A cluster in its current state."""
        with self.lock:
            found = self.clusters.get(name)
            if found and time.monotonic() > found.changes_at:
                if found.state == "CREATING":
                    found.state, found.detail = (
                        ("ERROR", self.creation_fails) if self.creation_fails else ("RUNNING", "")
                    )
                elif found.state == "DELETING":
                    del self.clusters[name]
                    found = None
            if found is None:
                raise RefusedError(404, f"Not found: Cluster {name}")
            return found

    def create_cluster(self, given: Json, place: str) -> Json:
        """Begin to create a cluster."""
        name, config = given["clusterName"], given["config"]
        _check_name(name, r"[a-z]([-a-z0-9]{0,49}[a-z0-9])?", "Cluster name")
        _check_labels(given)
        workers = int(config.get("workerConfig", {}).get("numInstances", 0))
        is_single = config["softwareConfig"].get("properties", {}).get("dataproc:dataproc.allow.zero.workers")
        if workers < 2 and not (workers == 0 and is_single == "true"):
            raise RefusedError(400, "Clusters must have at least 2 workers")
        if name in self.clusters:
            raise RefusedError(409, f"Already exists: Failed to create cluster: Cluster {place}/clusters/{name}")
        self.clusters[name] = Cluster(given, changes_at=time.monotonic() + STEP_S)
        self.clusters_made.append(name)
        return self._operation(place)

    def delete_cluster(self, name: str, place: str) -> Json:
        """Begin to delete a cluster, and end the jobs that run on it."""
        found = self.cluster(name)
        if found.state == "DELETING":
            raise RefusedError(400, f"Cannot delete cluster '{name}' while it has other pending delete operations.")
        found.state, found.changes_at = "DELETING", time.monotonic() + STEP_S
        for job in self.jobs.values():
            if job.resource["placement"]["clusterName"] == name and not job.is_over:
                self._set_job(job, "ERROR", "Job aborted: the cluster was deleted")
                job.stop()
        return self._operation(place)

    def submit_job(self, given: Json) -> Json:
        """Submit a job to a running cluster."""
        id_ = given["reference"]["jobId"]
        _check_name(id_, r"[a-zA-Z0-9_-]{1,100}", "Job id")
        _check_labels(given)
        cluster = self.cluster(given["placement"]["clusterName"])
        if cluster.state != "RUNNING":
            raise RefusedError(400, f"Cluster is not in RUNNING state, but {cluster.state}")
        if id_ in self.jobs:
            raise RefusedError(409, f"Already exists: Failed to submit job: Job {id_}")
        bucket = cluster.given["config"]["configBucket"]
        prefix = f"google-cloud-dataproc-metainfo/{uuid4()}/jobs/{id_}/driveroutput"
        job = self.jobs[id_] = Task(given | {"driverOutputResourceUri": f"gs://{bucket}/{prefix}"})
        self._set_job(job, "PENDING")
        job.program = self._run(given["pysparkJob"], (bucket, prefix), partial(self._job_is_over, job))
        return dict(job.resource)

    def job(self, id_: str) -> Json:
        """A job in its current state; each call advances it to the next state."""
        with self.lock:
            if id_ not in self.jobs:
                raise RefusedError(404, f"Not found: Job {id_}")
            job = self.jobs[id_]
            seen = dict(job.resource)
            if follows := {"PENDING": "SETUP_DONE", "SETUP_DONE": "RUNNING"}.get(job.state):
                self._set_job(job, follows)
            return seen

    def create_batch(self, given: Json, id_: str, place: str) -> Json:
        """Start a batch."""
        _check_name(id_, r"[a-z0-9]([-a-z0-9]{2,61}[a-z0-9])", "Batch id")
        _check_labels(given)
        if id_ in self.batches:
            raise RefusedError(409, f"Already exists: Failed to create batch: Batch {place}/batches/{id_}")
        operation = self._operation(place)
        made = {
            "name": f"{place}/batches/{id_}",
            "operation": operation["name"],
        }
        batch = self.batches[id_] = Task(given | made)
        self._set_batch(batch, "PENDING")
        batch.program = self._run(given["pysparkBatch"], None, partial(self._batch_is_over, batch))
        return operation

    def batch(self, id_: str) -> Json:
        """A batch in its current state; each call advances it to the next state."""
        with self.lock:
            if id_ not in self.batches:
                raise RefusedError(404, f"Not found: Batch {id_}")
            batch = self.batches[id_]
            seen = dict(batch.resource)
            if batch.state == "PENDING":
                self._set_batch(batch, "RUNNING")
            return seen

    def cancel_operation(self, name: str) -> Json:
        """Cancel the batch that an operation runs."""
        for batch in self.batches.values():
            if batch.resource["operation"] == name and not batch.is_over:
                self._set_batch(batch, "CANCELLED", "Batch was cancelled by a user")
                batch.stop()
                return {}
        raise RefusedError(400, f"Operation {name} cannot be cancelled")

    def _run(self, about: Json, output: tuple[str, str] | None, is_over: Callable[[int], None]) -> Program:
        return self.run(about["mainPythonFileUri"], about["args"], output, is_over)

    def _operation(self, place: str) -> Json:
        return {"name": f"{place}/operations/{uuid4()}", "done": False}

    def _job_is_over(self, job: Task, code: int) -> None:
        with self.lock:
            if not job.is_over:
                details = f"Google Cloud Dataproc Agent reports job failure. Job failed with exit code {code}."
                self._set_job(job, "ERROR" if code else "DONE", details if code else "")

    def _batch_is_over(self, batch: Task, code: int) -> None:
        with self.lock:
            if not batch.is_over:
                self._set_batch(batch, "FAILED" if code else "SUCCEEDED", f"Exit code {code}" if code else "")

    def _set_job(self, job: Task, state: str, details: str = "") -> None:
        job.state = state
        status = {"state": state} | ({"details": details} if details else {})
        job.resource |= {"status": status, "done": job.is_over}

    def _set_batch(self, batch: Task, state: str, message: str = "") -> None:
        batch.state = state
        batch.resource |= {"state": state} | ({"stateMessage": message} if message else {})


def _check_name(name: str, pattern: str, what: str) -> None:
    if not re.fullmatch(pattern, name):
        raise RefusedError(400, f"{what} '{name}' must match pattern {pattern}")


def _check_labels(given: Json) -> None:
    for name, value in given.get("labels", {}).items():
        if not re.fullmatch(r"[a-z][a-z0-9_-]{0,62}", name) or not re.fullmatch(r"[a-z0-9-]{0,63}", value):
            raise RefusedError(400, f"Invalid label {name}={value}")
