"""The lake: objects by key, in a folder or a bucket.

Here belongs storing and finding objects whole and unharmed. What they hold is the gate's part.
"""

import shutil
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

from chicago_crime.errors import PlatformError
from chicago_crime.file_facts import sha256
from chicago_crime.resources.staging import publish, staging_folder


class ObjectStoreError(PlatformError):
    """An object cannot be stored or had; the message names its key and what to do."""


@dataclass(frozen=True)
class StoredObject:
    """An object as it now is: size in bytes and checksum (sha256, hexadecimal)."""

    key: str
    bytes: int
    sha256: str


class ObjectStore(ABC):
    """Objects by key, such as `crimes/2014.csv`. A put is atomic: readers see the old object or the new one."""

    @abstractmethod
    def put(self, key: str, file: Path, checksum: str | None = None) -> StoredObject:
        """Store a copy of a file under a key, in the place of what was there.

        Args:
            key: names parted by slashes.
            file: what to store.
            checksum: sha256 that the file must have; nothing is stored if it has another.

        Raises:
            ObjectStoreError: the checksum differs.
        """

    @abstractmethod
    def get(self, key: str, folder: Path) -> Path:
        """A file with an object's content, for reading only; `folder` is there to put it in if need be.

        Raises:
            ObjectStoreError: there is no such object.
        """

    @abstractmethod
    def location(self, key: str) -> str:
        """Where the warehouse of the same deployment reads an object: a path or a URI.

        Raises:
            ObjectStoreError: there is no such object.
        """

    @abstractmethod
    def list(self, prefix: str = "") -> list[str]:
        """The keys that start with a prefix, sorted."""

    @abstractmethod
    def exists(self, key: str) -> bool:
        """Whether there is an object under this key."""


@dataclass(frozen=True)
class FolderStore(ObjectStore):
    """Objects as files in a folder.

    Attributes:
        folder: where they are; the key is the path in it.
        staging: where they are written before they are published; on the same file system.
    """

    folder: Path
    staging: Path

    def put(self, key: str, file: Path, checksum: str | None = None) -> StoredObject:
        """See `ObjectStore.put`. The stored bytes are read and compared before they take their place.

        A file whose checksum the caller knows is not copied but linked: the platform never writes into a file, it only
        puts a new one in its place, so the two names can share their bytes.
        """
        with staging_folder(self.staging) as fresh:
            copy = fresh / "object"
            if checksum:
                copy.hardlink_to(file)
            else:
                shutil.copyfile(file, copy)
            found, expected = sha256(copy), checksum or sha256(file)
            if found != expected:
                raise ObjectStoreError(
                    f"{file} was changed: its sha256 is {found} and should be {expected}. Materialize crime_csv again."
                )
            publish(copy, self._path(key))
        return StoredObject(key, self._path(key).stat().st_size, found)

    def get(self, key: str, folder: Path) -> Path:
        """See `ObjectStore.get`. The object's own file is returned: nothing is copied."""
        path = self._path(key)
        if not path.is_file():
            raise ObjectStoreError(f"there is no object {key} in {self.folder}: materialize crime_object first")
        return path

    def location(self, key: str) -> str:
        """See `ObjectStore.location`."""
        return str(self.get(key, self.folder))

    def list(self, prefix: str = "") -> list[str]:
        """See `ObjectStore.list`."""
        files = (path for path in self.folder.rglob("*") if path.is_file())
        return sorted(key for path in files if (key := path.relative_to(self.folder).as_posix()).startswith(prefix))

    def exists(self, key: str) -> bool:
        """See `ObjectStore.exists`."""
        return self._path(key).is_file()

    def _path(self, key: str) -> Path:
        path = self.folder / key
        if not path.resolve().is_relative_to(self.folder.resolve()):
            raise ObjectStoreError(f"the key {key!r} leads out of {self.folder}")
        return path
