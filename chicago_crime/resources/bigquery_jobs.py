"""BigQuery jobs: begun once whatever gets lost, waited for, counted, capped and labelled.

Here belongs what every job shares, whatever it does. The statements are in `bigquery_sql.py`.
"""

import re
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pyarrow as pa
from google.api_core.exceptions import Conflict, GoogleAPICallError, NotFound
from google.cloud import bigquery
from google.cloud.bigquery.retry import DEFAULT_RETRY
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from chicago_crime.resources.bigquery_client import CALL, CALL_TIMEOUT_S, RETRY, cap_message, telling
from chicago_crime.resources.bigquery_costs import GB, Costs
from chicago_crime.resources.warehouse import WarehouseError, current_run
from chicago_crime.tables import TABLES

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
# Right after 409, the job that is there may not be found yet.
_RETRY_UNTIL_FOUND = RETRY.with_predicate(lambda e: isinstance(e, NotFound) or DEFAULT_RETRY._predicate(e))

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
        named = {"platform": "chicago_crime", "asset": self.table, "year": str(self.year or ""), "run": current_run.get()}
        return {name: _as_label(value) for name, value in named.items() if value}


@dataclass
class Jobs:
    """Begins and finishes jobs.

    Attributes:
        client: gives the client.
        dataset: where names without a dataset are looked up.
        most_bytes: a statement that would read more is refused.
    """

    client: Callable[[], bigquery.Client]
    dataset: bigquery.DatasetReference
    most_bytes: int
    patience_s: float = field(default=JOB_PATIENCE_S)

    def run(self, sql: str, purpose: Purpose, parameters: Mapping[str, object] = {}, **config: Any) -> Costs:
        """Run a statement or a script that changes something; further settings of its job by name."""
        full = self._config(parameters, purpose, **config)
        return self._finish(lambda id_: self.client().query(sql, full, job_id=id_, job_retry=None, **CALL), purpose)

    def load(self, uri: str, target: bigquery.TableReference, purpose: Purpose, **config: Any) -> Costs:
        """Load files into a table or a partition."""
        full = bigquery.LoadJobConfig(labels=purpose.labels, **config)
        return self._finish(
            lambda id_: self.client().load_table_from_uri(uri, target, job_id=id_, job_config=full, **CALL), purpose
        )

    def estimate(self, sql: str, purpose: Purpose, parameters: Mapping[str, object] = {}) -> Costs:
        """The bytes that a query would read, by a dry run.

        Raises:
            WarehouseError: they are more than allowed.
        """
        job = self._dry_run(sql, purpose, parameters)
        found = job.total_bytes_processed or 0
        if found > self.most_bytes:
            told = f"it would read {found / GB:,.3f} GB, and {self.most_bytes / GB:,.3f} GB are allowed"
            raise WarehouseError(f"{purpose.what}: {cap_message(told)}")
        return Costs(bytes_estimated=found)

    def read(self, sql: str, purpose: Purpose, parameters: Mapping[str, object] = {}) -> pa.Table:
        """The answer of a query. It is asked under an id of its own, so asking again after a cut costs nothing."""
        config = self._config(parameters, purpose)
        with telling(purpose.what):
            rows = self.client().query_and_wait(
                sql, job_config=config, api_timeout=CALL_TIMEOUT_S, wait_timeout=self.patience_s, retry=RETRY
            )
            return rows.to_arrow(create_bqstorage_client=False)

    def statement_type(self, sql: str, purpose: Purpose) -> str:
        """What kind of statement a text is, e.g. SELECT. Nothing is run."""
        return str(self._dry_run(sql, purpose, {}).statement_type)

    def _dry_run(self, sql: str, purpose: Purpose, parameters: Mapping[str, object]) -> bigquery.QueryJob:
        config = self._config(parameters, purpose, dry_run=True, use_query_cache=False)
        with telling(purpose.what):
            return self.client().query(sql, config, **CALL)

    def _config(self, parameters: Mapping[str, object], purpose: Purpose, **more: Any) -> bigquery.QueryJobConfig:
        return bigquery.QueryJobConfig(
            default_dataset=self.dataset,
            maximum_bytes_billed=self.most_bytes,
            query_parameters=query_parameters(parameters),
            labels=purpose.labels,
            **more,
        )

    def _finish(self, begin: Callable[[str], Job], purpose: Purpose) -> Costs:
        """Begin a job, see it end, and begin it anew if its failure was a passing one: it has changed nothing then."""
        name = re.sub(r"\W", "_", f"chicago_crime_{purpose.table}_{purpose.year or 'all'}_{uuid.uuid4().hex}")
        attempts = Retrying(
            retry=retry_if_exception_type(_PassingError),
            wait=wait_random_exponential(multiplier=0.5, max=30),
            stop=stop_after_delay(self.patience_s),
            reraise=True,
        )
        try:
            for attempt in attempts:
                with attempt, telling(purpose.what):
                    return self._once(begin, f"{name}_{attempt.retry_state.attempt_number}")
        except _PassingError as error:
            raise WarehouseError(f"{purpose.what}: {error}, again and again. Run it later") from error
        raise AssertionError("an attempt returns or raises")

    def _once(self, begin: Callable[[str], Job], job_id: str) -> Costs:
        try:
            job = begin(job_id)
        except Conflict:  # begun before: its answer was lost. The id is of this attempt only, so it is ours.
            job = self.client().get_job(job_id, retry=_RETRY_UNTIL_FOUND, timeout=CALL_TIMEOUT_S)
        pause = 0.05
        # Not `result()`: it cannot tell a failed job from a failed call, and would ask about it for minutes.
        while job.state != "DONE":
            time.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE_S)
            job.reload(**CALL)
        if job.error_result:
            told = str(job.error_result.get("message", "")).rstrip(".")
            if job.error_result.get("reason") in _PASSING or _CONFLICT.search(told):
                raise _PassingError(told)
            raise job.exception(timeout=CALL_TIMEOUT_S)  # type: ignore[misc]
        return costs_of(job)


