"""The static site in a folder: written where something changed, and without touching the files of anybody else."""

import signal
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, StringConstraints, ValidationError

from chicago_crime.dashboard.data import Data
from chicago_crime.errors import PlatformError, UsageError
from chicago_crime.installation import Installation
from chicago_crime.serve.site_pages import Part, parts_of
from chicago_crime.settings import Settings

MANIFEST = "site.json"
FEW = 60
"""Parts that are made sooner than other processes are started."""


class File(BaseModel):
    """A file of the site: `of` as in `Part`, empty while it is being written; bytes and sha256 of its content."""

    of: str = ""
    bytes: int = 0
    sha256: str = ""


class Manifest(BaseModel):
    """The files of a site, by their path in its folder: no others are ever replaced or removed."""

    files: dict[Annotated[str, StringConstraints(pattern=r"^[\w-]+(/[\w-]+)*(\.\w+)+$")], File] = {}


@dataclass(frozen=True)
class Outcome:
    """What became of a folder: how many files and bytes it has, and how many files were written and removed."""

    files: int
    bytes: int
    written: int
    removed: int


def write_site(installation: Installation, folder: Path, as_of: date | str | None = None) -> Outcome:
    """Write the site of a snapshot, the newest or another, into a folder that is empty or has an earlier one.

    A file whose content stays as it is is left alone. If this is interrupted, the next call completes it.

    Raises:
        UsageError: the folder has files that no earlier call wrote, and which are or could be in the way.
        PlatformError: there is no such snapshot, or a file of it is damaged.
    """
    held = read_manifest(folder)
    data = Data(installation.reader(as_of))
    parts = parts_of(data)
    names = [name for part in parts for name in part.names]
    if foreign := [name for name in names if name not in held.files and (folder / name).exists()]:
        raise UsageError(f"{folder / foreign[0]} is not of an earlier site: move it, or choose another folder")
    stale = [part for part in parts if not all(_is_written(folder, name, held, part) for name in part.names)]
    gone = held.files.keys() - set(names)
    if not stale and not gone:
        return _outcome(held, 0, 0)
    unfinished = {name: File() for part in stale for name in part.names}
    _write(folder / MANIFEST, Manifest(files=held.files | unfinished).model_dump_json().encode())
    files = {name: file for name, file in held.files.items() if name not in gone}
    written = 0
    for part, contents in _made(stale, installation.settings, data.catalog.snapshot):
        for name, content in zip(part.names, contents, strict=True):
            fresh, path = File(of=part.of, bytes=len(content), sha256=sha256(content).hexdigest()), folder / name
            if not path.is_file() or path.read_bytes() != content:
                _write(path, content)
                written += 1
            files[name] = fresh
    for name in gone:
        (folder / name).unlink(missing_ok=True)
    manifest = Manifest(files=files)
    _write(folder / MANIFEST, manifest.model_dump_json().encode())
    return _outcome(manifest, written, len(gone))


def read_manifest(folder: Path) -> Manifest:
    """Which files of a folder an earlier call wrote.

    Raises:
        UsageError: it has files, and none of them says that.
    """
    file = folder / MANIFEST
    if file.is_file():
        try:
            return Manifest.model_validate_json(file.read_bytes())
        except ValidationError as error:
            raise UsageError(f"{file} is not what this command wrote: choose another folder, or empty this") from error
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} has no site but other files: choose an empty or a new folder")
    return Manifest()


def _made(parts: list[Part], settings: Settings, snapshot: str) -> Iterator[tuple[Part, list[bytes]]]:
    """Make parts of the site of a snapshot, many of them in as many processes as there are threads.

    Raises:
        PlatformError: the machine ended a process.
    """
    if len(parts) <= FEW:
        yield from ((part, list(part.make())) for part in parts)
        return
    context, given = get_context("spawn"), (settings.model_copy(update={"threads": 1}), snapshot)
    with ProcessPoolExecutor(settings.threads, context, _open, given) as pool:
        try:
            yield from zip(parts, pool.map(_make, [part.names[0] for part in parts]), strict=True)
        except BrokenExecutor as error:
            raise PlatformError(
                "a process that made pages was ended, most likely for lack of memory: try CHICAGO_CRIME_THREADS=1"
            ) from error


_parts: dict[str, Part] = {}
"""In a process that makes parts: all of them, by the first name of each."""


def _open(settings: Settings, snapshot: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started this one
    _parts.update({part.names[0]: part for part in parts_of(Data(Installation(settings).reader(snapshot)))})


def _make(name: str) -> list[bytes]:
    return list(_parts[name].make())


def _is_written(folder: Path, name: str, held: Manifest, part: Part) -> bool:
    file, path = held.files.get(name, File()), folder / name
    return file.of == part.of and path.is_file() and path.stat().st_size == file.bytes


def _outcome(manifest: Manifest, written: int, removed: int) -> Outcome:
    return Outcome(len(manifest.files), sum(file.bytes for file in manifest.files.values()), written, removed)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_bytes(content)
    unfinished.replace(path)
