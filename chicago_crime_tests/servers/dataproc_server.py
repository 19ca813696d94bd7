"""Dataproc on loopback: clusters, jobs and batches, whose PySpark programs really run on the storage server's files.

This module handles HTTP, `dataproc_state.py` Dataproc's state, and `dataproc_programs.py` programs. Methods that are
not implemented respond with 501 and fail the test.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from chicago_crime_tests.servers.dataproc_programs import Program
from chicago_crime_tests.servers.dataproc_state import Cluster, Dataproc, Json
from chicago_crime_tests.servers.google_server import GoogleHandler, GoogleServer, RefusedError
from chicago_crime_tests.servers.storage_server import StorageServer


class _Handler(GoogleHandler):
    server: "DataprocServer"

    def answer_call(self) -> None:
        called = self.check_call()
        name = called.method.removeprefix("dataproc.projects.").removeprefix("regions.").removeprefix("locations.")
        dataproc, at = self.server.dataproc, called.parameters
        given: Json = json.loads(self.received.body) if self.received.body else {}
        region = f"projects/{at.get('projectId')}/regions/{at.get('region')}"
        methods: dict[str, Callable[[], Json]] = {
            "clusters.create": lambda: dataproc.create_cluster(given, region),
            "clusters.get": lambda: dataproc.cluster(at["clusterName"]).resource(),
            "clusters.delete": lambda: dataproc.delete_cluster(at["clusterName"], region),
            "jobs.submit": lambda: dataproc.submit_job(given["job"]),
            "jobs.get": lambda: dataproc.job(at["jobId"]),
            "batches.create": lambda: dataproc.create_batch(given, self.query["batchId"][0], at["parent"]),
            "batches.get": lambda: dataproc.batch(at["name"].rpartition("/")[2]),
            "operations.cancel": lambda: dataproc.cancel_operation(at["name"]),
        }
        if name not in methods:
            raise self.missing(called.method)
        self.received.call = name
        if refusal := self.server.refuses.get(name):
            raise refusal
        with dataproc.lock:
            answer = methods[name]()
        self.reply_json(answer)


class DataprocServer(GoogleServer):
    """Dataproc, and the machines on which programs run.

    Attributes:
        dataproc: its state; tests may read and change it.
        runs: whether programs really run.
        pretend_s: otherwise, how long they pretend to run, in seconds.
        refuses: errors to respond with, by call, such as `clusters.create`.
    """

    api_name = "dataproc.v1"
    handler = _Handler

    def __init__(self, storage: StorageServer, runs: bool = True):
        super().__init__()
        self.storage, self.runs, self.pretend_s = storage, runs, 0.0
        self.refuses: dict[str, RefusedError] = {}
        self.programs: list[Program] = []
        self.dataproc = Dataproc(self._run)

    def live_clusters(self) -> list[Cluster]:
        """The clusters that are billed now, whatever their state."""
        found = []
        for name in list(self.dataproc.clusters):
            try:
                found.append(self.dataproc.cluster(name))
            except RefusedError:
                continue
        return found

    @contextmanager
    def answering(self) -> "Iterator[DataprocServer]":
        """Serve for the duration of the context, then kill programs that are still running."""
        try:
            with super().answering():
                yield self
        finally:
            for program in self.programs:
                program.stop()
                program.join()

    def _run(self, *given: Any) -> Program:
        program = Program(self.storage, self.runs, self.pretend_s, *given)
        self.programs.append(program)
        return program
