"""BigQuery's client: how it signs in, how patient it is, and what its errors say to a user.

Here belongs what every call shares. Which calls are made belongs in the other `bigquery_*` modules.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import google.auth
from dagster_gcp import BigQueryResource
from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import Forbidden, GoogleAPICallError, NotFound, RetryError
from google.auth.exceptions import GoogleAuthError
from google.cloud import bigquery
from google.cloud.bigquery.retry import DEFAULT_RETRY
from requests import RequestException

from chicago_crime.resources.warehouse import WarehouseError
from chicago_crime.settings import PREFIX

CALL_TIMEOUT_S = 120.0
"""No single call is waited for longer: a connection that went silent is taken for cut, and the call made again."""

CALLS_PATIENCE_S = 300.0
"""For so long a call is made again after 429, 500, 502, 503 or a cut, with growing pauses."""

RETRY = DEFAULT_RETRY.with_timeout(CALLS_PATIENCE_S).with_delay(initial=0.5, maximum=20.0, multiplier=2.0)
CALL: dict[str, Any] = {"retry": RETRY, "timeout": CALL_TIMEOUT_S}
"""Keyword arguments of every call of the client."""


class Resource(BigQueryResource):
    """Dagster's resource, which can also be told where BigQuery is and which file to sign in with.

    Dagster's own way with credentials writes them into a temporary file and changes the environment of the whole
    process, which two threads must not do at once. Without these two settings its own client is taken.
    """

    credentials_file: str | None = None
    endpoint: str | None = None

    @contextmanager
    def get_client(self) -> Iterator[bigquery.Client]:
        """A client, for as long as the context lasts."""
        if self.credentials_file is None and self.endpoint is None:
            with super().get_client() as client:
                yield client
            return
        credentials = _credentials(self.credentials_file) if self.credentials_file else None
        options = ClientOptions(api_endpoint=self.endpoint) if self.endpoint else None
        client = bigquery.Client(self.project, credentials, location=self.location, client_options=options)
        with client:
            yield client


def _credentials(file: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of files from strangers; this one the user has named
        credentials, _ = google.auth.load_credentials_from_file(file, scopes=list(bigquery.Client.SCOPE))
    return credentials


@contextmanager
def telling(what: str) -> Iterator[None]:
    """Turn BigQuery's errors into ones that say what could not be done, and what to do where that is known.

    Raises:
        WarehouseError: anything went wrong between here and BigQuery.
    """
    try:
        yield
    except GoogleAuthError as error:
        raise WarehouseError(
            f"{what}: cannot sign in to Google Cloud ({type(error).__name__}). Name a service account's file in "
            "GOOGLE_APPLICATION_CREDENTIALS, or run: gcloud auth application-default login"
        ) from error
    except NotFound as error:
        raise WarehouseError(
            f"{what}: {message_of(error)}. Is it loaded? Load some years first, e.g. chicago-crime run --years 2021"
        ) from error
    except Forbidden as error:
        if is_cap(error):
            raise WarehouseError(f"{what}: {cap_message(message_of(error))}") from error
        raise WarehouseError(
            f"{what}: {message_of(error)}. The account needs the roles BigQuery Job User on the project and BigQuery "
            "Data Editor on the dataset"
        ) from error
    except (GoogleAPICallError, RetryError, RequestException) as error:
        raise WarehouseError(f"{what}: {message_of(error)}") from error


def message_of(error: Exception) -> str:
    """What BigQuery says, without the address that was asked."""
    if isinstance(error, GoogleAPICallError):
        errors = [one for one in error.errors or () if isinstance(one, dict)]
        return str(errors[0].get("message") if errors else error.message).rstrip(".").split("\n")[0]
    return f"BigQuery cannot be reached ({type(error).__name__})"


def is_cap(error: GoogleAPICallError) -> bool:
    """Whether BigQuery refused a statement because it would read more than allowed."""
    return any(one.get("reason") == "bytesBilledLimitExceeded" for one in error.errors or () if isinstance(one, dict))


def cap_message(found: str) -> str:
    """How to mend a statement that would read too much."""
    return f"{found}. If that is meant to be, raise the setting {PREFIX}BIGQUERY_MAX_GB_BILLED"
