"""Kaggle's token in Google's Secret Manager, for installations on Google Cloud.

Here belongs reading the one secret that the settings name. What its text means is found in `kaggle_login.py`.
"""

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from chicago_crime.sources.base import SourceError
from chicago_crime.sources.retry import RetryPolicy
from chicago_crime.storage.google.access import call, credentials_from, google_retry


@dataclass(frozen=True)
class KaggleSecret:
    """A secret that is read when it is wanted, and not before.

    Attributes:
        name: `projects/P/secrets/S`, for its newest version, or with `/versions/V`.
        credentials_file: who we are; by default the machine's or gcloud's account.
        endpoint: address of an emulator; by default Google's.
        policy: timeouts and retries.
    """

    name: str
    credentials_file: Path | None = None
    endpoint: str | None = None
    policy: RetryPolicy = field(default_factory=RetryPolicy)

    @property
    def version(self) -> str:
        """The full name of the version that is read."""
        return self.name if "/versions/" in self.name else f"{self.name}/versions/latest"

    def read(self) -> SecretStr:
        """The secret's text.

        Raises:
            SourceError: there is no such secret, it may not be read, or Google cannot be asked.
        """
        try:
            from google.api_core.exceptions import NotFound
            from google.cloud import secretmanager_v1  # noqa: F401
        except ImportError:
            raise SourceError(
                "CHICAGO_CRIME_KAGGLE_SECRET needs Google's libraries: pip install 'chicago-crime[gcp]'"
            ) from None
        project, secret = self.name.split("/")[1], self.name.split("/")[3]
        grant = (
            f"grant the role with `gcloud secrets add-iam-policy-binding {secret} --project={project} "
            "--role=roles/secretmanager.secretAccessor --member=` and the account"
        )
        try:
            text = call(self._ask, "Secret Manager", SourceError, grant)
        except NotFound:
            text = None
        if text is None:
            raise SourceError(
                f"there is no secret {self.version}: make it with `gcloud secrets create {secret} "
                f"--project={project} --data-file=` and a file with Kaggle's token (`versions add` for `create` "
                "where only a value is missing), or set CHICAGO_CRIME_KAGGLE_SECRET to another"
            )
        return text

    def _ask(self) -> SecretStr:
        from google.auth.credentials import AnonymousCredentials
        from google.cloud.secretmanager_v1 import SecretManagerServiceClient

        for library in ("google.cloud.secretmanager_v1", "google.auth.transport"):
            # When they debug, they log answers. Whether with their content differs from version to version.
            logging.getLogger(library).setLevel(logging.INFO)
        without_sign_in = self.endpoint and not self.credentials_file
        credentials: Any = AnonymousCredentials() if without_sign_in else credentials_from(self.credentials_file)
        options = {"api_endpoint": self.endpoint} if self.endpoint else None
        # REST, because that is how Google is asked everywhere else here, and because it starts no threads of its own.
        with SecretManagerServiceClient(credentials=credentials, transport="rest", client_options=options) as client:
            retry, limit = google_retry(self.policy, "Secret Manager"), self.policy.timeout_s
            answer = client.access_secret_version(name=self.version, retry=retry, timeout=limit)
        return SecretStr(answer.payload.data.decode(errors="replace").strip())
