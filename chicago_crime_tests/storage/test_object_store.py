"""Tests of `chicago_crime/storage/object_store.py`."""

import threading
from pathlib import Path

from chicago_crime.installation import Installation
from chicago_crime.settings import Settings
from chicago_crime.storage.local.folder_store import FolderStore
from chicago_crime.storage.object_store import lake_record
from chicago_crime_tests.support import run


def test_a_file_that_was_changed_after_it_was_fetched_is_refused(loaded_copy: Settings) -> None:
    [file] = (loaded_copy.data_dir / "csv").glob("2014*.csv")
    file.write_bytes(file.read_bytes().replace(b"THEFT", b"ARSON", 1))
    [report] = run(loaded_copy, 2014, assets="crime_object,raw_crimes")
    assert f"{file} was changed" in report.left_out[2014]
    assert lake_record(Installation(loaded_copy).object_store, 2014) is None


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
