"""Single REST requests to Google's services, for the doctor, which checks what the platform's clients do not report.

There are no retries, because runs never use this module.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import requests
from google.api_core.exceptions import from_http_status
from google.auth.credentials import Credentials
from google.auth.transport.requests import AuthorizedSession, Request

from chicago_crime.settings import Settings
from chicago_crime.storage.google.access import GoogleError, call, credentials_for, message_of

TIMEOUT_S = 20.0
"""Timeout of a request, in seconds."""

STORAGE, BIGQUERY, DATAPROC = "storage.googleapis.com", "bigquery.googleapis.com", "dataproc.googleapis.com"
PROJECTS, ACCOUNTS = "cloudresourcemanager.googleapis.com", "iam.googleapis.com"
COMPUTE, SECRETS = "compute.googleapis.com", "secretmanager.googleapis.com"

A_PERSON = "user:$(gcloud config get-value account)"
"""The policy member of a signed-in person, which the shell fills in: Google's library does not report the name."""

_DISABLED = re.compile(r"apis/api/[a-z.]+/overview|has not been used in project", re.IGNORECASE)


@dataclass(frozen=True)
class Response:
    """The response of a service.

    Attributes:
        service: name of the service.
        status: HTTP status; 0 if the service is unreachable.
        content: the JSON of a successful response.
        message: the reason for a refusal, without anything from the request.
        is_off: whether the API is disabled in the project.
    """

    service: str
    status: int
    content: Mapping[str, Any] = field(default_factory=dict)
    message: str = ""
    is_off: bool = False


@dataclass(frozen=True)
class GoogleRest:
    """Google's services, with the credentials and addresses of the settings.

    Attributes:
        settings: the installation's settings.
    """

    settings: Settings

    def sign_in(self) -> None:
        """Get a token.

        Raises:
            GoogleError: there are no credentials, or Google does not accept them.
        """
        if not self.credentials.valid:
            call(lambda: self.credentials.refresh(_request_token), "Google's token endpoint")

    @property
    def member(self) -> str:
        """Our account, as Google's policies write it."""
        email = getattr(self.credentials, "service_account_email", None)
        return f"serviceAccount:{email}" if email and "@" in email else A_PERSON

    def send(self, service: str, path: str, body: object = None, query: Mapping[str, Any] | None = None) -> Response:
        """Send one request to one of the services above: a GET, or a POST of a JSON body."""
        url, method = self._address(service) + path, "GET" if body is None else "POST"

        def request() -> Response:
            answer = self._session.request(method, url, json=body, params=query, timeout=TIMEOUT_S)
            return Response(service, 200, answer.json()) if answer.ok else _refusal(service, answer)

        try:
            return call(request, service)
        except GoogleError as error:
            return Response(service, 0, message=str(error))

    @cached_property
    def credentials(self) -> Credentials:
        """Our credentials; anonymous ones if all services are emulators, which need none."""
        settings = self.settings
        others = settings.gcs_endpoint, settings.bigquery_endpoint, settings.dataproc_endpoint
        return credentials_for(settings, settings.google_api_endpoint if all(others) else None)

    @cached_property
    def _session(self) -> AuthorizedSession:
        return AuthorizedSession(self.credentials, auth_request=_request_token)

    def _address(self, service: str) -> str:
        settings = self.settings
        own = {
            STORAGE: settings.gcs_endpoint,
            BIGQUERY: settings.bigquery_endpoint,
            DATAPROC: settings.dataproc_endpoint or f"https://{settings.gcp_region}-{DATAPROC}",
        }.get(service, settings.google_api_endpoint)
        return (own or f"https://{service}").rstrip("/")


def _refusal(service: str, response: requests.Response) -> Response:
    error = from_http_status(response.status_code, "", response=response)
    message = message_of(error) or f"HTTP status {response.status_code} {response.reason}"  # the body is no JSON
    is_off = response.status_code == 403 and bool(_DISABLED.search(message))
    return Response(service, response.status_code, message=message[:300], is_off=is_off)


def _request_token(*arguments: Any, **more: Any) -> Any:
    """Request a token as Google's library does, but with our timeout instead of its minutes."""
    return Request()(*arguments, **(more | {"timeout": TIMEOUT_S}))
