"""The object store in a folder."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from chicago_crime.intake.staging import publish, staging_folder
from chicago_crime.storage.object_store import ObjectStore, ObjectStoreError, StoredObject


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
        from chicago_crime.intake.file_facts import sha256  # slow to import, and only runs need it

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
