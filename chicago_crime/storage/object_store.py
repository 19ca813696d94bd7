"""The interface of the lake: objects by key, in a folder or a bucket."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

from chicago_crime.errors import PlatformError


def rows_key(year: int) -> str:
    """Key of the object with the rows of a year."""
    return f"crimes/{year}.csv"


def quarantine_key(year: int) -> str:
    """Key of the object with the quarantined lines of a year: line, problem, text."""
    return f"quarantine/{year}.csv"


class ObjectStoreError(PlatformError):
    """An object cannot be stored or read; the message names its key and says what to do."""


@dataclass(frozen=True)
class StoredObject:
    """A stored object with its size in bytes and checksum (sha256, hexadecimal)."""

    key: str
    bytes: int
    sha256: str


class ObjectStore(ABC):
    """Objects by key, such as `crimes/2014.csv`. A put is atomic: readers see the old object or the new one."""

    @abstractmethod
    def put(self, key: str, file: Path, checksum: str | None = None) -> StoredObject:
        """Store a copy of a file under a key and replace the previous object.

        Args:
            key: names separated by slashes.
            file: the file to store.
            checksum: sha256 that the file must have; nothing is stored if it differs.

        Raises:
            ObjectStoreError: the checksum differs.
        """

    @abstractmethod
    def get(self, key: str, folder: Path) -> Path:
        """A read-only file with an object's content; `folder` may be used to download it.

        Raises:
            ObjectStoreError: there is no such object.
        """

    @abstractmethod
    def location(self, key: str) -> str:
        """The path or URI at which the warehouse of the same deployment reads an object.

        Raises:
            ObjectStoreError: there is no such object.
        """

    @abstractmethod
    def exists(self, key: str) -> bool:
        """Whether there is an object under this key."""
