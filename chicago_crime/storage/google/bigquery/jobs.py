"""BigQuery jobs: each is started once even if responses are lost, waited for, capped, labeled and billed.

`statements.py` has the statements.
"""

import re
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any, TypeVar, cast

import pyarrow as pa
from google.api_core.exceptions import BadRequest, Conflict, GoogleAPICallError, NotFound, RetryError
from google.api_core.retry import Retry, if_exception_type
from google.cloud import bigquery
from google.cloud.bigquery.retry import DEFAULT_JOB_RETRY

from chicago_crime.errors import HOW_TO_LOAD
from chicago_crime.settings import PREFIX, Settings
from chicago_crime.sources.retry import RetryPolicy
from chicago_crime.storage.google.access import (
    OVER_LIMIT,
    TRANSIENT_REASONS,
    call,
    client_arguments,
    google_retry,
    message_of,
    reasons_of,
)
from chicago_crime.storage.google.prices import TIB, USD_PER_TIB_QUERIED
from chicago_crime.storage.warehouse import WarehouseError

GB = 10**9

JOB_DEADLINE_S = 1800.0
"""How long a job is restarted that fails for a transient reason, usually a conflict with another writer."""

_TRANSIENT = TRANSIENT_REASONS | {"jobBackendError", "jobInternalError", "jobRateLimitExceeded", "tableUnavailable"}
_CONFLICT = re.compile("due to concurrent (update|transaction)", re.IGNORECASE)
_MAX_POLL_S = 5.0

Job = bigquery.QueryJob | bigquery.LoadJob
_T = TypeVar("_T")


class JobFailedError(WarehouseError):
    """BigQuery refused or failed a job, which has changed nothing."""


class _TransientJobError(Exception):
    """A job failed for a reason that is worth a restart."""


@dataclass(frozen=True)
class JobResult:
    """The rows and the cost of a job.

    Attributes:
        rows: rows written, as reported by the job; None if it does not write rows.
        bytes_billed: bytes billed: rounded up, and at least 10 MB per table.
    """

    rows: int | None = None
    bytes_billed: int = 0

    def as_details(self) -> dict[str, int | float]:
        """Return the costs by name, for an asset's metadata, with an estimate in US dollars at the list price."""
        usd = round(self.bytes_billed / TIB * USD_PER_TIB_QUERIED, 6)
        return {"bigquery_bytes_billed": self.bytes_billed, "bigquery_estimated_usd": usd}


@dataclass(frozen=True)
class Purpose:
    """The purpose of a job, as shown in its labels, id and errors.

    Attributes:
        what: the beginning of its error messages, such as "cannot load 2014 into raw_crimes".
        table: the table's name.
        year: the year; None for several.
    """

    what: str
    table: str
    year: int | None = None


