"""Kaggle's token in Google's Secret Manager. What its text means is left to `sources/kaggle/login.py`."""

import base64
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from chicago_crime.sources.base import SourceError
from chicago_crime.sources.retry import RetryPolicy
from chicago_crime.storage.google.access import GoogleAccount, call, google_retry


@dataclass(frozen=True)
class KaggleSecret:
    """A secret that is read on demand.

    Attributes:
        name: `projects/P/secrets/S`, for its newest version, or with `/versions/V`.
        credentials_file: file of credentials; by default those of the machine or of gcloud.
        endpoint: address of an emulator; by default Google's.
        policy: timeouts and retries of a request.
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
            SourceError: there is no such secret, it may not be read, or Google cannot be reached.
        """
        try:
            from google.api_core.exceptions import NotFound
        except ImportError:
            raise SourceError(
                "CHICAGO_CRIME_KAGGLE_SECRET needs Google's libraries: pip install 'chicago-crime[gcp]'"
            ) from None
        project, secret = self.name.split("/")[1], self.name.split("/")[3]
        grant = (
            f"grant the role with `gcloud secrets add-iam-policy-binding {secret} --project={project} "
            "--role=roles/secretmanager.secretAccessor --member=` and the account"
        )
        request = google_retry(self.policy, "Secret Manager")(self._request)
        try:
            text = call(request, "Secret Manager", SourceError, grant)
        except NotFound:
            text = None
        if text is None:
            raise SourceError(
                f"there is no secret {self.version}: create it with `gcloud secrets create {secret} "
                f"--project={project} --data-file=` and a file with Kaggle's token (`versions add` for `create` "
                "where only a value is missing), or set CHICAGO_CRIME_KAGGLE_SECRET to another"
            )
        return text

    def _request(self) -> SecretStr:
        """The one request that the platform makes to this service: a client library of its own is not worth it."""
        from google.api_core.exceptions import from_http_response
        from google.auth.transport.requests import AuthorizedSession

        credentials = GoogleAccount(None, self.credentials_file, self.endpoint).credentials()
        address = f"{self.endpoint or 'https://secretmanager.googleapis.com'}/v1/{self.version}:access"
        with AuthorizedSession(credentials) as session:
            response = session.get(address, timeout=self.policy.timeout_s)
            if not response.ok:
                raise from_http_response(response)
            content = base64.b64decode(response.json()["payload"]["data"])
        return SecretStr(content.decode(errors="replace").strip())
