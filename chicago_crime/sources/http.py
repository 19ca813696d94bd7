"""HTTP for the sources: timeouts, retries and downloads.

Errors never contain a query string, header or body, nor are they chained to errors that do: these may hold
credentials, and Dagster stores errors.
"""

import json
import logging
import re
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar

import requests
from pydantic import SecretStr
from requests.adapters import HTTPAdapter
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    stop_before_delay,
    wait_exponential,
    wait_random,
)
from typing_extensions import override
from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

from chicago_crime.sources.base import Progress, SourceError
from chicago_crime.sources.retry import RetryPolicy

USER_AGENT = "chicago-crime"
TOKEN = "X-App-Token"
"""Header for the portal's app token."""

PUBLISHER_POLICY = RetryPolicy(max_wait_s=300, deadline_s=1800)
"""Publishers apply rate limits per minute, and large pages are slow."""

_BLOCK = 1 << 16
_TRANSIENT = {202, 408, 429, 500, 502, 503, 504}
"""Statuses worth a retry. Socrata returns 202 while it prepares the result."""

_SIGNATURE = re.compile(r"((?<=signature)|(?<=upload_id))=[^&\s]+", re.IGNORECASE)

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


class HttpError(SourceError):
    """The server is unreachable, refuses the request, or sends an invalid response.

    Attributes:
        status: HTTP status, None without a response.
        is_transient: True if a retry may succeed.
        retry_after_s: Retry-After in seconds, None if the server sent none.
    """

    def __init__(
        self, message: str, status: int | None = None, is_transient: bool = False, retry_after_s: float | None = None
    ):
        super().__init__(message)
        self.status, self.is_transient, self.retry_after_s = status, is_transient, retry_after_s


def set_timeout(session: requests.Session, policy: RetryPolicy) -> requests.Session:
    """Set a timeout for every request of a session, including requests that a library sends without one."""
    hide_signatures()
    for scheme in ("https://", "http://"):
        session.mount(scheme, _TimeoutAdapter(policy.timeout_s))
    return session


def publisher_session(policy: RetryPolicy, app_token: SecretStr | None) -> requests.Session:
    """Return a session for the City's portal, with the app token if there is one."""
    session = set_timeout(requests.Session(), policy)
    session.headers["User-Agent"] = USER_AGENT
    if app_token:
        session.headers[TOKEN] = app_token.get_secret_value()
    return session


def hide_signatures() -> None:
    """Keep signed URLs and upload URLs out of urllib3's log, because they grant access to anyone."""
    logging.getLogger("urllib3.connectionpool").addFilter(_without_signatures)


def _without_signatures(record: logging.LogRecord) -> bool:
    if isinstance(record.args, tuple):
        record.args = tuple(_SIGNATURE.sub("=...", a) if isinstance(a, str) else a for a in record.args)
    return True


class _TimeoutAdapter(HTTPAdapter):
    def __init__(self, timeout_s: float):
        super().__init__(pool_connections=2, pool_maxsize=1)
        self._timeout_s = timeout_s

    @override
    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        kwargs["timeout"] = kwargs.get("timeout") or self._timeout_s
        return super().send(request, *args, **kwargs)


def with_retries(call: Callable[[], _T], server: str, policy: RetryPolicy) -> _T:
    """Retry a call with exponential backoff, or after the server's Retry-After.

    The call may raise an exception of `requests`, or an HttpError. Errors name the server.

    Raises:
        HttpError: a permanent error, or the last attempt failed.
    """

    def attempt() -> _T:
        try:
            return call()
        except (requests.RequestException, json.JSONDecodeError) as error:
            translated = _translate(error, server, policy)
        raise translated  # outside of `except`: the original error contains the full URL and must not be chained

    def wait(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        retry_after_s = error.retry_after_s if isinstance(error, HttpError) else None
        return backoff(state) if retry_after_s is None else retry_after_s

    def log_retry(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        _log.warning("%s: retrying in %.0f s (attempt %d)", error, state.upcoming_sleep, state.attempt_number + 1)

    backoff = wait_exponential(policy.first_wait_s, policy.max_wait_s) + wait_random(0, policy.first_wait_s)
    retrying = Retrying(
        retry=retry_if_exception(lambda error: isinstance(error, HttpError) and error.is_transient),
        stop=stop_after_attempt(policy.attempts) | stop_before_delay(policy.deadline_s),
        wait=wait,
        before_sleep=log_retry,
        reraise=True,
    )
    try:
        return retrying(attempt)
    except HttpError as error:
        if not error.is_transient:
            raise
        attempts = retrying.statistics["attempt_number"]
        last = HttpError(f"{error} (attempts: {attempts}): try again later", error.status)
    raise last


def _translate(error: Exception, server: str, policy: RetryPolicy) -> HttpError:
    if isinstance(error, requests.HTTPError) and error.response is not None and not error.response.ok:
        return status_error(error.response, server, policy)
    if isinstance(error, requests.Timeout):
        return HttpError(f"{server} did not respond within {policy.timeout_s:g} s", is_transient=True)
    if isinstance(error, requests.exceptions.SSLError):
        return HttpError(f"{server} has a TLS certificate that this machine does not trust")
    if isinstance(error, requests.exceptions.ChunkedEncodingError | requests.exceptions.ContentDecodingError):
        return HttpError(f"{server} closed the connection in the middle of a response", is_transient=True)
    if isinstance(error, requests.ConnectionError):
        return HttpError(f"{server} cannot be reached, or closed the connection", is_transient=True)
    if isinstance(error, json.JSONDecodeError):
        return HttpError(f"{server} sent a response that is not JSON")
    return HttpError(f"the request to {server} failed ({type(error).__name__})")


def status_error(response: requests.Response, server: str, policy: RetryPolicy) -> HttpError:
    """Return the error for a response with an unexpected status."""
    status, name = response.status_code, ""
    if status in set(HTTPStatus):
        name = f" ({HTTPStatus(status).phrase})"
    retry_after_s = _retry_after_s(response)
    if retry_after_s is not None and retry_after_s > policy.max_wait_s:
        return HttpError(
            f"{server} returned {status}{name} and allows the next request in {retry_after_s:,.0f} s", status
        )
    return HttpError(f"{server} returned {status}{name}", status, status in _TRANSIENT, retry_after_s)


def _retry_after_s(response: requests.Response) -> float | None:
    try:
        return Retry().get_retry_after(response.raw)  # urllib3 parses both seconds and dates
    except InvalidHeader:
        return None


def download(
    send: Callable[[], requests.Response], target: Path, server: str, policy: RetryPolicy, progress: Progress
) -> int:
    """Download into a file, starting over if the connection is lost; return its size in bytes.

    `send` sends the request without reading the body, and raises an exception on an error status. `progress` receives
    the bytes so far, and the Content-Length.

    Raises:
        HttpError: the last attempt failed.
    """

    def attempt() -> int:
        done = 0
        with send() as response, target.open("wb") as file:
            length = response.headers.get("Content-Length", "")
            for block in response.iter_content(_BLOCK):
                file.write(block)
                done += len(block)
                progress(done, int(length) if length.isdecimal() else None)
        return done

    return with_retries(attempt, server, policy)
