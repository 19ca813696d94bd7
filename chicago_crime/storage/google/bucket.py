"""The lake in Cloud Storage: objects by key in a bucket.

Here belongs storing and finding objects in a bucket, so that two runs at once never mix and a lost answer never
doubles anything. The client is made in `gcs_client.py`; what refusals mean is in `google_access.py`.

Every write says which generation of the object it replaces, and Google refuses it if that is no longer the one. So a
write that is repeated after its answer was lost does not happen twice, and of two runs one wins, whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from dagster_gcp import GCSResource
from google.api_core.exceptions import GoogleAPICallError, NotFound, PreconditionFailed
from google.auth.exceptions import GoogleAuthError
from google.cloud import storage
from requests import RequestException

from chicago_crime.sources.retry import RetryPolicy
from chicago_crime.storage.google.access import call, google_retry
from chicago_crime.storage.google.bucket_upload import Facts, Upload, examine, parts_prefix
from chicago_crime.storage.google.permissions import OBJECTS
from chicago_crime.storage.object_store import ObjectStore, ObjectStoreError, StoredObject

_AT_ONCE = 4
_IN_A_BATCH = 100  # as many as Cloud Storage takes
_DOWNLOADS = 3
_T = TypeVar("_T")


@dataclass(frozen=True)
class BucketStore(ObjectStore):
    """Objects in a bucket. Nothing is asked before it is needed.

    Attributes:
        resource: makes the client.
        bucket: its name.
        policy: timeouts and retries.
        parts_from: files of so many bytes and more are uploaded in parts, several at once. A year is smaller: it costs
            one write, where parts cost one each and one to join them.
        part_bytes: size of a part, in bytes; it is more for files of more than 32 such parts.
    """

    resource: GCSResource
    bucket: str
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    parts_from: int = 150 << 20
    part_bytes: int = 32 << 20

    def put(self, key: str, file: Path, checksum: str | None = None) -> StoredObject:
        """See `ObjectStore.put`. An object that has the file's content already is left as it is.

        Raises:
            ObjectStoreError: the checksum differs, another run wrote the object meanwhile, or Google refuses.
        """
        facts = self._examine(file)
        if checksum and facts.sha256 != checksum:
            raise ObjectStoreError(
                f"{file} was changed: its sha256 is {facts.sha256} and should be {checksum}. Materialize crime_csv "
                "again."
            )
        found = self._find(key)
        if not facts.are_of(found):
            upload = Upload(self._bucket, key, file, facts, found.generation if found else 0, self._how)
            try:
                found = self._asked(upload.run)
            except (PreconditionFailed, NotFound):  # ours, written before its answer was lost, or another's
                found = self._find(key)
        if len(facts.parts) > 1:
            self.delete_prefix(parts_prefix(key, facts))
        if not facts.are_of(found):
            raise ObjectStoreError(f"another run wrote {self._uri(key)} just now, and not the same: run it again")
        return StoredObject(key, facts.size, facts.sha256)

    def get(self, key: str, folder: Path) -> Path:
        """See `ObjectStore.get`. It is downloaded into the folder, and its checksum verified."""
        target = folder / Path(key).name
        problem = "is being replaced again and again"
        for _ in range(_DOWNLOADS):
            now = self._find(key)
            if now is None:
                raise self._missing(key)
            # Bound to its generation: the checksum is of what comes, also if another run replaces it meanwhile.
            blob = storage.Blob(key, self._bucket, generation=now.generation)
            try:
                self._asked(partial(blob.download_to_filename, str(target), checksum=None, **self._how))
            except NotFound:
                continue
            if self._examine(target).crc32c == now.crc32c:
                return target
            target.unlink()
            problem = "came damaged"
        raise ObjectStoreError(f"{self._uri(key)} {problem}, {_DOWNLOADS} times in a row: try again")

    def location(self, key: str) -> str:
        """See `ObjectStore.location`: a `gs://` address."""
        if not self.exists(key):
            raise self._missing(key)
        return self._uri(key)

    def list(self, prefix: str = "") -> list[str]:
        """See `ObjectStore.list`."""
        return sorted(blob.name for blob in self._blobs(prefix))

    def exists(self, key: str) -> bool:
        """See `ObjectStore.exists`."""
        return self._find(key) is not None

    def has_parquet(self, folder: str) -> bool:
        """Whether any Parquet file is below a folder, gs://bucket/folder, of this bucket or of another."""
        address = urlsplit(folder)
        store = self if address.netloc == self.bucket else replace(self, bucket=address.netloc)
        return any(name.endswith(".parquet") for name in store.list(f"{address.path.strip('/')}/"))

    def upload(self, file: Path, prefix: str) -> str:
        """Put a file below a prefix under a name that tells its content; nothing is sent if it is there already.

        Returns:
            Its address: `gs://bucket/prefix/checksum/name`.

        Raises:
            ObjectStoreError: as with `put`.
        """
        checksum = self._examine(file).sha256
        return self._uri(self.put(f"{prefix.rstrip('/')}/{checksum[:16]}/{file.name}", file, checksum).key)

    def delete_prefix(self, prefix: str) -> int:
        """Delete every object below a prefix such as `staging/run/`, and tell how many there were.

        Raises:
            ObjectStoreError: Google refuses.
        """
        if not prefix.strip("/") or not prefix.endswith("/"):
            raise ValueError(f"{prefix!r} is no prefix that ends in a slash: it would match more than one means")
        found = self._blobs(prefix)
        for start in range(0, len(found), _IN_A_BATCH):
            self._delete_at_once(found[start : start + _IN_A_BATCH])
        if found:
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                list(pool.map(self._delete, self._blobs(prefix)))
        return len(found)

    @cached_property
    def _bucket(self) -> storage.Bucket:
        return self._asked(lambda: self.resource.get_client().bucket(self.bucket))

    def _examine(self, file: Path) -> Facts:
        return examine(file, self.parts_from, self.part_bytes)

    @property
    def _how(self) -> dict[str, Any]:
        """How every request is made."""
        return {"timeout": self.policy.timeout_s, "retry": google_retry(self.policy, "Cloud Storage")}

    def _asked(self, ask: Callable[[], _T]) -> _T:
        grant = (
            f"grant the role with `gcloud storage buckets add-iam-policy-binding gs://{self.bucket} "
            f"--role={OBJECTS.role} --member=` and the account"
        )
        return call(ask, f"Cloud Storage (bucket {self.bucket})", ObjectStoreError, grant)

    def _uri(self, key: str) -> str:
        return f"gs://{self.bucket}/{key}"

    def _missing(self, key: str) -> ObjectStoreError:
        return ObjectStoreError(f"there is no object {self._uri(key)}: materialize crime_object first")

    def _no_bucket(self) -> ObjectStoreError:
        return ObjectStoreError(
            f"there is no bucket {self.bucket}: create it with `gcloud storage buckets create gs://{self.bucket} "
            "--uniform-bucket-level-access --location=` and the region, or set CHICAGO_CRIME_GCS_BUCKET to another"
        )

    def _find(self, key: str) -> storage.Blob | None:
        """The object as it now is, None if there is none."""
        blob = self._bucket.blob(key)
        try:
            self._asked(lambda: blob.reload(**self._how))
        except NotFound as error:
            if "bucket does not exist" in str(error):
                raise self._no_bucket() from None
            return None
        return blob

    def _blobs(self, prefix: str) -> Sequence[storage.Blob]:
        client = self._bucket.client
        try:
            return self._asked(lambda: list(client.list_blobs(self._bucket, prefix=prefix, **self._how)))
        except NotFound:
            raise self._no_bucket() from None

    def _delete_at_once(self, blobs: Sequence[storage.Blob]) -> None:
        """Delete objects with one request. If it fails, that is no matter: who calls looks what is left."""
        passing = suppress(GoogleAPICallError, GoogleAuthError, RequestException, ConnectionError, ValueError)
        with passing, self._bucket.client.batch(raise_exception=False):
            for blob in blobs:
                blob.delete(timeout=self.policy.timeout_s, retry=None)

    def _delete(self, blob: storage.Blob) -> None:
        with suppress(NotFound):  # deleted, and the answer was lost; or by another
            self._asked(partial(blob.delete, **self._how))
