"""Calls to Dataproc: its clients, retries, and error messages with the fix."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any, TypeVar

from google.api_core import exceptions
from google.api_core.client_options import ClientOptions
from google.cloud import dataproc_v1

from chicago_crime.sources.retry import RetryPolicy
from chicago_crime.storage.google.access import call, credentials_from, google_retry
from chicago_crime.storage.google.permissions import ACT_AS, BATCHES, CLUSTERS, MACHINES
from chicago_crime.storage.spark import SparkError

_Answer = TypeVar("_Answer")
_Client = TypeVar("_Client")
_SERVICE_AGENT = "@dataproc-accounts"
"""Part of Google's messages about Dataproc's service agent, which is created some time after the API is enabled."""


@dataclass(frozen=True)
class DataprocApi:
    """Dataproc in one region of one project.

    Attributes:
        project, region: where clusters, jobs and batches are created.
        address: host name, or URL of an emulator.
        credentials_file: None for the default credentials.
        pause_s: longest interval between polls, in seconds.
        policy: timeouts and retries of each request.
    """

    project: str
    region: str
    address: str
    credentials_file: Path | None = None
    pause_s: float = 5
    policy: RetryPolicy = field(default_factory=RetryPolicy)

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
        """The fields common to most requests."""
        return {"project_id": self.project, "region": self.region}

    def call(self, method: Callable[..., _Answer], request: Any) -> _Answer:
        """Call a method of a client, and retry it after transient errors. The request must be safe to repeat.

        Raises:
            SparkError: Dataproc refused the request or our credentials, or is unreachable.
            NotFound, Conflict: the resource does not exist, or exists already.
        """
        once = partial(method, request, retry=None, timeout=self.policy.timeout_s)
        try:
            retry = google_retry(self.policy, "Dataproc", lambda error: _SERVICE_AGENT in str(error).lower())
            return call(retry(once), "Dataproc", SparkError, self._permissions)
        except SparkError as error:
            problem = self.explain(str(error))
        raise SparkError(problem)

    def find(self, method: Callable[..., _Answer], request: Any) -> _Answer | None:
        """Get a resource, or None if it does not exist."""
        try:
            return self.call(method, request)
        except exceptions.NotFound:
            return None

    def pause(self, began: float) -> None:
        """Wait before the next poll: a quarter of the time since `time.monotonic()` was `began`, at most `pause_s`."""
        time.sleep(min(self.pause_s, max(self.pause_s / 25, (time.monotonic() - began) / 4)))

    def explain(self, message: str) -> str:
        """Add the fix to one of Google's messages, depending on its words."""
        remedies = {
            "quota": "Use fewer or smaller machines (CHICAGO_CRIME_DATAPROC_WORKERS, 0 for a single node, and "
            "CHICAGO_CRIME_DATAPROC_MACHINE_TYPE) or another CHICAGO_CRIME_GCP_REGION, or request more quota: "
            f"https://console.cloud.google.com/iam-admin/quotas?project={self.project}",
            f"service agent|{_SERVICE_AGENT}": "Google creates Dataproc's service agent some minutes after the API is "
            "enabled: run again in five minutes.",
            "stockout|does not have enough resources|resource_pool_exhausted": "Run again later, or choose another "
            "CHICAGO_CRIME_DATAPROC_MACHINE_TYPE.",
            "permission": self._permissions,
            "network": "The machines have only internal addresses: the subnetwork (CHICAGO_CRIME_DATAPROC_SUBNET) must "
            f"be in {self.region}, have Private Google Access, and allow traffic between its machines.",
        }
        for words, remedy in remedies.items():
            if re.search(words, message.lower()):
                return message if remedy in message else f"{message.strip().rstrip('.')}. {remedy}"
        return message

    @property
    def _permissions(self) -> str:
        return (
            f"Enable the API: `gcloud services enable dataproc.googleapis.com --project {self.project}`. The "
            f"platform's account needs {CLUSTERS.role} ({BATCHES.role} for serverless) on the project, and "
            f"{ACT_AS.role} on CHICAGO_CRIME_DATAPROC_SERVICE_ACCOUNT, which needs {MACHINES[0].role}."
        )

    def _client(self, kind: Callable[..., _Client]) -> _Client:
        options = ClientOptions(api_endpoint=self.address)
        return kind(credentials=credentials_from(self.credentials_file), transport="rest", client_options=options)
