"""The files of a job on Dataproc: its program, its staging folder, what its driver prints and what it tells.

Here belongs reading and writing the bucket. When to do which belongs in `dataproc.py`.
"""

import codecs
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar
from urllib.parse import urlsplit

from dagster import PipesMessageReader
from google.api_core.exceptions import NotFound
from google.cloud import storage

from chicago_crime.storage.google.access import call, google_retry
from chicago_crime.storage.google.bucket import BucketStore
from chicago_crime.storage.object_store import ObjectStoreError

_T = TypeVar("_T")


@dataclass(frozen=True)
class BucketFiles:
    """What jobs need of the bucket besides storing objects in it.

    Attributes:
        store: the bucket.
    """

    store: BucketStore

    def uri(self, key: str) -> str:
        """The URI of a key, or of a folder."""
        return f"gs://{self.store.bucket}/{key}"

    def upload_once(self, file: Path, name: str | None = None) -> str:
        """The URI of a file's content under its own name or another; it is uploaded if nobody did before."""
        if name in (None, file.name):
            return self.store.upload(file, "jobs")
        with TemporaryDirectory() as folder:
            return self.store.upload(Path(shutil.copyfile(file, Path(folder) / str(name))), "jobs")

    def is_empty(self, folder: str) -> bool:
        """Whether nothing is below a folder."""
        return not self._listed(self.store.bucket, f"{folder}/", max_results=1)

    def remove(self, folder: str) -> None:
        """Delete everything below a folder."""
        self.store.delete_prefix(f"{folder.rstrip('/')}/")

    def remove_older(self, folder: str, age: timedelta) -> None:
        """Delete what was put below a folder longer ago than `age`."""
        limit = datetime.now(UTC) - age
        for blob in self._listed(self.store.bucket, f"{folder}/", fields="items(name,updated),nextPageToken"):
            if blob.updated and blob.updated < limit:
                with suppress(NotFound):
                    self._asked(partial(blob.delete, client=self._client, **self._how))

    def names(self, uri: str) -> dict[str, int]:
        """Objects whose URIs begin so, in order, with their sizes in bytes: their URIs' ends -> size."""
        bucket, prefix = split_uri(uri)
        listed = self._listed(bucket, prefix, fields="items(name,size),nextPageToken")
        return {blob.name.removeprefix(prefix): blob.size or 0 for blob in listed}

    def read(self, uri: str, start: int = 0) -> bytes:
        """An object's content from a byte on."""
        bucket, key = split_uri(uri)
        blob = self._client.bucket(bucket).blob(key)
        return self._asked(partial(blob.download_as_bytes, start=start or None, checksum=None, **self._how))

    def _listed(self, bucket: str, prefix: str, **options: Any) -> list[storage.Blob]:
        return self._asked(lambda: list(self._client.list_blobs(bucket, prefix=prefix, **options, **self._how)))

    def _asked(self, ask: Callable[[], _T]) -> _T:
        return call(ask, "Cloud Storage", ObjectStoreError)

    @property
    def _how(self) -> dict[str, Any]:
        return {"timeout": self.store.policy.timeout_s, "retry": google_retry(self.store.policy, "Cloud Storage")}

    @cached_property
    def _client(self) -> storage.Client:
        return self.store.client


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
    """Reads what `spark_jobs/with_pipes.py` writes. Whoever waits for the job asks now and then: there is no thread.

    The readers of `dagster_gcp.pipes` put every session in a folder of a random name at the top of the bucket, where a
    run that starts again cannot find it and nobody removes it, and take any error for "no message yet".
    """

    expected_writer_count = 1

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
