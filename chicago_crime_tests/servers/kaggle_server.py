"""Kaggle on loopback: authentication, listing and downloads for Kaggle's client.

Two servers, because the API redirects downloads to a storage server that requires signed URLs.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self
from urllib.parse import quote, unquote

from chicago_crime_tests.servers.faults import FaultyHandler, FaultyServer

OWNER, DATASET = "salikhussaini49", "chicago-crimes"
MAX_LISTED = 20
"""Files per page, whatever number is requested."""
SERVICE = "/v1/datasets.DatasetApiService"


class _ApiHandler(FaultyHandler):
    server: "KaggleServer"

    def answer(self) -> None:
        given = self.received.headers.get("Authorization", "")
        if given != f"Bearer {self.server.token}":
            leak = f"Unauthenticated: {given}"  # to test that no message repeats the token
            self._json(401, {"code": 401, "message": leak})
            return
        message = json.loads(self.received.body)
        assert (message["ownerSlug"], message["datasetSlug"]) == (OWNER, DATASET)
        if self.received.path == f"{SERVICE}/ListDatasetFiles":
            self._json(200, self._listing(message))
        else:
            assert self.received.path == f"{SERVICE}/DownloadDataset"
            self.reply(302, b"", {"Location": self.server.storage.address_of(message["fileName"])})

    def _listing(self, message: dict) -> dict:
        names, first = sorted(self.server.files), int(message.get("pageToken") or 0)
        after = first + MAX_LISTED
        files = [
            {
                "name": name,
                "totalBytes": self.server.listed_sizes.get(name, len(self.server.files[name])),
                "creationDate": "2023-07-08T10:20:30.123Z",
                "datasetRef": f"{OWNER}/{DATASET}",
            }
            for name in names[first:after]
        ]
        return {"datasetFiles": files} | ({"nextPageToken": str(after)} if after < len(names) else {})

    def _json(self, status: int, content: dict) -> None:
        self.reply(status, json.dumps(content).encode(), {"Content-Type": "application/json; charset=utf-8"})


class _StorageHandler(FaultyHandler):
    server: "KaggleStorage"

    def answer(self) -> None:
        name = unquote(self.received.path.removeprefix("/kaggle-data-sets/").removesuffix(".zip"))
        if self.received.headers.get("Authorization"):
            self.reply(400, b"<Error>Two kinds of credentials</Error>", {"Content-Type": "application/xml"})
        elif self.received.query.get("X-Goog-Signature") != self.server.signature(name):
            self.reply(403, b"<Error>SignatureDoesNotMatch</Error>", {"Content-Type": "application/xml"})
        else:
            self.reply(200, self.server.content(name), {"Content-Type": "text/csv"})


class KaggleStorage(FaultyServer):
    """Sends files to requests with a signed URL.

    Attributes:
        packs: True to send zip files, as Kaggle does for large files.
    """

    handler = _StorageHandler

    def __init__(self, files: dict[str, bytes]):
        super().__init__()
        self.files, self.packs = files, False

    def address_of(self, name: str) -> str:
        packed = ".zip" if self.packs else ""
        return f"{self.url}/kaggle-data-sets/{quote(name)}{packed}?X-Goog-Signature={self.signature(name)}"

    def signature(self, name: str) -> str:
        return hashlib.sha256(name.encode()).hexdigest()

    def content(self, name: str) -> bytes:
        if not self.packs:
            return self.files[name]
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, self.files[name])
        return packed.getvalue()


class KaggleServer(FaultyServer):
    """Kaggle's API over one dataset.

    Attributes:
        files: content by name; a test may change it.
        listed_sizes: wrong sizes to list, by name.
        token: the valid API token.
        storage: the server that sends the files.
    """

    handler = _ApiHandler

    def __init__(self, files: dict[str, bytes], token: str):
        super().__init__()
        self.files, self.token = files, token
        self.listed_sizes: dict[str, int] = {}
        self.storage = KaggleStorage(files)

    @contextmanager
    def answering(self) -> Iterator[Self]:
        with self.storage.answering(), super().answering():
            yield self
