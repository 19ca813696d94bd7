"""The object store in a folder."""

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from typing_extensions import override

from chicago_crime.intake.staging import publish, staging_folder
from chicago_crime.storage.object_store import ObjectStore, ObjectStoreError, StoredObject


@dataclass(frozen=True)
class FolderStore(ObjectStore):
    """Objects as files in a folder.

    Attributes:
        folder: the store; keys are paths relative to it.
        staging: folder for files that are not published yet; on the same file system.
    """

    folder: Path
    staging: Path

    @override
    def put(self, key: str, file: Path, checksum: str | None = None) -> StoredObject:
        """Verify the checksum of the copy before it is published.

        A file with a known checksum is hard-linked instead of copied: the platform replaces files and never modifies
        them, so that two names can share the bytes.
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
            publish(copy, self.folder / key)
        return StoredObject(key, (self.folder / key).stat().st_size, found)

    @override
    def get(self, key: str, folder: Path) -> Path:
        """Return the object's own file, without a copy."""
        path = self.folder / key
        if not path.is_file():
            raise ObjectStoreError(f"there is no object {key} in {self.folder}: materialize crime_object first")
        return path

    @override
    def location(self, key: str) -> str:
        return str(self.get(key, self.folder))

    @override
    def exists(self, key: str) -> bool:
        return (self.folder / key).is_file()


def sha256(file: Path) -> str:
    """Checksum of a file, hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
