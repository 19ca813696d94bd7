"""The base of the servers that replace Google's: token endpoint, authorization, and errors in Google's format.

Every request is checked against the API's discovery document. Requests that do not follow it, or that a server does not
implement, fail the test.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Self
from urllib.parse import parse_qs, urlsplit

from chicago_crime_tests.servers.credentials import TOKEN_PATH, is_known, new_token
from chicago_crime_tests.servers.discovery import Called, api
from chicago_crime_tests.servers.faults import FaultyHandler, FaultyServer, Request

Json = dict[str, Any]

_JSON = {"Content-Type": "application/json; charset=UTF-8"}
_REASONS = {
    400: ("invalid", "INVALID_ARGUMENT"),
    401: ("authError", "UNAUTHENTICATED"),
    403: ("forbidden", "PERMISSION_DENIED"),
    404: ("notFound", "NOT_FOUND"),
    409: ("duplicate", "ALREADY_EXISTS"),
    412: ("conditionNotMet", "FAILED_PRECONDITION"),
    500: ("backendError", "INTERNAL"),
    501: ("notImplemented", "UNIMPLEMENTED"),
}


class RefusedError(Exception):
    """A method refuses a request with a status and a message."""

    def __init__(self, status: int, message: str, reason: str = ""):
        super().__init__(message)
        self.status, self.reason = status, reason


class GoogleHandler(FaultyHandler):
    """Requires a token, and sends what the method of this class returns for the called method of the API.

    It is `_on_jobs_insert` for `bigquery.jobs.insert`, and gets the parameters in the path.

    Attributes:
        api_name: name and version of the API, such as `storage.v1`.
    """

    server: "GoogleServer"
    api_name: str

    def answer(self) -> None:
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
        except ConnectionError:
            raise
        except Exception as error:
            self.server.problems.append(repr(error))
            self.refuse(RefusedError(501, repr(error)))

    def answer_call(self) -> None:
        """Respond to an authorized call."""
        called = self.check_call()
        self.reply_json(getattr(self, "_on_" + "_".join(called.method.split(".")[-2:]))(called.parameters))

    @property
    def query(self) -> dict[str, list[str]]:
        """The request's query, with all values of a name."""
        return parse_qs(urlsplit(self.path).query, keep_blank_values=True)

    @property
    def given(self) -> Json:
        return json.loads(self.received.body) if self.received.body else {}

    def check_call(self, body: bytes | None = None) -> Called:
        """Identify the called method and check the request; `body` is the JSON, by default the request's body."""
        given = self.received.body if body is None else body
        checked = api(self.api_name).check_request(self.received.method, self.received.path, self.query, given)
        self.received.call = checked.method
        if self.api_name in self.server.switched_off:
            service = f"{self.api_name.partition('.')[0]}.googleapis.com"
            address = f"https://console.developers.google.com/apis/api/{service}/overview?project=1234567890"
            problem = f"The API {service} has not been used in project 1234567890 before or it is disabled."
            raise RefusedError(403, f"{problem} Enable it by visiting {address} then retry.", "accessNotConfigured")
        if refusal := self.server.refuses.get(".".join(checked.method.split(".")[-2:])):
            raise refusal
        return checked

    def may(self, permission: str, on: str, reason: str = "") -> None:
        """Refuse the request if callers do not have a permission."""
        if permission in self.server.forbidden:
            raise RefusedError(403, f"{on}: Permission {permission} denied on it (or it may not exist).", reason)

    def held(self, permissions: Iterable[str]) -> Json:
        """Those of some permissions that callers have."""
        held = [permission for permission in permissions if permission not in self.server.forbidden]
        return {"permissions": held} if held else {}

    def reply_json(self, content: Any) -> None:
        """Send a successful response; None for one without a body."""
        if content is None:
            self.reply(204, b"")
        else:
            self.reply(200, json.dumps(content).encode(), _JSON)

    def refuse(self, error: RefusedError) -> None:
        status, message, (usual, name) = error.status, str(error), _REASONS[error.status]
        details = [{"message": message, "domain": "global", "reason": error.reason or usual}]
        body = {"error": {"code": status, "message": message, "status": name, "errors": details}}
        self.reply(status, json.dumps(body).encode(), _JSON)


class GoogleServer(FaultyServer):
    """A server of one API.

    Attributes:
        wants_tokens: False for an emulator, which needs no token.
        switched_off: names of APIs, such as storage.v1, that are disabled in the project.
        forbidden: permissions that callers do not have.
        refuses: errors to respond with, by call, such as `clusters.create`.
        problems: requests that fail the test when leaving `answering()`.
    """

    handler: ClassVar[type[FaultyHandler]]

    def __init__(self) -> None:
        super().__init__()
        self.wants_tokens = True
        self.switched_off: set[str] = set()
        self.forbidden: set[str] = set()
        self.refuses: dict[str, RefusedError] = {}
        self.problems: list[str] = []

    @property
    def token_uri(self) -> str:
        return self.url + TOKEN_PATH

    @property
    def calls(self) -> list[Request]:
        """The requests so far, except for token requests."""
        return [request for request in self.requests if request.path != TOKEN_PATH]

    @property
    def writes(self) -> list[Request]:
        """The calls so far that change something, even if they failed.

        They start a job, or create or change an object, a table, a dataset or a cluster. Deletions (which are free),
        queries (`jobs.query` runs only SELECT), dry runs and tests of permissions are not counted.
        """
        return [
            call
            for call in self.calls
            if call.method not in ("GET", "DELETE")
            and not call.call.endswith(("jobs.query", "testIamPermissions"))
            and b'"dryRun": true' not in call.body
        ]

    @contextmanager
    def answering(self) -> Iterator[Self]:
        with super().answering():
            yield self
        assert not self.problems, "; ".join(self.problems)
