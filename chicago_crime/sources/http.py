"""Asking over HTTP with patience: time limits, waits, and downloads that go on where they were broken off.

Here belongs what every source that downloads needs. Whom it asks, and what an answer means, belongs in its module.
No error from here repeats an address's query, a header or a body, and none hangs on an error that does: a source may
sign in with them, and Dagster keeps errors.
"""

import json
import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar

import requests
from requests.adapters import HTTPAdapter
from tenacity import (
    RetryCallState,
    Retrying,
    before_sleep_log,
    retry_if_exception,
    stop_after_attempt,
    wait_exponential,
    wait_random,
)
from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

from chicago_crime.sources.base import Progress, SourceError

USER_AGENT = "chicago-crime"

_BLOCK = 1 << 16  # a break loses the block that it falls into: small ones lose little
_PASSING = {202, 408, 429, 500, 502, 503, 504}
"""Statuses that mean "ask again later"; Socrata's 202 means that the answer is still being made."""

_SIGNATURE = re.compile(r"(?<=signature)=[^&\s]+", re.IGNORECASE)

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


@dataclass(frozen=True)
class Patience:
    """How long a source waits for an answer, and how often it asks again.

    Attributes:
        tries: how often one thing is asked in vain before it is given up.
        first_wait_s: wait before the second try, in seconds; it doubles with every try.
        longest_wait_s: the longest wait, in seconds, also if the other side asks for more: then it is given up.
        timeout_s: longest wait for a connection, and for the next bytes of an answer, in seconds.
    """

    tries: int = 6
    first_wait_s: float = 1.0
    longest_wait_s: float = 300.0
    timeout_s: float = 60.0


class HttpError(SourceError):
    """The other side cannot be reached, refuses, or sends what is no answer.

    Attributes:
        status: of its answer, None if there was none.
        is_passing: True if it may go well a little later.
        retry_after_s: how long it asks to wait, in seconds, None if it does not say.
    """

    def __init__(
        self, message: str, status: int | None = None, is_passing: bool = False, retry_after_s: float | None = None
    ):
        super().__init__(message)
        self.status, self.is_passing, self.retry_after_s = status, is_passing, retry_after_s


def limit_time(session: requests.Session, patience: Patience) -> requests.Session:
    """Give every request of a session a time limit, also those that a library makes and that have none."""
    logging.getLogger("urllib3.connectionpool").addFilter(_hide_signatures)
    for scheme in ("https://", "http://"):
        session.mount(scheme, _TimeLimit(patience.timeout_s))
    return session


def _hide_signatures(record: logging.LogRecord) -> bool:
    """A signed address lets in whoever has it, and urllib3 logs every address when it is debugged."""
    if isinstance(record.args, tuple):
        record.args = tuple(_SIGNATURE.sub("=...", a) if isinstance(a, str) else a for a in record.args)
    return True


class _TimeLimit(HTTPAdapter):
    def __init__(self, timeout_s: float):
        super().__init__(pool_connections=2, pool_maxsize=1)
        self._timeout_s = timeout_s

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        kwargs["timeout"] = kwargs.get("timeout") or self._timeout_s
        return super().send(request, *args, **kwargs)


