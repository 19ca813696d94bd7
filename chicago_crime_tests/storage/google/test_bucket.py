"""Tests of `chicago_crime/storage/google/bucket.py`: Google's own client against Cloud Storage on loopback."""

import hashlib
import logging
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import chicago_crime
from chicago_crime.installation import build_bucket_store
from chicago_crime.published.catalog import DamagedError
from chicago_crime.settings import Settings, load_settings
from chicago_crime.sources.retry import RetryPolicy
from chicago_crime.storage.google import permissions
from chicago_crime.storage.google.bucket import BucketStore
from chicago_crime.storage.object_store import ObjectStoreError
from chicago_crime_tests.servers.credentials import private_key, service_account_file
from chicago_crime_tests.servers.faults import Fault
from chicago_crime_tests.servers.storage_server import StorageServer
from chicago_crime_tests.support import all_text_of, files_below

BUCKET, KEY = "chicago-test", "crimes/2014.csv"
MIB = 1 << 20
RESUMABLE = 8 * MIB + 5  # Google's client sends smaller files in one request
POLICY = RetryPolicy(timeout_s=30, first_wait_s=0.01, deadline_s=60)
LOST = Fault(loses_answer=True)
OBJECTS = f"/b/{BUCKET}/o"  # the client also requests the bucket, for its tracing, at any time


@pytest.fixture
def server(tmp_path: Path) -> Iterator[StorageServer]:
    with StorageServer(tmp_path / "buckets", [BUCKET]).answering() as server:
        yield server


@pytest.fixture
def store(server: StorageServer, tmp_path: Path) -> BucketStore:
    return store_at(server, service_account_file(tmp_path, server.token_uri))


def store_at(server: StorageServer, credentials: Path | None) -> BucketStore:
    about = {"gcp_project": BUCKET, "gcs_bucket": BUCKET, "gcs_endpoint": server.url, "gcp_credentials": credentials}
    return replace(build_bucket_store(load_settings(deployment="gcp", **about)), policy=POLICY)


def file_of(folder: Path, content: bytes, name: str = "file.csv") -> Path:
    file = folder / name
    file.write_bytes(content)
    return file


