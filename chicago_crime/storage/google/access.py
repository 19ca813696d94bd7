"""Signing in to Google Cloud, how patiently its services are asked, and what their refusals mean.

Here belongs what all of Google's services have in common. No message from here repeats a token or a key.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from chicago_crime.errors import PlatformError
from chicago_crime.sources.retry import RetryPolicy

if TYPE_CHECKING:
    from google.api_core.exceptions import GoogleAPICallError
    from google.api_core.retry import Retry
    from google.auth.credentials import Credentials

SCOPE = "https://www.googleapis.com/auth/cloud-platform"

HOW_TO_SIGN_IN = (
    "sign in with `gcloud auth application-default login`, or set CHICAGO_CRIME_GCP_CREDENTIALS to a service "
    "account's file"
)

HOW_TO_BE_ALLOWED = (
    "grant our account a role that holds the permission, with `gcloud projects add-iam-policy-binding`, or see that "
    "the API is switched on"
)

_LATER = ": try again later"
_UPLOAD_ID = re.compile(r"(?<=upload_id)=[^&\s]+")
_PASSING = {408, 429, 500, 502, 503, 504}
_log = logging.getLogger(__name__)
_T = TypeVar("_T")


class GoogleError(PlatformError):
    """Google cannot be asked, or refuses; the message says who refuses what, and what to do."""


def google_retry(policy: RetryPolicy, service: str) -> Retry:
    """A retry policy as Google's clients take it; every retry is logged with its reason.

    Args:
        policy: waits and deadline. Google's clients count seconds, not attempts.
        service: name of the service, for the log.
    """
    from google.api_core.retry import Retry

    def should_retry(error: BaseException) -> bool:
        if passing := is_passing(error):
            _log.info("%s: retrying after %s", service, type(error).__name__)
        return passing

    return Retry(should_retry, policy.first_wait_s, policy.max_wait_s, multiplier=2.0, timeout=policy.deadline_s)


def credentials_from(file: Path | str | None) -> Credentials:
    """Who we are to Google: a credentials file's account, or by default the machine's or gcloud's.

    Raises:
        GoogleError: there are none, or the file is no credentials file.
    """
    import google.auth
    from google.auth.exceptions import DefaultCredentialsError

    try:
        if file is None:
            return google.auth.default(scopes=[SCOPE])[0]
        with warnings.catch_warnings():
            # It warns of files that strangers hand over. Ours is named by whoever runs the platform, and may be any
            # kind that Google knows: a service account, or workload identity on another cloud.
            warnings.simplefilter("ignore", DeprecationWarning)
            return google.auth.load_credentials_from_file(str(file), scopes=[SCOPE])[0]
    except (DefaultCredentialsError, ValueError, KeyError, OSError):
        problem = f"{file} is no file of Google credentials" if file else "nobody is signed in to Google Cloud"
    raise GoogleError(f"{problem}: {HOW_TO_SIGN_IN}")  # outside of `except`: the original may quote the file


def hide_upload_addresses() -> None:
    """Whoever has the address of an upload may write to it, and urllib3 logs every address when it is debugged."""
    logging.getLogger("urllib3.connectionpool").addFilter(_without_upload_id)


def _without_upload_id(record: logging.LogRecord) -> bool:
    if isinstance(record.args, tuple):
        record.args = tuple(_UPLOAD_ID.sub("=...", a) if isinstance(a, str) else a for a in record.args)
    return True


def is_passing(error: BaseException) -> bool:
    """Whether an error of a client of Google's may not come again: a break, a time limit, a status that says so."""
    import requests
    import urllib3
    from google.auth.exceptions import TransportError

    if isinstance(error, TransportError):  # of the token's request
        return bool(error.args) and isinstance(error.args[0], BaseException) and is_passing(error.args[0])
    if isinstance(
        error,
        requests.ConnectionError
        | requests.Timeout
        | requests.exceptions.ChunkedEncodingError
        | urllib3.exceptions.HTTPError
        | ConnectionError,
    ):
        return not isinstance(error, requests.exceptions.SSLError)
    answer = getattr(error, "response", None)  # media requests tell their status only there
    return (getattr(error, "code", None) or getattr(answer, "status_code", None)) in _PASSING


def call(
    request: Callable[[], _T],
    service: str,
    error_type: type[PlatformError] = GoogleError,
    grant: str = HOW_TO_BE_ALLOWED,
) -> _T:
    """Ask one of Google's services, and say it plainly if it cannot be asked or refuses.

    What only the caller can tell the meaning of (404, 409, 412) is raised as it came.

    Args:
        request: makes the request, with its own timeout and retries.
        service: the service, for the message.
        error_type: what is raised.
        grant: what to do if a permission is missing.

    Raises:
        error_type: it cannot be asked, or refuses.
    """
    from google.api_core.exceptions import Conflict, NotFound, PreconditionFailed

    try:
        return request()
    except (Conflict, NotFound, PreconditionFailed):
        raise
    except Exception as error:
        problem = _meaning(error, service, grant)
        if problem is None:
            raise
    raise error_type(problem)  # outside of `except`: the original has the request, with its token


def _meaning(error: BaseException, service: str, grant: str) -> str | None:
    """What an error of Google's libraries means, None if it is none of theirs."""
    import requests
    from google.api_core import exceptions as api
    from google.auth import exceptions as auth

    if isinstance(error, GoogleError):
        return str(error)
    if isinstance(error, api.RetryError):
        cause = _meaning(error.cause, service, grant) if error.cause else None
        return f"{(cause or f'{service} does not answer').removesuffix(_LATER)}, again and again{_LATER}"
    if isinstance(error, auth.RefreshError | auth.DefaultCredentialsError):
        why = f" ({str(error.args[0])[:200]})" if error.args else ""
        return f"Google does not accept our credentials{why}: {HOW_TO_SIGN_IN}"
    if isinstance(error, api.Unauthorized):
        return f"{service} does not accept our credentials{_in_its_words(error)}: {HOW_TO_SIGN_IN}"
    if isinstance(error, api.Forbidden):
        return f"{service} forbids it{_in_its_words(error)}: {grant}"
    if isinstance(error, api.GoogleAPICallError):
        return f"{service} answers {error.code}{_in_its_words(error)}{_LATER if error.code in _PASSING else ''}"
    if isinstance(error, requests.Timeout):
        return f"{service} does not answer in time{_LATER}"
    if isinstance(error, requests.RequestException | ConnectionError | auth.TransportError):
        return f"{service} cannot be reached, or hung up{_LATER}"
    return None


def _in_its_words(error: GoogleAPICallError) -> str:
    """The message of a service's answer. The error's own text has the address, which alone can be a key."""
    try:
        message = error.response.json()["error"]["message"]
    except (AttributeError, ValueError, KeyError, TypeError):  # no answer, or one that is no JSON of Google's
        return ""
    return f" ({str(message)[:300]})"
