"""Dataproc on loopback: clusters, jobs and batches, whose PySpark programs really run on the storage server's files.

This module handles HTTP, `dataproc_state.py` Dataproc's state, and `dataproc_programs.py` programs.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ClassVar, Self

from chicago_crime_tests.servers.dataproc_state import Dataproc, Json
from chicago_crime_tests.servers.google_server import GoogleHandler, GoogleServer, RefusedError
from chicago_crime_tests.servers.storage_objects import Buckets

_REGION, _ID = "/v1/(?P<place>projects/[^/]+/(regions|locations)/[^/]+)", "(?P<id>[^/]+)"


class _Handler(GoogleHandler):
    server: "DataprocServer"
    api_name = "dataproc.v1"
    routes: ClassVar = {
        "clusters.create": f"POST {_REGION}/clusters",
        "clusters.get": f"GET {_REGION}/clusters/{_ID}",
        "clusters.delete": f"DELETE {_REGION}/clusters/{_ID}",
        "jobs.submit": f"POST {_REGION}/jobs:submit",
        "jobs.get": f"GET {_REGION}/jobs/{_ID}",
        "batches.create": f"POST {_REGION}/batches",
        "batches.get": f"GET {_REGION}/batches/{_ID}",
        "operations.cancel": f"POST {_REGION}/operations/{_ID}:cancel",
    }

    def answer_call(self) -> None:
        at, dataproc, given = self.find_call(), self.server.dataproc, self.given
        place, id_ = at["place"], at.get("id", "")
        methods: dict[str, Callable[[], Json]] = {
            "clusters.create": lambda: dataproc.create_cluster(given, place),
            "clusters.get": lambda: dataproc.cluster(id_),
            "clusters.delete": lambda: dataproc.delete_cluster(id_, place),
            "jobs.submit": lambda: dataproc.submit_job(given["job"]),
            "jobs.get": lambda: dataproc.job(id_),
            "batches.create": lambda: dataproc.create_batch(given, self.query["batchId"][0], place),
            "batches.get": lambda: dataproc.batch(id_),
            "operations.cancel": lambda: dataproc.cancel_operation(f"{place}/operations/{id_}"),
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
