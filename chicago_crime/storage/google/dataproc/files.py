"""The files of a job in the bucket: its program, its staging folder, its driver's output and its messages."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar
from urllib.parse import urlsplit

from dagster import PipesMessageReader
from google.cloud import storage
from typing_extensions import override

from chicago_crime.storage.google.access import call, google_retry
from chicago_crime.storage.google.bucket import BucketStore
from chicago_crime.storage.object_store import ObjectStoreError

_T = TypeVar("_T")


@dataclass(frozen=True)
class BucketFiles:
    """Files and folders of jobs in the bucket.

    Attributes:
        store: the bucket.
    """

    store: BucketStore

    def uri(self, key: str) -> str:
        """The URI of an object or a folder."""
        return self.store.uri(key)

    def upload_once(self, file: Path, name: str | None = None) -> str:
        """Upload a file, under another name if given, unless the bucket has it, and return its URI."""
        if name in (None, file.name):
            return self.store.upload(file, "jobs")
        with TemporaryDirectory() as folder:
            return self.store.upload(Path(shutil.copyfile(file, Path(folder) / str(name))), "jobs")

    def is_empty(self, folder: str) -> bool:
        """Whether a folder has no objects."""
        return not self._listed(self.store.bucket, f"{folder}/", max_results=1)

    def remove(self, folder: str) -> None:
        """Delete all objects of a folder."""
        self.store.delete_prefix(f"{folder.rstrip('/')}/")

    def names(self, uri: str) -> dict[str, int]:
        """The objects whose URIs begin with `uri`, in order: the rest of their URI -> size in bytes."""
        bucket, prefix = split_uri(uri)
        listed = self._listed(bucket, prefix, fields="items(name,size),nextPageToken")
        return {blob.name.removeprefix(prefix): blob.size or 0 for blob in listed}

    def read(self, uri: str, start: int = 0) -> bytes:
        """The content of an object from byte `start` on."""
        bucket, key = split_uri(uri)
        blob = self.store.client.bucket(bucket).blob(key)
        return self._call(partial(blob.download_as_bytes, start=start or None, checksum=None, **self._options))

    def _listed(self, bucket: str, prefix: str, **options: Any) -> list[storage.Blob]:
        return self._call(lambda: list(self.store.client.list_blobs(bucket, prefix=prefix, **options, **self._options)))

    def _call(self, request: Callable[[], _T]) -> _T:
        return call(request, "Cloud Storage", ObjectStoreError)

    @property
    def _options(self) -> dict[str, Any]:
        return {"timeout": self.store.policy.timeout_s, "retry": google_retry(self.store.policy, "Cloud Storage")}


def split_uri(uri: str) -> tuple[str, str]:
    """The bucket and the key of gs://bucket/key."""
    parts = urlsplit(uri)
    return parts.netloc, parts.path.lstrip("/")


@dataclass
class DriverLog:
    """A driver's output, which Dataproc writes to numbered files; the last one grows."""

    files: BucketFiles
    tail: str = ""
    _read: dict[str, int] = field(default_factory=dict)
    _rest: bytes = b""

    def new_lines(self, output: str, is_over: bool) -> str:
        """The complete lines since the last call; at the end also an incomplete last one.

        Args:
            output: URI prefix of the files.
            is_over: whether the driver has ended.
        """
        for name, size in self.files.names(output).items():
            start = self._read.get(name, 0)
            if size > start:
                content = self.files.read(output + name, start)
                self._read[name] = start + len(content)
                self._rest += content
        end = len(self._rest) if is_over else self._rest.rfind(b"\n") + 1
        lines, self._rest = self._rest[:end].decode(errors="replace"), self._rest[end:]
        self.tail = (self.tail + lines)[-4000:]
        return lines.strip("\n")


class BucketMessageReader(PipesMessageReader):
    """Reads the messages that `spark_jobs/with_pipes.py` writes, when polled: it has no thread.

    The readers of `dagster_gcp.pipes` do not serve: they keep messages in a folder with a random name at the top of the
    bucket, where a restarted run cannot find them and nobody deletes them, and take any error for "no message yet".
    """

    expected_writer_count = 1

    def __init__(self, files: BucketFiles, folder: str):
        self._files, self._folder, self._next = files, folder, 1
        self._handler: Any = None

    @override
    @contextmanager
    def read_messages(self, handler: Any) -> Iterator[dict[str, Any]]:
        self._handler = handler
        yield {"folder": self._folder}

    def read_new(self) -> None:
        """Pass on the messages since the last call."""
        while True:
            here = f"{self._folder}/{self._next}/"
            # Names with a slash are those of a file that is not complete yet.
            names = [name for name in self._files.names(here) if name.endswith(".txt") and "/" not in name]
            if not names:
                return
            for line in self._files.read(here + names[0]).decode().splitlines():
                self._handler.handle_message(json.loads(line))
            self._next += 1

    @override
    def no_messages_debug_text(self) -> str:
        return f"The job writes its messages to {self._folder}."
