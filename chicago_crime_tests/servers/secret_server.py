"""Secret Manager on loopback: reading a version of a secret, and nothing else of it."""

import base64
import re

import google_crc32c

from chicago_crime_tests.servers.google_server import GoogleHandler, GoogleServer, RefusedError


class _Handler(GoogleHandler):
    server: "SecretServer"

    def answer_call(self) -> None:
        called = self.check_call()
        if called.method != "secretmanager.projects.secrets.versions.access":
            raise RefusedError(501, f"{called.method} is not made here")
        asked = re.fullmatch(r"(projects/[^/]+/secrets/[^/]+)/versions/([^/]+)", called.parameters["name"])
        assert asked, "the path is checked"
        versions = self.server.secrets.get(asked[1], [])
        number = len(versions) if asked[2] == "latest" else int(asked[2])
        if not self.server.may_read:
            name = called.parameters["name"]
            message = f"Permission 'secretmanager.versions.access' denied for resource '{name}' (or it may not exist)."
            raise RefusedError(403, message)
        if not 1 <= number <= len(versions):
            raise RefusedError(404, f"Secret [{asked[1]}] not found or has no versions.")
        content = versions[number - 1]
        payload = {"data": base64.b64encode(content).decode(), "dataCrc32c": str(google_crc32c.value(content))}
        self.reply_json({"name": f"{asked[1]}/versions/{number}", "payload": payload})


class SecretServer(GoogleServer):
    """Secret Manager with some secrets.

    Attributes:
        secrets: the versions of each, oldest first, by `projects/P/secrets/S`.
        may_read: whether whoever has a token may read them.
    """

    api_name = "secretmanager.v1"
    handler = _Handler

    def __init__(self, secrets: dict[str, list[bytes]], port: int = 0):
        super().__init__(port)
        self.secrets, self.may_read = secrets, True
