"""The lake: objects by key, in a folder or a bucket.

Here belongs storing and finding objects whole and unharmed. What they hold is the gate's part.
"""

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
