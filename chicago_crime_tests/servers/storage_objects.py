"""The buckets of the storage server: objects as files in a folder, with generations, checksums and preconditions.

A file that another program (Spark, a test) writes to a bucket's folder becomes an object when it is first read.
"""

import base64
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import google_crc32c

from chicago_crime_tests.servers.google_server import RefusedError


@dataclass(frozen=True)
class Stored:
    """A version of an object.

    Attributes:
        file: file with its bytes.
        given: metadata from its writer: contentType, cacheControl, metadata, ...
        written: size and time of the file, which change if another program writes it.
    """

    file: Path
    generation: int
    size: int
    crc32c: str
    given: Mapping[str, Any] = field(default_factory=dict)
    written: tuple[int, int] = (0, 0)

    def resource(self, bucket: str, name: str) -> dict[str, Any]:
        """The object's metadata as the API describes it."""
        when = datetime.fromtimestamp(self.generation / 1e6, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        kept = ("contentType", "cacheControl", "metadata")
        given = {field: value for field, value in self.given.items() if field in kept}
        return given | {
            "name": name,
            "bucket": bucket,
            "generation": str(self.generation),
            "size": str(self.size),
            "crc32c": self.crc32c,
            "updated": when,
        }


class Buckets:
    """Objects by bucket and name. Each change is atomic.

    Attributes:
        folder: folder with a folder for each bucket.
        names: names of the buckets.
        written: all objects written through the server, in order: bucket, name, generation.
    """

    def __init__(self, folder: Path, names: Sequence[str]):
        self.folder, self.names = folder, set(names)
        self.written: list[tuple[str, str, int]] = []
        self.lock = threading.RLock()
        self._known: dict[tuple[str, str], Stored] = {}
        self._last_generation = 0
        for name in names:
            (folder / name).mkdir(parents=True, exist_ok=True)
        self.aside = folder / ".aside"
        self.aside.mkdir(parents=True, exist_ok=True)

    def path(self, bucket: str, name: str) -> Path:
        """The file of an object, which need not exist."""
        path = self.folder / bucket / name
        if bucket not in self.names or not path.resolve().is_relative_to((self.folder / bucket).resolve()):
            raise RefusedError(404, "The specified bucket does not exist.")
        return path

    def find(self, bucket: str, name: str) -> Stored | None:
        """The current version of an object."""
        with self.lock:
            key, path = (bucket, name), self.path(bucket, name)
            if not path.is_file():
                self._known.pop(key, None)
                return None
            known = self._known.get(key)
            if known is None or known.written != _written(path):
                known = self._known[key] = self._look_at(path, {})
            return known

    def list(self, bucket: str, prefix: str = "") -> list[tuple[str, Stored]]:
        """The objects whose names start with a prefix, sorted by name."""
        with self.lock:
            top = self.folder / bucket
            names = {path.relative_to(top).as_posix() for path in top.rglob("*") if path.is_file()}
            found = ((name, self.find(bucket, name)) for name in names if name.startswith(prefix))
            return sorted(((name, stored) for name, stored in found if stored), key=lambda item: item[0].encode())

    def publish(
        self, bucket: str, name: str, content: Path, given: Mapping[str, Any], generation: int | None = None
    ) -> Stored:
        """Replace a generation of an object (0: none, None: any) with a file, if the checksum matches.

        Raises:
            RefusedError: it has another generation, or the file has another checksum.
        """
        with self.lock:
            path = self.path(bucket, name)
            now = self.find(bucket, name)
            if generation not in (None, now.generation if now else 0):
                message = "At least one of the pre-conditions you specified did not hold."
                raise RefusedError(412, message, "conditionNotMet")
            stored = self._look_at(content, given)
            if (sent := given.get("crc32c", stored.crc32c)) != stored.crc32c:
                content.unlink()
                raise RefusedError(400, f"Provided crc32c {sent!r} doesn't match calculated crc32c {stored.crc32c!r}.")
            path.parent.mkdir(parents=True, exist_ok=True)
            content.replace(path)
            stored = replace(stored, file=path, written=_written(path))
            self._known[bucket, name] = stored
            self.written.append((bucket, name, stored.generation))
            return stored

    def delete(self, bucket: str, name: str) -> None:
        """Delete an existing object, and folders that become empty."""
        with self.lock:
            path = self.path(bucket, name)
            path.unlink()
            self._known.pop((bucket, name), None)
            for folder in path.parents:
                if folder == self.folder / bucket or any(folder.iterdir()):
                    break
                folder.rmdir()

    def new_file(self) -> Path:
        """A path for content that is not an object yet."""
        return self.aside / f"{self._next_generation()}"

    def _look_at(self, file: Path, given: Mapping[str, Any]) -> Stored:
        content = file.read_bytes()
        crc32c = base64.b64encode(google_crc32c.Checksum(content).digest()).decode()
        return Stored(file, self._next_generation(), len(content), crc32c, given, _written(file))

    def _next_generation(self) -> int:
        with self.lock:
            self._last_generation = max(self._last_generation + 1, time.time_ns() // 1000)
            return self._last_generation


def _written(file: Path) -> tuple[int, int]:
    about = file.stat()
    return about.st_size, about.st_mtime_ns