def noise(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


@pytest.mark.parametrize("size", [0, 8 * MIB + 1])
def test_an_object_is_read_back_unchanged_and_written_once(
    server: StorageServer, store: BucketStore, tmp_path: Path, size: int
) -> None:
    content = noise(size)
    for _ in range(2):
        stored = store.put(KEY, file_of(tmp_path, content))
        assert (stored.key, stored.bytes, stored.sha256) == (KEY, size, hashlib.sha256(content).hexdigest())
        billed = [one for one in server.writes if one.method == "POST"]  # a resumable upload is one
        assert (len(billed), server.buckets.read(BUCKET, KEY)) == (1, content)
    (tmp_path / "got").mkdir()
    assert store.get(KEY, tmp_path / "got").read_bytes() == content
    assert store.client.bucket(BUCKET).get_blob(KEY).cache_control == "no-cache", "Google's default is an hour"
    assert store.location(KEY) == f"gs://{BUCKET}/{KEY}"


@pytest.mark.parametrize("size", [1000, RESUMABLE])
def test_a_file_that_is_damaged_during_the_upload_is_not_stored(
    server: StorageServer, store: BucketStore, tmp_path: Path, size: int
) -> None:
    server.buckets.write(BUCKET, KEY, b"old")
    server.spoils = 1
    with pytest.raises(ObjectStoreError, match="Provided crc32c"):
        store.put(KEY, file_of(tmp_path, noise(size)))
    assert server.buckets.read(BUCKET, KEY) == b"old"


def test_objects_are_listed_over_all_pages(server: StorageServer, store: BucketStore) -> None:
    for number in range(7):
        server.buckets.write(BUCKET, f"crimes/{number}.csv", b"")
    server.buckets.write(BUCKET, "quarantine/1.parquet", b"")
    server.most_listed = 3
    assert [item.key for item in store.list("crimes/")] == [f"crimes/{number}.csv" for number in range(7)]
    assert len(store.list("")) == 8
    assert store.list("nothing") == []
    assert [store.has_parquet(f"gs://{BUCKET}/{name}") for name in ("quarantine", "crimes")] == [True, False]
    assert store.at(f"gs://{BUCKET}/crimes/")[0].client is store.client


def test_a_small_object_is_swapped_only_if_it_is_unchanged(server: StorageServer, store: BucketStore) -> None:
    key = "published/catalog.json"
    assert store.read(key) is None
    assert not store.swap(key, b"new", "1234")
    assert store.swap(key, b"first", None)
    content, version = store.read(key) or (b"", "")
    assert content == b"first"
    assert not store.swap(key, b"another", None)
    assert store.swap(key, b"second", version)
    assert not store.swap(key, b"third", version)
    assert store.read(key) == (b"second", str(server.buckets.written[-1][2]))
    [item] = store.list("published/")
    assert (item.key, item.bytes) == (key, 6)
    assert item.changed_at == pytest.approx(server.buckets.written[-1][2] / 1e6)
    for _ in range(2):
        store.delete(key)
    assert store.read(key) is None


@pytest.mark.parametrize("faults", [[LOST, Fault(status=503)], [LOST, LOST], [Fault(breaks_json=True)]])
def test_a_lost_response_of_a_swap_is_noticed(server: StorageServer, store: BucketStore, faults: list[Fault]) -> None:
    server.buckets.write(BUCKET, KEY, b"old")
    _, version = store.read(KEY) or (b"", "")
    for fault in faults:  # the retry then finds its own write
        server.will(fault, on="multipart")
    assert store.swap(KEY, b"new", version)
    assert (server.buckets.read(BUCKET, KEY), len(server.buckets.written)) == (b"new", 2)


def test_a_prefix_is_deleted_and_nothing_else(server: StorageServer, store: BucketStore) -> None:
    for name in ("staging/run/a", "staging/run/b/c", "staging/run2/a", "crimes/2014.csv"):
        server.buckets.write(BUCKET, name, b"x")
    server.will(LOST, on="/staging%2Frun%2Fa")
    for _ in range(2):
        store.delete_prefix("staging/run/")
        assert server.buckets.names(BUCKET) == ["crimes/2014.csv", "staging/run2/a"]
    for prefix in ("", "/", "staging/run"):
        with pytest.raises(ValueError, match="must be a folder that ends in a slash"):
            store.delete_prefix(prefix)


@pytest.mark.parametrize(
    ("size", "last_request", "is_same"),
    [(1000, "multipart", True), (9 * MIB, "upload_id", False)],
    ids=["small, same content", "resumable, other content"],
)
def test_the_slower_of_two_concurrent_runs_fails_unless_their_content_is_equal(
    server: StorageServer, store: BucketStore, tmp_path: Path, size: int, last_request: str, is_same: bool
) -> None:
    theirs = noise(size, seed=1 if is_same else 2)
    file, their_file = file_of(tmp_path, noise(size)), file_of(tmp_path, theirs, "theirs.csv")
    server.will(Fault(before=lambda: store.put(KEY, their_file)), on=last_request)
    if is_same:
        store.put(KEY, file)
    else:
        with pytest.raises(ObjectStoreError, match=rf"gs://{BUCKET}/{KEY} differs from .*another run wrote it"):
            store.put(KEY, file)
    assert server.buckets.read(BUCKET, KEY) == theirs
    assert len(server.buckets.written) == 1


def test_a_download_that_is_cut_or_damaged_is_repeated_and_never_resumed_with_another_object(
    server: StorageServer, store: BucketStore, tmp_path: Path
) -> None:
    server.buckets.write(BUCKET, KEY, noise(3 * MIB))
    server.will(Fault(cut_after=2 * MIB), on="/download")
    server.will(Fault(before=lambda: server.buckets.write(BUCKET, KEY, noise(3 * MIB, seed=2))), on="/download")
    (tmp_path / "got").mkdir()
    assert store.get(KEY, tmp_path / "got").read_bytes() == noise(3 * MIB, seed=2)
    server.spoils = 1
    assert store.get(KEY, tmp_path / "got").read_bytes() == noise(3 * MIB, seed=2)
    server.spoils = 100
    with pytest.raises(ObjectStoreError, match="was damaged or replaced in 3 downloads"):
        store.get(KEY, tmp_path / "got")
    assert list((tmp_path / "got").iterdir()) == [], "no damaged file is left"


def test_a_put_survives_a_lost_response_of_any_call(server: StorageServer, store: BucketStore, tmp_path: Path) -> None:
    server.buckets.write(BUCKET, KEY, b"old")
    store.put(KEY, file_of(tmp_path, noise(RESUMABLE, seed=0)))
    for number in range(sum(OBJECTS in one.path for one in server.calls)):
        new, written = noise(RESUMABLE, seed=number + 1), len(server.buckets.written)
        server.will(LOST, on=OBJECTS, after=number)
        store.put(KEY, file_of(tmp_path, new))
        server.wait_until_idle()
        assert (server.buckets.read(BUCKET, KEY), len(server.buckets.written)) == (new, written + 1), number
        server.forget_faults()


def test_a_missing_object_is_an_error_and_a_missing_bucket_has_the_command_that_creates_it(
    server: StorageServer, store: BucketStore
) -> None:
    for use in (lambda: store.get(KEY, Path()), lambda: store.location(KEY)):
        with pytest.raises(ObjectStoreError, match=f"no object gs://{BUCKET}/{KEY}"):
            use()
    server.buckets.path(BUCKET, "").rmdir()
    with pytest.raises(ObjectStoreError, match=f"no bucket {BUCKET}: create it with `gcloud storage buckets create"):
        store.list("")


@pytest.mark.parametrize(
    ("permission", "use"),
    [
        ("create", lambda store, folder: store.put(KEY, file_of(folder, b"x"))),
        ("delete", lambda store, _: store.delete_prefix("staging/")),
    ],
)
def test_a_missing_permission_is_named_with_its_role_and_the_role_is_enough(
    server: StorageServer, store: BucketStore, tmp_path: Path, permission: str, use: Callable[..., object]
) -> None:
    server.buckets.write(BUCKET, KEY, b"old")
    server.buckets.write(BUCKET, "staging/a", b"old")
    server.forbidden = {f"storage.objects.{permission}"}
    with pytest.raises(ObjectStoreError, match=rf"storage\.objects\.{permission}.*roles/storage\.objectUser"):
        use(store, tmp_path)
    assert server.buckets.read(BUCKET, KEY) == b"old"
    server.forbidden = set(permissions.BUCKET.permissions)
    use(store, tmp_path)


def test_no_secret_is_in_an_error_or_in_the_debug_log_of_any_library(
    server: StorageServer, store: BucketStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    store.put(KEY, file_of(tmp_path, noise(9 * MIB)))
    assert "upload_id=..." in caplog.text
    server.will(Fault(status=401), on=OBJECTS, times=100)
    with pytest.raises(ObjectStoreError, match=r"does not accept the credentials.*CHICAGO_CRIME_GCP_CREDENTIALS") as e:
        store.put(KEY, file_of(tmp_path, b"x"))
    for secret in ("upload-1", "ya29", private_key().splitlines()[3]):
        assert secret not in caplog.text + all_text_of(e.value) + repr(store)


def test_a_snapshot_in_a_bucket_is_opened_and_failures_are_reported(
    server: StorageServer, loaded_years: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CHICAGO_CRIME_GCS_ENDPOINT", server.url)
    monkeypatch.setenv("CHICAGO_CRIME_GCP_CREDENTIALS", str(service_account_file(tmp_path, server.token_uri)))
    for key, content in files_below(loaded_years.data_dir / "objects").items():
        server.buckets.write(BUCKET, key, content)
    db = chicago_crime.open(f"gs://{BUCKET}")
    server.will(Fault(status=403), on="/download", times=100)
    with pytest.raises(ObjectStoreError, match=r"Cloud Storage .* denies permission"):
        db.sql("FROM crimes")
    server.forget_faults()
    assert db.reader.first_rows("SELECT COUNT(*) FROM crimes", None).rows == [(72,)]
    kept = {file.parent.parent.name for file in (tmp_path / "home" / ".cache" / "chicago-crime").rglob("*.parquet")}
    assert kept == {"crimes"}, "only the table that the query names"
    server.buckets.path(BUCKET, db.catalog.years[2014].tables["crimes_daily"].key).unlink()
    with pytest.raises(DamagedError, match=r"is missing\. Load the year again"):
        db.sql("FROM crimes_daily")


def test_an_emulator_needs_no_credentials_and_an_unreachable_server_is_an_error(
    server: StorageServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    store = store_at(server, None)
    with pytest.raises(ObjectStoreError, match="does not accept the credentials"):
        store.list("")
    server.wants_tokens = False
    assert store.list("") == []
    credentials = service_account_file(tmp_path, "http://127.0.0.1:9/token")
    store = replace(store_at(server, credentials), policy=replace(POLICY, deadline_s=0.1))
    with pytest.raises(ObjectStoreError, match=f"bucket {BUCKET}. cannot be reached.*try again later"):
        store.list("")
