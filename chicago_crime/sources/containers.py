"""What lies in a folder, by what it is and not by its name: plain files, gzip, bzip2, xz, zip, JSON, parts of Spark."""

import bz2
import codecs
import gzip
import io
import json
import lzma
import re
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from chicago_crime.sources.base import NotCrimesError, SourceError
from chicago_crime.sources.header import SPELLINGS, normalize
from chicago_crime.sources.records import csv_line, mark_damaged

HEAD = 1 << 18
"""Bytes at a file's start that show what it is."""

BLOCK = 1 << 21
"""Bytes that are read at once."""

_TEXTS = (".csv", ".tsv", ".json", ".jsonl", ".ndjson")
_PACKED = (".gz", ".bz2", ".xz", ".zip")
SUBFOLDER = "is a folder: load it by itself with --folder, or move its files up under names of their own"
UNSUPPORTED = "is of no kind that is read: unpack it, export it as CSV, or rename it to .csv if it is one"
_ZIP = b"PK\x03\x04"
_OPENERS: dict[bytes, Any] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}
_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",  # begins as UTF-16 does
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_POINTERS = {
    b"version https://git-lfs": "Git LFS in place of the file: run `git lfs pull`",
    b"/annex/objects/": "git-annex in place of the file: run `git annex get`",
}
_UNSUPPORTED_STARTS = (_ZIP, b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf", b"Rar!", b"PAR1", b"\xd0\xcf\x11\xe0")
"""Starts of zip files, whose members alone are read, and of zstd, 7z, RAR, Parquet, and old Excel files."""


@dataclass(frozen=True)
class Item:
    """A file of crimes: a file of its own, a member of a zip file, or a part of a folder that Spark wrote.

    Attributes:
        file: on this machine's disk.
        member: its name in the zip file; "" if it is none.
        inside: the folder beside the other files that has what Spark wrote, maybe in folders; None if there is none.
    """

    file: Path
    member: str = ""
    inside: Path | None = None

    def __str__(self) -> str:
        return f"{self.file}:{self.member}" if self.member else str(self.file)

    @property
    def version(self) -> str:
        """Name, size in bytes, and time of the last change in nanoseconds since 1970."""
        with source_errors(self):
            state = self.file.stat()
        return f"{self.file.name}:{self.member} {state.st_size} {state.st_mtime_ns}"

    @property
    def names(self) -> list[str]:
        """The names that may contain its years, the most telling first."""
        if self.inside:  # a part's own name is made of random digits
            return [folder.name for folder in self.file.parents if folder.is_relative_to(self.inside)]
        return [*([Path(self.member).name] if self.member else []), self.file.name]


def scan(folder: Path) -> tuple[list[Item], list[str]]:
    """What may be a file of crimes, in the order of names, and what is not read, with the reason; no hidden files."""
    items: list[Item] = []
    left_out: list[str] = []
    for entry in sorted(folder.iterdir()):
        found: list[Item] = []
        if _is_hidden(entry.name):
            continue
        if entry.is_dir():
            with suppress(PermissionError):  # such as lost+found
                found = [Item(part, inside=entry) for part in _parts(entry)]
        elif entry.name.lower().endswith((*_TEXTS, *_PACKED)) and (entry.is_file() or not entry.exists()):  # no pipe
            read, others = _members(entry)
            found = [Item(entry, member) for member in read]
            left_out += [f"{entry.name}:{member} {UNSUPPORTED}" for member in others]
        if not found:
            left_out.append(f"{entry.name} {SUBFOLDER if entry.is_dir() else UNSUPPORTED}")
        items += found
    return items, left_out


def _parts(folder: Path) -> Iterator[Path]:
    """What Spark wrote into a folder, and what any program wrote by the values of a column: year=2016/data_0.csv."""
    for entry in sorted(folder.iterdir()):
        is_part = entry.name.startswith("part-") or ("=" in folder.name and not _is_hidden(entry.name))
        if "=" in entry.name and entry.is_dir():
            yield from _parts(entry)
        elif is_part and entry.is_file() and entry.stat().st_size:
            yield entry


def _is_hidden(name: str) -> bool:
    return name.startswith((".", "_"))


def _members(file: Path) -> tuple[list[str], list[str]]:
    """The members of a zip file that are read, and the others; "" stands for the file itself."""
    try:
        if not zipfile.is_zipfile(file):
            return [""], []
        with zipfile.ZipFile(file) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
    except (OSError, zipfile.BadZipFile):
        return [""], []  # listed anyway, so that a fetch of its year reports what is wrong
    shown = [name for name in names if not any(_is_hidden(part) for part in Path(name).parts if part != "..")]
    known = [name for name in shown if name.lower().endswith((*_TEXTS, *(f".csv{end}" for end in _PACKED)))]
    read = known or (shown if len(shown) == 1 else [])
    return (read, sorted({*shown} - {*read})) if read else ([""], [])


@contextmanager
def source_errors(item: Item) -> Iterator[None]:
    """Turn what goes wrong when an item is read into a SourceError that names it."""
    try:
        yield
    except NotImplementedError as error:
        raise SourceError(f"{item} is packed in a way that is not read here ({error}): unpack it first") from error
    except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile, lzma.LZMAError) as error:
        raise SourceError(f"{item} is damaged or truncated ({error}): download it again") from error
    except OSError as error:
        if item.file.is_symlink() and not item.file.exists():
            is_annexed = "annex/objects/" in str(item.file.readlink())
            how = "run `git annex get` in its repository" if is_annexed else "restore the file"
            raise SourceError(f"{item} is a link to a file that does not exist: {how}") from error
        if error.errno is None:  # bzip2's
            raise SourceError(f"{item} is damaged or truncated ({error}): download it again") from error
        raise SourceError(
            f"{item} cannot be copied ({error.strerror}): correct its permissions, or make space on the disk"
        ) from error


