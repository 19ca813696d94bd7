"""The source `folder`: yearly files that were downloaded already, as .csv, .csv.gz or inside a .zip."""

import gzip
import re
import shutil
import time
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from typing_extensions import override

from chicago_crime.errors import UsageError
from chicago_crime.sources.base import (
    VERSION,
    CrimeSource,
    Expected,
    Progress,
    SourceError,
    SourceFile,
    no_progress,
    years_in,
)

AT_REST_S = 60
"""A file that changed within this many seconds may still be being copied into the folder."""

_BLOCK = 1 << 20


class NoFolderError(SourceError, UsageError):
    """The configured folder does not exist; the message says how to configure another."""


@dataclass(frozen=True)
class _Found:
    """A CSV in the folder: a file, or a member of a zip file."""

    file: Path
    member: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.member}" if self.member else str(self.file)

    @property
    def version(self) -> str:
        """Name, size in bytes, and time of the last change in nanoseconds since 1970."""
        state = self.file.stat()
        return f"{self.file.name}:{self.member} {state.st_size} {state.st_mtime_ns}"

    @property
    def is_zipped(self) -> bool:
        return self.file.suffix.lower() == ".zip"


@dataclass
class FolderSource(CrimeSource):
    """Takes a year's CSV from a folder: the file whose name contains that year and no other.

    Attributes:
        folder: where the files are; subfolders are not searched.
    """

    folder: Path
    name = "folder"
    is_inbox = True
    look_every_s = 60

    @override
    def years(self) -> list[int]:
        return sorted({year for year, _ in self._files()})

    @override
    def fetch(self, year: int, directory: Path, progress: Progress = no_progress) -> SourceFile:
        """Copy or decompress the file; the checksums of compressed files are verified."""
        found = [file for of_year, file in self._files() if of_year == year]
        if not found:
            have = ", ".join(map(str, self.years())) or "none"
            raise SourceError(
                f"{self.folder} has no file for {year}: it needs a .csv, .csv.gz or .zip with {year} and no other year "
                f"in its name. Years found: {have}."
            )
        if len(found) > 1:
            raise SourceError(f"{self.folder} has several files for {year}: {', '.join(map(str, found))}. Keep one.")
        source = found[0]
        version = source.version  # taken before reading: a later change is another version
        target = directory / f"{_stem(source.member or source.file.name)}.csv"
        try:
            _copy(source, target, progress)
        except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile) as error:
            raise SourceError(f"{source} is damaged or truncated ({error}): download it again") from error
        return SourceFile(target, origin=str(source), details={VERSION: version})

    @override
    def expect(self, years: Sequence[int]) -> dict[int, Expected]:
        """Sizes come from the files or their archives' directories."""
        found = self._by_year()
        return {
            year: Expected(" and ".join(map(str, found[year])), bytes=_unpacked_size(found[year][0]))
            for year in years
            if year in found
        }

    @override
    def versions(self) -> dict[int, str]:
        """Leave out files that are being written."""
        now = time.time()
        return {
            year: ", ".join(file.version for file in files)
            for year, files in sorted(self._by_year().items())
            if all(now - file.file.stat().st_mtime >= AT_REST_S for file in files)
        }

    @override
    def refuse_wrong_settings(self) -> None:
        if not self.folder.is_dir():
            raise NoFolderError(
                f"{self.folder} is not a folder: set --folder or CHICAGO_CRIME_FOLDER to the folder with the yearly "
                ".csv, .csv.gz or .zip files"
            )

    def _by_year(self) -> dict[int, list[_Found]]:
        found: dict[int, list[_Found]] = {}
        for year, file in self._files():
            found.setdefault(year, []).append(file)
        return found

    def _files(self) -> Iterator[tuple[int, _Found]]:
        self.refuse_wrong_settings()
        for file in sorted(self.folder.iterdir()):
            name = file.name.lower()
            if name.endswith((".csv", ".csv.gz")):
                found = [_Found(file)]
            elif name.endswith(".zip"):
                found = [_Found(file, member) for member in _members(file)]
            else:
                continue
            for csv in found:
                # The name of the zip file may contain the year when its member's does not.
                years = years_in(Path(csv.member).name) or years_in(file.name)
                if len(years) == 1:
                    yield years.pop(), csv


def _members(file: Path) -> list[str]:
    try:
        with zipfile.ZipFile(file) as archive:
            return [name for name in archive.namelist() if name.lower().endswith(".csv") and "__MACOSX" not in name]
    except zipfile.BadZipFile:
        return [""]  # listed anyway, so that a fetch of its year reports the damage


def _unpacked_size(source: _Found) -> int | None:
    try:
        if source.is_zipped:
            with zipfile.ZipFile(source.file) as archive:
                return archive.getinfo(source.member).file_size
        size = source.file.stat().st_size
        if not source.file.name.lower().endswith(".gz"):
            return size
        with source.file.open("rb") as stream:
            stream.seek(max(0, size - 4))
            return int.from_bytes(stream.read(4), "little")  # gzip's trailer: the size modulo 4 GB
    except (OSError, KeyError, zipfile.BadZipFile):
        return None  # a fetch will report it


def _stem(name: str) -> str:
    return re.sub(r"(\.csv|\.gz)+$", "", Path(name).name, flags=re.IGNORECASE)


def _copy(source: _Found, target: Path, progress: Progress) -> None:
    if source.is_zipped:
        with zipfile.ZipFile(source.file) as archive, archive.open(source.member) as stream:
            _write(stream, target, archive.getinfo(source.member).file_size, progress)
    elif source.file.name.lower().endswith(".gz"):
        with gzip.open(source.file) as stream:
            _write(stream, target, None, progress)
    else:
        shutil.copyfile(source.file, target)  # may copy within the kernel
        size = target.stat().st_size
        progress(size, size)


def _write(stream: IO[bytes] | gzip.GzipFile, target: Path, size: int | None, progress: Progress) -> None:
    done = 0
    with target.open("wb") as file:
        while block := stream.read(_BLOCK):
            file.write(block)
            done += len(block)
            progress(done, size)
