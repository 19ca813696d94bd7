"""Secret Manager, Resource Manager, IAM and Compute Engine's quotas on loopback, at one address."""

import base64
from collections.abc import Mapping

import google_crc32c

from chicago_crime_tests.servers.credentials import PROJECT_ID
from chicago_crime_tests.servers.google_server import GoogleHandler, GoogleServer, Json, RefusedError


class _Handler(GoogleHandler):
    server: "AccessServer"

    @property
    def api_name(self) -> str:
        if self.received.path.startswith("/v3/"):
            return "cloudresourcemanager.v3"
        if self.received.path.startswith("/compute/"):
            return "compute.v1"
        return "iam.v1" if "/serviceAccounts/" in self.received.path else "secretmanager.v1"

    def _on_versions_access(self, of: Mapping[str, str]) -> Json:
        secret, _, version = of["name"].partition("/versions/")
        versions = self.server.secrets.get(secret, [])
        number = len(versions) if version == "latest" else int(version)
        self.may("secretmanager.versions.access", of["name"])
        if not 1 <= number <= len(versions):
            raise RefusedError(404, f"Secret [{secret}] not found or has no versions.")
        content = versions[number - 1]
        payload = {"data": base64.b64encode(content).decode(), "dataCrc32c": str(google_crc32c.value(content))}
        return {"name": f"{secret}/versions/{number}", "payload": payload}

    def _on_secrets_testIamPermissions(self, of: Mapping[str, str]) -> Json:  # noqa: N802
        return self.held(self.given["permissions"] if of["resource"] in self.server.secrets else [])

    def _on_projects_testIamPermissions(self, of: Mapping[str, str]) -> Json:  # noqa: N802
        if of["resource"] != f"projects/{PROJECT_ID}":
            raise RefusedError(403, "The caller does not have permission")
        return self.held(self.given["permissions"])

    def _on_serviceAccounts_testIamPermissions(self, of: Mapping[str, str]) -> Json:  # noqa: N802
        email = of["resource"].rpartition("/")[2]
        if email not in self.server.accounts:
            raise RefusedError(404, f"Unknown service account {email}")
        return self.held(self.given["permissions"])

    def _on_regions_get(self, of: Mapping[str, str]) -> Json:
        return self._quotas("CPUS", "N2_CPUS")

    def _on_projects_get(self, of: Mapping[str, str]) -> Json:
        return self._quotas("CPUS_ALL_REGIONS")

    def _quotas(self, *metrics: str) -> Json:
        quotas = self.server.quotas
        return {"quotas": [{"metric": one, "limit": quotas[one], "usage": 0.0} for one in metrics]}


class AccessServer(GoogleServer):
    """Some secrets, one project and some service accounts.

    Attributes:
        secrets: versions of each secret, oldest first, by `projects/P/secrets/S`.
        accounts: the existing service accounts.
        quotas: the quotas of the region and of the project by metric.
    """

    handler = _Handler

    def __init__(self, secrets: dict[str, list[bytes]]):
        super().__init__()
        self.secrets = secrets
        self.accounts: set[str] = set()
        self.quotas = {"CPUS": 72.0, "N2_CPUS": 24.0, "CPUS_ALL_REGIONS": 32.0}
