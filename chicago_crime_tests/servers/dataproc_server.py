"""Dataproc on loopback: clusters, jobs and batches, whose PySpark programs really run, on the storage server's files.

Here belongs what is said over HTTP; what Dataproc does is in `dataproc_state.py`, how a program runs in
`dataproc_programs.py`. What is not here answers 501 and fails the test. By itself, with a storage server beside it:
`python -m chicago_crime_tests.servers.dataproc_server --folder DIR --bucket NAME --port 8033 --storage-port 8031`.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from chicago_crime_tests.servers.credentials import service_account_file
from chicago_crime_tests.servers.dataproc_programs import Program
from chicago_crime_tests.servers.dataproc_state import Dataproc, Json
from chicago_crime_tests.servers.faults import add_fault_option, faults_in, serve
from chicago_crime_tests.servers.google_server import GoogleHandler, GoogleServer, RefusedError
from chicago_crime_tests.servers.storage_server import StorageServer


class _Handler(GoogleHandler):
    server: "DataprocServer"

    def answer_call(self) -> None:
        called = self.check_call()
        name = called.method.removeprefix("dataproc.projects.").removeprefix("regions.").removeprefix("locations.")
        answers: dict[str, Callable[..., Json | None]] = {
            "clusters.create": self._create_cluster,
            "clusters.get": self._get_cluster,
            "clusters.list": self._list_clusters,
            "clusters.delete": self._delete_cluster,
            "jobs.submit": self._submit_job,
            "jobs.get": self._get_job,
            "jobs.list": self._list_jobs,
            "jobs.cancel": self._cancel_job,
            "batches.create": self._create_batch,
            "batches.get": self._get_batch,
            "batches.list": self._list_batches,
            "batches.delete": self._delete_batch,
            "operations.get": self._get_operation,
            "operations.cancel": self._cancel_operation,
        }
        if name not in answers:
            self.server.problems.append(f"{called.method} is not made here")
            raise RefusedError(501, f"{called.method} is not made here")
        self.asked.call = name
        if refusal := self.server.refuses.get(name):
            raise refusal
        self._given: Json = json.loads(self.asked.body) if self.asked.body else {}
        self._at = called.parameters
        with self.server.dataproc.lock:
            told = answers[name]()
        self.reply_json({} if told is None else told)

    @property
    def _region(self) -> str:
        return f"projects/{self._at['projectId']}/regions/{self._at['region']}"

    @property
    def _request_id(self) -> str:
        return self.query.get("requestId", [""])[0] or self._given.get("requestId", "")

    @property
    def _id(self) -> str:
        return self._at["name"].rpartition("/")[2]

    def _create_cluster(self) -> Json:
        do = partial(self.server.dataproc.create_cluster, self._given, self._region)
        return self.server.dataproc.once("clusters.create", self._request_id, do)

    def _get_cluster(self) -> Json:
        return self.server.dataproc.cluster(self._at["clusterName"]).resource()

    def _list_clusters(self) -> Json:
        return {"clusters": [cluster.resource() for cluster in self.server.live_clusters()]}

    def _delete_cluster(self) -> Json:
        do = partial(self.server.dataproc.delete_cluster, self._at["clusterName"], self._region)
        return self.server.dataproc.once("clusters.delete", self._request_id, do)

    def _submit_job(self) -> Json:
        do = partial(self.server.dataproc.submit_job, self._given["job"])
        return self.server.dataproc.once("jobs.submit", self._request_id, do)

    def _get_job(self) -> Json:
        return self.server.dataproc.job(self._at["jobId"])

    def _list_jobs(self) -> Json:
        return {"jobs": [job.resource for job in self.server.dataproc.jobs.values()]}

    def _cancel_job(self) -> Json:
        return self.server.dataproc.cancel_job(self._at["jobId"])

    def _create_batch(self) -> Json:
        batch_id = self.query["batchId"][0]
        do = partial(self.server.dataproc.create_batch, self._given, batch_id, self._at["parent"])
        return self.server.dataproc.once("batches.create", self._request_id, do)

    def _get_batch(self) -> Json:
        return self.server.dataproc.batch(self._id)

    def _list_batches(self) -> Json:
        return {"batches": [batch.resource for batch in self.server.dataproc.batches.values()]}

    def _delete_batch(self) -> None:
        self.server.dataproc.delete_batch(self._id)

    def _get_operation(self) -> Json:
        return self.server.dataproc.operation(self._at["name"])

    def _cancel_operation(self) -> None:
        self.server.dataproc.cancel_operation(self._at["name"])


class DataprocServer(GoogleServer):
    """Dataproc, and the machines on which programs run.

    Attributes:
        dataproc: what there is; a test may look into it and change it.
        engine: what programs run on: "sail", "jvm" (Apache Spark, needs Java), or "" to run none of them.
        pretend_s: with no engine, seconds that a program seems to take.
        refuses: by name of a call, such as `clusters.create`, what is answered instead.
    """

    api_name = "dataproc.v1"
    handler = _Handler

    def __init__(self, storage: StorageServer, engine: str = "sail", port: int = 0):
        super().__init__(port)
        self.storage, self.engine, self.pretend_s = storage, engine, 0.0
        self.refuses: dict[str, RefusedError] = {}
        self.programs: list[Program] = []
        self.dataproc = Dataproc(self._run)

    def live_clusters(self) -> list:
        """The clusters that cost something now, whatever their state."""
        found = []
        for name in list(self.dataproc.clusters):
            try:
                found.append(self.dataproc.cluster(name))
            except RefusedError:
                continue
        return found

    @contextmanager
    def answering(self) -> "Iterator[DataprocServer]":
        """Answer while the context lasts; programs that still run then are killed."""
        try:
            with super().answering():
                yield self
        finally:
            for program in self.programs:
                program.stop()
                program.join()

    def _run(self, *given: Any) -> Program:
        program = Program(self.storage, self.engine, self.pretend_s, *given)
        self.programs.append(program)
        return program


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where the buckets are, a folder each")
    parser.add_argument("--bucket", required=True, help="the bucket that there is")
    parser.add_argument("--engine", default="sail", choices=("sail", "jvm"))
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--storage-port", type=int, default=0, help="where the storage server answers; it starts too")
    add_fault_option(parser)
    options = parser.parse_args()
    storage = StorageServer(options.folder, [options.bucket], options.storage_port)
    server = DataprocServer(storage, options.engine, options.port)
    for fault in faults_in(options.faults):
        server.will(fault)
    print(f"CHICAGO_CRIME_GCP_CREDENTIALS={service_account_file(options.folder / '.aside', server.token_uri)}")
    print(f"CHICAGO_CRIME_GCS_ENDPOINT={storage.url}")
    with storage.answering():
        serve(server, "Dataproc")
