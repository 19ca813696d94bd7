"""Dataproc on loopback: clusters, jobs and batches, whose PySpark programs really run on the storage server's files.

This module handles HTTP, `dataproc_state.py` Dataproc's state, and `dataproc_programs.py` programs.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self

from chicago_crime_tests.servers.dataproc_state import Dataproc, Json
from chicago_crime_tests.servers.google_server import GoogleHandler, GoogleServer, RefusedError
from chicago_crime_tests.servers.storage_objects import Buckets


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
