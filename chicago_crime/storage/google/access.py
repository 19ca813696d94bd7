"""Credentials, retries and error messages for all access to Google Cloud.

No message includes a token or a key.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from chicago_crime.errors import PlatformError
from chicago_crime.settings import Settings
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

HOW_TO_GRANT = (
    "grant the account a role with this permission, with `gcloud projects add-iam-policy-binding`, or check that the "
    "API is enabled; new grants and APIs take effect after two minutes, sometimes seven or more"
)
"""How long roles take: https://cloud.google.com/iam/docs/access-change-propagation, read on 2026-11-27."""

OVER_LIMIT = "bytesBilledLimitExceeded"
"""BigQuery's error reason for a query that would read more than its limit."""

TRANSIENT_REASONS = {"rateLimitExceeded", "backendError", "internalError"}
"""Google's error reasons for failures that are worth a retry."""

_LATER = ": try again later"
_TRANSIENT_STATUS = {408, 429, 500, 502, 503, 504}
_QUOTA = re.compile("quota|billing|LimitExceeded", re.IGNORECASE)
"""Error reasons of a 403 that no role can fix: https://cloud.google.com/bigquery/docs/error-messages."""

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


class GoogleError(PlatformError):
    """A Google service is unreachable or refuses a request; the message names the service, the reason and the fix."""


def client_arguments(settings: Settings, endpoint: str | None) -> dict[str, Any]:
    """Return arguments for a client's constructor, which take precedence over environment variables.

    Raises:
        GoogleError: there are no credentials.
    """
    options, credentials = {"api_endpoint": endpoint} if endpoint else None, credentials_for(settings, endpoint)
    return {"project": settings.gcp_project, "credentials": credentials, "client_options": options}


def credentials_for(settings: Settings, emulator: str | None = None) -> Credentials:
    """Load credentials from the settings' file, or by default those of the machine or of gcloud.

    Without a file, an emulator at the given address gets anonymous ones.

    Raises:
        GoogleError: there are none, or the file is not a credentials file.
    """
    import google.auth
    from google.auth.credentials import AnonymousCredentials
    from google.auth.exceptions import DefaultCredentialsError

    file = settings.gcp_credentials
    try:
        if file is None:
            return AnonymousCredentials() if emulator else google.auth.default(scopes=[SCOPE])[0]
        with warnings.catch_warnings():
            # It warns about files from untrusted sources. This one is chosen by the operator, and may be of any kind:
            # a service account, or workload identity on another cloud.
            warnings.simplefilter("ignore", DeprecationWarning)
            return google.auth.load_credentials_from_file(str(file), scopes=[SCOPE])[0]
    except (DefaultCredentialsError, ValueError, KeyError, OSError):
        problem = f"{file} is not a Google credentials file" if file else "there are no Google Cloud credentials"
    raise GoogleError(f"{problem}: {HOW_TO_SIGN_IN}")  # outside `except`: the original error may quote the file


def google_retry(
    policy: RetryPolicy, service: str, is_late: Callable[[BaseException], bool] = lambda error: False
) -> Retry:
    """Convert a retry policy for Google's clients, which limit time, not attempts. Retries are logged with the reason.

    `is_late` tells whether an error reports a missing resource that Google creates with some delay.
    """
    from google.api_core.retry import Retry

    def should_retry(error: BaseException) -> bool:
        if found := is_transient(error) or is_late(error):
            _log.info("%s: retrying after %s", service, type(error).__name__)
        return found

    return Retry(should_retry, policy.first_wait_s, policy.max_wait_s, multiplier=2.0, timeout=policy.deadline_s)


def is_transient(error: BaseException) -> bool:
    """Whether an error from one of Google's clients is worth a retry: a lost connection, a timeout, a busy server."""
    import requests
    import urllib3
    from google.auth.exceptions import TransportError

    if isinstance(error, TransportError):  # from the token request
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
    if OVER_LIMIT in reasons:
        return False
    response = getattr(error, "response", None)  # upload and download errors have their status only there
    status = getattr(error, "code", None) or getattr(response, "status_code", None)
    return status in _TRANSIENT_STATUS or bool(reasons & TRANSIENT_REASONS)


def reasons_of(error: BaseException) -> set[str]:
    """Return Google's error reasons in a service's response."""
    return {str(one.get("reason")) for one in getattr(error, "errors", None) or () if isinstance(one, dict)}


def call(
    request: Callable[[], _T],
    service: str,
    as_error: Callable[[str], PlatformError] = GoogleError,
    grant: str = HOW_TO_GRANT,
    keeps: Callable[[Exception], bool] = lambda error: False,
) -> _T:
    """Make a request, which has its own timeout and retries, and raise a readable error if it fails.

    `as_error` makes the error from its message, and `grant` is the fix for a missing permission. Errors that only the
    caller can explain (404, 409, 412 and those that `keeps` selects) are raised unchanged.

    Raises:
        PlatformError: the service is unreachable or refuses the request.
    """
    from google.api_core.exceptions import Conflict, NotFound, PreconditionFailed

    try:
        return request()
    except Exception as error:
        if isinstance(error, Conflict | NotFound | PreconditionFailed) or keeps(error):
            raise
        problem = _explain(error, service, grant)
        if problem is None:
            raise
    raise as_error(problem)  # outside `except`: the original error includes the request, with its token


def _explain(error: BaseException, service: str, grant: str) -> str | None:
    """Return the message for an error from Google's libraries; None for any other error."""
    import requests
    from google.api_core import exceptions as api
    from google.auth import exceptions as auth

    if isinstance(error, GoogleError):
        return str(error)
    if isinstance(error, api.RetryError):
        cause = _explain(error.cause, service, grant) if error.cause else None
        return f"{(cause or f'{service} does not respond').removesuffix(_LATER)}, even after retries{_LATER}"
    if isinstance(error, auth.RefreshError | auth.DefaultCredentialsError):
        why = f" ({str(error.args[0])[:200]})" if error.args else ""
        return f"Google does not accept the credentials{why}: {HOW_TO_SIGN_IN}"
    if isinstance(error, api.GoogleAPICallError):
        details = f" ({message[:300]})" if (message := message_of(error)) else ""
        if isinstance(error, api.Unauthorized):
            return f"{service} does not accept the credentials{details}: {HOW_TO_SIGN_IN}"
        if isinstance(error, api.Forbidden) and not any(map(_QUOTA.search, reasons_of(error))):
            return f"{service} denies permission{details}: {grant}"
        return f"{service} responds with {error.code}{details}{_LATER if is_transient(error) else ''}"
    if isinstance(error, requests.Timeout):
        return f"{service} does not respond in time{_LATER}"
    if isinstance(error, requests.RequestException | ConnectionError | auth.TransportError):
        return f"{service} cannot be reached, or closed the connection{_LATER}"
    return None


def message_of(error: GoogleAPICallError) -> str:
    """Return the message in a service's response or a job. The error's own text has the URL, which can be a key."""
    try:
        message = error.response.json()["error"]["message"]
    except (AttributeError, ValueError, KeyError, TypeError):  # no response, or a body that is not Google's JSON
        message = next((one.get("message") for one in error.errors or () if isinstance(one, dict)), "")
    return str(message or "")
