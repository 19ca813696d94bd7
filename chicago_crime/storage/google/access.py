"""Credentials, retries and error messages for everything that talks to Google Cloud.

No message from here repeats a token or a key.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from chicago_crime.errors import PlatformError
from chicago_crime.sources.retry import RetryPolicy

if TYPE_CHECKING:  # Google's libraries are an extra
    from google.api_core.exceptions import GoogleAPICallError
    from google.api_core.retry import Retry
    from google.auth.credentials import Credentials

SCOPE = "https://www.googleapis.com/auth/cloud-platform"

HOW_TO_SIGN_IN = (
    "sign in with `gcloud auth application-default login`, or set CHICAGO_CRIME_GCP_CREDENTIALS to a service "
    "account's file"
)

HOW_TO_BE_ALLOWED = (
    "grant our account a role that holds the permission, with `gcloud projects add-iam-policy-binding`, or check that "
    "the API is enabled; what was granted or enabled just now takes two minutes to arrive, at times seven or more"
)
"""How long roles take: https://cloud.google.com/iam/docs/access-change-propagation, read on 2026-11-27."""

TOO_MUCH = "bytesBilledLimitExceeded"
"""BigQuery's reason for refusing a query that would read more than its cap."""

TRANSIENT_REASONS = {"rateLimitExceeded", "backendError", "internalError"}
"""Google's reasons for a failure that a retry may help against."""

_LATER = ": try again later"
_TRANSIENT_STATUS = {408, 429, 500, 502, 503, 504}
_USED_UP = re.compile("quota|billing|LimitExceeded", re.IGNORECASE)
"""In Google's reasons for a 403 that no role helps against: https://cloud.google.com/bigquery/docs/error-messages."""

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


class GoogleError(PlatformError):
    """A Google service cannot be reached, or refuses; the message names the service, the reason and the fix."""


@dataclass(frozen=True)
class GoogleAccount:
    """What a client of Google Cloud is made from.

    Attributes:
        project: id of the project.
        credentials_file: file of credentials; by default those of the machine or of gcloud.
        endpoint: address of an emulator; by default Google's. An emulator without a file needs no credentials.
    """

    project: str | None
    credentials_file: Path | None = None
    endpoint: str | None = None

    def client_arguments(self) -> dict[str, Any]:
        """Arguments of a client's constructor. They win over every variable of the environment.

        Raises:
            GoogleError: there are no credentials.
        """
        options = {"api_endpoint": self.endpoint} if self.endpoint else None
        return {"project": self.project, "credentials": self.credentials(), "client_options": options}

    def credentials(self) -> Credentials:
        """The credentials of the account.

        Raises:
            GoogleError: there are none.
        """
        from google.auth.credentials import AnonymousCredentials

        if self.endpoint and not self.credentials_file:
            anonymous: Credentials = AnonymousCredentials()
            return anonymous
        return credentials_from(self.credentials_file)


def credentials_from(file: Path | str | None) -> Credentials:
    """The credentials in a file, or by default those of the machine or of gcloud.

    Raises:
        GoogleError: there are none, or the file holds none.
    """
    import google.auth
    from google.auth.exceptions import DefaultCredentialsError

    try:
        if file is None:
            return google.auth.default(scopes=[SCOPE])[0]
        with warnings.catch_warnings():
            # It warns about files from strangers. Ours is named by whoever runs the platform, and may be of any kind:
            # a service account, or workload identity on another cloud.
            warnings.simplefilter("ignore", DeprecationWarning)
            return google.auth.load_credentials_from_file(str(file), scopes=[SCOPE])[0]
    except (DefaultCredentialsError, ValueError, KeyError, OSError):
        problem = f"{file} is not a file of Google credentials" if file else "nobody is signed in to Google Cloud"
    raise GoogleError(f"{problem}: {HOW_TO_SIGN_IN}")  # outside of `except`: the original may quote the file


def google_retry(
    policy: RetryPolicy, service: str, is_late: Callable[[BaseException], bool] = lambda error: False
) -> Retry:
    """A retry policy as Google's clients take it; the log has every retry and its reason.

    Args:
        policy: waits and deadline. Google's clients count seconds, not attempts.
        service: name of the service, for the log.
        is_late: whether an error says that something is missing which Google makes some minutes late.
    """
    from google.api_core.retry import Retry

    def should_retry(error: BaseException) -> bool:
        if found := is_transient(error) or is_late(error):
            _log.info("%s: retrying after %s", service, type(error).__name__)
        return found

    return Retry(should_retry, policy.first_wait_s, policy.max_wait_s, multiplier=2.0, timeout=policy.deadline_s)


