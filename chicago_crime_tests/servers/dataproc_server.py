"""Dataproc on loopback: clusters, jobs and batches, whose PySpark programs really run on the storage server's files."""

import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar
from uuid import uuid4

from chicago_crime_tests.servers.google_server import GoogleHandler, GoogleServer, Json, RefusedError
from chicago_crime_tests.servers.storage_server import Buckets

DRIVER = Path(__file__).with_name("spark_driver.py")
DRIVER_OUTPUT = "google-cloud-dataproc-metainfo"
LABEL_NAME, LABEL_VALUE = r"[a-z][a-z0-9_-]{0,62}", r"[a-z0-9-]{0,63}"

_Held = TypeVar("_Held")


@dataclass
class Cluster:
    """A cluster: the request, and its state."""

    given: Json
    state: str = "CREATING"
    detail: str = ""


@dataclass
class Task:
    """A job or a batch, whose program starts immediately.

    Attributes:
        resource: the request, and what Dataproc adds to it.
        program: the program and its arguments.
        ends: its state if the program succeeds, and if it fails.
        output: bucket and prefix of the program's output; None to store none.
    """

    server: "DataprocServer"
    resource: Json
    program: Json
    ends: tuple[str, str]
    output: tuple[str, str] | None = None
    state: str = "RUNNING"
    details: str = ""

    def __post_init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    @property
    def is_over(self) -> bool:
        return self.state != "RUNNING"

    def stop(self, state: str, details: str) -> None:
        """End in this state, unless it is over, and kill the program."""
        self._end(state, details)
        self._stopped.set()
        if self._process:
            self._process.kill()

    def _end(self, state: str, details: str) -> None:
        if not self.is_over:
            self.state, self.details = state, details

    def _run(self) -> None:
        code = self._code_of_program() if self.server.runs else 0
        self._stopped.wait(0 if self.server.runs else self.server.pretend_s)
        with self.server.lock:
            self._end(self.ends[bool(code)], f"Job failed with exit code {code}." if code else "")

    def _code_of_program(self) -> int:
        given = [self.program["mainPythonFileUri"], *self.program["args"]]
        command = [sys.executable, str(DRIVER), *map(self._local, given)]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SPARK_")}
        with tempfile.TemporaryDirectory() as folder:
            self._process = subprocess.Popen(
                command, env=environment, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
            if self._stopped.is_set():
                self._process.kill()
            printed, _ = self._process.communicate()
        if self.output:
            bucket, prefix = self.output
            self.server.buckets.write(bucket, f"{prefix}.000000000", printed)
        return self._process.returncode

    def _local(self, text: str) -> str:
        """An argument, with a URI replaced by its local path."""
        if not text.startswith("gs://"):
            return text
        return str(self.server.buckets.path(*text.removeprefix("gs://").split("/", 1)))


class _Handler(GoogleHandler):
    server: "DataprocServer"
    api_name = "dataproc.v1"

    def answer_call(self) -> None:
        with self.server.lock:
            super().answer_call()

    def _on_clusters_create(self, of: Mapping[str, str]) -> Json:
        name, config = self.given["clusterName"], self.given["config"]
        _check(self.given, name, r"[a-z]([-a-z0-9]{0,49}[a-z0-9])?")
        workers = int(config.get("workerConfig", {}).get("numInstances", 0))
        is_single = config["softwareConfig"].get("properties", {}).get("dataproc:dataproc.allow.zero.workers")
        if workers < 2 and not (workers == 0 and is_single == "true"):
            raise RefusedError(400, "Clusters must have at least 2 workers")
        _refuse_second(self.server.clusters, name)
        self.server.clusters[name] = Cluster(self.given)
        self.server.clusters_made.append(name)
        return _operation()

    def _on_clusters_get(self, of: Mapping[str, str]) -> Json:
        found = _existing(self.server.clusters, of["clusterName"])
        seen = found.given | {"status": {"state": found.state, "detail": found.detail}}
        if found.state == "CREATING":
            fails = self.server.creation_fails
            found.state, found.detail = "ERROR" if fails else "RUNNING", fails
        elif found.state == "DELETING":
            del self.server.clusters[of["clusterName"]]
        return seen

    def _on_clusters_delete(self, of: Mapping[str, str]) -> Json:
        """Begin to delete a cluster, and end the jobs that run on it."""
        name = of["clusterName"]
        found = _existing(self.server.clusters, name)
        if found.state == "DELETING":
            raise RefusedError(400, f"Cannot delete cluster '{name}' while it has other pending delete operations.")
        found.state = "DELETING"
        for job in self.server.jobs.values():
            if job.resource["placement"]["clusterName"] == name:
                job.stop("ERROR", "Job aborted: the cluster was deleted")
        return _operation()

    def _on_jobs_submit(self, of: Mapping[str, str]) -> Json:
        given = self.given["job"]
        id_ = given["reference"]["jobId"]
        _check(given, id_, r"[a-zA-Z0-9_-]{1,100}")
        cluster = _existing(self.server.clusters, given["placement"]["clusterName"])
        if cluster.state != "RUNNING":
            raise RefusedError(400, f"Cluster is not in RUNNING state, but {cluster.state}")
        _refuse_second(self.server.jobs, id_)
        output = cluster.given["config"]["configBucket"], f"{DRIVER_OUTPUT}/{uuid4()}/jobs/{id_}/driveroutput"
        resource = given | {"driverOutputResourceUri": "gs://{}/{}".format(*output)}
        self.server.jobs[id_] = Task(self.server, resource, given["pysparkJob"], ("DONE", "ERROR"), output)
        return self._on_jobs_get({"jobId": id_})

    def _on_jobs_get(self, of: Mapping[str, str]) -> Json:
        job = _existing(self.server.jobs, of["jobId"])
        return job.resource | {"status": {"state": job.state, "details": job.details}, "done": job.is_over}

    def _on_batches_create(self, of: Mapping[str, str]) -> Json:
        id_, operation = self.query["batchId"][0], _operation()
        _check(self.given, id_, r"[a-z0-9]([-a-z0-9]{2,61}[a-z0-9])")
        _refuse_second(self.server.batches, id_)
        resource = self.given | {"name": f"{of['parent']}/batches/{id_}", "operation": operation["name"]}
        self.server.batches[id_] = Task(self.server, resource, self.given["pysparkBatch"], ("SUCCEEDED", "FAILED"))
        return operation

    def _on_batches_get(self, of: Mapping[str, str]) -> Json:
        batch = _existing(self.server.batches, of["name"].rpartition("/")[2])
        return batch.resource | {"state": batch.state, "stateMessage": batch.details}

    def _on_operations_cancel(self, of: Mapping[str, str]) -> Json:
        """Cancel the batch that an operation runs."""
        for batch in self.server.batches.values():
            if batch.resource["operation"] == of["name"] and not batch.is_over:
                batch.stop("CANCELLED", "Batch was cancelled by a user")
                return {}
        raise RefusedError(400, f"Operation {of['name']} cannot be cancelled")


def _existing(held: Mapping[str, _Held], name: str) -> _Held:
    if name not in held:
        raise RefusedError(404, f"Not found: {name}")
    return held[name]


def _refuse_second(held: Mapping[str, object], name: str) -> None:
    if name in held:
        raise RefusedError(409, f"Already exists: {name}")


def _operation() -> Json:
    return {"name": f"projects/chicago-test/regions/us-central1/operations/{uuid4()}", "done": False}


def _check(given: Json, name: str, pattern: str) -> None:
    """Check the name and the labels of a new resource."""
    if not re.fullmatch(pattern, name):
        raise RefusedError(400, f"'{name}' must match pattern {pattern}")
    for label, value in given.get("labels", {}).items():
        if not re.fullmatch(LABEL_NAME, label) or not re.fullmatch(LABEL_VALUE, value):
            raise RefusedError(400, f"Invalid label {label}={value}")


class DataprocServer(GoogleServer):
    """Dataproc in one project and region, and the machines on which programs run.

    Attributes:
        buckets: the buckets of the programs' files.
        runs: whether programs really run.
        pretend_s: otherwise, how long they pretend to run, in seconds.
        creation_fails: error of every cluster creation; "" for none.
        clusters: the clusters that are billed now, whatever their state.
        clusters_made: names of all clusters ever created, in order.
    """

    handler = _Handler

    def __init__(self, buckets: Buckets, runs: bool = True):
        super().__init__()
        self.buckets, self.runs = buckets, runs
        self.pretend_s, self.creation_fails = 0.0, ""
        self.clusters: dict[str, Cluster] = {}
        self.clusters_made: list[str] = []
        self.jobs: dict[str, Task] = {}
        self.batches: dict[str, Task] = {}
        self.lock = threading.RLock()

    @contextmanager
    def answering(self) -> Iterator[Self]:
        """Serve for the duration of the context, then kill programs that are still running."""
        try:
            with super().answering():
                yield self
        finally:
            for task in (*self.jobs.values(), *self.batches.values()):
                task.stop("ERROR", "the server has stopped")
                task.thread.join()
