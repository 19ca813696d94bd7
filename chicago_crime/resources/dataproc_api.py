"""Dataproc's API as the platform calls it: clients, what is tried again, and errors that say what to do.

Here belongs the way to Google and back. What is asked for belongs in `dataproc_cluster.py` and `dataproc_batch.py`.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, TypeVar

import google.auth
import requests
from google.api_core import exceptions, retry
from google.api_core.client_options import ClientOptions
from google.auth import credentials as auth
from google.auth.exceptions import GoogleAuthError, TransportError
from google.cloud import dataproc_v1
from google.oauth2 import service_account

from chicago_crime.resources.spark import SparkError

TRANSIENT = (
    exceptions.TooManyRequests,
    exceptions.InternalServerError,
    exceptions.BadGateway,
    exceptions.ServiceUnavailable,
    exceptions.GatewayTimeout,
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    TransportError,
)
"""What may be gone when the same is asked again. Every request here can be: it has an id, or is done when done."""

GOOGLE_ERRORS = (exceptions.GoogleAPICallError, exceptions.RetryError, GoogleAuthError, requests.RequestException)
"""What the clients raise, for Dataproc and for Cloud Storage."""

_SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]
_Answer = TypeVar("_Answer")
_Client = TypeVar("_Client")


def find_credentials(file: Path | None) -> auth.Credentials:
    """The credentials of a service account's file, or those of the machine or of gcloud.

    Raises:
        SparkError: there are none.
    """
    try:
        if file:
            return service_account.Credentials.from_service_account_file(str(file), scopes=_SCOPES)
        return google.auth.default(scopes=_SCOPES)[0]
    except (OSError, ValueError, GoogleAuthError) as error:
        raise SparkError(
            f"there are no credentials for Google Cloud ({error}): run `gcloud auth application-default login`, or "
            "let CHICAGO_CRIME_GCP_CREDENTIALS name a service account's file"
        ) from error


@dataclass(frozen=True)
class DataprocApi:
    """Dataproc in one region of one project.

    Attributes:
        project, region: where.
        credentials: gives the credentials when the first call is made.
        address: host name, or URL of an emulator.
        pause_s: seconds between two looks at something that takes its time.
        timeout_s: seconds that one request may take.
        patience_s: seconds for which a request that fails for now is tried again.
    """

    project: str
    region: str
    credentials: Callable[[], auth.Credentials]
    address: str
    pause_s: float = 5
    timeout_s: float = 60
    patience_s: float = 300

    @cached_property
    def clusters(self) -> dataproc_v1.ClusterControllerClient:
        """The client for clusters."""
        return self._client(dataproc_v1.ClusterControllerClient)

    @cached_property
    def jobs(self) -> dataproc_v1.JobControllerClient:
        """The client for jobs."""
        return self._client(dataproc_v1.JobControllerClient)

    @cached_property
    def batches(self) -> dataproc_v1.BatchControllerClient:
        """The client for batches."""
        return self._client(dataproc_v1.BatchControllerClient)

    @property
    def here(self) -> dict[str, str]:
        """What most requests begin with."""
        return {"project_id": self.project, "region": self.region}

    def call(self, method: Callable[..., _Answer], request: Any, **options: Any) -> _Answer:
        """Call a method of a client, again and again while it fails for now.

        Args:
            method: of a client.
            request: its request, as a dictionary. It must be harmless to send it twice.
            options: more of the method's own arguments.

        Raises:
            GoogleAPICallError: Google refuses.
            SparkError: Google cannot be reached, or does not know us.
        """
        once = partial(method, request, retry=None, timeout=self.timeout_s, **options)
        again = retry.Retry(
            predicate=retry.if_exception_type(*TRANSIENT),
            initial=min(self.pause_s, 1),
            maximum=20,
            timeout=self.patience_s,
        )
        try:
            return again(once)()
        except (exceptions.RetryError, requests.RequestException, GoogleAuthError) as error:
            cause = getattr(error, "cause", None) or error
            raise SparkError(
                f"Dataproc at {self.address} cannot be had: {cause}. Check the network and the credentials "
                "(CHICAGO_CRIME_GCP_CREDENTIALS), then run again."
            ) from error

    def find(self, method: Callable[..., _Answer], request: Any) -> _Answer | None:
        """Get something that may not be there."""
        try:
            return self.call(method, request)
        except exceptions.NotFound:
            return None

    def pause(self) -> None:
        """Wait before the next look."""
        time.sleep(self.pause_s)

    def refused(self, what: str, error: Exception | str) -> SparkError:
        """An error that says what Google refused and what mends it."""
        message = getattr(error, "message", None) or str(error)
        return SparkError(f"{what}: {message.strip().rstrip('.')}. {self._remedy(message, error)}".strip())

    def _remedy(self, message: str, error: Exception | str) -> str:
        text = message.lower()
        if "has not been used in project" in text or "service_disabled" in text or "api is not enabled" in text:
            return f"Switch the API on: gcloud services enable dataproc.googleapis.com --project {self.project}"
        if "quota" in text:
            return (
                "Take fewer or smaller machines (CHICAGO_CRIME_DATAPROC_WORKERS, 0 for a single one, and "
                "CHICAGO_CRIME_DATAPROC_MACHINE_TYPE), another CHICAGO_CRIME_GCP_REGION, or ask for more quota: "
                f"https://console.cloud.google.com/iam-admin/quotas?project={self.project}"
            )
        if "stockout" in text or "does not have enough resources" in text or "resource_pool_exhausted" in text:
            return "Run again later, or choose another CHICAGO_CRIME_DATAPROC_MACHINE_TYPE."
        if isinstance(error, exceptions.Forbidden | exceptions.Unauthorized) or "permission" in text:
            return (
                "The platform's account needs roles/dataproc.editor on the project, and roles/iam.serviceAccountUser "
                "on the cluster's account (CHICAGO_CRIME_DATAPROC_SERVICE_ACCOUNT), which needs roles/dataproc.worker."
            )
        if "subnet" in text or "network" in text or "private google access" in text:
            return (
                "Machines have internal addresses only: the subnetwork (CHICAGO_CRIME_DATAPROC_SUBNET) must be in "
                f"{self.region}, with Private Google Access on and traffic between its machines allowed."
            )
        return ""

    def _client(self, kind: Callable[..., _Client]) -> _Client:
        options = ClientOptions(api_endpoint=self.address)
        return kind(credentials=self.credentials(), transport="rest", client_options=options)