def is_transient(error: BaseException) -> bool:
    """Whether an error of one of Google's clients is worth a retry: a lost connection, a timeout, a busy server."""
    import requests
    import urllib3
    from google.auth.exceptions import TransportError

    if isinstance(error, TransportError):  # of the request for a token
        return bool(error.args) and isinstance(error.args[0], BaseException) and is_transient(error.args[0])
    if isinstance(
        error,
        requests.ConnectionError
        | requests.Timeout
        | requests.exceptions.ChunkedEncodingError
        | requests.exceptions.JSONDecodeError  # a 200 with a broken body
        | urllib3.exceptions.HTTPError
        | ConnectionError,
    ):
        return not isinstance(error, requests.exceptions.SSLError)
    reasons = reasons_of(error)
    if TOO_MUCH in reasons:
        return False
    response = getattr(error, "response", None)  # errors of uploads and downloads have their status only there
    status = getattr(error, "code", None) or getattr(response, "status_code", None)
    return status in _TRANSIENT_STATUS or bool(reasons & TRANSIENT_REASONS)


def reasons_of(error: BaseException) -> set[str]:
    """The reasons in a service's response, as Google's words for them."""
    return {str(one.get("reason")) for one in getattr(error, "errors", None) or () if isinstance(one, dict)}


def call(
    request: Callable[[], _T],
    service: str,
    error_type: type[PlatformError] = GoogleError,
    grant: str = HOW_TO_BE_ALLOWED,
    is_ours: Callable[[Exception], bool] = lambda error: False,
) -> _T:
    """Make a request, and raise a plain message if it fails.

    What only the caller can explain (404, 409, 412 and what it says) is raised as it is.

    Args:
        request: makes the request, with its own timeout and retries.
        service: name of the service, for the message.
        error_type: type of the error that is raised.
        grant: what to do if a permission is missing.
        is_ours: which further errors the caller explains.

    Raises:
        error_type: the service cannot be reached, or refuses.
    """
    from google.api_core.exceptions import Conflict, NotFound, PreconditionFailed

    try:
        return request()
    except Exception as error:
        if isinstance(error, Conflict | NotFound | PreconditionFailed) or is_ours(error):
            raise
        problem = _explain(error, service, grant)
        if problem is None:
            raise
    raise error_type(problem)  # outside of `except`: the original has the request, with its token


def _explain(error: BaseException, service: str, grant: str) -> str | None:
    """The message for an error of Google's libraries, None if it is not one of theirs."""
    import requests
    from google.api_core import exceptions as api
    from google.auth import exceptions as auth

    if isinstance(error, GoogleError):
        return str(error)
    if isinstance(error, api.RetryError):
        cause = _explain(error.cause, service, grant) if error.cause else None
        return f"{(cause or f'{service} does not answer').removesuffix(_LATER)}, again and again{_LATER}"
    if isinstance(error, auth.RefreshError | auth.DefaultCredentialsError):
        why = f" ({str(error.args[0])[:200]})" if error.args else ""
        return f"Google does not accept our credentials{why}: {HOW_TO_SIGN_IN}"
    if isinstance(error, api.GoogleAPICallError):
        told = f" ({message[:300]})" if (message := message_of(error)) else ""
        if isinstance(error, api.Unauthorized):
            return f"{service} does not accept our credentials{told}: {HOW_TO_SIGN_IN}"
        if isinstance(error, api.Forbidden) and not any(map(_USED_UP.search, reasons_of(error))):
            return f"{service} refuses permission{told}: {grant}"
        return f"{service} answers {error.code}{told}{_LATER if is_transient(error) else ''}"
    if isinstance(error, requests.Timeout):
        return f"{service} does not answer in time{_LATER}"
    if isinstance(error, requests.RequestException | ConnectionError | auth.TransportError):
        return f"{service} cannot be reached, or closed the connection{_LATER}"
    return None


def message_of(error: GoogleAPICallError) -> str:
    """The message in a service's response, or of a job. The error's own text has the address, which can be a key."""
    try:
        message = error.response.json()["error"]["message"]
    except (AttributeError, ValueError, KeyError, TypeError):  # no response, or a body that is not Google's JSON
        message = next((one.get("message") for one in error.errors or () if isinstance(one, dict)), "")
    return str(message or "")
