"""What a job writes into the bucket while it runs: its driver's output and its messages."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from dagster import PipesMessageReader
from typing_extensions import override

from chicago_crime.storage.google.bucket import BucketStore


@dataclass
class DriverLog:
    """A driver's output, which Dataproc writes to numbered files; the last one grows."""

    store: BucketStore
    tail: str = ""
    _read: dict[str, int] = field(default_factory=dict)
    _rest: bytes = b""

    def new_lines(self, output: str, is_over: bool) -> str:
        """The complete lines since the last call; at the end also an incomplete last one.

        Args:
            output: URI prefix of the files.
            is_over: whether the driver has ended.
        """
        store, prefix = self.store.at(output)
        for item in store.list(prefix):
            start = self._read.get(item.key, 0)
            if item.bytes > start and (found := store.read(item.key)):
                self._read[item.key] = len(found[0])
                self._rest += found[0][start:]
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

    def __init__(self, store: BucketStore, folder: str):
        self._store, self._folder, self._next = store, folder, 1
        self._handler: Any = None

    @override
    @contextmanager
    def read_messages(self, handler: Any) -> Iterator[dict[str, Any]]:
        self._handler = handler
        yield {"folder": self._store.uri(self._folder)}

    def read_new(self) -> None:
        """Pass on the messages since the last call."""
        while True:
            here = f"{self._folder}/{self._next}/"
            # Names with a slash are those of a file that is not complete yet.
            keys = [item.key for item in self._store.list(here) if item.key.endswith(".txt")]
            complete = [key for key in keys if "/" not in key.removeprefix(here)]
            found = self._store.read(complete[0]) if complete else None
            if found is None:
                return
            for line in found[0].decode().splitlines():
                self._handler.handle_message(json.loads(line))
            self._next += 1

    @override
    def no_messages_debug_text(self) -> str:
        return f"The job writes its messages to {self._store.uri(self._folder)}."
