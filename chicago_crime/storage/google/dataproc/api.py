"""Dataproc's API as the platform calls it: clients, what is tried again, and refusals that say what to do.

Here belongs the way to Dataproc and back. What is asked for belongs in `dataproc_cluster.py` and `dataproc_batch.py`;
signing in, in `google_access.py`.
"""

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
from chicago_crime.storage.google.permissions import ACT_AS, CLUSTERS, MACHINES
from chicago_crime.storage.spark import SparkError

_Answer = TypeVar("_Answer")
_Client = TypeVar("_Client")


class RefusedError(SparkError):
    """Dataproc refuses a request for what is in it or for who asks; the message is Google's, and what to do."""


@dataclass(frozen=True)
class _Refusal:
    message: str
    is_forbidden: bool


@dataclass(frozen=True)
class DataprocApi:
    """Dataproc in one region of one project.

    Attributes:
        project, region: where.
        address: host name, or URL of an emulator.
        credentials_file: None for the credentials of the machine.
        pause_s: longest time between two looks at something that takes its time, in seconds.
        policy: timeouts and retries.
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
        """What most requests begin with."""
        return {"project_id": self.project, "region": self.region}

    def call(self, method: Callable[..., _Answer], request: Any) -> _Answer:
        """Call a method of a client, again and again while it fails for now.

        Args:
            method: of a client.
            request: its request. It must be harmless to send it twice.

        Raises:
            RefusedError: Dataproc refuses.
            SparkError: Dataproc cannot be reached, or does not know us.
            NotFound, Conflict: it is not there, or there already.
        """
        answer = call(partial(self._tried, method, request), "Dataproc", SparkError)
        if isinstance(answer, _Refusal):
            raise RefusedError(
                self.explained(f"Dataproc refuses {method.__name__}", answer.message, answer.is_forbidden)
            )
        return answer

    def _tried(self, method: Callable[..., _Answer], request: Any) -> "_Answer | _Refusal":
        once = partial(method, request, retry=None, timeout=self.policy.timeout_s)
        try:
            return google_retry(self.policy, "Dataproc")(once)()
        except (exceptions.BadRequest, exceptions.Forbidden) as error:
            said = re.sub(r"^[A-Z]+ https?://\S+: ", "", error.message or "no reason given")  # the address says nothing
            return _Refusal(said, isinstance(error, exceptions.Forbidden))

    def find(self, method: Callable[..., _Answer], request: Any) -> _Answer | None:
        """Get something that may not be there."""
        try:
            return self.call(method, request)
        except exceptions.NotFound:
            return None

    def pause(self, began: float) -> None:
        """Wait before the next look: a quarter of what it took so far, so that what is short is not waited for long.

        Args:
            began: when it began, in seconds of `time.monotonic`.
        """
        time.sleep(min(self.pause_s, max(self.pause_s / 25, (time.monotonic() - began) / 4)))

    def explained(self, what: str, message: str, is_forbidden: bool = False) -> str:
        """A message of Google's, and what can be done about it."""
        return f"{what}: {message.strip().rstrip('.')}. {self._remedy(message.lower(), is_forbidden)}".strip()

    def _remedy(self, text: str, is_forbidden: bool) -> str:
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
        if is_forbidden or "permission" in text:
            return (
                f"The platform's account needs {CLUSTERS.role} on the project, and {ACT_AS.role} on the cluster's "
                f"account (CHICAGO_CRIME_DATAPROC_SERVICE_ACCOUNT), which needs {MACHINES[0].role}."
            )
        if "subnet" in text or "network" in text or "private google access" in text:
            return (
                "Machines have internal addresses only: the subnetwork (CHICAGO_CRIME_DATAPROC_SUBNET) must be in "
                f"{self.region}, with Private Google Access on and traffic between its machines allowed."
            )
        return ""

    def _client(self, kind: Callable[..., _Client]) -> _Client:
        options = ClientOptions(api_endpoint=self.address)
        return kind(credentials=credentials_from(self.credentials_file), transport="rest", client_options=options)
