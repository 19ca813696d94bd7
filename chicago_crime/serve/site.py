"""The static site in a folder: writes only what changed, and never touches other files."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, StringConstraints, ValidationError

from chicago_crime.dashboard.data import Data
from chicago_crime.errors import UsageError
from chicago_crime.installation import Installation
from chicago_crime.intake.staging import complete_file
from chicago_crime.serve.site_pages import Part, site_parts
from chicago_crime.sources.base import Progress, no_progress

MANIFEST = "site.json"


class File(BaseModel):
    """A file of the site: the fingerprint of its part (empty while it is being written), and its size."""

    of: str = ""
    bytes: int = 0


class Manifest(BaseModel):
    """The files of a site by path. No other files are ever replaced or removed."""

    files: dict[Annotated[str, StringConstraints(pattern=r"^[\w-]+(/[\w-]+)*(\.\w+)+$")], File] = {}


@dataclass(frozen=True)
class Outcome:
    """Files and bytes in the folder of a site, and how many files were written and removed."""

    files: int
    bytes: int
    written: int
    removed: int


def write_site(
    installation: Installation, folder: Path, as_of: date | str | None = None, progress: Progress = no_progress
) -> Outcome:
    """Write the site of a snapshot (default: the newest) into an empty folder or over an earlier site.

    Unchanged files are not rewritten. An interrupted call is completed by the next one. `progress` receives how many of
    the possibly changed pages and downloads are done.

    Raises:
        UsageError: the folder contains files that are not part of an earlier site.
        PlatformError: the snapshot does not exist, or one of its files is damaged.
    """
    files = read_manifest(folder).files
    parts = site_parts(Data(installation.reader(as_of)))
    names = [name for part in parts for name in part.names]
    if foreign := [name for name in names if name not in files and (folder / name).exists()]:
        raise UsageError(f"{folder / foreign[0]} is not part of an earlier site: move it, or choose another folder")

    def is_written(name: str, fingerprint: str) -> bool:
        file, path = files.get(name, File()), folder / name
        return file.of == fingerprint and path.is_file() and path.stat().st_size == file.bytes

    def make(part: Part) -> int:
        written = 0
        for name, content in zip(part.names, part.make(), strict=True):
            path = folder / name
            if not path.is_file() or path.read_bytes() != content:
                _write(path, content)
                written += 1
            files[name] = File(of=part.fingerprint, bytes=len(content))
        return written

    stale = [part for part in parts if not all(is_written(name, part.fingerprint) for name in part.names)]
    gone = files.keys() - set(names)
    written = 0
    if stale or gone:
        files |= {name: File() for part in stale for name in part.names}
        _write(folder / MANIFEST, Manifest(files=files).model_dump_json().encode())
        with ThreadPoolExecutor(installation.settings.threads) as pool:
            for done, count in enumerate(pool.map(make, stale), 1):
                written += count
                progress(done, len(stale))
        for name in gone:
            (folder / name).unlink(missing_ok=True)
            del files[name]
        _write(folder / MANIFEST, Manifest(files=files).model_dump_json().encode())
    return Outcome(len(files), sum(file.bytes for file in files.values()), written, len(gone))


def read_manifest(folder: Path) -> Manifest:
    """Read which files of a folder belong to an earlier site.

    Raises:
        UsageError: the folder contains files, but no manifest.
    """
    file = folder / MANIFEST
    if file.is_file():
        return parse_manifest(file.read_bytes(), file)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} contains files but no site: choose a new or empty folder")
    return Manifest()


def parse_manifest(content: bytes, place: object) -> Manifest:
    """Parse a manifest; errors name the place it was read from."""
    try:
        return Manifest.model_validate_json(content)
    except ValidationError as error:
        raise UsageError(f"{place} was not written by this command: choose another place, or empty this one") from error


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with complete_file(path) as file:
        file.write(content)
