"""Tests of `chicago_crime/storage/object_store.py`."""

import threading
from pathlib import Path

import pytest

from chicago_crime.storage.local.folder_store import FolderStore
from chicago_crime.storage.object_store import ObjectStoreError


def test_a_changed_file_is_refused_and_the_old_object_stays(tmp_path: Path) -> None:
    store, file = FolderStore(tmp_path / "objects", tmp_path / "staging"), tmp_path / "file"
    file.write_bytes(b"content")
    stored = store.put("a", file)
    file.unlink()
    file.write_bytes(b"conTent")
    with pytest.raises(ObjectStoreError, match="was changed"):
        store.put("a", file, stored.sha256)
    assert store.get("a", tmp_path).read_bytes() == b"content"
    assert list((tmp_path / "staging").iterdir()) == []


def test_objects_can_be_listed_while_others_are_deleted(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "objects", tmp_path / "staging")
    keys = [f"data/{number:04}" for number in range(2000)]
    (store.folder / "data").mkdir(parents=True)
    for key in keys:
        (store.folder / key).write_bytes(b"content")
    deletion = threading.Thread(target=lambda: [store.delete(key) for key in keys[1:]])
    deletion.start()
    while deletion.is_alive():
        assert store.list("data/")[0].key == keys[0]
    assert [item.key for item in store.list("data/")] == keys[:1]