def costs_of(job: Job) -> Costs:
    """What a finished job tells about itself."""
    if isinstance(job, bigquery.QueryJob):
        return Costs(1, 0, job.total_bytes_processed or 0, job.total_bytes_billed or 0, job.slot_millis or 0)
    return Costs(1, 0, 0, 0, getattr(job, "slot_millis", None) or 0)


_TYPES: dict[type, str] = {bool: "BOOL", int: "INT64", float: "FLOAT64", str: "STRING", date: "DATE"}
_ELEMENTS = {
    "years": "INT64",
    "classes": "STRING",
    "types": "STRING",
    "areas": "INT64",
    "districts": "INT64",
}
"""Types of lists that may be empty, by parameter: an empty list does not tell its own."""

_COLUMNS = {column.name: column.type for table in reversed(TABLES.values()) for column in table.columns}


def query_parameters(parameters: Mapping[str, object]) -> list[Any]:
    """Values as BigQuery takes them. NULL has the type of the column that its parameter is named after."""
    found: list[Any] = []
    for name, value in parameters.items():
        if isinstance(value, Sequence) and not isinstance(value, str):
            kind = _TYPES[type(value[0])] if value else _ELEMENTS.get(name, "STRING")
            found.append(bigquery.ArrayQueryParameter(name, kind, list(value)))
        else:
            kind = _COLUMNS.get(name, "STRING") if value is None else _TYPES[type(value)]
            found.append(bigquery.ScalarQueryParameter(name, kind, value))
    return found


def _as_label(value: str) -> str:
    return re.sub(r"[^a-z0-9_-]", "_", value.lower())[:63]


__all__ = ["Costs", "GoogleAPICallError", "Job", "Jobs", "Purpose", "costs_of", "query_parameters"]