@contextmanager
def open_item(item: Item, scratch: Path | None = None) -> Iterator[tuple[io.BufferedReader, str]]:
    """Open an item's content, unpacked, JSON as CSV; and say what the item is counted in: line or record.

    Args:
        item: which.
        scratch: folder on this machine's disk for a copy of JSON; None for the system's.

    Raises:
        SourceError: it is damaged, encrypted, or something that is not read. What reads it may raise it, too.
    """
    with source_errors(item), ExitStack() as stack:
        stream: Any = stack.enter_context(item.file.open("rb", buffering=0))
        if item.member:
            stream = stack.enter_context(_open_member(item, stack.enter_context(zipfile.ZipFile(stream))))
        reader = io.BufferedReader(stream, HEAD)
        while opener := next((o for magic, o in _OPENERS.items() if peek_head(reader).startswith(magic)), None):
            reader = io.BufferedReader(stack.enter_context(opener(reader)), HEAD)
        head = peek_head(reader)
        for start, what in _POINTERS.items():
            if head.startswith(start):
                raise SourceError(f"{item} is a pointer of {what} in its repository")
        if head.startswith(_ZIP) and not item.member:
            if not zipfile.is_zipfile(item.file):
                raise EOFError("its end is missing")
            zipfile.ZipFile(item.file).close()  # raises if it is damaged
        if head.startswith(_UNSUPPORTED_STARTS) or head[257:262] == b"ustar":
            raise SourceError(
                f"{item} is an archive, a workbook or Parquet, which are not read here: unpack it, or export it as CSV"
            )
        marks, encoding = detect_encoding(head)
        is_json = re.match(r"\s*[\[{]", head[marks : marks + 1000].decode(encoding, "replace"))
        if is_json:
            scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=scratch)))
            reader = stack.enter_context(_json_as_csv(item, reader, scratch).open("rb"))
        yield reader, "record" if is_json else "line"


def peek_head(reader: io.BufferedReader) -> bytes:
    """The first bytes of a stream, up to `HEAD`, without moving it."""
    return reader.peek(HEAD)


