"""The object store in Cloud Storage.

Every write names the generation of the object it replaces, and Google refuses it if the object has changed. So a write
that is retried after a lost response does not happen twice, and only one of two concurrent writes succeeds.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

from google.api_core.exceptions import NotFound, PreconditionFailed
from google.cloud import storage
from google.cloud.storage.exceptions import DataCorruption
from requests.exceptions import JSONDecodeError
from typing_extensions import override

from chicago_crime.settings import Settings
from chicago_crime.sources.http import hide_signatures
from chicago_crime.sources.retry import RetryPolicy
from chicago_crime.storage.google.access import call, client_arguments, google_retry
from chicago_crime.storage.google.permissions import OBJECTS
from chicago_crime.storage.object_store import Item, NoObjectError, ObjectStore, ObjectStoreError, StoredObject

_PARALLEL_DELETES = 8  # the client keeps ten connections
_DOWNLOAD_ATTEMPTS = 3
_T = TypeVar("_T")


@dataclass(frozen=True)
class BucketStore(ObjectStore):
    """Objects in a bucket. The client connects on first use.

    Attributes:
        settings: of the installation.
        bucket: name of the bucket.
        folder: prefix of all keys, such as rehearsal/.
        policy: timeouts and retries of each request.
    """

    settings: Settings
    bucket: str
    folder: str = ""
    policy: RetryPolicy = field(default_factory=RetryPolicy)

    @cached_property
    def client(self) -> storage.Client:
        """The client of Cloud Storage.

        Raises:
            GoogleError: there are no credentials.
        """
        hide_signatures()
        return storage.Client(**client_arguments(self.settings, self.settings.gcs_endpoint))

    @override
    def _put(self, key: str, file: Path, sha256: str) -> StoredObject:
        size, found = file.stat().st_size, self._find(key)
        if not _has_content(found, size, sha256):  # otherwise it is already stored
            blob = self._bucket.blob(self.folder + key)
            blob.metadata = {"sha256": sha256}
            blob.cache_control = "no-cache"  # by default, Google caches public objects for an hour
            with file.open("rb") as stream:
                upload = partial(blob.upload_from_file, stream, size=size)
                is_known = self._send(blob, upload, found.generation if found else 0)
            found = blob if is_known else self._find(key)
        if not _has_content(found, size, sha256):
            raise ObjectStoreError(
                f"{self.uri(key)} differs from {file} after the upload, most likely because another run wrote it: "
                "run again"
            )
        return StoredObject(key, size, sha256)

    @override
    def get(self, key: str, folder: Path) -> Path:
        target = folder / Path(key).name
        # Look it up first, because the response to a refused download has no error details.
        if self._find(key) and self._download(key, lambda blob: partial(blob.download_to_filename, str(target))):
            return target
        raise NoObjectError(self.uri(key))

    @override
    def location(self, key: str) -> str:
        if self._find(key) is None:
            raise NoObjectError(self.uri(key))
        return self.uri(key)

    @override
    def list(self, prefix: str) -> list[Item]:
        found = (
            Item(blob.name.removeprefix(self.folder), blob.size or 0, blob.updated.timestamp())
            for blob in self._blobs(prefix)
        )
        return sorted(found, key=lambda item: item.key)

    @override
    def is_intact(self, key: str, bytes: int, sha256: str) -> bool:
        found = self._find(key)  # Google itself compares the content with its checksums
        return found is not None and (found.size, (found.metadata or {}).get("sha256", sha256)) == (bytes, sha256)

    @override
    def read(self, key: str) -> tuple[bytes, str] | None:
        if (found := self._download(key, lambda blob: blob.download_as_bytes)) is None:
            return None
        blob, content = found  # from one request, so content and generation match
        return content, str(blob.generation)

    @override
    def swap(self, key: str, content: bytes, version: str | None) -> bool:
        blob = self._bucket.blob(self.folder + key)
        if self._send(blob, partial(blob.upload_from_string, content), int(version or 0)):
            return True
        found = self.read(key)
        return found is not None and found[0] == content

    @override
    def delete(self, key: str) -> None:
        self._delete(self._bucket.blob(self.folder + key))

    @override
    @contextmanager
    def publisher_lock(self) -> Iterator[bool]:
        """Buckets have no locks: the swap of the catalog decides between concurrent publishers."""
        yield False

    def has_parquet(self, folder: str) -> bool:
        """Whether a folder, gs://bucket/folder, of this bucket or another contains Parquet files."""
        store, key = self.at(f"{folder.rstrip('/')}/")
        return any(item.key.endswith(".parquet") for item in store.list(key))

    def at(self, uri: str) -> tuple[Self, str]:
        """Return the bucket and the key of an address, gs://bucket/key."""
        address = urlsplit(uri)
        found = replace(self, bucket=address.netloc, folder="")
        vars(found)["client"] = self.client  # shares connections and token
        return found, address.path.lstrip("/")

    def delete_prefix(self, prefix: str) -> None:
        """Delete every object below a prefix such as `staging/run/`."""
        if not prefix.strip("/") or not prefix.endswith("/"):
            raise ValueError(f"{prefix!r} must be a folder that ends in a slash: any other prefix matches too much")
        with ThreadPoolExecutor(_PARALLEL_DELETES) as pool:
            list(pool.map(self._delete, self._blobs(prefix)))

    @cached_property
    def _bucket(self) -> storage.Bucket:
        return self._call(lambda: self.client.bucket(self.bucket))

    @property
    def _options(self) -> dict[str, Any]:
        """Timeout and retries of each request."""
        return {"timeout": self.policy.timeout_s, "retry": google_retry(self.policy, "Cloud Storage")}

    def _call(self, request: Callable[[], _T]) -> _T:
        grant = (
            f"grant the role with `gcloud storage buckets add-iam-policy-binding gs://{self.bucket} "
            f"--role={OBJECTS.role} --member=` and the account"
        )
        return call(request, f"Cloud Storage (bucket {self.bucket})", ObjectStoreError, grant)

    def uri(self, key: str) -> str:
        """Return the address of an object or a folder."""
        return f"gs://{self.bucket}/{self.folder}{key}"

    def _no_bucket(self) -> ObjectStoreError:
        return ObjectStoreError(
            f"there is no bucket {self.bucket}: create it with `gcloud storage buckets create gs://{self.bucket} "
            "--uniform-bucket-level-access --location=` and the region, or correct its name in the settings"
        )

    def _send(self, blob: storage.Blob, upload: Callable[..., None], generation: int) -> bool:
        """Upload an object over a given generation, 0 if it is new. Returns whether it is known to be stored.

        The client sends a checksum, so Google refuses damaged uploads.
        """

        def request() -> None:
            with suppress(JSONDecodeError):  # a 200 with a broken body: it may be stored
                upload(
                    content_type=mimetypes.guess_type(blob.name)[0] or "application/octet-stream",
                    if_generation_match=generation,
                    **self._options,
                )

        # The generation has changed: another run wrote it, or we did and the response was lost.
        with suppress(PreconditionFailed, NotFound):
            self._call(request)
        return blob.generation is not None

    def _download(self, key: str, how: Callable[[storage.Blob], Callable[..., _T]]) -> tuple[storage.Blob, _T] | None:
        """Download an object and verify its checksum; None if it does not exist."""
        for _ in range(_DOWNLOAD_ATTEMPTS):
            blob = self._bucket.blob(self.folder + key)
            try:
                return blob, self._call(partial(how(blob), **self._options))
            except NotFound:
                if self._find(key) is None:  # otherwise another run replaced it during the download
                    return None
            except DataCorruption:
                continue
        raise ObjectStoreError(f"{self.uri(key)} was damaged or replaced in {_DOWNLOAD_ATTEMPTS} downloads: try again")

    def _find(self, key: str) -> storage.Blob | None:
        """Look up an object; None if it does not exist."""
        blob = self._bucket.blob(self.folder + key)
        try:
            self._call(lambda: blob.reload(**self._options))
        except NotFound as error:
            if "bucket does not exist" in str(error):
                raise self._no_bucket() from None
            return None
        return blob

    def _blobs(self, prefix: str) -> Sequence[storage.Blob]:
        try:
            return self._call(
                lambda: list(self.client.list_blobs(self._bucket, prefix=self.folder + prefix, **self._options))
            )
        except NotFound:
            raise self._no_bucket() from None

    def _delete(self, blob: storage.Blob) -> None:
        with suppress(NotFound):  # deleted by another run, or by a request whose response was lost
            self._call(partial(blob.delete, **self._options))


def _has_content(blob: storage.Blob | None, size: int, sha256: str) -> bool:
    return blob is not None and (blob.size, (blob.metadata or {}).get("sha256")) == (size, sha256)
