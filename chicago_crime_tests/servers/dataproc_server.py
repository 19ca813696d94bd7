"""Dataproc on loopback: clusters, jobs and batches, whose PySpark programs really run on the storage server's files."""

import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

from chicago_crime_tests.servers.google_server import GoogleHandler, GoogleServer, RefusedError
from chicago_crime_tests.servers.storage_server import Buckets

DRIVER = Path(__file__).with_name("spark_driver.py")


class Program:
    """A program that starts immediately and calls `is_over` with its exit code when it ends.

    Args:
        given: URI of the program, and its arguments.
        output: bucket and prefix of its output; None to store none.
        pretend_s: run nothing, and succeed after this many seconds; None to run it.
    """

    def __init__(
        self,
        buckets: Buckets,
        given: Sequence[str],
        output: tuple[str, str] | None,
        is_over: Callable[[int], None],
        pretend_s: float | None,
    ):
        self.buckets, self._given, self._output, self._pretend_s = buckets, given, output, pretend_s
        self._is_over = is_over
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Kill it if it is still running."""
        self._stopped.set()
        if self._process:
            self._process.kill()

    def join(self) -> None:
        self._thread.join()

    def _run(self) -> None:
        if self._pretend_s is not None:
            self._stopped.wait(self._pretend_s)
            self._is_over(-9 if self._stopped.is_set() else 0)
            return
        command = [sys.executable, str(DRIVER), *map(self._local, self._given)]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SPARK_")}
        with tempfile.TemporaryDirectory() as folder:
            self._process = subprocess.Popen(
                command, env=environment, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
            if self._stopped.is_set():
                self._process.kill()
            printed, _ = self._process.communicate()
        if self._output:
            bucket, prefix = self._output
            self.buckets.write(bucket, f"{prefix}.000000000", printed)
        self._is_over(self._process.returncode)

    def _local(self, text: str) -> str:
        """An argument, with a URI replaced by its local path."""
        if not text.startswith("gs://"):
            return text
        return str(self.buckets.path(*text.removeprefix("gs://").split("/", 1)))


Json = dict[str, Any]


@dataclass
class Cluster:
    """A cluster: the request, and its state."""

    given: Json
    state: str = "CREATING"
    detail: str = ""


@dataclass
class Task:
    """A job or a batch, which begins immediately."""

    resource: Json
    program: Program = field(init=False)
    state: str = "RUNNING"
    details: str = ""

    @property
    def is_over(self) -> bool:
        return self.state != "RUNNING"

    def end(self, state: str, details: str = "") -> None:
        if not self.is_over:
            self.state, self.details = state, details


@dataclass
class Dataproc:
    """Dataproc in one project and region.

    Attributes:
        buckets: the buckets of the programs' files.
        runs: whether programs really run.
        pretend_s: otherwise, how long they pretend to run, in seconds.
        creation_fails: error of every cluster creation; "" for none.
        clusters: the clusters that are billed now, whatever their state.
        clusters_made: names of all clusters ever created, in order.
    """

    buckets: Buckets
    runs: bool
    pretend_s: float = 0.0
    creation_fails: str = ""
    clusters: dict[str, Cluster] = field(default_factory=dict)
    jobs: dict[str, Task] = field(default_factory=dict)
    batches: dict[str, Task] = field(default_factory=dict)
    clusters_made: list[str] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def _existing(self, name: str) -> Cluster:
        if name not in self.clusters:
            raise RefusedError(404, f"Not found: Cluster {name}")
        return self.clusters[name]

    def cluster(self, name: str) -> Json:
        found = self._existing(name)
        seen = found.given | {"status": {"state": found.state, "detail": found.detail}}
        if found.state == "CREATING":
            found.state, found.detail = "ERROR" if self.creation_fails else "RUNNING", self.creation_fails
        elif found.state == "DELETING":
            del self.clusters[name]
        return seen

    def create_cluster(self, given: Json, place: str) -> Json:
        name, config = given["clusterName"], given["config"]
        _check_name(name, r"[a-z]([-a-z0-9]{0,49}[a-z0-9])?")
        _check_labels(given)
        workers = int(config.get("workerConfig", {}).get("numInstances", 0))
        is_single = config["softwareConfig"].get("properties", {}).get("dataproc:dataproc.allow.zero.workers")
        if workers < 2 and not (workers == 0 and is_single == "true"):
            raise RefusedError(400, "Clusters must have at least 2 workers")
        if name in self.clusters:
            raise RefusedError(409, f"Already exists: Failed to create cluster: Cluster {place}/clusters/{name}")
        self.clusters[name] = Cluster(given)
        self.clusters_made.append(name)
        return _operation(place)

    def delete_cluster(self, name: str, place: str) -> Json:
        """Begin to delete a cluster, and end the jobs that run on it."""
        found = self._existing(name)
        if found.state == "DELETING":
            raise RefusedError(400, f"Cannot delete cluster '{name}' while it has other pending delete operations.")
        found.state = "DELETING"
        for job in self.jobs.values():
            if job.resource["placement"]["clusterName"] == name:
                job.end("ERROR", "Job aborted: the cluster was deleted")
                job.program.stop()
        return _operation(place)

    def submit_job(self, given: Json) -> Json:
        id_ = given["reference"]["jobId"]
        _check_name(id_, r"[a-zA-Z0-9_-]{1,100}")
        _check_labels(given)
        cluster = self._existing(given["placement"]["clusterName"])
        if cluster.state != "RUNNING":
            raise RefusedError(400, f"Cluster is not in RUNNING state, but {cluster.state}")
        if id_ in self.jobs:
            raise RefusedError(409, f"Already exists: Failed to submit job: Job {id_}")
        bucket = cluster.given["config"]["configBucket"]
        prefix = f"google-cloud-dataproc-metainfo/{uuid4()}/jobs/{id_}/driveroutput"
        job = self.jobs[id_] = Task(given | {"driverOutputResourceUri": f"gs://{bucket}/{prefix}"})
        job.program = self._run(job, given["pysparkJob"], (bucket, prefix), ("DONE", "ERROR"))
        return self.job(id_)

    def job(self, id_: str) -> Json:
        if id_ not in self.jobs:
            raise RefusedError(404, f"Not found: Job {id_}")
        job = self.jobs[id_]
        return job.resource | {"status": {"state": job.state, "details": job.details}, "done": job.is_over}

    def create_batch(self, given: Json, id_: str, place: str) -> Json:
        _check_name(id_, r"[a-z0-9]([-a-z0-9]{2,61}[a-z0-9])")
        _check_labels(given)
        if id_ in self.batches:
            raise RefusedError(409, f"Already exists: Failed to create batch: Batch {place}/batches/{id_}")
        operation = _operation(place)
        batch = Task(given | {"name": f"{place}/batches/{id_}", "operation": operation["name"]})
        self.batches[id_] = batch
        batch.program = self._run(batch, given["pysparkBatch"], None, ("SUCCEEDED", "FAILED"))
        return operation

    def batch(self, id_: str) -> Json:
        if id_ not in self.batches:
            raise RefusedError(404, f"Not found: Batch {id_}")
        batch = self.batches[id_]
        return batch.resource | {"state": batch.state, "stateMessage": batch.details}

    def cancel_operation(self, name: str) -> Json:
        """Cancel the batch that an operation runs."""
        for batch in self.batches.values():
            if batch.resource["operation"] == name and not batch.is_over:
                batch.end("CANCELLED", "Batch was cancelled by a user")
                batch.program.stop()
                return {}
        raise RefusedError(400, f"Operation {name} cannot be cancelled")

    def _run(self, task: Task, about: Json, output: tuple[str, str] | None, ends: tuple[str, str]) -> Program:
        """Run a program, after which the task has the first of two states, or the second if it failed."""

        def is_over(code: int) -> None:
            with self.lock:
                task.end(ends[bool(code)], f"Job failed with exit code {code}." if code else "")

        given = [about["mainPythonFileUri"], *about["args"]]
        return Program(self.buckets, given, output, is_over, None if self.runs else self.pretend_s)


def _operation(place: str) -> Json:
    return {"name": f"{place}/operations/{uuid4()}", "done": False}


def _check_name(name: str, pattern: str) -> None:
    if not re.fullmatch(pattern, name):
        raise RefusedError(400, f"'{name}' must match pattern {pattern}")


def _check_labels(given: Json) -> None:
    for name, value in given.get("labels", {}).items():
        if not re.fullmatch(r"[a-z][a-z0-9_-]{0,62}", name) or not re.fullmatch(r"[a-z0-9-]{0,63}", value):
            raise RefusedError(400, f"Invalid label {name}={value}")


class _Handler(GoogleHandler):
    server: "DataprocServer"
    api_name = "dataproc.v1"

    def answer_call(self) -> None:
        called = self.check_call()
        self.received.call = ".".join(called.method.split(".")[-2:])
        dataproc, at, given = self.server.dataproc, called.parameters, self.given
        region = f"projects/{at.get('projectId')}/regions/{at.get('region')}"
        methods: dict[str, Callable[[], Json]] = {
            "clusters.create": lambda: dataproc.create_cluster(given, region),
            "clusters.get": lambda: dataproc.cluster(at["clusterName"]),
            "clusters.delete": lambda: dataproc.delete_cluster(at["clusterName"], region),
            "jobs.submit": lambda: dataproc.submit_job(given["job"]),
            "jobs.get": lambda: dataproc.job(at["jobId"]),
            "batches.create": lambda: dataproc.create_batch(given, self.query["batchId"][0], at["parent"]),
            "batches.get": lambda: dataproc.batch(at["name"].rpartition("/")[2]),
            "operations.cancel": lambda: dataproc.cancel_operation(at["name"]),
        }
        if refusal := self.server.refuses.get(self.received.call):
            raise refusal
        with dataproc.lock:
            answer = methods[self.received.call]()
        self.reply_json(answer)


class DataprocServer(GoogleServer):
    """Dataproc, and the machines on which programs run.

    Attributes:
        dataproc: its state; tests may read and change it.
        refuses: errors to respond with, by call, such as `clusters.create`.
    """

    handler = _Handler

    def __init__(self, buckets: Buckets, runs: bool = True):
        super().__init__()
        self.refuses: dict[str, RefusedError] = {}
        self.dataproc = Dataproc(buckets, runs)

    @contextmanager
    def answering(self) -> Iterator[Self]:
        """Serve for the duration of the context, then kill programs that are still running."""
        try:
            with super().answering():
                yield self
        finally:
            for task in (*self.dataproc.jobs.values(), *self.dataproc.batches.values()):
                task.program.stop()
                task.program.join()
