"""The buckets of the storage server: objects as files in a folder, with generations, checksums and preconditions.

A file that another program (Spark, a test) writes to a bucket's folder is an object, too.
"""

import base64
import os
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
        given: metadata from its writer: cacheControl, metadata, ...
    """

    file: Path
    generation: int
    size: int
    crc32c: str
    given: Mapping[str, Any]

    def resource(self, bucket: str, name: str) -> dict[str, Any]:
        kept = {field: value for field, value in self.given.items() if field in ("cacheControl", "metadata")}
        return kept | {
            "name": name,
            "bucket": bucket,
            "generation": str(self.generation),
            "size": str(self.size),
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
            return Stored(path, generation, len(content), _crc32c(content), self._given.get((path, generation), {}))

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

    def delete(self, bucket: str, name: str) -> None:
        """Delete an existing object, and folders that become empty."""
        with self.lock:
            path = self.path(bucket, name)
            path.unlink()
            for folder in path.parents:
                if folder == self.folder / bucket or any(folder.iterdir()):
                    break
                folder.rmdir()


def _crc32c(content: bytes) -> str:
    return base64.b64encode(google_crc32c.Checksum(content).digest()).decode()
