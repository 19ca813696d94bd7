"""The object store in a folder."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG

from filelock import FileLock
from typing_extensions import override

from chicago_crime.intake.staging import publish, staging_folder
from chicago_crime.storage.object_store import Item, NoObjectError, ObjectStore, StoredObject, checksum_of


@dataclass(frozen=True)
class FolderStore(ObjectStore):
    """Objects as files in a folder.

    Attributes:
        folder: the store; keys are paths relative to it.
        staging: folder for files that are not published yet, on the same file system.
    """

    folder: Path
    staging: Path

    @override
    def _put(self, key: str, file: Path, sha256: str) -> StoredObject:
        """Hard-link the file: the platform replaces files and never modifies them, so links can share the bytes."""
        with staging_folder(self.staging) as fresh:
            (fresh / "object").hardlink_to(file)
            publish(fresh / "object", self.folder / key)
        return StoredObject(key, file.stat().st_size, sha256)

    @override
    def get(self, key: str, folder: Path) -> Path:
        """Return the object's own file, without a copy."""
        path = self.folder / key
        if not path.is_file():
            raise NoObjectError(f"{key} in {self.folder}")
        return path

    @override
    def location(self, key: str) -> str:
        return str(self.get(key, self.folder))

    @override
    def read(self, key: str) -> tuple[bytes, str] | None:
        path = self.folder / key
        if not path.is_file():
            return None
        content = path.read_bytes()
        return content, hashlib.sha256(content).hexdigest()

    @override
    def swap(self, key: str, content: bytes, version: str | None) -> bool:
        with staging_folder(self.staging) as fresh, self._lock("swap"):
            found = self.read(key)
            if (found and found[1]) != version:
                return False
            (fresh / "object").write_bytes(content)
            publish(fresh / "object", self.folder / key)
        return True

    @override
    def list(self, prefix: str) -> list[Item]:
        root = self.folder / prefix.rpartition("/")[0]
        items = []
        for path in sorted(root.rglob("*")):
            key = path.relative_to(self.folder).as_posix()
            with suppress(FileNotFoundError):  # deleted meanwhile
                if key.startswith(prefix) and S_ISREG((stat := path.stat()).st_mode):
                    items.append(Item(key, stat.st_size, stat.st_mtime))
        return items

    @override
    def is_intact(self, key: str, bytes: int, sha256: str) -> bool:
        path = self.folder / key
        return path.is_file() and path.stat().st_size == bytes and checksum_of(path) == sha256

    @override
    def delete(self, key: str) -> None:
        (self.folder / key).unlink(missing_ok=True)

    @override
    @contextmanager
    def publisher_lock(self) -> Iterator[bool]:
        with self._lock("publisher"):
            yield True

    def _lock(self, name: str) -> FileLock:
        locks = self.staging.with_name("locks")
        locks.mkdir(parents=True, exist_ok=True)
        return FileLock(locks / name)
