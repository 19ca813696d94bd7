"""Secret Manager, Resource Manager, IAM and Compute Engine's quotas on loopback, at one address."""

import base64
import json
import re
from collections.abc import Callable

import google_crc32c

from chicago_crime_tests.servers.credentials import PROJECT_ID
from chicago_crime_tests.servers.google_server import GoogleHandler, GoogleServer, RefusedError


class _Handler(GoogleHandler):
    server: "AccessServer"

    @property
    def api_name(self) -> str:
        """The API of the path."""
        if self.received.path.startswith("/v3/"):
            return "cloudresourcemanager.v3"
        if self.received.path.startswith("/compute/"):
            return "compute.v1"
        return "iam.v1" if "/serviceAccounts/" in self.received.path else "secretmanager.v1"

    def answer_call(self) -> None:
        called = self.check_call()
        self._name = called.parameters.get("name") or called.parameters.get("resource", "")
        self.method_for(called)()

    def _on_versions_access(self) -> None:
        named = re.fullmatch(r"(projects/[^/]+/secrets/[^/]+)/versions/([^/]+)", self._name)
        assert named, "the path is checked"
        versions = self.server.secrets.get(named[1], [])
        number = len(versions) if named[2] == "latest" else int(named[2])
        if not self.server.may_read:
            message = (
                f"Permission 'secretmanager.versions.access' denied for resource '{self._name}' (or it may not exist)."
            )
            raise RefusedError(403, message)
        if not 1 <= number <= len(versions):
            raise RefusedError(404, f"Secret [{named[1]}] not found or has no versions.")
        content = versions[number - 1]
        payload = {"data": base64.b64encode(content).decode(), "dataCrc32c": str(google_crc32c.value(content))}
        self.reply_json({"name": f"{named[1]}/versions/{number}", "payload": payload})

    def _on_secrets_testIamPermissions(self) -> None:  # noqa: N802
        is_held = self.server.may_read and self._name in self.server.secrets
        self._reply_held(lambda permission: is_held)

    def _on_projects_testIamPermissions(self) -> None:  # noqa: N802
        if self._name != f"projects/{PROJECT_ID}":
            raise RefusedError(403, "The caller does not have permission")
        self._reply_held(lambda permission: permission not in self.server.forbidden)

    def _on_serviceAccounts_testIamPermissions(self) -> None:  # noqa: N802
        email = self._name.rpartition("/")[2]
        if email not in self.server.accounts:
            raise RefusedError(404, f"Unknown service account {email}")
        self._reply_held(lambda permission: permission not in self.server.forbidden)

    def _on_regions_get(self) -> None:
        self._reply_quotas(lambda metric: metric != "CPUS_ALL_REGIONS")

    def _on_projects_get(self) -> None:
        self._reply_quotas(lambda metric: metric == "CPUS_ALL_REGIONS")

    def _reply_quotas(self, is_here: Callable[[str], bool]) -> None:
        quotas = [{"metric": name, "limit": n, "usage": 0.0} for name, n in self.server.quotas.items() if is_here(name)]
        self.reply_json({"quotas": quotas})

    def _reply_held(self, is_held: Callable[[str], bool]) -> None:
        held = [permission for permission in json.loads(self.received.body)["permissions"] if is_held(permission)]
        self.reply_json({"permissions": held} if held else {})


class AccessServer(GoogleServer):
    """Some secrets, one project and some service accounts.

    Attributes:
        secrets: versions of each secret, oldest first, by `projects/P/secrets/S`.
        may_read: whether callers with a token may read them.
        forbidden: permissions on the project and accounts that callers do not have.
        accounts: the existing service accounts.
        quotas: the quotas of the region and of the project by metric.
    """

    api_name = "secretmanager.v1"
    handler = _Handler

    def __init__(self, secrets: dict[str, list[bytes]]):
        super().__init__()
        self.secrets, self.may_read = secrets, True
        self.forbidden: set[str] = set()
        self.accounts: set[str] = set()
        self.quotas = {"CPUS": 72.0, "N2_CPUS": 24.0, "CPUS_ALL_REGIONS": 32.0}
