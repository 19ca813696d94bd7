"""The base of the servers that replace Google's: token endpoint, authorization, and errors in Google's format.

Every request is checked against the API's discovery document.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, TypeVar
from urllib.parse import parse_qs, urlsplit

from chicago_crime_tests.servers.credentials import TOKEN_PATH, is_known, new_token
from chicago_crime_tests.servers.discovery import Called, NotOfTheApiError, api
from chicago_crime_tests.servers.faults import FaultyHandler, FaultyServer, Request

JSON = {"Content-Type": "application/json; charset=UTF-8"}

_REASONS = {
    400: ("invalid", "INVALID_ARGUMENT"),
    401: ("authError", "UNAUTHENTICATED"),
    403: ("forbidden", "PERMISSION_DENIED"),
    404: ("notFound", "NOT_FOUND"),
    409: ("duplicate", "ALREADY_EXISTS"),
    412: ("conditionNotMet", "FAILED_PRECONDITION"),
    429: ("rateLimitExceeded", "RESOURCE_EXHAUSTED"),
    500: ("backendError", "INTERNAL"),
    503: ("backendError", "UNAVAILABLE"),
}
_Server = TypeVar("_Server", bound="GoogleServer")


class RefusedError(Exception):
    """A method refuses a request with a status and a message."""

    def __init__(self, status: int, message: str, reason: str = ""):
        super().__init__(message)
        self.status, self.reason = status, reason


def error_json(status: int, message: str, reason: str = "") -> bytes:
    """An error in Google's format."""
    usual, name = _REASONS.get(status, ("invalid", "UNKNOWN"))
    details = [{"message": message, "domain": "global", "reason": reason or usual}]
    return json.dumps({"error": {"code": status, "message": message, "status": name, "errors": details}}).encode()


class GoogleHandler(FaultyHandler):
    """Requires a token, and calls `answer_call` for each API call."""

    server: "GoogleServer"
    called: Called

    def answer(self) -> None:
        """Respond with one call of `reply`, and record requests that do not follow the API."""
        try:
            if self.received.path == TOKEN_PATH:
                self.received.call = "token"
                self.reply_json(new_token())
                return
            if self.server.wants_tokens and not is_known(self.headers.get("Authorization", "")):
                raise RefusedError(401, "Request had invalid authentication credentials.")
            self.answer_call()
        except RefusedError as error:
            self.refuse(error)
        except NotOfTheApiError as error:
            self.server.problems.append(str(error))
            self.refuse(RefusedError(400, str(error)))
        except Exception as error:  # a bug of the server, which a retry of the client would hide
            if not isinstance(error, ConnectionError):
                self.server.problems.append(repr(error))
            raise

    def answer_call(self) -> None:
        """Respond to an authorized call: usually with `check_call`, then `reply_json`."""
        raise NotImplementedError

    def missing(self, method: str) -> RefusedError:
        """The error for a method that the server does not implement; it fails the test."""
        self.server.problems.append(f"{method} is not implemented here")
        return RefusedError(501, f"{method} is not implemented here")

    def method_for(self, called: Called) -> Callable[..., None]:
        """The handler's method for a method of the API, such as `_on_jobs_insert` for `bigquery.jobs.insert`.

        Raises:
            RefusedError: there is none.
        """
        name = "_on_" + "_".join(called.method.split(".")[-2:])
        if not hasattr(self, name):
            raise self.missing(called.method)
        return getattr(self, name)

    @property
    def query(self) -> dict[str, list[str]]:
        """The request's query, with all values of a name."""
        return parse_qs(urlsplit(self.path).query, keep_blank_values=True)

    def check_call(self, body: bytes | Any = None) -> Called:
        """Identify the called method and check the request; `body` is the JSON, by default the request's body.

        Raises:
            NotOfTheApiError: the API has no such method, or no such parameter or field.
        """
        given = self.received.body if body is None else body
        checked = api(self.api_name).check_request(self.received.method, self.received.path, self.query, given)
        self.called, self.received.call = checked, checked.method
        if self.api_name in self.server.switched_off:
            service = f"{self.api_name.partition('.')[0]}.googleapis.com"
            address = f"https://console.developers.google.com/apis/api/{service}/overview?project=1234567890"
            problem = f"The API {service} has not been used in project 1234567890 before or it is disabled."
            raise RefusedError(403, f"{problem} Enable it by visiting {address} then retry.", "accessNotConfigured")
        return checked

    @property
    def api_name(self) -> str:
        """The API of the request; servers of several APIs derive it from the path."""
        return self.server.api_name

    def reply_json(self, content: Any) -> None:
        """Send a successful response; None for one without a body."""
        if content is None:
            self.reply(204, b"")
        else:
            self.reply(200, json.dumps(content).encode(), JSON)

    def refuse(self, error: RefusedError) -> None:
        """Send an error."""
        self.reply(error.status, error_json(error.status, str(error), error.reason), JSON)


class GoogleServer(FaultyServer):
    """A server of one API.

    Attributes:
        api_name: name and version of the API, for `discovery.api`.
        wants_tokens: False for an emulator, which needs no token.
        switched_off: names of APIs, such as storage.v1, that are disabled in the project.
        problems: requests that do not follow the API. If there are any, leaving `answering()` raises an error.
    """

    api_name: ClassVar[str]
    handler: ClassVar[type[FaultyHandler]]

    def __init__(self) -> None:
        super().__init__()
        self.wants_tokens = True
        self.switched_off: set[str] = set()
        self.problems: list[str] = []

    @property
    def token_uri(self) -> str:
        """Address of the token endpoint, for a service account's file."""
        return self.url + TOKEN_PATH

    @property
    def calls(self) -> list[Request]:
        """The requests so far, except for token requests."""
        return [request for request in self.requests if request.path != TOKEN_PATH]

    @contextmanager
    def answering(self: _Server) -> Iterator[_Server]:
        """Serve for the duration of the context.

        Raises:
            NotOfTheApiError: at the end, if a request did not follow the API.
        """
        with super().answering():
            yield self
        if self.problems:
            raise NotOfTheApiError("; ".join(self.problems))
