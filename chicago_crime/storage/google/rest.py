"""Asking Google's services plainly and once: what the doctor needs and the platform's own clients do not tell.

Here belongs one request, its answer or its refusal. A run never comes by here: its clients are patient, this is not.
Signing in is in `google_access.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import requests
from google.auth.transport.requests import AuthorizedSession, Request

from chicago_crime.errors import PlatformError
from chicago_crime.settings import Settings
from chicago_crime.storage.google.access import call, credentials_from

if TYPE_CHECKING:
    from google.auth.credentials import Credentials

TIMEOUT_S = 20.0
"""So long a service is waited for, in seconds."""

STORAGE, BIGQUERY, DATAPROC = "storage.googleapis.com", "bigquery.googleapis.com", "dataproc.googleapis.com"
PROJECTS, ACCOUNTS = "cloudresourcemanager.googleapis.com", "iam.googleapis.com"
SECRETS = "secretmanager.googleapis.com"

A_PERSON = "user:$(gcloud config get-value account)"
"""A member of policies that a shell fills in: the library that signs us in does not tell a person's name."""

_OFF = re.compile(r"apis/api/[a-z.]+/overview|has not been used in project", re.IGNORECASE)


@dataclass(frozen=True)
class Answer:
    """What a service answered.

    Attributes:
        status: of HTTP; 0 if it cannot be reached.
        content: of a good answer.
        told: what it says if it refuses, and nothing that we sent.
        is_off: whether it refuses because the project has not switched it on.
    """

    status: int
    content: Mapping[str, Any] = field(default_factory=dict)
    told: str = ""
    is_off: bool = False

    @property
    def is_good(self) -> bool:
        """Whether it did what it was asked."""
        return self.status == 200

    @property
    def permissions(self) -> set[str]:
        """Of a test of permissions, those that are held."""
        return set(self.content.get("permissions", []))


@dataclass(frozen=True)
class GoogleRest:
    """Google's services, at the settings' addresses, asked with the settings' credentials.

    Attributes:
        settings: of the installation.
    """

    settings: Settings

    def sign_in(self) -> None:
        """Get a token.

        Raises:
            GoogleError: there are no credentials, or Google does not accept them.
        """
        if self.credentials:
            credentials = self.credentials
            call(lambda: credentials.refresh(_hasty), "Google's token office")

    @property
    def member(self) -> str:
        """Who we are, as Google's policies write it."""
        email = getattr(self.credentials, "service_account_email", None)
        return f"serviceAccount:{email}" if email and "@" in email else A_PERSON

    def ask(self, service: str, path: str, body: object = None, query: Mapping[str, Any] | None = None) -> Answer:
        """Ask once.

        Args:
            service: one of the services above.
            path: with the leading slash.
            body: to be posted as JSON; None to get.
            query: parameters by name.
        """
        url, method = self._address(service) + path, "GET" if body is None else "POST"
        try:
            came = call(lambda: self._session.request(method, url, json=body, params=query, timeout=TIMEOUT_S), service)
            content = call(came.json, service) if came.ok else {}
        except PlatformError as error:
            return Answer(0, told=str(error))
        if came.ok:
            return Answer(200, content)
        return _refusal(came)

    @cached_property
    def credentials(self) -> Credentials | None:
        """Who we are; None where only emulators are asked, which let in everybody."""
        settings = self.settings
        addresses = (settings.gcs_endpoint, settings.bigquery_endpoint, settings.dataproc_endpoint)
        if all(addresses) and settings.google_api_endpoint and not settings.gcp_credentials:
            return None
        return credentials_from(settings.gcp_credentials)

    @cached_property
    def _session(self) -> requests.Session:
        return AuthorizedSession(self.credentials, auth_request=_hasty) if self.credentials else requests.Session()

    def _address(self, service: str) -> str:
        settings = self.settings
        own = {
            STORAGE: settings.gcs_endpoint,
            BIGQUERY: settings.bigquery_endpoint,
            DATAPROC: settings.dataproc_endpoint or f"https://{settings.gcp_region}-{DATAPROC}",
        }.get(service, settings.google_api_endpoint)
        return (own or f"https://{service}").rstrip("/")


def _refusal(came: requests.Response) -> Answer:
    try:
        error = came.json()["error"]
        told, details = str(error["message"]), error.get("details", [])
    except (ValueError, KeyError, TypeError):  # a page for people
        return Answer(came.status_code, told=f"HTTP status {came.status_code} {came.reason}")
    reasons = {detail.get("reason") for detail in details if isinstance(detail, dict)}
    is_off = came.status_code == 403 and ("SERVICE_DISABLED" in reasons or bool(_OFF.search(told)))
    return Answer(came.status_code, told=told[:300], is_off=is_off)


def _hasty(*arguments: Any, **more: Any) -> Any:
    """Google's own way to a token, without its patience of minutes."""
    return Request()(*arguments, **(more | {"timeout": TIMEOUT_S}))
