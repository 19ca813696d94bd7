"""Find and open the files of a folder by content, not by name: text, gzip, bzip2, xz, zip, JSON, and Spark output."""

import bz2
import codecs
import errno
import gzip
import io
import json
import lzma
import os
import re
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chicago_crime.sources.base import NotCrimesError, SourceError
from chicago_crime.sources.header import SPELLINGS, normalize
from chicago_crime.sources.records import MAX_RECORD_BYTES, csv_line, mark_damaged
from chicago_crime.tables.columns import SOURCE_NAMES

HEAD = 1 << 18
"""Bytes at the start of a file that identify its format."""

BLOCK = 1 << 21
"""Bytes per read."""

_TEXTS = (".csv", ".tsv", ".json", ".jsonl", ".ndjson")
_PACKED = (".gz", ".bz2", ".xz", ".zip")
SUBFOLDER = "is a folder: move its files up, and give each a unique name"
UNSUPPORTED = "is not a supported format: unpack it, or save its crimes as .csv"
_ZIP = b"PK\x03\x04"
_OPENERS: dict[bytes, Any] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}
_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",  # before UTF-16, whose mark it starts with
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_POINTERS = {
    b"version https://git-lfs": "Git LFS pointer: run `git lfs pull`",
    b"/annex/objects/": "git-annex pointer: run `git annex get`",
}
_UNSUPPORTED_STARTS = (_ZIP, b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf", b"Rar!", b"PAR1", b"\xd0\xcf\x11\xe0")
"""Zip files, of which only members are read, and zstd, 7z, RAR, Parquet, and old Excel files."""

_BETWEEN = "[], \t\r\n"
"""Characters between the objects of JSON; some programs write a comma after each line."""

_NO_OBJECTS = "is JSON, but without one object per crime: download it as .csv"

MAX_BEFORE_OBJECTS = 1000
"""Maximum number of other values and damaged lines before the first object of JSON."""


@dataclass(frozen=True)
class Item:
    """A file that may contain crimes: a plain file, a member of a zip file, or a part file written by Spark.

    Attributes:
        file: its path on the local disk.
        member: name of the member of a zip file; "" for other files.
        copy: number of earlier members of the same name.
        inside: for part files, the top folder that Spark wrote; else None.
    """

    file: Path
    member: str = ""
    copy: int = 0
    inside: Path | None = None

    def __str__(self) -> str:
        return f"{shown(self.file)}:{self.member}" if self.member else shown(self.file)

    @property
    def version(self) -> str:
        """Name, size in bytes, and modification time in nanoseconds since the epoch."""
        with source_errors(self):
            state = self.file.stat()
        return f"{shown(self.file.name)}:{self.member} {state.st_size} {state.st_mtime_ns}"

    @property
    def names(self) -> list[str]:
        """Names that may contain its years, the most specific first."""
        if self.inside:  # the names of part files contain random digits
            return [folder.name for folder in self.file.parents if folder.is_relative_to(self.inside)]
        inside = Path(self.member)
        return [*filter(None, [inside.name, *(folder.name for folder in inside.parents)]), self.file.name]


def shown(path: Path | str) -> str:
    """Return a path as text that any program can print: old systems wrote names that are not UTF-8."""
    return os.fsencode(path).decode(errors="replace")


def scan(folder: Path) -> tuple[list[Item], list[str]]:
    """List the files that may contain crimes, by name, and the skipped ones with the reason; ignore hidden files."""
    items: list[Item] = []
    left_out: list[str] = []
    for entry in sorted(folder.iterdir()):
        found: list[Item] = []
        if _is_hidden(entry.name):
            continue
        if entry.is_dir():
            with suppress(PermissionError):  # for example lost+found
                found = [Item(part, inside=entry) for part in _parts(entry)]
        elif entry.name.lower().endswith((*_TEXTS, *_PACKED)) and (entry.is_file() or not entry.exists()):  # no pipe
            found, others = _members(entry)
            left_out += [f"{shown(entry.name)}:{member} {UNSUPPORTED}" for member in others]
        if not found:
            left_out.append(f"{shown(entry.name)} {SUBFOLDER if entry.is_dir() else UNSUPPORTED}")
        items += found
    return items, left_out


def _parts(folder: Path) -> Iterator[Path]:
    """Find part files written by Spark, and Hive-style partitions of any program (year=2016/data_0.csv)."""
    for entry in sorted(folder.iterdir()):
        is_part = entry.name.startswith("part-") or ("=" in folder.name and not _is_hidden(entry.name))
        if "=" in entry.name and entry.is_dir():
            yield from _parts(entry)
        elif is_part and entry.is_file() and entry.stat().st_size:
            yield entry


def _is_hidden(name: str) -> bool:
    return name.startswith((".", "_"))


def _members(file: Path) -> tuple[list[Item], list[str]]:
    """Return the members of a zip file to read, and the names of the others; any other file is its own member."""
    itself = [Item(file)]
    try:
        if not zipfile.is_zipfile(file):
            return itself, []
        with zipfile.ZipFile(file) as archive:
            names = Counter(name for name in archive.namelist() if not name.endswith("/"))
    except (OSError, zipfile.BadZipFile):
        return itself, []  # listed, so that fetching its year reports the error
    visible = [name for name in names if not any(_is_hidden(part) for part in Path(name).parts if part != "..")]
    known = [name for name in visible if name.lower().endswith((*_TEXTS, *(f".csv{end}" for end in _PACKED)))]
    read = known or (visible if len(visible) == 1 else [])
    members = [Item(file, name, copy) for name in read for copy in range(names[name])]
    return (members, sorted({*visible} - {*read})) if read else (itself, [])


@contextmanager
def source_errors(item: Item) -> Iterator[None]:
    """Convert errors of reading an item to a SourceError that names it."""
    try:
        yield
    except NotImplementedError as error:
        raise SourceError(f"{item} is compressed with an unsupported method ({error}): unpack it first") from error
    except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile, lzma.LZMAError) as error:
        raise SourceError(f"{item} is damaged or truncated ({error}): download it again") from error
    except OSError as error:
        if item.file.is_symlink() and not item.file.exists():
            is_annexed = "annex/objects/" in str(item.file.readlink())
            how = "run `git annex get` in its repository" if is_annexed else "restore its target"
            raise NotCrimesError(f"{item} is a broken symbolic link: {how}") from error
        if error.errno is None:  # bzip2's
            raise SourceError(f"{item} is damaged or truncated ({error}): download it again") from error
        if error.errno == errno.ENOSPC:
            raise SourceError(f"the disk of the data folder is full while copying {item}: free some space") from error
        raise SourceError(f"{item} cannot be read ({error.strerror}): check its permissions") from error


