"""The interface of the lake: objects by key, in a folder or a bucket."""

import hashlib
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ValidationError

from chicago_crime.errors import HOW_TO_REPAIR, PlatformError


def rows_key(year: int) -> str:
    """Key of the object with the rows of a year."""
    return f"crimes/{year}.csv"


def record_key(year: int) -> str:
    """Key of the object that records the checksums of a year's rows and of their source file."""
    return f"crimes/{year}.json"


def quarantine_key(year: int) -> str:
    """Key of the object with the quarantined lines of a year: line, problem, text."""
    return f"quarantine/{year}.csv"


class LakeRecord(BaseModel):
    """Checksums of a year's object and of the source file it was made from (sha256, hexadecimal)."""

    sha256: str
    source_sha256: str


class ObjectStoreError(PlatformError):
    """An object cannot be stored or read; the message names its key and the fix."""


class NoObjectError(ObjectStoreError):
    """There is no object with this key."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no object {name}: load its year {HOW_TO_REPAIR}")


@dataclass(frozen=True)
class StoredObject:
    """A stored object with its size in bytes and checksum (sha256, hexadecimal)."""

    key: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Item:
    """A listed object: its key, size in bytes, and time of the last change in epoch seconds."""

    key: str
    bytes: int
    changed_at: float


class ReadableStore(ABC):
    """Read access to objects by key, such as `crimes/2014.csv`; all that a reader of snapshots needs."""

    @abstractmethod
    def get(self, key: str, folder: Path) -> Path:
        """Return a read-only file with an object's content; it may be a download in `folder`.

        Raises:
            NoObjectError: there is no such object.
        """

    @abstractmethod
    def read(self, key: str) -> tuple[bytes, str] | None:
        """Return the content of a small object and its version, for `swap`; None if it does not exist."""

    @abstractmethod
    def list(self, prefix: str) -> list[Item]:
        """List the objects whose keys begin with a prefix, sorted by key."""


class ObjectStore(ReadableStore):
    """Objects that can be replaced. Writes are atomic: readers see the old object or the new one."""

    def put(self, key: str, file: Path) -> StoredObject:
        """Store a file under a key, which is names separated by slashes, replacing any previous object.

        Do not change the file afterwards: a folder store links to it.
        """
        return self._put(key, file, checksum_of(file))

    def add(self, prefix: str, file: Path) -> StoredObject:
        """Store a file under a prefix, with a name derived from its content; do not change the file afterwards.

        The key is `<prefix>/<first 16 characters of the sha256><suffix of the file>`.
        """
        sha256 = checksum_of(file)
        return self._put(f"{prefix}/{sha256[:16]}{file.suffix}", file, sha256)

    @abstractmethod
    def _put(self, key: str, file: Path, sha256: str) -> StoredObject:
        """Store a file with this checksum."""

    @abstractmethod
    def location(self, key: str) -> str:
        """Return the path or URI from which the warehouse of the same deployment reads an object.

        Raises:
            NoObjectError: there is no such object.
        """

    @abstractmethod
    def swap(self, key: str, content: bytes, version: str | None) -> bool:
        """Replace a small object only if it still has this version (None: does not exist). Returns whether it did."""

    @abstractmethod
    def is_intact(self, key: str, bytes: int, sha256: str) -> bool:
        """Whether an object exists with this size and checksum."""

    @abstractmethod
    def delete(self, key: str) -> None:
        """Delete an object, if it exists."""

    @abstractmethod
    def publisher_lock(self) -> AbstractContextManager[bool]:
        """Wait until no other publisher uses this store; yields False if the store has no such lock."""


def checksum_of(file: Path) -> str:
    """Return the sha256 of a file, hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def lake_record(store: ObjectStore, year: int) -> LakeRecord | None:
    """Return the record of a year's object; None if the year was not stored completely.

    Raises:
        ObjectStoreError: the record is damaged.
    """
    found = store.read(record_key(year))
    if found is None:
        return None
    try:
        return LakeRecord.model_validate_json(found[0])
    except ValidationError as error:
        problem = f"{record_key(year)} is damaged ({error.errors()[0]['msg']})"
        raise ObjectStoreError(f"{problem}: load {year} {HOW_TO_REPAIR}") from error
