"""The files of a job on Dataproc: its program, its staging folder, what its driver prints and what it tells.

Here belongs reading and writing the bucket. When to do which belongs in `dataproc.py`.
"""

import codecs
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dagster import PipesMessageReader
from google.api_core import exceptions
from google.auth import credentials as auth
from google.cloud import storage
from google.cloud.storage.retry import DEFAULT_RETRY

from chicago_crime.file_facts import sha256

AT_ONCE = 8
"""Objects that are deleted at once."""


@dataclass(frozen=True)
class BucketFiles:
    """Files in one bucket.

    Attributes:
        bucket: its name.
        project: that pays.
        credentials: gives the credentials when the first call is made.
        endpoint: URL of an emulator.
    """

    bucket: str
    project: str
    credentials: Callable[[], auth.Credentials]
    endpoint: str | None = None

    def uri(self, key: str) -> str:
        """The URI of a key, or of a folder."""
        return f"gs://{self.bucket}/{key}"

    def upload_once(self, file: Path) -> str:
        """The URI of a file's content under its own name; it is uploaded if nobody did before."""
        blob = self._bucket.blob(f"jobs/{sha256(file)[:16]}/{file.name}")
        if not blob.exists(retry=DEFAULT_RETRY):
            try:
                blob.upload_from_filename(str(file), if_generation_match=0, checksum="crc32c")
            except exceptions.PreconditionFailed:
                pass  # another run was quicker, or the answer was lost: the name says what is in it
        return self.uri(blob.name)

    def is_empty(self, folder: str) -> bool:
        """Whether nothing is below a folder."""
        return not list(self._client.list_blobs(self.bucket, prefix=f"{folder}/", max_results=1))

    def remove(self, folder: str) -> None:
        """Delete everything below a folder."""
        self._delete(list(self._client.list_blobs(self.bucket, prefix=f"{folder.rstrip('/')}/")))

    def remove_older(self, folder: str, age: timedelta) -> None:
        """Delete what was put below a folder longer ago than `age`."""
        limit = datetime.now(UTC) - age
        listed = self._client.list_blobs(self.bucket, prefix=f"{folder}/", fields="items(name,updated),nextPageToken")
        self._delete([blob for blob in listed if blob.updated and blob.updated < limit])

    def names(self, uri: str) -> dict[str, int]:
        """Objects whose URIs begin so, in order, with their sizes in bytes: their URIs' ends -> size."""
        bucket, prefix = split_uri(uri)
        listed = self._client.list_blobs(bucket, prefix=prefix, fields="items(name,size),nextPageToken")
        return {blob.name.removeprefix(prefix): blob.size or 0 for blob in listed}

    def read(self, uri: str, start: int = 0) -> bytes:
        """An object's content from a byte on."""
        bucket, key = split_uri(uri)
        return self._client.bucket(bucket).blob(key).download_as_bytes(start=start or None, checksum=None)

    def _delete(self, blobs: list[storage.Blob]) -> None:
        def delete(blob: storage.Blob) -> None:
            try:
                blob.delete(retry=DEFAULT_RETRY)
            except exceptions.NotFound:
                pass

        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(delete, blobs))

    @cached_property
    def _client(self) -> storage.Client:
        options = {"api_endpoint": self.endpoint} if self.endpoint else None
        return storage.Client(self.project, credentials=self.credentials(), client_options=options)

    @cached_property
    def _bucket(self) -> storage.Bucket:
        return self._client.bucket(self.bucket)


def split_uri(uri: str) -> tuple[str, str]:
    """The bucket and the key of gs://bucket/key."""
    parts = urlsplit(uri)
    return parts.netloc, parts.path.lstrip("/")


@dataclass
class DriverLog:
    """What a driver prints: Dataproc puts it into numbered files, whose last one grows."""

    files: BucketFiles
    tail: str = ""
    _read: dict[str, int] = field(default_factory=dict)
    _decoder: Any = field(default_factory=lambda: codecs.getincrementaldecoder("utf-8")("replace"))
    _line: str = ""

    def new_lines(self, output: str, is_over: bool) -> str:
        """The whole lines that came since the last time; at the end, the last one whole or not.

        Args:
            output: URI that the files' names begin with.
            is_over: whether no more will come.
        """
        text = self._line
        for name, size in self.files.names(output).items():
            if size > self._read.get(name, 0):
                content = self.files.read(output + name, self._read.get(name, 0))
                self._read[name] = self._read.get(name, 0) + len(content)
                text += self._decoder.decode(content)
        end = len(text) if is_over else text.rfind("\n") + 1
        self._line = text[end:]
        self.tail = (self.tail + text[:end])[-4000:]
        return text[:end].strip("\n")


class BucketMessageReader(PipesMessageReader):
    """Reads what `spark_jobs/with_pipes.py` writes. Whoever waits for the job asks now and then: there is no thread."""

    def __init__(self, files: BucketFiles, folder: str):
        self._files, self._folder, self._next = files, folder, 1
        self._handler: Any = None

    @contextmanager
    def read_messages(self, handler: Any) -> Iterator[dict[str, Any]]:
        """See `PipesMessageReader`."""
        self._handler = handler
        yield {"folder": self._folder}

    def read_new(self) -> None:
        """Hand on the messages that came since the last time."""
        while True:
            here = f"{self._folder}/{self._next}/"
            # Names with a slash are those of a file that is not whole yet.
            names = [name for name in self._files.names(here) if name.endswith(".txt") and "/" not in name]
            if not names:
                return
            for line in self._files.read(here + names[0]).decode().splitlines():
                self._handler.handle_message(json.loads(line))
            self._next += 1

    def no_messages_debug_text(self) -> str:
        """See `PipesMessageReader`."""
        return f"The job writes them with Spark into {self._folder}."