@contextmanager
def open_item(item: Item, scratch: Path | None = None) -> Iterator[tuple[io.BufferedReader, str]]:
    """Open an item, unpacked and with JSON converted to CSV; yield the stream and its unit, "line" or "record".

    JSON is copied into `scratch`, by default the system's temporary folder.

    Raises:
        SourceError: the item is damaged, encrypted, or of an unsupported format; reading may raise it, too.
    """
    with source_errors(item), ExitStack() as stack:
        stream: Any = stack.enter_context(item.file.open("rb", buffering=0))
        if item.member:
            archive = stack.enter_context(zipfile.ZipFile(stream))
            info = _info(item, archive)
            if info.flag_bits & 1:
                raise SourceError(f"{item} is password-protected: unpack it first")
            stream = stack.enter_context(archive.open(info))
        reader = io.BufferedReader(stream, HEAD)
        while opener := next((o for magic, o in _OPENERS.items() if reader.peek(HEAD).startswith(magic)), None):
            reader = io.BufferedReader(stack.enter_context(opener(reader)), HEAD)
        head = reader.peek(HEAD)
        for start, what in _POINTERS.items():
            if head.startswith(start):
                raise SourceError(f"{item} is a {what} in its repository to get the file")
        if head.startswith(_ZIP) and reader.raw is stream and not item.member:
            if not zipfile.is_zipfile(item.file):
                raise EOFError("its end is missing")
            zipfile.ZipFile(item.file).close()  # raises if it is damaged
        if head.startswith(_UNSUPPORTED_STARTS) or head[257:262] == b"ustar":
            raise SourceError(
                f"{item} is an archive, a workbook or Parquet, which are not supported: unpack it, or export it as CSV"
            )
        marks, encoding = detect_encoding(head)
        # [ID] is a column name as SQL Server quotes it.
        is_json = re.match(r"\s*(?:\{|\[(?![A-Za-z][\w ]*\]))", head[marks : marks + 1000].decode(encoding, "replace"))
        if is_json:
            scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=scratch)))
            reader = stack.enter_context(_json_as_csv(item, reader, scratch).open("rb"))
        yield reader, "record" if is_json else "line"


def detect_encoding(head: bytes) -> tuple[int, str]:
    """Return the size of the byte order marks (some programs write two) and the encoding of a text.

    Without a mark, a text is UTF-16 if every other byte at its start is 0, else UTF-8, possibly with characters in
    Windows-1252.
    """
    for mark, encoding in _MARKS.items():
        if found := re.match(b"(?:%b)+" % mark, head):
            return found.end(), encoding
    first, second = head[:100:2], head[1:100:2]
    if any(first) and not any(second) and len(head) > 1:
        return 0, "utf-16-le"
    return 0, "utf-16-be" if any(second) and not any(first) else "utf-8"


