"""The interface of the lake: objects by key, in a folder or a bucket."""

import json
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from chicago_crime.errors import PlatformError


def rows_key(year: int) -> str:
    """Key of the object with the rows of a year."""
    return f"crimes/{year}.csv"


def record_key(year: int) -> str:
    """Key of the object that says what the rows of a year were made of."""
    return f"crimes/{year}.json"


def quarantine_key(year: int) -> str:
    """Key of the object with the quarantined lines of a year: line, problem, text."""
    return f"quarantine/{year}.csv"


@dataclass(frozen=True)
class LakeRecord:
    """What a year's object is: its checksum, and that of the source file it was made of (sha256, hexadecimal)."""

    sha256: str
    source_sha256: str


class ObjectStoreError(PlatformError):
    """An object cannot be stored or read; the message names its key and says what to do."""


class NoObjectError(ObjectStoreError):
    """There is no object of that key."""


@dataclass(frozen=True)
class StoredObject:
    """A stored object with its size in bytes and checksum (sha256, hexadecimal)."""

    key: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Item:
    """An object in a listing: its key, size in bytes, and when it was last changed, in epoch seconds."""

    key: str
    bytes: int
    changed_at: float


class ReadableStore(ABC):
    """Objects by key, such as `crimes/2014.csv`: what a reader of snapshots needs."""

    @abstractmethod
    def get(self, key: str, folder: Path) -> Path:
        """A read-only file with an object's content; `folder` may be used to download it.

        Raises:
            NoObjectError: there is no such object.
        """

    @abstractmethod
    def read(self, key: str) -> tuple[bytes, str] | None:
        """The content of a small object and its version, for `swap`; None if there is no such object."""

    @abstractmethod
    def list(self, prefix: str) -> list[Item]:
        """The objects whose keys begin with a prefix, by key."""


class ObjectStore(ReadableStore):
    """Objects that can be replaced. A put is atomic: readers see the old object or the new one."""

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
    def location(self, key: str) -> str:
        """The path or URI at which the warehouse of the same deployment reads an object.

        Raises:
            NoObjectError: there is no such object.
        """

    @abstractmethod
    def add(self, prefix: str, file: Path) -> StoredObject:
        """Store a copy of a file under a prefix and a name made of its content; an equal object is replaced.

        The key is `<prefix>/<first 16 characters of the sha256><suffix of the file>`.
        """

    @abstractmethod
    def swap(self, key: str, content: bytes, version: str | None) -> bool:
        """Replace a small object if it still has a version (None: if it does not exist); False if it has another."""

    @abstractmethod
    def is_intact(self, key: str, bytes: int, sha256: str) -> bool:
        """Whether an object is there and is what it was."""

    @abstractmethod
    def delete(self, key: str) -> None:
        """Remove an object, if it exists."""

    @abstractmethod
    def only_publisher(self) -> AbstractContextManager[bool]:
        """Wait until no other publisher works on this store; yields False if the store cannot prevent a second one."""


def lake_record(store: ObjectStore, year: int) -> LakeRecord | None:
    """What the object of a year is; None if it is not whole.

    Raises:
        ObjectStoreError: the record is damaged.
    """
    found = store.read(record_key(year))
    if found is None:
        return None
    try:
        record = json.loads(found[0])
        return LakeRecord(record["sha256"], record["source_sha256"])
    except (ValueError, KeyError, TypeError) as error:
        raise ObjectStoreError(
            f"{record_key(year)} is damaged ({error!r}): load {year} again, as `chicago-crime status` says"
        ) from error