@dataclass
class Jobs:
    """Starts jobs and waits for them.

    Attributes:
        settings: of the installation.
        policy: timeouts and retries of each request.
        run_id: the Dagster run's id, for the labels.
        dataset: the default dataset of statements.
    """

    settings: Settings
    policy: RetryPolicy
    run_id: str = ""
    _client: bigquery.Client | None = field(default=None, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def __post_init__(self) -> None:
        self.dataset = bigquery.DatasetReference(self.settings.gcp_project or "", self.settings.bigquery_dataset)

    def client(self) -> bigquery.Client:
        """Return the client, which all threads share with its connections."""
        with self._lock:  # `cached_property` has none
            if self._client is None:
                connect = partial(client_arguments, self.settings, self.settings.bigquery_endpoint)
                arguments = call_bigquery(connect, "cannot connect to BigQuery")
                self._client = bigquery.Client(location=self.settings.gcp_region, **arguments)
            return self._client

    def run(self, sql: str, purpose: Purpose, before_restart: Callable[[], object] = lambda: None) -> JobResult:
        """Run a statement or a script that changes something.

        `before_restart` is called before the job is restarted, to remove what the failed attempt may have left.

        Raises:
            JobFailedError: it failed and changed nothing.
            WarehouseError: BigQuery did not report whether it succeeded.
        """
        full = self._config(purpose)
        return self._finish(
            lambda id_: self.client().query(sql, full, job_id=id_, job_retry=None, **self.options),
            purpose,
            before_restart,
        )

    def load(self, uri: str, target: bigquery.TableReference, purpose: Purpose, **config: Any) -> JobResult:
        """Replace a table, which must exist, or a partition with files.

        Raises:
            JobFailedError: it failed and changed nothing.
            WarehouseError: BigQuery did not report whether it succeeded.
        """
        truncate, never = bigquery.WriteDisposition.WRITE_TRUNCATE, bigquery.CreateDisposition.CREATE_NEVER
        full = bigquery.LoadJobConfig(
            labels=self._labels(purpose), write_disposition=truncate, create_disposition=never, **config
        )
        return self._finish(
            lambda id_: self.client().load_table_from_uri(uri, target, job_id=id_, job_config=full, **self.options),
            purpose,
        )

    def read(self, sql: str, purpose: Purpose, max_rows: int | None = None) -> pa.Table:
        """Return the first rows of a query, or all. Requests have ids, so a retry after a lost response costs nothing.

        BigQuery caches results for a day and returns them free of charge while the text and the tables are unchanged.

        Raises:
            JobFailedError: BigQuery refused it, for example because of the limit of bytes; nothing is billed.
            WarehouseError: it failed.
        """
        config = self._config(purpose)
        limits = {
            "api_timeout": self.policy.timeout_s,
            "wait_timeout": JOB_DEADLINE_S,
            "retry": self.options["retry"],
            "job_retry": DEFAULT_JOB_RETRY.with_timeout(self.policy.deadline_s),
        }

        def request() -> pa.Table:
            rows = self.client().query_and_wait(sql, job_config=config, max_results=max_rows, **limits)
            return rows.to_arrow(create_bqstorage_client=False)

        return call_bigquery(request, purpose.what)

    def statement_type(self, sql: str, purpose: Purpose) -> str:
        """Return the type of a statement, such as SELECT, from a dry run, which is not billed."""
        config = self._config(purpose, dry_run=True, use_query_cache=False)
        # Without job_retry, which retries for ten minutes regardless of the policy.
        job = call_bigquery(lambda: self.client().query(sql, config, job_retry=None, **self.options), purpose.what)
        return str(job.statement_type)

    @property
    def options(self) -> dict[str, Any]:
        """Timeout and retries of each request."""
        return {"timeout": self.policy.timeout_s, "retry": google_retry(self.policy, "BigQuery")}

    def _config(self, purpose: Purpose, **more: Any) -> bigquery.QueryJobConfig:
        most = int(self.settings.bigquery_max_gb_billed * GB)  # a statement that would exceed it is refused
        return bigquery.QueryJobConfig(
            default_dataset=self.dataset, labels=self._labels(purpose), maximum_bytes_billed=most, **more
        )

    def _labels(self, purpose: Purpose) -> dict[str, str]:
        """Labels for the bill and the job history."""
        year = str(purpose.year or "")
        named = {"platform": "chicago_crime", "asset": purpose.table, "year": year, "run": self.run_id}
        return {name: re.sub(r"[^a-z0-9_-]", "_", value.lower())[:63] for name, value in named.items() if value}

    def _finish(
        self, start: Callable[[str], Job], purpose: Purpose, before_restart: Callable[[], object] = lambda: None
    ) -> JobResult:
        """Start a job and wait for it; restart it after a transient failure, which has changed no table."""
        name = re.sub(r"\W", "_", f"chicago_crime_{purpose.table}_{purpose.year or 'all'}_{uuid.uuid4().hex}")
        attempts = count(1)
        retry = Retry(
            if_exception_type(_TransientJobError),
            initial=self.policy.first_wait_s,
            maximum=30,
            timeout=JOB_DEADLINE_S,
            on_error=lambda _: before_restart(),
        )
        run = retry(lambda: call_bigquery(lambda: self._once(start, f"{name}_{next(attempts)}"), purpose.what))
        try:
            return cast(JobResult, run())
        except RetryError as error:
            problem = error.cause
        raise JobFailedError(f"{purpose.what}: {problem}, even after restarts: try again later")

    def _once(self, start: Callable[[str], Job], job_id: str) -> JobResult:
        try:
            job = start(job_id)
        except Conflict:  # started by an earlier attempt whose response was lost: nobody else uses this id
            until_found = google_retry(self.policy, "BigQuery", lambda error: isinstance(error, NotFound))
            job = cast(Job, self.client().get_job(job_id, timeout=self.policy.timeout_s, retry=until_found))
        pause = 0.05
        # Not `result()`, which treats a failed job as a failed request and retries it for minutes.
        while job.state != "DONE":
            time.sleep(pause)
            pause = min(pause * 1.5, _MAX_POLL_S)
            job.reload(**self.options)
        if job.error_result:
            problem = str(job.error_result.get("message", "")).rstrip(".")
            if job.error_result.get("reason") in _TRANSIENT or _CONFLICT.search(problem):
                raise _TransientJobError(problem)
            raise job.exception(timeout=self.policy.timeout_s)
        if isinstance(job, bigquery.LoadJob):
            return JobResult(job.output_rows)
        return JobResult(job.dml_stats.inserted_row_count if job.dml_stats else None, job.total_bytes_billed or 0)


def call_bigquery(request: Callable[[], _T], what: str) -> _T:
    """Make a request to BigQuery, and raise a readable error if it fails, which begins with `what`.

    Raises:
        JobFailedError: BigQuery refused the statement, for example because of the limit of bytes.
        WarehouseError: any other failure.
    """
    try:
        return call(request, f"{what}: BigQuery", WarehouseError, keeps=_is_about_the_statement)
    except GoogleAPICallError as error:
        problem, kind = (message_of(error) or str(error.message)).split("\n")[0].rstrip("."), WarehouseError
        if isinstance(error, NotFound):
            problem += f". {HOW_TO_LOAD}"
        elif OVER_LIMIT in reasons_of(error):
            hint = f"If the query really has to read this much, raise {PREFIX}BIGQUERY_MAX_GB_BILLED"
            problem, kind = f"{problem}. {hint}", JobFailedError
        elif isinstance(error, BadRequest):
            kind = JobFailedError
    raise kind(f"{what}: {problem}")  # outside `except`: the original error includes the request, with its token


def _is_about_the_statement(error: Exception) -> bool:
    return isinstance(error, BadRequest) or OVER_LIMIT in reasons_of(error)  # the HTTP status of the latter is 500
