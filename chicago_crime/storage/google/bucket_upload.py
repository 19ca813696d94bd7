"""Uploading a file to Cloud Storage as one object: in one piece, or in parts that Google joins.

Here belongs moving the bytes, each of them checked on arrival. Whether to, and what it means if another run was
faster, is decided in `gcs.py`.

The client's own upload in parts (`transfer_manager.upload_chunks_concurrently`) is not used: it can neither say which
generation it replaces nor keep a time limit, so two runs could mix and an answer lost could count twice.
"""

from __future__ import annotations

import base64
import hashlib
import mimetypes
import mmap
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import google_crc32c
from google.api_core.exceptions import PreconditionFailed
from google.cloud import storage

STAGING = "staging/"
"""Keys with this prefix are passing: whoever writes one deletes it, and the bucket's lifecycle does besides."""

MOST_PARTS = 32  # that Google joins at once
PARTS_AT_ONCE = 4
_BLOCK = 1 << 20  # a part is a multiple of it, and it of every system's unit of memory mapping


@dataclass(frozen=True)
class Part:
    """A stretch of a file: from where, how many bytes, and their crc32c as Google writes it."""

    start: int
    size: int
    crc32c: str


@dataclass(frozen=True)
class Facts:
    """What identifies a file's content: size in bytes, sha256 (hexadecimal), crc32c as Google writes it, its parts."""

    size: int
    sha256: str
    crc32c: str
    parts: tuple[Part, ...]

    def are_of(self, blob: storage.Blob | None) -> bool:
        """Whether an object has this content. One that somebody copied by other means has no sha256 noted."""
        if blob is None:
            return False
        noted = (blob.metadata or {}).get("sha256", self.sha256)
        return (blob.size, blob.crc32c, noted) == (self.size, self.crc32c, self.sha256)


def examine(file: Path, parts_from: int, part_bytes: int) -> Facts:
    """Read a file once and tell its facts.

    Args:
        file: the file.
        parts_from: size in bytes from which on it has parts.
        part_bytes: least size of a part.
    """
    size = file.stat().st_size
    least = part_bytes if size >= parts_from else size
    step = max(-(-max(least, -(-size // MOST_PARTS)) // _BLOCK), 1) * _BLOCK
    digest, whole, parts = hashlib.sha256(), google_crc32c.Checksum(), []
    with file.open("rb") as stream:
        for start in range(0, max(size, 1), step):
            checksum = google_crc32c.Checksum()
            for _ in range(start, min(start + step, size), _BLOCK):
                block = stream.read(_BLOCK)
                digest.update(block)
                whole.update(block)
                checksum.update(block)
            parts.append(Part(start, min(step, size - start), _as_google_writes(checksum)))
    return Facts(size, digest.hexdigest(), _as_google_writes(whole), tuple(parts))


def _as_google_writes(checksum: google_crc32c.Checksum) -> str:
    return base64.b64encode(checksum.digest()).decode()


@dataclass(frozen=True)
class Upload:
    """One object that is to have a file's content.

    Attributes:
        bucket: where.
        key: the object's key.
        file: the file.
        facts: the file's.
        generation: of the object that it replaces, 0 if there is none; another's is never replaced.
        how: time limit and retries of each request.
    """

    bucket: storage.Bucket
    key: str
    file: Path
    facts: Facts
    generation: int
    how: dict[str, Any]

    def run(self) -> storage.Blob:
        """Upload it. Google refuses bytes that have not the checksum they were sent with.

        Raises:
            PreconditionFailed: the object is of another generation by now. It may be ours: an answer can be lost.
            NotFound: there is no such bucket, or another run with the same content has removed the parts.
        """
        blob = self.bucket.blob(self.key)
        blob.content_type = mimetypes.guess_type(self.key)[0] or "application/octet-stream"
        blob.metadata = {"sha256": self.facts.sha256}
        if len(self.facts.parts) == 1:
            with self.file.open("rb") as stream:
                self._send(blob, stream, self.facts.size, self.facts.crc32c, self.generation)
            return blob
        with ThreadPoolExecutor(PARTS_AT_ONCE) as pool:
            parts = list(pool.map(self._send_part, range(len(self.facts.parts))))
        blob.compose(
            parts,
            if_generation_match=self.generation,
            if_source_generation_match=[part.generation for part in parts],
            **self.how,
        )
        return blob

    def _send_part(self, index: int) -> storage.Blob:
        """Upload a part, unless a run before us did."""
        part = self.facts.parts[index]
        blob = self.bucket.blob(f"{parts_prefix(self.key, self.facts)}{index:02}")
        with (
            self.file.open("rb") as file,
            mmap.mmap(file.fileno(), part.size, access=mmap.ACCESS_READ, offset=part.start) as stretch,
        ):
            try:
                self._send(blob, stretch, part.size, part.crc32c, 0)
            except PreconditionFailed:  # its name tells its content
                blob.reload(**self.how)
        return blob

    def _send(self, blob: storage.Blob, stream: Any, size: int, crc32c: str, generation: int) -> None:
        # The checksum goes ahead of the bytes, so that wrong ones are never stored. The client's way is to compare
        # afterwards and to delete, which would take the object that was there before along.
        blob.crc32c = crc32c
        blob.upload_from_file(
            stream,
            size=size,
            content_type=blob.content_type,
            checksum=None,
            if_generation_match=generation,
            **self.how,
        )


def parts_prefix(key: str, facts: Facts) -> str:
    """Where an object's parts are until they are joined: with another content, elsewhere."""
    return f"{STAGING}parts/{key}/{facts.sha256}/"
