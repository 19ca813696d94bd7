"""Cloud Storage on loopback: the JSON API's buckets and objects, in a folder that other servers use too.

Uploads in one request (multipart) and in several (resumable), downloads with ranges, pages of lists, preconditions and
permissions follow Google's documentation. A method that is missing here answers 501 and fails the test. The objects
themselves are left to `storage_objects.py`.
"""

import json
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chicago_crime_tests.servers.google_server import GoogleHandler, GoogleServer, RefusedError
from chicago_crime_tests.servers.storage_objects import Buckets, Preconditions, Stored

STEP = 256 * 1024  # what is kept of a cut upload is a multiple of this, and so is every chunk but the last
PERMISSIONS = (
    "storage.buckets.get",
    "storage.objects.create",
    "storage.objects.delete",
    "storage.objects.get",
    "storage.objects.list",
)


LISTED_BY = {
    *("prefix", "delimiter", "pageToken", "maxResults", "projection", "prettyPrint", "fields", "alt"),
}
"""The parameters of a list that are understood."""


@dataclass
class _Session:
    """A resumable upload in progress."""

    bucket: str
    given: dict[str, Any]
    preconditions: Preconditions
    file: Path
    received: int = 0
    result: dict[str, Any] | None = None

    def take(self, start: int, content: bytes) -> None:
        """Keep the new bytes of a chunk; those that came before are ignored, as Google does."""
        if start > self.received:
            raise RefusedError(400, f"Invalid request. The upload has {self.received} bytes, not {start}.")
        with self.file.open("ab") as stream:
            self.received += stream.write(content[self.received - start :])


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

    def _resource(self, bucket: str, name: str, stored: Stored) -> dict[str, Any]:
        return stored.resource(bucket, name, self.server.url)

    def _on_buckets_get(self, bucket: str, _: str) -> None:
        self._may("storage.buckets.get")
        body = {"kind": "storage#bucket", "id": bucket, "name": bucket, "location": self.server.location}
        self.reply_json(body | {"storageClass": "STANDARD", "metageneration": "1"})

    def _on_buckets_testIamPermissions(self, bucket: str, _: str) -> None:  # noqa: N802
        held = [permission for permission in self.query["permissions"] if permission in self.server.permissions]
        body: dict[str, Any] = {"kind": "storage#testIamPermissionsResponse"}
        self.reply_json(body | ({"permissions": held} if held else {}))

    def _on_objects_insert(self, bucket: str, _: str) -> None:
        name = self._given.get("name") or self.query.get("name", [""])[0]
        if not name or len(name.encode()) > 1024 or "\n" in name:
            raise RefusedError(400, "Invalid object name")
        self._may_write(bucket, name)
        preconditions = Preconditions.of(self.query)
        if self.query.get("uploadType") == ["resumable"]:
            # Google checks the preconditions only when the upload ends.
            session = _Session(bucket, self._given | {"name": name}, preconditions, self.server.buckets.new_file())
            session.file.touch()
            upload_id = self.server.begin(session)
            address = f"{self.server.url}/upload/storage/v1/b/{bucket}/o?uploadType=resumable&upload_id={upload_id}"
            self.reply(200, b"", {"Location": address, "X-GUploader-UploadID": upload_id})
        elif self.query.get("uploadType") == ["multipart"]:
            content = self.server.buckets.new_file()
            content.write_bytes(self._content)
            stored = self.server.buckets.publish(bucket, name, content, self._given, preconditions)
            self.reply_json(self._resource(bucket, name, stored))
        else:
            raise RefusedError(501, "Only uploadType=multipart and resumable are implemented here")

    def _may_write(self, bucket: str, name: str) -> None:
        self._may("storage.objects.create")
        if self.server.buckets.find(bucket, name):
            self._may("storage.objects.delete")

    def _go_on_with_upload(self) -> None:
        self.called = self.check_call(b"") if self.received.method == "POST" else self._called_insert()
        self.received.call = "storage.objects.insert (upload)"
        session = self.server.sessions.get(self.query["upload_id"][0])
        if session is None or self.received.method != "PUT":
            raise RefusedError(404, "No such upload")
        if session.result is None:
            self._take_chunk(session)
        if session.result is not None:
            self.reply_json(session.result)

    def _called_insert(self) -> Any:
        method, self.received.method = (
            self.received.method,
            "POST",
        )  # the document has only the first request of an upload
        try:
            return self.check_call(b"")
        finally:
            self.received.method = method

    def _take_chunk(self, session: _Session) -> None:
        about = re.fullmatch(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)", self.headers.get("Content-Range", ""))
        if not about:
            raise RefusedError(400, "Failed to parse Content-Range header.")
        if about[1]:
            if int(about[2]) - int(about[1]) + 1 != len(self.received.body):
                raise RefusedError(400, "The body is not as long as Content-Range says.")
            if about[3] != str(int(about[2]) + 1) and len(self.received.body) % STEP:
                raise RefusedError(400, f"A chunk that is not the last must be a multiple of {STEP} bytes.")
            session.take(int(about[1]), self.received.body)
        if about[3] == str(session.received):
            given = session.given | _hashes(self.headers.get("X-Goog-Hash", ""))
            name = given["name"]
            stored = self.server.buckets.publish(session.bucket, name, session.file, given, session.preconditions)
            session.result = self._resource(session.bucket, name, stored)
        else:
            range_ = {"Range": f"bytes=0-{session.received - 1}"} if session.received else {}
            self.reply(308, b"", range_)

    def _on_objects_get(self, bucket: str, name: str) -> None:
        self._may("storage.objects.get")
        stored = self._existing(bucket, name)
        Preconditions.of(self.query).check(stored, is_read=True)
        if self.called.is_download:
            self._download(stored)
        else:
            self.reply_json(self._resource(bucket, name, stored))

    def _download(self, stored: Stored) -> None:
        content, status = stored.file.read_bytes(), 200
        headers = {
            "Content-Type": stored.given.get("contentType", "application/octet-stream"),
            "x-goog-generation": str(stored.generation),
            "x-goog-metageneration": "1",
            "x-goog-hash": f"crc32c={stored.crc32c},md5={stored.md5}",
            "x-goog-stored-content-length": str(stored.size),
            "x-goog-stored-content-encoding": "identity",
        }
        if wanted := re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", "")):
            first = int(wanted[1]) if wanted[1] else max(stored.size - int(wanted[2]), 0)
            last = min(int(wanted[2]), stored.size - 1) if wanted[1] and wanted[2] else stored.size - 1
            if first > last:
                self.reply(416, b"", {"Content-Range": f"bytes */{stored.size}"})
                return
            status, content = 206, content[first : last + 1]
            headers["Content-Range"] = f"bytes {first}-{last}/{stored.size}"
        self.reply(status, self.server.spoiled(content), headers)

    def _on_objects_list(self, bucket: str, _: str) -> None:
        self._may("storage.objects.list")
        given = {name: values[0] for name, values in self.query.items()}
        if unknown := given.keys() - LISTED_BY:
            raise self.missing(f"storage.objects.list with {unknown}")
        most = min(int(given.get("maxResults", 1000)), self.server.most_listed)
        prefix, delimiter = given.get("prefix", ""), given.get("delimiter", "")
        found: dict[str, Stored | None] = {}  # None for a prefix, which stands for all objects below it
        for name, stored in self.server.buckets.list(bucket, prefix):
            inside, mark, _ = name[len(prefix) :].partition(delimiter) if delimiter else (name, "", "")
            found[prefix + inside + mark if mark else name] = None if mark else stored
        left = [item for item in found.items() if item[0] > given.get("pageToken", "")]
        body: dict[str, Any] = {"kind": "storage#objects"}
        if items := [self._resource(bucket, name, stored) for name, stored in left[:most] if stored]:
            body["items"] = items
        if prefixes := [name for name, stored in left[:most] if stored is None]:
            body["prefixes"] = prefixes
        if len(left) > most:
            body["nextPageToken"] = left[most - 1][0]
        self.reply_json(body)

    def _on_objects_delete(self, bucket: str, name: str) -> None:
        self._may("storage.objects.delete")
        with self.server.buckets.lock:
            Preconditions.of(self.query).check(self._existing(bucket, name))
            self.server.buckets.delete(bucket, name)
        self.reply_json(None)

    def _parts(self) -> tuple[bytes, str, bytes]:
        """The parts of a body in `multipart/related`: JSON, the content's type, and the content."""
        mark = re.search(r'boundary="?([^";]+)', self.headers.get("Content-Type", ""))
        if not mark:
            raise RefusedError(400, "Multipart upload without a boundary")
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
        permissions: permissions of everybody with a token; a test may remove some.
        most_listed: maximum of objects on a page of a list.
        location: location of the buckets.
        spoils: how many of the next downloads have a wrong byte.
        sessions: resumable uploads, by id.
    """

    api_name = "storage.v1"
    handler = _Handler

    def __init__(self, folder: Path | None = None, buckets: Sequence[str] = ("chicago-test",), port: int = 0):
        super().__init__(port)
        self._temporary = None if folder else tempfile.TemporaryDirectory()
        self.buckets = Buckets(folder or Path(self._temporary.name), buckets)  # type: ignore[union-attr]
        self.permissions = set(PERMISSIONS)
        self.most_listed, self.location, self.spoils = 1000, "US-CENTRAL1", 0
        self.sessions: dict[str, _Session] = {}

    def read(self, bucket: str, name: str) -> bytes:
        """An object's bytes.

        Raises:
            RefusedError: there is no such object or bucket.
        """
        if stored := self.buckets.find(bucket, name):
            return stored.file.read_bytes()
        raise RefusedError(404, f"No such object: {bucket}/{name}")

    def write(self, bucket: str, name: str, content: bytes) -> None:
        """Store an object, as another client would: no request is recorded."""
        file = self.buckets.new_file()
        file.write_bytes(content)
        self.buckets.publish(bucket, name, file, {}, Preconditions({}))

    def names(self, bucket: str, prefix: str = "") -> list[str]:
        """Names of the objects with a prefix, sorted."""
        return [name for name, _ in self.buckets.list(bucket, prefix)]

    def path(self, bucket: str, name: str) -> Path:
        """The file of an object. Files that are put there, or below it, are objects too."""
        return self.buckets.path(bucket, name)

    def begin(self, session: _Session) -> str:
        """Start a resumable upload; returns its id."""
        upload_id = f"upload-{len(self.sessions) + 1}"
        self.sessions[upload_id] = session
        return upload_id

    def spoiled(self, content: bytes) -> bytes:
        """The bytes that are sent for some content: the same, unless the test wants them spoiled."""
        if not (self.spoils and content):
            return content
        self.spoils -= 1
        return content[:-1] + bytes([content[-1] ^ 1])


def _hashes(header: str) -> dict[str, str]:
    names = {"crc32c": "crc32c", "md5": "md5Hash"}
    return {
        names[name]: value for name, _, value in (part.strip().partition("=") for part in header.split(",") if part)
    }