def utf8_blocks(stream: io.BufferedReader) -> Iterator[bytes]:
    """Read a text from its start as blocks of UTF-8 without byte order marks."""
    marks, encoding = detect_encoding(stream.peek(HEAD))
    decoder = codecs.getincrementaldecoder(encoding)("replace") if encoding != "utf-8" else None
    stream.read(marks)
    while block := stream.read(BLOCK):
        yield decoder.decode(block).encode() if decoder else block
    if decoder:
        yield decoder.decode(b"", final=True).encode()


def unpacked_size(item: Item) -> int | None:
    """Return the unpacked size in bytes, None if the container does not store it."""
    try:
        if item.member:
            with zipfile.ZipFile(item.file) as archive:
                return _info(item, archive).file_size
        size = item.file.stat().st_size
        with item.file.open("rb") as stream:
            magic = stream.read(6)
            if not magic.startswith(b"\x1f\x8b"):
                return None if magic.startswith((*_OPENERS, *_UNSUPPORTED_STARTS)) else size
            stream.seek(size - 4)
            return int.from_bytes(stream.read(4), "little")  # gzip trailer: size modulo 4 GB
    except (OSError, IndexError, zipfile.BadZipFile):
        return None  # fetching reports the error


def _info(item: Item, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    return [info for info in archive.infolist() if info.filename == item.member][item.copy]


def _json_as_csv(item: Item, reader: io.BufferedReader, folder: Path) -> Path:
    """Convert JSON to a CSV with a column for each key: arrays of objects, such as pages of the API, or JSON lines.

    An element that is not an object becomes a damaged line of the CSV.
    """
    copy, target = folder / "objects.json", folder / "objects.csv"
    with copy.open("wb") as file:
        file.writelines(utf8_blocks(reader))
    values: dict[str, Any] = {}
    number = 0  # an empty array, as on the last page of the API
    for number, (_, one) in enumerate(_elements(item, copy), start=1):
        values |= one or {}
        if number > MAX_BEFORE_OBJECTS and not values:
            break
    if number:
        _check_keys(item, values)
    with target.open("wb") as file:
        file.write(csv_line([key.encode(errors="replace").decode() for key in values] or SOURCE_NAMES))
        for text, one in _elements(item, copy):
            line = mark_damaged("not a JSON object", text.encode(errors="surrogateescape"))
            with suppress(UnicodeEncodeError):  # a lone surrogate, such as "\ud83d"
                line = line if one is None else csv_line([_text(one.get(key)) for key in values])
            file.write(line)
    return target


def _elements(item: Item, file: Path) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """Yield the objects in arrays or lines of JSON; for anything else, its text, to the end of its line if damaged.

    Raises:
        SourceError: an array has no end, or damage has no end of its line.
    """
    decoder, depth, text, at, has_more = json.JSONDecoder(), 0, "", 0, True
    with file.open(encoding="utf-8", errors="surrogateescape", newline="\n") as stream:
        while has_more or at < len(text):
            if has_more and len(text) - at <= MAX_RECORD_BYTES:
                block = stream.read(BLOCK)
                text, at, has_more = text[at:] + block, 0, bool(block)
            sign = text[at : at + 1]  # "" at the end of the file
            if sign in _BETWEEN:
                depth = max(0, depth + {"[": 1, "]": -1}.get(sign, 0))
                at += 1
                continue
            try:
                found, end = decoder.raw_decode(text, at)
                yield text[at:end] + "\n", found if isinstance(found, dict) else None
            except (ValueError, RecursionError):
                end = text.find("\n", at) + 1
                if not end and has_more:
                    raise NotCrimesError(f"{item} {_NO_OBJECTS}") from None
                end = end or len(text)
                yield text[at:end].replace("\r", ""), None
            at = end
    if depth:
        raise SourceError(f"{item} is truncated: its JSON array has no end. Download it again")


def _check_keys(item: Item, values: Mapping[str, Any]) -> None:
    """Raise an error if the keys of JSON are not the columns of crimes, given a value of each."""
    counts = Counter(map(normalize, values))
    if twice := [key for key, count in counts.items() if count > 1 and key in SPELLINGS]:
        names = " and ".join(repr(key) for key in values if normalize(key) == twice[0])
        raise SourceError(f"{item} has several keys for one column ({names}): use one of them in all records")
    is_by_column = all(isinstance(value, dict | list) for value in values.values())  # as pandas writes by default
    if is_by_column or not SPELLINGS.keys() & counts.keys():
        if message := values.get("message") or values.get("error"):
            raise NotCrimesError(f"{item} is a server's error message ({_text(message)[:80]!r}): download it again")
        has = f" (keys found: {', '.join([*values][:12])})" if values else ""
        raise NotCrimesError(f"{item} {_NO_OBJECTS}{has}")


def _text(value: object) -> str:
    """Return a text, or the JSON of any other value; "" for null."""
    if isinstance(value, str) or value is None:
        return (value or "").replace("\r\n", "\n").replace("\r", "\n")  # csv would not quote a CR
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
