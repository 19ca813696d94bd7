"""BigQuery jobs: begun once whatever gets lost, waited for, counted, capped and labelled.

Here belongs what every job shares, whatever it does. The statements are in `bigquery_sql.py`.
"""

import re
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import pyarrow as pa
from google.api_core.exceptions import Conflict, NotFound
from google.cloud import bigquery
from google.cloud.bigquery.retry import DEFAULT_JOB_RETRY
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from chicago_crime.sources.retry import RetryPolicy
from chicago_crime.storage.google.bigquery.client import cap_message, how, told
from chicago_crime.storage.google.bigquery.costs import GB, Costs
from chicago_crime.storage.google.bigquery.parameters import query_parameters
from chicago_crime.storage.warehouse import WarehouseError

JOB_PATIENCE_S = 1800.0
"""For so long a job that failed through no fault of its own is begun anew, above all one that met another writer."""

_PASSING = {
    "backendError",
    "internalError",
    "rateLimitExceeded",
    "jobBackendError",
    "jobInternalError",
    "jobRateLimitExceeded",
    "tableUnavailable",
}
_CONFLICT = re.compile(r"aborted due to concurrent update|due to concurrent (update|transaction)", re.IGNORECASE)
_LONGEST_PAUSE_S = 5.0
_TRIES_TO_FIND = 5

Job = bigquery.QueryJob | bigquery.LoadJob


class _PassingError(Exception):
    """A job failed, and would likely succeed if it were begun anew."""


@dataclass(frozen=True)
class Purpose:
    """What a job is for: its labels say it, and its id begins with it.

    Attributes:
        what: the sentence that its errors begin with, e.g. cannot load 2014 into raw_crimes.
        table: the table's name.
        year: which year; None if it is about many.
    """

    what: str
    table: str
    year: int | None = None

    @property
    def labels(self) -> dict[str, str]:
        """Labels, as the bill and the job history show them."""
        named = {
            "platform": "chicago_crime",
            "asset": self.table,
            "year": str(self.year or ""),
        }
        return {name: _as_label(value) for name, value in named.items() if value}