def patiently(ask: Callable[[], _T], whom: str, patience: Patience) -> _T:
    """Ask until there is an answer, waiting longer each time, or as long as the other side wants.

    Args:
        ask: asks once; it may raise what `requests` raises, or an HttpError.
        whom: who is asked, for the error's message.
        patience: how often and how long.

    Raises:
        HttpError: it was given up, or asking again would not help.
    """

    def once() -> _T:
        try:
            return ask()
        except (requests.RequestException, json.JSONDecodeError) as error:
            told = _told(error, whom, patience)
        raise told  # outside of `except`: the original error, which has the whole address, does not hang on it

    def wait(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after_s if isinstance(error, HttpError) else None
        return backoff(state) if asked is None else asked

    first = patience.first_wait_s
    backoff = wait_exponential(first, patience.longest_wait_s) + wait_random(0, first)
    retrying = Retrying(
        retry=retry_if_exception(lambda error: isinstance(error, HttpError) and error.is_passing),
        stop=stop_after_attempt(patience.tries),
        wait=wait,
        before_sleep=before_sleep_log(_log, logging.INFO),
        reraise=True,
    )
    try:
        return retrying(once)
    except HttpError as error:
        if not error.is_passing:
            raise
        given_up = HttpError(f"{error}, {patience.tries} times in a row: try again later", error.status)
    raise given_up


def _told(error: Exception, whom: str, patience: Patience) -> HttpError:
    if isinstance(error, requests.HTTPError) and error.response is not None and not error.response.ok:
        return refusal(error.response, whom, patience)
    if isinstance(error, requests.Timeout):
        return HttpError(f"{whom} does not answer within {patience.timeout_s:g} s", is_passing=True)
    if isinstance(error, requests.exceptions.SSLError):
        return HttpError(f"{whom} has no certificate that this machine trusts")
    if isinstance(error, requests.exceptions.ChunkedEncodingError | requests.exceptions.ContentDecodingError):
        return HttpError(f"{whom} broke its answer off", is_passing=True)
    if isinstance(error, requests.ConnectionError):
        return HttpError(f"{whom} cannot be reached, or hung up", is_passing=True)
    if isinstance(error, json.JSONDecodeError):
        return HttpError(f"{whom} sent an answer that is no JSON")
    return HttpError(f"{whom} cannot be asked ({type(error).__name__})")


def refusal(answer: requests.Response, whom: str, patience: Patience) -> HttpError:
    """The error that an answer with another status than wanted means."""
    status, name = answer.status_code, ""
    if status in set(HTTPStatus):
        name = f" ({HTTPStatus(status).phrase})"
    retry_after_s = _retry_after_s(answer)
    if retry_after_s is not None and retry_after_s > patience.longest_wait_s:
        return HttpError(f"{whom} answers {status}{name} and wants to be asked again in {retry_after_s:,.0f} s", status)
    return HttpError(f"{whom} answers {status}{name}", status, status in _PASSING, retry_after_s)


def _retry_after_s(answer: requests.Response) -> float | None:
    try:
        return Retry().get_retry_after(answer.raw)  # seconds or a date: urllib3 reads both
    except InvalidHeader:
        return None


Ask = Callable[[dict[str, str]], requests.Response]
"""Sends a request with these headers besides its own; raises for a bad status; the answer's body is still to come."""


def download(ask: Ask, target: Path, whom: str, patience: Patience, progress: Progress) -> int:
    """Download into a file; after a break, only what is still missing.

    Returns:
        Size of the file in bytes: what the other side announced, if it announced any.

    Raises:
        HttpError: it was given up.
    """
    part = _Part(target, whom)
    while not patiently(lambda: part.go_on(ask, progress), whom, patience):
        _log.info("%s broke off after %s bytes: going on from there", whom, f"{part.size:,}")
        time.sleep(patience.first_wait_s)
    return part.size


@dataclass
class _Part:
    """A file of which `size` bytes have come; `most` of them at the best time, and `tag` tells which version it is."""

    target: Path
    whom: str
    size: int = 0
    most: int = 0
    total: int | None = None
    tag: str = ""

    def go_on(self, ask: Ask, progress: Progress) -> bool:
        """Ask for what is missing. True if it came whole, False if it broke off but is longer than ever."""
        most_before = self.most
        with ask(self._headers()) as answer:
            self._prepare_for(answer)
            try:
                with self.target.open("ab") as file:
                    for block in answer.iter_content(_BLOCK):
                        file.write(block)
                        self.size += len(block)
                        self.most = max(self.most, self.size)
                        progress(self.size, self.total)
            except requests.RequestException:
                if self.most == most_before:
                    raise
                return False
        return True

    def _headers(self) -> dict[str, str]:
        headers = {"Accept-Encoding": "identity"}  # offsets are of the file, not of something packed
        if self.size:
            headers["Range"] = f"bytes={self.size}-"
            if self.tag:
                headers["If-Range"] = self.tag  # another version comes whole
        return headers

    def _prepare_for(self, answer: requests.Response) -> None:
        """See that the file ends where the answer begins."""
        offered = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", answer.headers.get("Content-Range", ""))
        if answer.status_code == 206 and offered and (int(offered[1]), offered[2]) == (self.size, str(self.total)):
            return
        self.size = 0
        self.target.write_bytes(b"")
        if answer.status_code == 206:
            raise HttpError(f"{self.whom} went on with another file than it began with", is_passing=True)
        length = answer.headers.get("Content-Length", "")
        self.total = int(length) if length.isdecimal() else None
        tag = answer.headers.get("ETag", "")
        self.tag = tag if tag.startswith('"') else answer.headers.get("Last-Modified", "")
