"""Facts about a file's bytes, from one quick pass: what a checksum, a count of lines and a glance at the start tell.

Nothing here knows what a CSV is.
"""

import codecs
import hashlib
from dataclasses import dataclass
from pathlib import Path

_BLOCK = 1 << 20


@dataclass(frozen=True)
class FileFacts:
    """Facts about one file.

    Attributes:
        sha256: checksum, hexadecimal.
        size: in bytes.
        start: the first bytes, at most 1,000.
        lines: physical lines, the last one also if its end is missing. CR, LF and CRLF each end a line.
        commas: how many there are.
        is_plain: UTF-8 without a byte order mark, lines end in LF only, no NUL byte.
    """

    sha256: str
    size: int
    start: bytes
    lines: int
    commas: int
    is_plain: bool


def examine(file: Path) -> FileFacts:
    """Read a file once and tell its facts."""
    digest, utf8 = hashlib.sha256(), codecs.getincrementaldecoder("utf-8")()
    size = lines = commas = 0
    plain, start, last = True, b"", b""
    with file.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
            start = start or block[:1000]
            size += len(block)
            commas += block.count(b",")
            lines += block.count(b"\n")
            if b"\r" in block:
                plain = False
                lines += block.count(b"\r") - block.count(b"\r\n")
            if last == b"\r" and block.startswith(b"\n"):
                lines -= 1
            last = block[-1:]
            if plain:
                try:
                    plain = b"\0" not in block
                    if not block.isascii() or utf8.getstate()[0]:
                        utf8.decode(block)
                except UnicodeDecodeError:
                    plain = False
    lines += last not in (b"", b"\n", b"\r")
    plain = plain and not utf8.getstate()[0] and not start.startswith(codecs.BOM_UTF8)
    return FileFacts(digest.hexdigest(), size, start, lines, commas, plain)


def sha256(file: Path) -> str:
    """Checksum of a file, hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
