"""Tests of `chicago_crime/resources/gcs.py` when things go wrong: each kind of fault at each call, one at a time."""

import multiprocessing
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from chicago_crime.storage.google.bucket import BucketStore
from chicago_crime.storage.google.bucket_upload import STAGING
from chicago_crime.storage.object_store import ObjectStoreError
from chicago_crime_tests.patience import PATIENCE_S
from chicago_crime_tests.servers.faults import Fault
from chicago_crime_tests.servers.storage_server import StorageServer
from chicago_crime_tests.storage.google.test_bucket import (
    BUCKET,
    KEY,
    MIB,
    OBJECTS,
    PATIENCE,
    file_of,
    noise,
    store_at,
    store_at_url,
)

PASSING = {
    "429": Fault(status=429, retry_after="1"),
    "500": Fault(status=500),
    "503": Fault(status=503),
    "cut answer": Fault(cut_after=10),
    "cut request": Fault(take_only=300_000),
    "lost answer": Fault(loses_answer=True),
    "slow": Fault(wait_s=0.8),
    "stale": Fault(is_stale=True),
}
SIZES = {"small": 1000, "resumable": 8 * MIB + 5, "in parts": 2 * MIB + 5}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[StorageServer]:
    with StorageServer(tmp_path / "buckets", [BUCKET]).answering() as server:
        yield server


@pytest.fixture
def store(server: StorageServer, tmp_path: Path) -> BucketStore:
    return store_at(server, tmp_path)


def prepared(store: BucketStore, kind: str) -> BucketStore:
    return replace(store, parts_from=MIB, part_bytes=MIB) if kind == "in parts" else store


def in_a_hurry(store: BucketStore) -> BucketStore:
    return replace(store, policy=replace(PATIENCE, timeout_s=0.5))


def is_part(name: str) -> bool:
    return name.startswith(f"{STAGING}parts/")


def calls_of_a_put(server: StorageServer, store: BucketStore, file: Path) -> int:
    before = len(server.asked)
    store.put(KEY, file)
    calls = sum(OBJECTS in asked.path for asked in server.asked[before:])
    assert calls >= 2
    return calls


@pytest.mark.parametrize(
    ("fault", "kind", "is_new"),
    [(fault, kind, False) for fault in PASSING for kind in SIZES]
    + [(fault, "small", True) for fault in PASSING if fault != "stale"],
)
def test_a_passing_fault_at_any_call_of_a_put_changes_nothing_of_the_outcome(
    server: StorageServer, store: BucketStore, tmp_path: Path, kind: str, fault: str, is_new: bool
) -> None:
    """A stale read may make it fail, cleanly; any other fault is got over, and the object is never written twice.

    A part that was given up for slow may still arrive when all is done: only the bucket's lifecycle can remove it.
    """
    store = in_a_hurry(prepared(store, kind)) if fault == "slow" else prepared(store, kind)
    if not is_new:
        server.write(BUCKET, KEY, b"older")
        server.write(BUCKET, KEY, b"old")
    calls = calls_of_a_put(server, store, file_of(tmp_path, noise(SIZES[kind], seed=0)))
    for number in range(calls):
        if is_new:
            server.path(BUCKET, KEY).unlink()
        old = None if is_new else server.read(BUCKET, KEY)
        new = noise(SIZES[kind], seed=number + 1)
        written = len(server.buckets.written)
        server.will(PASSING[fault], on=OBJECTS, after=number)
        try:
            store.put(KEY, file_of(tmp_path, new))
            expected = new
        except ObjectStoreError as error:
            assert fault == "stale", error
            expected = old
        server.wait_until_idle()
        assert server.read(BUCKET, KEY) == expected, number
        names = [name for _, name, _ in server.buckets.written[written:] if not is_part(name)]
        assert names == ([KEY] if expected == new else []), number
        left = [name for name in server.names(BUCKET) if name != KEY]
        assert left == [] or (fault in ("slow", "stale") and all(map(is_part, left))), number
        server.forget_faults()