def detect_encoding(head: bytes) -> tuple[int, str]:
    """Size of the byte order marks that a text begins with, as some programs add a second, and its encoding.

    Without a mark it is UTF-16 if every other byte of its start is 0, as in ASCII; else UTF-8, maybe with letters of
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
    """A text, from its start, in blocks of UTF-8 without byte order marks."""
    marks, encoding = detect_encoding(peek_head(stream))
    decoder = codecs.getincrementaldecoder(encoding)("replace") if encoding != "utf-8" else None
    stream.read(marks)
    while block := stream.read(BLOCK):
        yield decoder.decode(block).encode() if decoder else block
    if decoder:
        yield decoder.decode(b"", final=True).encode()


def unpacked_size(item: Item) -> int | None:
    """Its size when unpacked, in bytes, as far as the container says it."""
    try:
        if item.member:
            with zipfile.ZipFile(item.file) as archive:
                return archive.getinfo(item.member).file_size
        size = item.file.stat().st_size
        with item.file.open("rb") as stream:
            magic = stream.read(6)
            if not magic.startswith(b"\x1f\x8b"):
                return None if magic.startswith((*_OPENERS, *_UNSUPPORTED_STARTS)) else size
            stream.seek(size - 4)
            return int.from_bytes(stream.read(4), "little")  # gzip's trailer: the size modulo 4 GB
    except (OSError, KeyError, zipfile.BadZipFile):
        return None  # a fetch will report it


def _open_member(item: Item, archive: zipfile.ZipFile) -> IO[bytes]:
    if archive.getinfo(item.member).flag_bits & 1:
        raise SourceError(f"{item} is encrypted with a password: unpack it first")
    return archive.open(item.member)


def _json_as_csv(item: Item, reader: io.BufferedReader, folder: Path) -> Path:
    """Write the objects of a JSON array, or of JSON lines, as a CSV with a column for each key.

    Of JSON lines, one that is no object is damaged, as in a CSV.
    """
    import duckdb  # slow to import, and few files are JSON

    copy, target = folder / "objects.json", folder / "objects.csv"
    with copy.open("wb") as file:
        file.writelines(utf8_blocks(reader))  # DuckDB reads no other encoding, and no mark
    objects = f"read_json_objects({_quoted(copy)}, format = 'auto')"
    with duckdb.connect(config={"threads": 2, "memory_limit": "500MB"}) as connection:
        try:
            keys = f"SELECT DISTINCT UNNEST(json_keys(json)) AS key FROM {objects} ORDER BY key"
            found = [key for (key,) in connection.sql(keys).fetchall()]
            columns = ", ".join(f"json ->> {_quoted(key)} AS {_quoted(key, chr(34))}" for key in found)
            if twice := [
                key for key, count in Counter(map(normalize, found)).items() if count > 1 and key in SPELLINGS
            ]:
                names = " and ".join(repr(key) for key in found if normalize(key) == twice[0])
                raise SourceError(f"{item} has several keys for one column, {names}: remove all but one")
            if not SPELLINGS.keys() & map(normalize, found):
                have = f"; the keys are {', '.join(found)[:200]}" if found else ""
                raise NotCrimesError(f"{item} is JSON, but not of an object for each crime{have}: download it as .csv")
            connection.execute(f"COPY (SELECT {columns} FROM {objects}) TO {_quoted(target)} (FORMAT CSV, HEADER)")
        except duckdb.Error as error:
            if _lines_as_csv(copy, target):
                return target
            where = re.search(r"at byte \d+ in \S+ \d+: [^\n]*", str(error))  # without the path of our copy
            problem = where[0] if where else "not made of objects"
            raise SourceError(f"{item} is not valid JSON ({problem}): download it again, as .csv") from None
    return target


def _lines_as_csv(copy: Path, target: Path) -> bool:
    """Write JSON lines of which some are no objects, one by one; False if it is JSON of another form."""

    def objects() -> Iterator[tuple[bytes, dict[str, Any] | None]]:
        with copy.open("rb") as lines:
            yield from ((line, _object(line)) for line in lines if line.strip())

    with copy.open("rb") as start:
        if not start.read(HEAD).lstrip().startswith(b"{"):  # an array may be one line of any size
            return False
    keys = list(dict.fromkeys(key for _, one in objects() for key in one or ()))
    if not SPELLINGS.keys() & map(normalize, keys):
        return False
    with target.open("wb") as file:
        file.write(csv_line(keys))
        for line, one in objects():
            damaged = mark_damaged("not a JSON object", line.replace(b"\r", b""))
            file.write(damaged if one is None else csv_line([_text(one.get(key)) for key in keys]))
    return True


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _text(value: object) -> str:
    """A value of JSON as DuckDB gives it."""
    if isinstance(value, str) or value is None:
        return value or ""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _quoted(text: object, quote: str = "'") -> str:
    return quote + str(text).replace(quote, quote * 2) + quote
