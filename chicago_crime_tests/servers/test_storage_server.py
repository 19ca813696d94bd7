"""Tests of `chicago_crime_tests/servers/storage_server.py`: it does to Google's own client what Google would."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from google.api_core import exceptions as api
from google.cloud import storage
from google.oauth2 import service_account

from chicago_crime_tests.patience import PATIENCE_S
from chicago_crime_tests.servers.credentials import make_token, service_account_file
from chicago_crime_tests.servers.discovery import NotOfTheApiError
from chicago_crime_tests.servers.faults import Fault
from chicago_crime_tests.servers.google_server import RefusedError
from chicago_crime_tests.servers.storage_server import STEP, StorageServer

BUCKET = "chicago-test"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[StorageServer]:
    with StorageServer(tmp_path / "buckets", [BUCKET]).answering() as server:
        yield server


@pytest.fixture
def bucket(server: StorageServer, tmp_path: Path) -> storage.Bucket:
    file = service_account_file(tmp_path, server.token_uri)
    credentials = service_account.Credentials.from_service_account_file(
        str(file), scopes=["https://www.googleapis.com/auth/devstorage.full_control"]
    )
    return storage.Client(BUCKET, credentials, client_options={"api_endpoint": server.url}).bucket(BUCKET)


def ask(server: StorageServer, method: str, path: str, **more: object) -> requests.Response:
    headers = {"Authorization": f"Bearer {make_token()}", **more.pop("headers", {})}  # type: ignore[dict-item]
    return requests.request(method, server.url + path, headers=headers, timeout=PATIENCE_S, **more)  # type: ignore[arg-type]


def begin_upload(server: StorageServer, name: str = "a", query: str = "") -> str:
    path = f"/upload/storage/v1/b/{BUCKET}/o?uploadType=resumable{query}"
    return ask(server, "POST", path, json={"name": name}).headers["Location"].removeprefix(server.url)


def test_an_object_has_a_new_generation_with_every_write_and_its_checksums(bucket: storage.Bucket) -> None:
    blob = bucket.blob("crimes/2014.csv")
    blob.upload_from_string(b"123456789", content_type="text/csv")
    first = blob.generation
    assert (blob.crc32c, blob.md5_hash) == ("4waSgw==", "JfnnlDI7RTiF9RgfG2JNCw==")  # well-known values of 123456789
    assert (blob.size, blob.metageneration, blob.content_type) == (9, 1, "text/csv")
    blob.upload_from_string(b"123456789")
    assert blob.generation > first
    blob.metadata = {"a": "b"}
    blob.patch()
    assert (blob.metageneration, bucket.get_blob("crimes/2014.csv").metadata) == (2, {"a": "b"})


def test_a_write_happens_only_to_the_generation_that_it_names(bucket: storage.Bucket, server: StorageServer) -> None:
    blob = bucket.blob("a")
    blob.upload_from_string(b"one", if_generation_match=0)
    generation = blob.generation
    for wrong in (0, generation + 1):
        with pytest.raises(api.PreconditionFailed):
            bucket.blob("a").upload_from_string(b"two", if_generation_match=wrong)
        with pytest.raises(api.PreconditionFailed):
            bucket.blob("a").delete(if_generation_match=wrong)
    bucket.blob("a").upload_from_string(b"two", if_generation_match=generation)
    assert server.read(BUCKET, "a") == b"two"
    with pytest.raises(api.NotFound, match=f"No such object: {BUCKET}/a"):
        bucket.blob("a", generation=generation).download_as_bytes()


def test_a_precondition_is_held_to_also_when_a_resumable_upload_ends(server: StorageServer) -> None:
    address = begin_upload(server, query="&ifGenerationMatch=0")
    server.write(BUCKET, "a", b"faster")
    answer = ask(server, "PUT", address, data=b"late", headers={"Content-Range": "bytes 0-3/4"})
    assert (answer.status_code, server.read(BUCKET, "a")) == (412, b"faster")


def test_bytes_that_have_not_the_checksum_they_came_with_are_refused(
    bucket: storage.Bucket, server: StorageServer
) -> None:
    blob = bucket.blob("a")
    blob.crc32c = "AAAAAA=="
    with pytest.raises(api.BadRequest, match="crc32c"):
        blob.upload_from_string(b"content", checksum=None)
    assert server.names(BUCKET) == []


def test_a_resumable_upload_goes_on_with_what_came_of_a_chunk_that_was_cut(server: StorageServer) -> None:
    address, content = begin_upload(server), bytes(range(256)) * (3 * STEP // 256) + b"end"
    server.will(Fault(take_only=2 * STEP + 5), on="upload_id")
    whole = f"bytes 0-{len(content) - 1}/{len(content)}"
    with pytest.raises(requests.ConnectionError):
        ask(server, "PUT", address, data=content, headers={"Content-Range": whole})
    asked = ask(server, "PUT", address, headers={"Content-Range": f"bytes */{len(content)}"}, allow_redirects=False)
    assert (asked.status_code, asked.headers["Range"]) == (308, f"bytes=0-{2 * STEP - 1}")
    rest = f"bytes {2 * STEP}-{len(content) - 1}/{len(content)}"
    done = ask(server, "PUT", address, data=content[2 * STEP :], headers={"Content-Range": rest})
    assert (done.status_code, server.read(BUCKET, "a")) == (200, content)
    again = ask(server, "PUT", address, data=content, headers={"Content-Range": whole})
    assert again.json() == done.json()
    assert len(server.buckets.written) == 1


@pytest.mark.parametrize(
    ("range_", "size"), [("bytes 9-12/13", 4), ("bytes 0-9/20", 10), ("bytes 0-9/10", 4), ("bytes=0-3/4", 4)]
)
def test_a_chunk_that_cannot_be_is_refused(server: StorageServer, range_: str, size: int) -> None:
    answer = ask(server, "PUT", begin_upload(server), data=b"x" * size, headers={"Content-Range": range_})
    assert (answer.status_code, server.names(BUCKET)) == (400, [])


def test_downloads_have_ranges(bucket: storage.Bucket, server: StorageServer) -> None:
    server.write(BUCKET, "a", b"0123456789")
    assert bucket.blob("a").download_as_bytes(start=3, end=5) == b"345"
    assert bucket.blob("a").download_as_bytes(start=8) == b"89"
    assert bucket.blob("a").download_as_bytes(start=-2) == b"89"
    with pytest.raises(api.RequestRangeNotSatisfiable):
        bucket.blob("a").download_as_bytes(start=10)
    for path in ("/storage/v1", "/download/storage/v1"):
        assert ask(server, "GET", f"{path}/b/{BUCKET}/o/a?alt=media").content == b"0123456789"


def test_objects_are_joined_up_to_32_and_only_in_the_generations_named(
    bucket: storage.Bucket, server: StorageServer
) -> None:
    parts = [bucket.blob(f"part/{number:02}") for number in range(33)]
    for part in parts:
        part.upload_from_string(part.name[-2:])
    whole = bucket.blob("whole")
    whole.compose(parts[:32], if_generation_match=0)
    assert server.read(BUCKET, "whole") == "".join(f"{number:02}" for number in range(32)).encode()
    assert (whole.component_count, whole.md5_hash) == (32, None)
    with pytest.raises(api.BadRequest, match="33"):
        bucket.blob("more").compose(parts)
    with pytest.raises(api.PreconditionFailed):
        bucket.blob("more").compose(parts[:1], if_source_generation_match=[parts[0].generation + 1])
    with pytest.raises(api.PreconditionFailed):
        whole.compose(parts[:1], if_generation_match=0)


def test_a_list_comes_in_pages_in_order(bucket: storage.Bucket, server: StorageServer) -> None:
    names = [f"a/{number}" for number in range(5)]
    for name in reversed(names):
        server.write(BUCKET, name, b"")
    server.most_listed = 2
    pages = [[blob.name for blob in page] for page in bucket.list_blobs(prefix="a/").pages]
    assert pages == [names[:2], names[2:4], names[4:]]
    assert [blob.size for blob in bucket.list_blobs(fields="items(name),nextPageToken")] == [None] * 5


def test_a_file_that_somebody_puts_into_the_folder_is_an_object(bucket: storage.Bucket, server: StorageServer) -> None:
    file = server.path(BUCKET, "out/part-0.parquet")
    file.parent.mkdir(parents=True)
    file.write_bytes(b"one")
    first = bucket.get_blob("out/part-0.parquet")
    assert (first.size, bucket.get_blob("out/part-0.parquet").generation) == (3, first.generation)
    file.write_bytes(b"other")
    assert bucket.get_blob("out/part-0.parquet").generation > first.generation
    file.unlink()
    assert bucket.get_blob("out/part-0.parquet") is None
    assert server.names(BUCKET) == []


def test_a_stale_read_shows_what_was_before_the_last_change(bucket: storage.Bucket, server: StorageServer) -> None:
    server.write(BUCKET, "a", b"old")
    server.write(BUCKET, "a", b"new")
    server.will(Fault(is_stale=True), on=f"/b/{BUCKET}/o", times=2)
    assert bucket.blob("a").download_as_bytes() == b"old"
    assert bucket.get_blob("a").size == 3
    assert bucket.blob("a").download_as_bytes() == b"new"
    bucket.delete_blob("a")
    server.will(Fault(is_stale=True), on=f"/b/{BUCKET}/o")
    assert [blob.name for blob in bucket.list_blobs()] == ["a"]
    assert [blob.name for blob in bucket.list_blobs()] == []


def test_who_may_not_is_refused_by_name(bucket: storage.Bucket, server: StorageServer) -> None:
    server.permissions -= {"storage.objects.delete", "storage.objects.list"}
    server.write(BUCKET, "a", b"old")
    with pytest.raises(api.Forbidden, match=r"storage\.objects\.delete"):
        bucket.blob("a").upload_from_string(b"new")
    with pytest.raises(api.Forbidden, match=r"storage\.objects\.list"):
        bucket.blob("not there").download_as_bytes()
    wanted = ["storage.objects.get", "storage.objects.list"]
    assert bucket.test_iam_permissions(wanted) == ["storage.objects.get"]
    with pytest.raises(api.NotFound, match="bucket does not exist"):
        bucket.client.bucket("another").blob("a").upload_from_string(b"new")
    with pytest.raises(RefusedError):
        server.read("another", "a")


def test_without_a_token_nothing_is_answered(server: StorageServer) -> None:
    for token in ("", "Bearer ya29.made.up", f"Bearer {make_token(lifetime_s=-1)}"):
        answer = ask(server, "GET", f"/storage/v1/b/{BUCKET}/o", headers={"Authorization": token})
        assert (answer.status_code, answer.json()["error"]["status"]) == (401, "UNAUTHENTICATED")


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        (f"/storage/v1/b/{BUCKET}/o?prefx=a", "unknown parameter prefx"),
        (f"/storage/v1/b/{BUCKET}/o/a/acl", "storage.objectAccessControls.list is not made here"),
        (f"/storage/v2/b/{BUCKET}", "no method"),
    ],
)
def test_what_is_not_of_the_api_fails_the_test_that_asks_it(path: str, problem: str) -> None:
    with (
        pytest.raises(NotOfTheApiError, match=problem),
        StorageServer(buckets=[BUCKET]).answering() as server,
    ):
        assert ask(server, "GET", path).status_code in (400, 501)


def test_large_uploads_of_the_client_come_whole(bucket: storage.Bucket, server: StorageServer) -> None:
    content = bytes(range(256)) * (5 * STEP // 256) + b"end"
    blob = bucket.blob("a", chunk_size=2 * STEP)
    blob.upload_from_file(io.BytesIO(content))
    assert server.read(BUCKET, "a") == content
    assert [asked.status for asked in server.calls if asked.method == "PUT"] == [308, 308, 200]
