"""Snapshots served over HTTP, by a site of `chicago-crime site` or a public bucket."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import requests
from typing_extensions import override

from chicago_crime.published.catalog import DamagedError
from chicago_crime.storage.object_store import Item, NoObjectError, ObjectStoreError, ReadableStore, checksum_of

TIMEOUT_S = 60


@dataclass(frozen=True)
class WebStore(ReadableStore):
    """Objects below a URL. Web servers cannot list objects, so older snapshots can only be opened by id.

    Attributes:
        address: URL of the folder that contains `published/`, such as https://example.org/crime.
    """

    address: str

    @override
    def get(self, key: str, folder: Path) -> Path:
        """Download an object named by its checksum, and verify it."""
        file = folder / PurePosixPath(key).name
        with self._request(key) as response, file.open("wb") as stream:
            if response.status_code == requests.codes.not_found:
                raise NoObjectError(self._url(key))
            if not response.ok:
                raise ObjectStoreError(f"{self._url(key)}: the server returned status {response.status_code}")
            for block in response.iter_content(1 << 20):
                stream.write(block)
        if checksum_of(file)[:16] != file.stem:
            raise DamagedError(f"{self._url(key)} is damaged: its checksum does not match its name. Try again later")
        return file

    @override
    def read(self, key: str) -> tuple[bytes, str] | None:
        with self._request(key) as response:
            if response.status_code == requests.codes.not_found:
                return None
            if not response.ok:
                raise ObjectStoreError(f"{self._url(key)}: the server returned status {response.status_code}")
            return response.content, response.headers.get("ETag", "")

    @override
    def list(self, prefix: str) -> list[Item]:
        raise ObjectStoreError(f"{self.address} cannot list snapshots: open one by its id")

    def _url(self, key: str) -> str:
        return f"{self.address.rstrip('/')}/{key}"

    @contextmanager
    def _request(self, key: str) -> Iterator[requests.Response]:
        try:
            with requests.get(self._url(key), stream=True, timeout=TIMEOUT_S) as response:
                yield response
        except requests.RequestException as error:
            raise ObjectStoreError(f"{self._url(key)} cannot be downloaded: {error}") from error
