"""BigQuery's client: how patient it is, and what its errors say to a user.

Here belongs what every call shares. Signing in is in `google_access.py`; which calls are made, in the other
`bigquery_*` modules.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from dagster_gcp import BigQueryResource
from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import BadRequest, Conflict, Forbidden, GoogleAPICallError, NotFound, PreconditionFailed
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from google.cloud.bigquery.retry import DEFAULT_RETRY
from pydantic import Field

from chicago_crime.settings import PREFIX
from chicago_crime.sources.retry import RetryPolicy
from chicago_crime.storage.google.access import call, credentials_from
from chicago_crime.storage.warehouse import TooMuchToReadError, WarehouseError

_T = TypeVar("_T")


class PlatformBigQueryResource(BigQueryResource):
    """`BigQueryResource` with the two things that our settings decide and it has no place for.

    By itself it takes an emulator's address only from the environment; and credentials it writes into a temporary file
    and into the environment of the whole process, which two threads must not do at once.
    """

    credentials_file: str | None = Field(default=None, description="credentials file; by default the machine's")
    endpoint: str | None = Field(default=None, description="address of an emulator; by default Google's")

    @contextmanager
    def get_client(self) -> Iterator[bigquery.Client]:
        """A client, for as long as the context lasts. One of an emulator needs no credentials.

        Raises:
            GoogleError: there are no credentials.
        """
        is_open = self.endpoint and not self.credentials_file
        credentials = AnonymousCredentials() if is_open else credentials_from(self.credentials_file)
        options = ClientOptions(api_endpoint=self.endpoint) if self.endpoint else None
        with bigquery.Client(
            self.project, credentials, location=self.location, client_options=options
        ) as client:  # fmt: skip
            yield client


def how(policy: RetryPolicy) -> dict[str, Any]:
    """How every call is made: its time limit, and how it is made again after 429, 500, 502, 503 or a cut."""
    waits = DEFAULT_RETRY.with_delay(initial=policy.first_wait_s, maximum=30.0, multiplier=2.0)
    return {"timeout": policy.timeout_s, "retry": waits.with_timeout(policy.deadline_s)}


def told(ask: Callable[[], _T], what: str) -> _T:
    """Ask BigQuery, and say it plainly if it cannot be asked or refuses.

    Args:
        ask: does the asking.
        what: the sentence that the error begins with, e.g. cannot load 2014 into raw_crimes.

    Raises:
        WarehouseError: anything went wrong between here and BigQuery.
    """
    kind: type[WarehouseError] = WarehouseError
    try:
        return call(lambda: _about_statements(ask), f"{what}: BigQuery", WarehouseError)
    except (NotFound, Conflict, PreconditionFailed) as error:
        problem = message_of(error)
        if isinstance(error, NotFound):
            problem += ". Load some years first, e.g. chicago-crime run --years 2021"
    except _StatementError as error:
        problem, kind = str(error), error.kind
    raise kind(f"{what}: {problem}")  # outside of `except`: the original has the request, with its token


class _StatementError(Exception):
    """BigQuery was asked all right, and refuses what was asked; the message is its own."""

    def __init__(self, problem: str, kind: type[WarehouseError]) -> None:
        super().__init__(problem)
        self.kind = kind


def _about_statements(ask: Callable[[], _T]) -> _T:
    try:
        return ask()
    except (BadRequest, Forbidden) as error:
        if isinstance(error, Forbidden) and not _is_cap(error):
            raise
        is_cap = _is_cap(error)
        problem = cap_message(message_of(error)) if is_cap else message_of(error)
    raise _StatementError(problem, TooMuchToReadError if is_cap else WarehouseError)


def message_of(error: GoogleAPICallError) -> str:
    """What BigQuery says, without the address that was asked."""
    errors = [one for one in error.errors or () if isinstance(one, dict)]
    return str(errors[0].get("message") if errors else error.message).split("\n")[0].rstrip(".")


def _is_cap(error: GoogleAPICallError) -> bool:
    return any(one.get("reason") == "bytesBilledLimitExceeded" for one in error.errors or () if isinstance(one, dict))


def cap_message(found: str) -> str:
    """How to mend a statement that would read too much."""
    return f"{found}. If that is meant to be, raise the setting {PREFIX}BIGQUERY_MAX_GB_BILLED"