@pytest.mark.parametrize("kind", SIZES)
@pytest.mark.parametrize("fault", [Fault(status=503), Fault(loses_answer=True)], ids=["503", "lost answer"])
def test_a_fault_that_stays_from_any_call_on_ends_in_an_error_and_a_whole_object(
    server: StorageServer, store: BucketStore, tmp_path: Path, kind: str, fault: Fault
) -> None:
    store = prepared(store, kind)
    impatient = replace(store, policy=replace(PATIENCE, deadline_s=0.05))
    calls = calls_of_a_put(server, store, file_of(tmp_path, noise(SIZES[kind], seed=0)))
    for number in range(calls):
        old, new = server.read(BUCKET, KEY), noise(SIZES[kind], seed=number + 1)
        server.will(fault, on=OBJECTS, after=number, times=1000)
        with pytest.raises(ObjectStoreError, match="try again later"):
            impatient.put(KEY, file_of(tmp_path, new))
        server.forget_faults()
        assert server.read(BUCKET, KEY) in (old, new)
        store.put(KEY, file_of(tmp_path, new))  # the next run mends it, whatever the last one left
        assert server.read(BUCKET, KEY) == new
        assert server.names(BUCKET) == [KEY]


@pytest.mark.parametrize("fault", [name for name in PASSING if name != "cut request"])
def test_a_passing_fault_at_any_call_of_a_get_changes_nothing(
    server: StorageServer, store: BucketStore, tmp_path: Path, fault: str
) -> None:
    content = noise(MIB)
    server.write(BUCKET, KEY, b"older")
    server.write(BUCKET, KEY, content)
    store = in_a_hurry(store) if fault == "slow" else store
    store.exists(KEY)
    for number in range(2):
        server.will(PASSING[fault], on=OBJECTS, after=number)
        got = store.get(KEY, tmp_path).read_bytes()
        assert got == content or (fault == "stale" and got == b"older")
        server.forget_faults()


@pytest.mark.parametrize("fault", ["503", "lost answer", "cut answer"])
def test_a_passing_fault_of_the_token_office_is_got_over(
    server: StorageServer, store: BucketStore, tmp_path: Path, fault: str
) -> None:
    server.will(PASSING[fault], on="/token")
    store.put(KEY, file_of(tmp_path, b"content"))
    assert server.read(BUCKET, KEY) == b"content"


def test_what_is_tried_again_is_told_in_the_log(
    server: StorageServer, store: BucketStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "chicago_crime")
    server.will(Fault(status=503), on=OBJECTS)
    assert store.list() == []
    assert caplog.messages == ["Cloud Storage: trying again after ServiceUnavailable"]


def put_by_another(url: str, folder: Path, parts_from: int, file: Path) -> None:
    """Put a file, in a process of its own."""
    replace(store_at_url(url, folder), parts_from=parts_from, part_bytes=MIB).put(KEY, file)


@pytest.mark.parametrize("kind", ["resumable", "in parts"])
def test_a_run_that_is_killed_at_any_call_leaves_the_old_object_or_the_new_one(
    server: StorageServer, store: BucketStore, tmp_path: Path, kind: str
) -> None:
    processes = multiprocessing.get_context("forkserver")  # it imports Google's libraries once, for all of them
    processes.set_forkserver_preload([__name__])
    store = prepared(store, kind)
    calls = calls_of_a_put(server, store, file_of(tmp_path, noise(SIZES[kind], seed=0)))
    for number in range(calls):
        old, new = server.read(BUCKET, KEY), noise(SIZES[kind], seed=number + 1)
        file = file_of(tmp_path, new)
        process = processes.Process(target=put_by_another, args=(server.url, tmp_path, store.parts_from, file))
        # Killed while the call is being answered; the server, which knows nothing of it, goes on.
        server.will(Fault(before=process.kill), on=OBJECTS, after=number)
        process.start()
        process.join(timeout=PATIENCE_S)
        assert process.exitcode == -signal.SIGKILL
        server.wait_until_idle()
        assert server.read(BUCKET, KEY) in (old, new)
        store.put(KEY, file)
        assert server.read(BUCKET, KEY) == new
        assert [name for name in server.names(BUCKET) if name != KEY] == []
        server.forget_faults()