@dataclass
class Jobs:
    """Begins and finishes jobs.

    Attributes:
        client: gives the client.
        dataset: where names without a dataset are looked up.
        most_bytes: a statement that would read more is refused.
        policy: timeouts and retries of a request.
        patience_s: with a job, in seconds: for so long one that failed through no fault of its own is begun anew.
    """

    client: Callable[[], bigquery.Client]
    dataset: bigquery.DatasetReference
    most_bytes: int
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    patience_s: float = JOB_PATIENCE_S

    def run(self, sql: str, purpose: Purpose, parameters: Mapping[str, object] = {}, **config: Any) -> Costs:
        """Run a statement or a script that changes something; further settings of its job by name.

        Raises:
            WarehouseError: it failed; nothing is changed.
        """
        full = self._config(parameters, purpose, **config)
        return self._finish(lambda id_: self.client().query(sql, full, job_id=id_, job_retry=None, **self.how), purpose)

    def load(self, uri: str, target: bigquery.TableReference, purpose: Purpose, **config: Any) -> Costs:
        """Load files into a table or a partition.

        Raises:
            WarehouseError: it failed; nothing is changed.
        """
        full = bigquery.LoadJobConfig(labels=purpose.labels, **config)
        return self._finish(
            lambda id_: self.client().load_table_from_uri(uri, target, job_id=id_, job_config=full, **self.how), purpose
        )

    def estimate(self, sql: str, purpose: Purpose, parameters: Mapping[str, object] = {}) -> Costs:
        """The bytes that a query would read, by a dry run.

        Raises:
            WarehouseError: they are more than allowed.
        """
        found = self._dry_run(sql, purpose, parameters).total_bytes_processed or 0
        if found > self.most_bytes:
            problem = f"it would read {found / GB:,.6f} GB, and {self.most_bytes / GB:,.6f} GB are allowed"
            raise WarehouseError(f"{purpose.what}: {cap_message(problem)}")
        return Costs(bytes_estimated=found)

    def read(
        self, sql: str, purpose: Purpose, parameters: Mapping[str, object] = {}, most_bytes: int | None = None
    ) -> pa.Table:
        """The answer of a query. It is asked under an id of its own, so that asking again after a cut costs nothing.

        BigQuery keeps an answer for a day and gives it again for nothing, while text, values and tables are the same.

        Args:
            sql: the query.
            purpose: what it is for.
            parameters: name -> value of every `@name` in it.
            most_bytes: what it may read; by default as much as any statement.

        Raises:
            TooMuchToReadError: it would read more than allowed; nothing is billed.
            WarehouseError: it cannot be answered.
        """
        cap = most_bytes or self.most_bytes
        config = self._config(parameters, purpose, use_query_cache=True, maximum_bytes_billed=cap)
        limits = {
            "api_timeout": self.policy.timeout_s,
            "wait_timeout": self.patience_s,
            "retry": self.how["retry"],
            "job_retry": DEFAULT_JOB_RETRY.with_timeout(self.policy.deadline_s),
        }

        def ask() -> pa.Table:
            rows = self.client().query_and_wait(sql, job_config=config, **limits)
            return rows.to_arrow(create_bqstorage_client=False)

        return told(ask, purpose.what)

    def statement_type(self, sql: str, purpose: Purpose) -> str:
        """What kind of statement a text is, e.g. SELECT. Nothing is run."""
        return str(self._dry_run(sql, purpose, {}).statement_type)

    @property
    def how(self) -> dict[str, Any]:
        """How every call is made."""
        return how(self.policy)

    def _dry_run(self, sql: str, purpose: Purpose, parameters: Mapping[str, object]) -> bigquery.QueryJob:
        # Without a cap: it shall tell how many bytes they are, and not only that they are too many.
        config = self._config(parameters, purpose, dry_run=True, use_query_cache=False)
        # Without job_retry, which would go on for ten minutes whatever our patience is.
        return told(lambda: self.client().query(sql, config, job_retry=None, **self.how), purpose.what)

    def _config(self, parameters: Mapping[str, object], purpose: Purpose, **more: Any) -> bigquery.QueryJobConfig:
        if "dry_run" not in more:
            more = {"maximum_bytes_billed": self.most_bytes} | more
        return bigquery.QueryJobConfig(
            default_dataset=self.dataset,
            query_parameters=query_parameters(parameters),
            labels=purpose.labels,
            **more,
        )

    def _finish(self, begin: Callable[[str], Job], purpose: Purpose) -> Costs:
        """Begin a job, see it end, and begin it anew if its failure was a passing one: it has changed nothing then."""
        name = re.sub(r"\W", "_", f"chicago_crime_{purpose.table}_{purpose.year or 'all'}_{uuid.uuid4().hex}")
        attempts = Retrying(
            retry=retry_if_exception_type(_PassingError),
            wait=wait_random_exponential(multiplier=self.policy.first_wait_s, max=30),
            stop=stop_after_delay(self.patience_s),
            reraise=True,
        )

        def until_done() -> Costs:
            for attempt in attempts:
                with attempt:
                    return self._once(begin, f"{name}_{attempt.retry_state.attempt_number}")
            raise AssertionError("an attempt returns or raises")

        try:
            return told(until_done, purpose.what)
        except _PassingError as error:
            problem = str(error)
        raise WarehouseError(f"{purpose.what}: {problem}, again and again: run it later")

    def _once(self, begin: Callable[[str], Job], job_id: str) -> Costs:
        try:
            job = begin(job_id)
        except Conflict:  # begun before, and its answer was lost: nobody else has this id
            job = self._begun(job_id)
        pause = 0.05
        # Not `result()`: it takes a failed job for a failed call, and would ask about it for minutes.
        while job.state != "DONE":
            time.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE_S)
            job.reload(**self.how)
        if job.error_result:
            problem = str(job.error_result.get("message", "")).rstrip(".")
            if job.error_result.get("reason") in _PASSING or _CONFLICT.search(problem):
                raise _PassingError(problem)
            raise job.exception(timeout=self.policy.timeout_s)
        return costs_of(job)

    def _begun(self, job_id: str) -> Job:
        for tried in range(_TRIES_TO_FIND):  # right after its refusal to begin a job anew, BigQuery may not find it
            try:
                return cast(Job, self.client().get_job(job_id, **self.how))
            except NotFound:
                if tried == _TRIES_TO_FIND - 1:
                    raise
                time.sleep(self.policy.first_wait_s * 2**tried)
        raise AssertionError("the last try returns or raises")


def costs_of(job: Job) -> Costs:
    """What a finished job tells about itself."""
    if isinstance(job, bigquery.QueryJob):
        return Costs(1, 0, job.total_bytes_processed or 0, job.total_bytes_billed or 0, job.slot_millis or 0)
    return Costs(1, 0, 0, 0, getattr(job, "slot_millis", None) or 0)


def _as_label(value: str) -> str:
    return re.sub(r"[^a-z0-9_-]", "_", value.lower())[:63]
