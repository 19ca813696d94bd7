"""Cloud Storage on loopback: the JSON API's buckets and objects, in a folder that other servers also use.

Uploads in one request (multipart) and in several (resumable), downloads, pages of lists, preconditions and permissions
follow Google's documentation. A file that another program (Spark, a test) writes to a bucket's folder is an object.
"""

import base64
import email
import json
import os
import re
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import google_crc32c

from chicago_crime_tests.servers.google_server import GoogleHandler, GoogleServer, RefusedError


@dataclass(frozen=True)
class Stored:
    """A version of an object; `given` is metadata from its writer: cacheControl, metadata, ..."""

    content: bytes
    generation: int
    crc32c: str
    given: Mapping[str, Any]

    def resource(self, bucket: str, name: str) -> dict[str, Any]:
        kept = {field: value for field, value in self.given.items() if field in ("cacheControl", "metadata")}
        return kept | {
            "name": name,
            "bucket": bucket,
            "generation": str(self.generation),
            "size": str(len(self.content)),
            "crc32c": self.crc32c,
            "updated": datetime.fromtimestamp(self.generation / 1e6, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        }


class Buckets:
    """Objects by bucket and name. Each change is atomic.

    Attributes:
        folder: folder with a folder for each bucket.
        written: all objects written through the server, in order: bucket, name, generation.
    """

    def __init__(self, folder: Path, names: Sequence[str]):
        self.folder = folder
        self.written: list[tuple[str, str, int]] = []
        self.lock = threading.RLock()
        self._given: dict[tuple[Path, int], Mapping[str, Any]] = {}
        self._last_generation = 0
        for name in names:
            (folder / name).mkdir(parents=True, exist_ok=True)

    def path(self, bucket: str, name: str) -> Path:
        """The file of an object. Files written there, or below it, become objects."""
        return self.folder / bucket / name

    def read(self, bucket: str, name: str) -> bytes:
        return self.path(bucket, name).read_bytes()

    def find(self, bucket: str, name: str) -> Stored | None:
        """The current version of an object. Its generation is the file's time in microseconds."""
        with self.lock:
            path = self.path(bucket, name)
            if not path.is_file():
                return None
            content, generation = path.read_bytes(), path.stat().st_mtime_ns // 1000
            return Stored(content, generation, _crc32c(content), self._given.get((path, generation), {}))

    def names(self, bucket: str, prefix: str = "") -> list[str]:
        """Names of the objects with a prefix, sorted."""
        top = self.folder / bucket
        names = (path.relative_to(top).as_posix() for path in top.rglob("*") if path.is_file())
        return sorted(name for name in names if name.startswith(prefix))

    def write(
        self, bucket: str, name: str, content: bytes, given: Mapping[str, Any] = {}, generation: int | None = None
    ) -> Stored | None:
        """Replace a generation of an object (0: none, None: any), if the checksum matches.

        Raises:
            RefusedError: it has another generation, or the content has another checksum.
        """
        with self.lock:
            path, now = self.path(bucket, name), self.find(bucket, name)
            if generation not in (None, now.generation if now else 0):
                raise RefusedError(412, "At least one of the pre-conditions you specified did not hold.")
            crc32c = _crc32c(content)
            if (sent := given.get("crc32c", crc32c)) != crc32c:
                raise RefusedError(400, f"Provided crc32c {sent!r} doesn't match calculated crc32c {crc32c!r}.")
            self._last_generation = max(self._last_generation + 1, time.time_ns() // 1000)
            aside = self.folder / ".aside"
            aside.write_bytes(content)
            os.utime(aside, ns=(self._last_generation * 1000,) * 2)
            path.parent.mkdir(parents=True, exist_ok=True)
            aside.replace(path)
            self._given[path, self._last_generation] = given
            self.written.append((bucket, name, self._last_generation))
            return self.find(bucket, name)


def _crc32c(content: bytes) -> str:
    return base64.b64encode(google_crc32c.Checksum(content).digest()).decode()


@dataclass
class _Session:
    """A resumable upload in progress, over a given generation of an object."""

    bucket: str
    given: dict[str, Any]
    generation: int | None
    result: dict[str, Any] | None = None


class _Handler(GoogleHandler):
    server: "StorageServer"
    api_name = "storage.v1"

    def answer_call(self) -> None:
        if "upload_id" in self.query:
            self._go_on_with_upload()
            return
        is_multipart = self.query.get("uploadType") == ["multipart"]
        given, self._content = self._parts() if is_multipart else (self.received.body, b"")
        called = self.check_call(given)
        self._given = json.loads(given) if given else {}
        bucket = called.parameters["bucket"]
        if not self.server.buckets.path(bucket, "").is_dir():
            raise RefusedError(404, "The specified bucket does not exist.")
        getattr(self, "_on_" + "_".join(called.method.split(".")[-2:]))(bucket, called.parameters.get("object", ""))

    @property
    def _is_download(self) -> bool:
        return self.query.get("alt") == ["media"]

    def refuse(self, error: RefusedError) -> None:
        """Send an error: in plain text for downloads, in JSON for everything else."""
        if self._is_download:
            self.reply(error.status, str(error).encode(), {"Content-Type": "text/html; charset=UTF-8"})
        else:
            super().refuse(error)

    def _existing(self, bucket: str, name: str) -> Stored:
        stored = self.server.buckets.find(bucket, name)
        wanted = self.query.get("generation")
        if stored is None or (wanted and int(wanted[0]) != stored.generation):
            self.may("storage.objects.list", bucket)  # without it, Google does not reveal that the object is missing
            raise RefusedError(404, f"No such object: {bucket}/{name}")
        return stored

    def _on_buckets_get(self, bucket: str, _: str) -> None:
        self.may("storage.buckets.get", bucket)
        self.reply_json({"name": bucket, "location": self.server.location})

    def _on_buckets_testIamPermissions(self, bucket: str, _: str) -> None:  # noqa: N802
        self.reply_json(self.held(self.query["permissions"]))

    def _on_objects_insert(self, bucket: str, _: str) -> None:
        name = self._given.get("name") or self.query["name"][0]
        self.may("storage.objects.create", bucket)
        if self.server.buckets.find(bucket, name):
            self.may("storage.objects.delete", bucket)
        generation = int(self.query["ifGenerationMatch"][0]) if "ifGenerationMatch" in self.query else None
        session = _Session(bucket, self._given | {"name": name}, generation)
        if self.query.get("uploadType") == ["resumable"]:
            # Google checks the generation only when the upload ends.
            upload_id = f"upload-{len(self.server.sessions) + 1}"
            self.server.sessions[upload_id] = session
            address = f"{self.server.url}/upload/storage/v1/b/{bucket}/o?uploadType=resumable&upload_id={upload_id}"
            self.reply(200, b"", {"Location": address})
        else:
            self.reply_json(self._write(session, self._content))

    def _write(self, upload: _Session, content: bytes) -> dict[str, Any]:
        given, name = upload.given, upload.given["name"]
        if sent := re.search("crc32c=([^,]+)", self.headers.get("x-goog-hash", "")):  # with the end of an upload
            given = given | {"crc32c": sent[1]}
        buckets, content = self.server.buckets, self.server.spoiled(content)
        return buckets.write(upload.bucket, name, content, given, upload.generation).resource(upload.bucket, name)

    def _go_on_with_upload(self) -> None:
        method, self.received.method = self.received.method, "POST"  # the document describes only the first request
        self.check_call(b"")
        self.received.method, self.received.call = method, "storage.objects.insert (upload)"
        session, content = self.server.sessions[self.query["upload_id"][0]], self.received.body
        if session.result is None:
            whole = f"bytes 0-{len(content) - 1}/{len(content)}"
            assert self.headers.get("Content-Range") == whole, "uploads in several chunks are not implemented here"
            session.result = self._write(session, content)
        self.reply_json(session.result)

    def _on_objects_get(self, bucket: str, name: str) -> None:
        self.may("storage.objects.get", bucket)
        stored = self._existing(bucket, name)
        if not self._is_download:
            self.reply_json(stored.resource(bucket, name))
            return
        assert "Range" not in self.headers, "downloads of a range are not implemented here"
        headers = {
            "Content-Type": "application/octet-stream",
            "x-goog-generation": str(stored.generation),
            "x-goog-hash": f"crc32c={stored.crc32c}",
        }
        self.reply(200, self.server.spoiled(stored.content), headers)

    def _on_objects_list(self, bucket: str, _: str) -> None:
        self.may("storage.objects.list", bucket)
        buckets, (prefix, after) = self.server.buckets, (self.query.get(n, [""])[0] for n in ("prefix", "pageToken"))
        with buckets.lock:
            left = [name for name in buckets.names(bucket, prefix) if name > after]
            listed = left[: self.server.most_listed]
            items = [buckets.find(bucket, name).resource(bucket, name) for name in listed]
        self.reply_json({"items": items} | ({"nextPageToken": listed[-1]} if len(left) > len(listed) else {}))

    def _on_objects_delete(self, bucket: str, name: str) -> None:
        self.may("storage.objects.delete", bucket)
        with self.server.buckets.lock:
            self._existing(bucket, name)
            self.server.buckets.path(bucket, name).unlink()
        self.reply_json(None)

    def _parts(self) -> tuple[bytes, bytes]:
        """The parts of a body in `multipart/related`: JSON and content."""
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n"
        given, content = email.message_from_bytes(head.encode() + self.received.body).get_payload()
        return given.get_payload(decode=True), content.get_payload(decode=True)


class StorageServer(GoogleServer):
    """Cloud Storage with some buckets.

    Attributes:
        buckets: the buckets and their objects.
        most_listed: maximum number of objects per page of a list.
        location: location of the buckets.
        spoils: number of uploads and downloads to corrupt from now on.
        sessions: resumable uploads by id.
    """

    handler = _Handler

    def __init__(self, folder: Path, buckets: Sequence[str]):
        super().__init__()
        self.buckets = Buckets(folder, buckets)
        self.most_listed, self.location, self.spoils = 1000, "US-CENTRAL1", 0
        self.sessions: dict[str, _Session] = {}

    def spoiled(self, content: bytes) -> bytes:
        """The content, with one byte corrupted if the test requests it."""
        if not (self.spoils and content):
            return content
        self.spoils -= 1
        return content[:-1] + bytes([content[-1] ^ 1])
