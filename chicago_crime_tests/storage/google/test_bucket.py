"""Tests of `chicago_crime/resources/gcs.py`: Google's own client against Cloud Storage on loopback."""

import hashlib
import logging
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from chicago_crime.installation import build_bucket_store
from chicago_crime.settings import load_settings
from chicago_crime.sources.retry import RetryPolicy
from chicago_crime.storage.google import permissions
from chicago_crime.storage.google.bucket import BucketStore
from chicago_crime.storage.google.bucket_upload import examine, parts_prefix
from chicago_crime.storage.object_store import ObjectStoreError
from chicago_crime_tests.patience import PATIENCE_S
from chicago_crime_tests.servers.credentials import private_key, service_account_file
from chicago_crime_tests.servers.faults import Asked, Fault
from chicago_crime_tests.servers.storage_server import StorageServer
from chicago_crime_tests.support import all_told_by

BUCKET, KEY = "chicago-test", "crimes/2014.csv"
MIB = 1 << 20
PATIENCE = RetryPolicy(timeout_s=30, first_wait_s=0.01, deadline_s=60)
OBJECTS = f"/b/{BUCKET}/o"  # the client also asks for the bucket, for its tracing, whenever it likes


@pytest.fixture
def server(tmp_path: Path) -> Iterator[StorageServer]:
    with StorageServer(tmp_path / "buckets", [BUCKET]).answering() as server:
        yield server


@pytest.fixture
def store(server: StorageServer, tmp_path: Path) -> BucketStore:
    return store_at(server, tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "folder").mkdir()
    return tmp_path / "folder"


def store_at(server: StorageServer, folder: Path) -> BucketStore:
    service_account_file(folder, server.token_uri)
    return store_at_url(server.url, folder)


def store_at_url(url: str, folder: Path) -> BucketStore:
    settings = load_settings(
        deployment="gcp",
        gcp_project=BUCKET,
        gcs_bucket=BUCKET,
        gcs_endpoint=url,
        gcp_credentials=folder / "service_account.json",
    )
    return replace(build_bucket_store(settings), policy=PATIENCE)


def file_of(folder: Path, content: bytes, name: str = "file.csv") -> Path:
    file = folder / name
    file.write_bytes(content)
    return file


