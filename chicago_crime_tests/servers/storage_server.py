"""Cloud Storage on loopback: the JSON API's buckets and objects, in a folder that other servers also use.

Uploads in one request (multipart) and in several (resumable), downloads, pages of lists, preconditions and permissions
follow Google's documentation. Methods that are not implemented respond with 501 and fail the test.
`storage_objects.py` stores the objects.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chicago_crime_tests.servers.google_server import GoogleHandler, GoogleServer, RefusedError
from chicago_crime_tests.servers.storage_objects import Buckets, Stored

PERMISSIONS = (
    "storage.buckets.get",
    "storage.objects.create",
    "storage.objects.delete",
    "storage.objects.get",
    "storage.objects.list",
)


LISTED_BY = {"prefix", "pageToken", "maxResults", "projection", "prettyPrint", "fields", "alt"}
"""The supported parameters of lists."""


@dataclass
class _Session:
    """A resumable upload in progress, over a given generation of an object."""

    bucket: str
    given: dict[str, Any]
    generation: int | None
    result: dict[str, Any] | None = None


class _Handler(GoogleHandler):
    server: "StorageServer"

    def answer_call(self) -> None:
        if "upload_id" in self.query:
            self._go_on_with_upload()
            return
        is_multipart = self.query.get("uploadType") == ["multipart"]
        type_ = self.headers.get("X-Upload-Content-Type", "")
        given, type_, self._content = self._parts() if is_multipart else (self.received.body, type_, b"")
        called = self.check_call(given)
        self._given = ({"contentType": type_} if type_ else {}) | (json.loads(given) if given else {})
        bucket = called.parameters["bucket"]
        if bucket not in self.server.buckets.names:
            raise RefusedError(404, "The specified bucket does not exist.")
        self.method_for(called)(bucket, called.parameters.get("object", ""))

    def refuse(self, error: RefusedError) -> None:
        """Send an error: in plain text for downloads, in JSON for everything else."""
        if self.query.get("alt") == ["media"]:
            self.reply(error.status, str(error).encode(), {"Content-Type": "text/html; charset=UTF-8"})
        else:
            super().refuse(error)

    def _may(self, *permissions: str) -> None:
        for permission in permissions:
            if permission not in self.server.permissions:
                message = (
                    f"The caller does not have {permission} access to the Google Cloud Storage resource. "
                    f"Permission '{permission}' denied on resource (or it may not exist)."
                )
                raise RefusedError(403, message)

    def _existing(self, bucket: str, name: str) -> Stored:
        stored = self.server.buckets.find(bucket, name)
        wanted = self.query.get("generation")
        if stored is None or (wanted and int(wanted[0]) != stored.generation):
            self._may("storage.objects.list")  # without it, Google does not reveal that the object is missing
            raise RefusedError(404, f"No such object: {bucket}/{name}")
        return stored

    def _on_buckets_get(self, bucket: str, _: str) -> None:
        self._may("storage.buckets.get")
        self.reply_json({"name": bucket, "location": self.server.location})

    def _on_buckets_testIamPermissions(self, bucket: str, _: str) -> None:  # noqa: N802
        held = [permission for permission in self.query["permissions"] if permission in self.server.permissions]
        self.reply_json({"permissions": held} if held else {})

    def _on_objects_insert(self, bucket: str, _: str) -> None:
        name = self._given.get("name") or self.query["name"][0]
        self._may_write(bucket, name)
        generation = int(self.query["ifGenerationMatch"][0]) if "ifGenerationMatch" in self.query else None
        if self.query.get("uploadType") == ["resumable"]:
            # Google checks the generation only when the upload ends.
            upload_id = f"upload-{len(self.server.sessions) + 1}"
            self.server.sessions[upload_id] = _Session(bucket, self._given | {"name": name}, generation)
            address = f"{self.server.url}/upload/storage/v1/b/{bucket}/o?uploadType=resumable&upload_id={upload_id}"
            self.reply(200, b"", {"Location": address})
        else:
            self.reply_json(self._publish(bucket, name, self._content, self._given, generation))

    def _may_write(self, bucket: str, name: str) -> None:
        self._may("storage.objects.create")
        if self.server.buckets.find(bucket, name):
            self._may("storage.objects.delete")

    def _publish(
        self, bucket: str, name: str, content: bytes, given: dict[str, Any], generation: int | None
    ) -> dict[str, Any]:
        file = self.server.buckets.new_file()
        file.write_bytes(self.server.spoiled(content))
        if sent := re.search("crc32c=([^,]+)", self.headers.get("x-goog-hash", "")):  # with the end of an upload
            given = given | {"crc32c": sent[1]}
        return self.server.buckets.publish(bucket, name, file, given, generation).resource(bucket, name)

    def _go_on_with_upload(self) -> None:
        method, self.received.method = self.received.method, "POST"  # the document describes only the first request
        self.check_call(b"")
        self.received.method, self.received.call = method, "storage.objects.insert (upload)"
        session, content = self.server.sessions[self.query["upload_id"][0]], self.received.body
        if session.result is None:
            if self.headers.get("Content-Range") != f"bytes 0-{len(content) - 1}/{len(content)}":
                raise self.missing("an upload in several chunks")
            session.result = self._publish(
                session.bucket, session.given["name"], content, session.given, session.generation
            )
        self.reply_json(session.result)

    def _on_objects_get(self, bucket: str, name: str) -> None:
        self._may("storage.objects.get")
        stored = self._existing(bucket, name)
        if not self.called.is_download:
            self.reply_json(stored.resource(bucket, name))
            return
        if "Range" in self.headers:
            raise self.missing("a download of a range")
        headers = {
            "Content-Type": stored.given.get("contentType", "application/octet-stream"),
            "x-goog-generation": str(stored.generation),
            "x-goog-hash": f"crc32c={stored.crc32c}",
        }
        self.reply(200, self.server.spoiled(stored.file.read_bytes()), headers)

    def _on_objects_list(self, bucket: str, _: str) -> None:
        self._may("storage.objects.list")
        given = {name: values[0] for name, values in self.query.items()}
        if unknown := given.keys() - LISTED_BY:
            raise self.missing(f"storage.objects.list with {unknown}")
        most = min(int(given.get("maxResults", 1000)), self.server.most_listed)
        found = self.server.buckets.list(bucket, given.get("prefix", ""))
        left = [(name, stored) for name, stored in found if name > given.get("pageToken", "")]
        body: dict[str, Any] = {"items": [stored.resource(bucket, name) for name, stored in left[:most]]}
        if len(left) > most:
            body["nextPageToken"] = left[most - 1][0]
        self.reply_json(body)

    def _on_objects_delete(self, bucket: str, name: str) -> None:
        self._may("storage.objects.delete")
        with self.server.buckets.lock:
            self._existing(bucket, name)
            self.server.buckets.delete(bucket, name)
        self.reply_json(None)

    def _parts(self) -> tuple[bytes, str, bytes]:
        """The parts of a body in `multipart/related`: JSON, the content's type, and the content."""
        mark = re.search(r'boundary="?([^";]+)', self.headers["Content-Type"])
        line = b"--" + mark[1].encode()
        body = self.received.body
        middle, end = body.index(b"\r\n" + line, len(line)), body.rindex(b"\r\n" + line + b"--")
        _, given = body[:middle].split(b"\r\n\r\n", 1)
        head, content = body[middle:end].split(b"\r\n\r\n", 1)
        type_ = re.search(rb"(?i)\r\ncontent-type: *([^\r]+)", head)
        return given, type_[1].decode() if type_ else "", content


