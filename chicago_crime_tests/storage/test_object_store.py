"""Tests of `chicago_crime/storage/object_store.py`."""

import hashlib
from pathlib import Path

import pytest

from chicago_crime.storage.local.folder_store import FolderStore
from chicago_crime.storage.object_store import ObjectStoreError


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "objects", tmp_path / "staging")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "file"
    file.write_bytes(b"content")
    return file


def test_a_changed_file_is_refused_and_the_old_object_stays(store: FolderStore, file: Path, tmp_path: Path) -> None:
    store.put("a", file)
    checksum = hashlib.sha256(b"content").hexdigest()
    changed = tmp_path / "changed"
    changed.write_bytes(b"conTent")
    with pytest.raises(ObjectStoreError, match="was changed"):
        store.put("a", changed, checksum)
    assert store.get("a", tmp_path).read_bytes() == b"content"
    assert list((tmp_path / "staging").iterdir()) == []