def noise(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


def object_calls(server: StorageServer) -> list[Asked]:
    return [asked for asked in server.calls if OBJECTS in asked.path]


def writes(server: StorageServer) -> int:
    """How many writes Google would count: a resumable upload is one, whatever the number of its requests."""
    return sum(asked.method in ("POST", "PATCH") for asked in object_calls(server))


def test_what_is_put_is_got(server: StorageServer, store: BucketStore, folder: Path) -> None:
    content = b"id,case_number\n1,HX100001\n"
    stored = store.put(KEY, file_of(folder, content))
    assert (stored.key, stored.bytes, stored.sha256) == (KEY, len(content), hashlib.sha256(content).hexdigest())
    assert server.read(BUCKET, KEY) == content
    (folder / "got").mkdir()
    assert store.get(KEY, folder / "got") == folder / "got" / "2014.csv"
    assert (folder / "got" / "2014.csv").read_bytes() == content
    assert store.exists(KEY)
    assert store.location(KEY) == f"gs://{BUCKET}/{KEY}"
    assert not store.exists("crimes/2015.csv")


@pytest.mark.parametrize("size", [0, 1, 8 * MIB, 8 * MIB + 1])
def test_a_put_of_any_size_is_one_write_and_none_when_it_is_there(
    server: StorageServer, store: BucketStore, folder: Path, size: int
) -> None:
    file = file_of(folder, noise(size))
    store.put(KEY, file)
    assert (writes(server), server.read(BUCKET, KEY)) == (1, noise(size))
    again = store.put(KEY, file)
    assert again.sha256 == hashlib.sha256(noise(size)).hexdigest()
    assert writes(server) == 1


def test_a_large_file_is_uploaded_in_parts_several_at_once(
    server: StorageServer, store: BucketStore, folder: Path
) -> None:
    content = noise(5 * MIB + 17)
    three_are_here = threading.Barrier(3, timeout=PATIENCE_S)
    server.will(Fault(before=three_are_here.wait), on="/upload", times=6)
    replace(store, parts_from=2 * MIB, part_bytes=MIB).put(KEY, file_of(folder, content))
    assert server.read(BUCKET, KEY) == content
    assert server.names(BUCKET) == [KEY]
    assert writes(server) == 6 + 1
    assert not three_are_here.broken


def test_a_very_large_file_has_no_more_parts_than_google_joins(
    server: StorageServer, store: BucketStore, folder: Path
) -> None:
    content = noise(33 * MIB)
    replace(store, parts_from=MIB, part_bytes=MIB).put(KEY, file_of(folder, content))
    assert server.read(BUCKET, KEY) == content
    assert writes(server) == 17 + 1


def test_parts_that_a_killed_run_left_are_used_and_removed(
    server: StorageServer, store: BucketStore, folder: Path
) -> None:
    content = noise(3 * MIB)
    file = file_of(folder, content)
    server.write(BUCKET, f"{parts_prefix(KEY, examine(file, MIB, MIB))}01", content[MIB : 2 * MIB])
    replace(store, parts_from=MIB, part_bytes=MIB).put(KEY, file)
    assert server.read(BUCKET, KEY) == content
    assert server.names(BUCKET) == [KEY]


def test_a_file_that_is_not_what_it_was_is_refused_and_the_old_object_stays(
    server: StorageServer, store: BucketStore, folder: Path
) -> None:
    store.put(KEY, file_of(folder, b"content"))
    with pytest.raises(ObjectStoreError, match="was changed"):
        store.put(KEY, file_of(folder, b"conTent"), hashlib.sha256(b"content").hexdigest())
    assert server.read(BUCKET, KEY) == b"content"


@pytest.mark.parametrize("size", [100, 9 * MIB])
def test_a_file_that_changes_while_it_is_sent_is_never_stored(
    server: StorageServer, store: BucketStore, folder: Path, size: int
) -> None:
    server.write(BUCKET, KEY, b"old")
    file = file_of(folder, noise(size))
    server.will(Fault(before=lambda: file_of(folder, noise(size, seed=2))), on=OBJECTS)
    with pytest.raises(ObjectStoreError, match="Provided crc32c"):
        store.put(KEY, file)
    assert server.read(BUCKET, KEY) == b"old"


def test_objects_are_listed_over_all_pages(server: StorageServer, store: BucketStore) -> None:
    for number in range(7):
        server.write(BUCKET, f"crimes/{number}.csv", b"")
    server.write(BUCKET, "quarantine/1.csv", b"")
    server.most_listed = 3
    assert store.list("crimes/") == [f"crimes/{number}.csv" for number in range(7)]
    assert len(object_calls(server)) == 3
    assert store.list()[-1] == "quarantine/1.csv"
    assert store.list("nothing") == []


def test_an_upload_has_a_name_that_tells_its_content_and_is_sent_once(
    server: StorageServer, store: BucketStore, folder: Path
) -> None:
    file = file_of(folder, b"job", "job.py")
    address = store.upload(file, "code")
    assert address == f"gs://{BUCKET}/code/{hashlib.sha256(b'job').hexdigest()[:16]}/job.py"
    assert store.upload(file, "code/") == address
    assert store.upload(file_of(folder, b"another job", "job.py"), "code") != address
    assert (writes(server), len(server.names(BUCKET, "code/"))) == (2, 2)


def test_a_prefix_is_deleted_and_nothing_else(server: StorageServer, store: BucketStore) -> None:
    for name in ("staging/run/a", "staging/run/b/c", "staging/run2/a", "crimes/2014.csv"):
        server.write(BUCKET, name, b"x")
    assert store.delete_prefix("staging/run/") == 2
    assert server.names(BUCKET) == ["crimes/2014.csv", "staging/run2/a"]
    assert store.delete_prefix("staging/run/") == 0


@pytest.mark.parametrize("prefix", ["", "/", "staging/run"])
def test_a_prefix_that_would_match_too_much_is_refused(server: StorageServer, store: BucketStore, prefix: str) -> None:
    with pytest.raises(ValueError, match="no prefix that ends in a slash"):
        store.delete_prefix(prefix)
    assert server.asked == []


BATCH_FAULTS = {
    "none": Fault(),
    "503": Fault(status=503),
    "cut": Fault(cut_after=10),
    "cut later": Fault(cut_after=3000),
    "lost": Fault(loses_answer=True),
}


@pytest.mark.parametrize("fault", BATCH_FAULTS.values(), ids=BATCH_FAULTS.keys())
def test_many_are_deleted_with_few_requests_whatever_befalls_one(
    server: StorageServer, store: BucketStore, fault: Fault
) -> None:
    for number in range(120):
        server.write(BUCKET, f"staging/run/{number}", b"x")
    server.will(fault, on="/batch")
    assert store.delete_prefix("staging/run/") == 120
    assert server.names(BUCKET) == []
    assert sum(asked.path.startswith("/batch") for asked in server.calls) == 2
    deleted_alone = sum(asked.method == "DELETE" for asked in server.calls)
    assert deleted_alone == (100 if fault.status else 0)  # what the failed request would have


def test_a_deletion_that_is_forbidden_is_told(server: StorageServer, store: BucketStore) -> None:
    server.write(BUCKET, "staging/run/a", b"x")
    server.permissions.discard("storage.objects.delete")
    with pytest.raises(ObjectStoreError, match=r"storage\.objects\.delete"):
        store.delete_prefix("staging/run/")


LAST_CALLS = {
    "small": (1000, "multipart"),
    "resumable": (9 * MIB, "upload_id"),
    "in parts": (2 * MIB, "compose"),
}


@pytest.mark.parametrize(("size", "last_call"), LAST_CALLS.values(), ids=LAST_CALLS.keys())
@pytest.mark.parametrize("is_same", [False, True], ids=["another content", "the same content"])
def test_of_two_runs_one_wins_and_the_other_is_told_unless_they_agree(
    server: StorageServer, store: BucketStore, folder: Path, size: int, last_call: str, is_same: bool
) -> None:
    ours, theirs = noise(size), noise(size, seed=1 if is_same else 2)
    file = file_of(folder, ours)
    server.will(Fault(before=lambda: server.write(BUCKET, KEY, theirs)), on=last_call)
    store = replace(store, parts_from=MIB, part_bytes=MIB) if last_call == "compose" else store
    if is_same:
        store.put(KEY, file)
    else:
        with pytest.raises(ObjectStoreError, match=rf"another run wrote gs://{BUCKET}/{KEY} just now.*run it again"):
            store.put(KEY, file)
    assert server.read(BUCKET, KEY) == theirs
    assert server.names(BUCKET) == [KEY]
    assert len([name for _, name, _ in server.buckets.written if name == KEY]) == 1


def test_many_runs_at_once_never_mix(server: StorageServer, store: BucketStore, folder: Path) -> None:
    contents = [noise(3 * MIB + seed, seed) for seed in range(4)]
    in_parts = replace(store, parts_from=MIB, part_bytes=MIB)
    won: list[int] = []

    def run(number: int) -> None:
        try:
            (in_parts if number % 2 else store).put(KEY, file_of(folder, contents[number], f"{number}.csv"))
            won.append(number)
        except ObjectStoreError as error:
            assert "another run wrote" in str(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won
    assert server.read(BUCKET, KEY) in [contents[number] for number in won]
    assert server.names(BUCKET) == [KEY]


def test_a_download_that_breaks_off_goes_on_where_it_was(
    server: StorageServer, store: BucketStore, folder: Path
) -> None:
    content = noise(3 * MIB)
    server.write(BUCKET, KEY, content)
    server.will(Fault(cut_after=2 * MIB), on="/download")
    assert store.get(KEY, folder).read_bytes() == content
    first, second = [asked for asked in server.calls if asked.path.startswith("/download")]
    assert (first.status, second.status) == (200, 206)
    assert second.sent <= MIB + (1 << 16)


def test_a_download_never_goes_on_with_another_object(server: StorageServer, store: BucketStore, folder: Path) -> None:
    server.write(BUCKET, KEY, noise(3 * MIB))
    server.will(Fault(cut_after=2 * MIB), on="/download")
    server.will(Fault(before=lambda: server.write(BUCKET, KEY, noise(3 * MIB, seed=2))), on="/download")
    assert store.get(KEY, folder).read_bytes() == noise(3 * MIB, seed=2)


def test_a_download_that_comes_damaged_is_fetched_again(
    server: StorageServer, store: BucketStore, folder: Path
) -> None:
    server.write(BUCKET, KEY, b"content")
    server.spoils = 1
    assert store.get(KEY, folder).read_bytes() == b"content"
    server.spoils = 100
    with pytest.raises(ObjectStoreError, match="came damaged, 3 times in a row"):
        store.get(KEY, folder)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    "use", [lambda store, _: store.get(KEY, Path()), lambda store, _: store.location(KEY)], ids=["get", "location"]
)
def test_an_object_that_is_not_there_is_told(store: BucketStore, use: Callable) -> None:
    with pytest.raises(ObjectStoreError, match=f"no object gs://{BUCKET}/{KEY}: materialize crime_object first"):
        use(store, None)


USES = {
    "put": lambda store, folder: store.put(KEY, file_of(folder, b"x")),
    "get": lambda store, folder: store.get(KEY, folder),
    "exists": lambda store, _: store.exists(KEY),
    "list": lambda store, _: store.list(),
    "delete": lambda store, _: store.delete_prefix("staging/"),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES.keys())
def test_a_bucket_that_is_not_there_is_told_with_the_command_that_makes_it(
    server: StorageServer, store: BucketStore, folder: Path, use: Callable
) -> None:
    server.buckets.names.clear()
    with pytest.raises(ObjectStoreError, match=f"no bucket {BUCKET}: create it with `gcloud storage buckets create"):
        use(store, folder)


@pytest.mark.parametrize(
    ("permission", "use"),
    [("create", "put"), ("delete", "put"), ("get", "put"), ("get", "get"), ("list", "list"), ("delete", "delete")],
)
def test_a_permission_that_is_missing_is_named_with_the_role_that_holds_it(
    server: StorageServer, store: BucketStore, folder: Path, permission: str, use: str
) -> None:
    server.write(BUCKET, KEY, b"old")
    server.write(BUCKET, "staging/a", b"old")
    server.permissions.remove(f"storage.objects.{permission}")
    with pytest.raises(ObjectStoreError, match=rf"storage\.objects\.{permission}.*roles/storage\.objectUser"):
        USES[use](store, folder)
    assert server.read(BUCKET, KEY) == b"old"


def test_the_permissions_of_the_role_suffice_for_all_that_a_store_does(
    server: StorageServer, store: BucketStore, folder: Path
) -> None:
    server.write(BUCKET, "staging/a", b"old")
    server.permissions = set(permissions.OBJECTS.permissions)
    for use in USES.values():
        use(store, folder)
    assert server.names(BUCKET) == [KEY]


def test_nothing_that_lets_one_in_is_in_any_log_though_all_libraries_debug(
    store: BucketStore, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    store.put(KEY, file_of(folder, noise(9 * MIB)))
    assert "upload_id=..." in caplog.text
    assert "upload-1" not in caplog.text
    assert "ya29" not in caplog.text
    assert private_key().splitlines()[3] not in caplog.text


def test_credentials_that_are_not_accepted_are_told_and_not_shown(
    server: StorageServer, store: BucketStore, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.will(Fault(status=401), on=OBJECTS, times=100)
    with pytest.raises(ObjectStoreError, match=r"does not accept our credentials.*CHICAGO_CRIME_GCP_CREDENTIALS") as e:
        store.put(KEY, file_of(folder, b"x"))
    told = all_told_by(e.value) + caplog.text + repr(store)
    key_line = private_key().splitlines()[3]
    assert "ya29" not in told
    assert key_line not in told


@pytest.mark.parametrize(
    "content", [None, "{}", "no JSON", '{"type": "service_account", "private_key": "planted0secret"}']
)
def test_a_file_that_holds_no_credentials_is_told_without_what_it_holds(
    server: StorageServer, store: BucketStore, tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "service_account.json"
    file.unlink() if content is None else file.write_text(content)
    with pytest.raises(ObjectStoreError, match=r"service_account\.json is no file of Google credentials") as raised:
        store.list()
    assert "planted0secret" not in all_told_by(raised.value)


def test_without_any_credentials_one_is_told_how_to_sign_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"HOME": str(tmp_path), "CLOUDSDK_CONFIG": str(tmp_path), "NO_GCE_CHECK": "true"}.items():
        monkeypatch.setenv(name, value)
    store = build_bucket_store(load_settings(deployment="gcp", gcp_project=BUCKET, gcs_bucket=BUCKET))
    with pytest.raises(ObjectStoreError, match=r"nobody is signed in to Google Cloud.*gcloud auth application-default"):
        store.list()


def test_our_settings_win_over_the_environment(
    server: StorageServer, store: BucketStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:1")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere")
    assert store.list() == []
    assert len(object_calls(server)) == 1


def test_an_emulator_needs_no_credentials_and_one_that_wants_some_is_told_of(
    server: StorageServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = load_settings(deployment="gcp", gcp_project=BUCKET, gcs_bucket=BUCKET, gcs_endpoint=server.url)
    store = replace(build_bucket_store(settings), policy=PATIENCE)
    with pytest.raises(ObjectStoreError, match="does not accept our credentials"):
        store.list()
    server.wants_tokens = False
    assert store.list() == []


def test_a_server_that_is_not_there_is_told(tmp_path: Path) -> None:
    server = StorageServer()
    server.server_close()
    store = replace(store_at(server, tmp_path), policy=replace(PATIENCE, deadline_s=0.1))
    with pytest.raises(ObjectStoreError, match=f"bucket {BUCKET}. cannot be reached.*try again later"):
        store.list()