class StorageServer(GoogleServer):
    """Cloud Storage with some buckets.

    Attributes:
        buckets: the buckets and their objects.
        permissions: permissions of callers with a token; tests may remove some.
        most_listed: maximum number of objects per page of a list.
        location: location of the buckets.
        spoils: number of uploads and downloads to corrupt from now on.
        sessions: resumable uploads by id.
    """

    api_name = "storage.v1"
    handler = _Handler

    def __init__(self, folder: Path, buckets: Sequence[str]):
        super().__init__()
        self.buckets = Buckets(folder, buckets)
        self.permissions = set(PERMISSIONS)
        self.most_listed, self.location, self.spoils = 1000, "US-CENTRAL1", 0
        self.sessions: dict[str, _Session] = {}

    def read(self, bucket: str, name: str) -> bytes:
        """An object's bytes."""
        return self.path(bucket, name).read_bytes()

    def write(self, bucket: str, name: str, content: bytes) -> None:
        """Store an object without recording a request."""
        file = self.buckets.new_file()
        file.write_bytes(content)
        self.buckets.publish(bucket, name, file, {})

    def names(self, bucket: str, prefix: str = "") -> list[str]:
        """Names of the objects with a prefix, sorted."""
        return [name for name, _ in self.buckets.list(bucket, prefix)]

    def path(self, bucket: str, name: str) -> Path:
        """The file of an object. Files written there, or below it, become objects."""
        return self.buckets.path(bucket, name)

    def spoiled(self, content: bytes) -> bytes:
        """The content, with one byte corrupted if the test requests it."""
        if not (self.spoils and content):
            return content
        self.spoils -= 1
        return content[:-1] + bytes([content[-1] ^ 1])
