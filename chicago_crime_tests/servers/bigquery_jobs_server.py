"""Jobs of the BigQuery server: each id is started once and runs in a thread."""

import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import duckdb

from chicago_crime_tests.servers.bigquery_catalog import PARTITION, Catalog, JobError, LiveTable
from chicago_crime_tests.servers.bigquery_engine import Session
from chicago_crime_tests.servers.google_server import RefusedError

PROJECT = "chicago-test"
LONGEST_IN_ANSWER_S = 0.2
"""Jobs that finish within this time are DONE in the response that started them; clients poll for the others."""


@dataclass
class Job:
    """A job: its id, its region, the configuration in the request, and the session that does its work."""

    id: str
    location: str
    configuration: dict[str, Any]
    session: Session
    error: dict[str, str] | None = None
    done: threading.Event = field(default_factory=threading.Event)

    @property
    def kind(self) -> str:
        return "query" if "query" in self.configuration else "load"

    def resource(self) -> dict[str, Any]:
        """The job as the API describes it."""
        session, rows = self.session, str(self.session.inserted or 0)
        statistics: dict[str, Any] = {}
        if self.kind == "query":
            query: dict[str, Any] = {"totalBytesBilled": str(session.bytes_billed)}
            if session.statement:
                query["statementType"] = session.statement
            if session.inserted is not None:
                query["dmlStats"] = {"insertedRowCount": rows}
            statistics["query"] = query
        elif session.inserted is not None:
            statistics["load"] = {"outputRows": rows}
        failure = {"errorResult": self.error, "errors": [self.error]} if self.error else {}
        return {
            "jobReference": {"projectId": PROJECT, "jobId": self.id, "location": self.location},
            "configuration": self.configuration | {"jobType": self.kind.upper()},
            "status": {"state": "DONE" if self.done.is_set() else "RUNNING"} | failure,
            "statistics": statistics,
        }

    def require_success(self) -> None:
        """Raise the job's error, if any, with the status that Google gives it."""
        if self.error:
            status = {"notFound": 404, "bytesBilledLimitExceeded": 500}.get(self.error["reason"], 400)
            raise RefusedError(status, self.error["message"], self.error["reason"])


class Jobs:
    """All jobs of a server.

    Attributes:
        will_fail: failures requested by a test: a text in the job's configuration, reason, message.
        before_work: called before each job does anything.
    """

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.by_id: dict[str, Job] = {}
        self.will_fail: list[tuple[str, str, str]] = []
        self.before_work: Callable[[Job], object] = lambda job: None
        self._lock = threading.Lock()

    def begin(self, configuration: dict[str, Any], id_: str | None, location: str) -> Job:
        """Start a job; a dry run is not kept.

        Raises:
            RefusedError: there is one of this id, or the dry run failed.
        """
        if "skipLeadingRows" in (load := configuration.get("load", {})):
            load["skipLeadingRows"] = int(load["skipLeadingRows"])  # the client writes it as text, BigQuery does not
        query = configuration.get("query", {})
        dataset = query.get("defaultDataset") or configuration["load"]["destinationTable"]
        most = query.get("maximumBytesBilled")
        session = Session(self.catalog, dataset["datasetId"], int(most) if most else None)
        job = Job(id_ or f"job_{uuid.uuid4().hex}", location, configuration, session)
        if configuration.get("dryRun"):
            self._work(job)
            job.require_success()
            return job
        with self._lock:
            if self.by_id.setdefault(job.id, job) is not job:
                raise RefusedError(409, f"Already Exists: Job {PROJECT}:{location}.{job.id}")
        threading.Thread(target=self._work, args=[job], daemon=True).start()
        job.done.wait(LONGEST_IN_ANSWER_S)
        return job

    def _work(self, job: Job) -> None:
        try:
            self.before_work(job)
            for failure in self.will_fail:
                if failure[0] in str(job.configuration):
                    self.will_fail.remove(failure)
                    raise JobError(*failure[1:])
            if job.kind == "query":
                job.session.run(job.configuration["query"]["query"], bool(job.configuration.get("dryRun")))
            else:
                self._load(job)
        except JobError as error:
            job.error = {"reason": error.reason, "message": str(error)}
        except RefusedError as error:
            job.error = {"reason": "notFound" if error.status == 404 else "invalid", "message": str(error)}
        except Exception as error:  # a bug of this server: the test must not wait forever
            job.error = {"reason": "invalid", "message": f"the test server failed: {error!r}"}
        job.session.cursor.close()
        job.done.set()

    def _load(self, job: Job) -> None:
        about = job.configuration["load"]
        target = about["destinationTable"]
        name, _, partition = target["tableId"].partition("$")
        table = self.catalog.find(target["datasetId"], name)
        assert about["writeDisposition"] == "WRITE_TRUNCATE" and bool(partition) == table.is_by_ingestion
        if about["sourceFormat"] == "PARQUET":
            assert not (table.partitioning or "schema" in about), "Parquet files replace a staging table"
            rows, columns = self.catalog.parquet(job.session.cursor, about["sourceUris"])
            table.columns = [(name, kind, "") for name, kind in columns]
            self.catalog.add(table)
        else:
            rows = self.catalog.csv(about)
        try:
            job.session.inserted = self._write(job.session, table, partition, rows)
        except duckdb.Error as error:
            raise JobError("invalid", f"Error while reading data, error message: {error}") from error

    @staticmethod
    def _write(session: Session, table: LiveTable, partition: str, rows: str) -> int:
        """Replace the rows of a table or, if it is partitioned by ingestion time, of a partition."""
        columns, values, where = ", ".join(f'"{name}"' for name, _, _ in table.columns), "*", ""
        if table.is_by_ingestion:
            assert table.partitioning["timePartitioning"]["type"] == "YEAR" and len(partition) == 4, partition
            at = f"TIMESTAMP '{partition}-01-01'"
            columns, values, where = f"{columns}, {PARTITION}", f"*, {at}", f"WHERE {PARTITION} = {at}"
        with session.changes(table):
            session.cursor.execute(f"DELETE FROM {table.rows_table} {where}")
            insert = f"INSERT INTO {table.rows_table} ({columns}) SELECT {values} FROM ({rows}) AS r"
            return int(session.cursor.execute(insert).fetchall()[0][0])
