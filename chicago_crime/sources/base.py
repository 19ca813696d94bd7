"""The interface that every source implements, and the file that it delivers."""

import re
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from chicago_crime.errors import PlatformError

Progress = Callable[[int, int | None], None]
"""Callback with the bytes or rows done so far and the total, None if unknown."""

VERSION = "version"
"""Key in a file's details for the version of the year; see `CrimeSource.versions`."""

DIFFERENCE = "difference"
"""Key in a file's details for what a full download corrected, in words."""


def no_progress(done: int, total: int | None) -> None:
    """Ignore progress."""


MAX_REJECTED_SHARE = 0.01
"""Maximum share of unusable rows or lines, if there are at least `MIN_REJECTED`."""

MIN_REJECTED = 5
"""Minimum number of unusable rows or lines for a share to be meaningful."""


class SourceError(PlatformError):
    """A source cannot deliver a year. The message names the file or setting and what to do."""


class NotCrimesError(SourceError):
    """A readable file without a header of crime columns, or a link to a missing file."""


class Place(NamedTuple):
    """The place of a line in the user's files: its number, its file if there are several, and the number's unit."""

    number: int
    file: str = ""
    unit: str = "line"

    def __str__(self) -> str:
        return f"{self.unit} {self.number:,}{self.file and f' of {self.file}'}"


@dataclass(frozen=True)
class Span:
    """Consecutive lines of a year's CSV that come from one of the user's files.

    Attributes:
        name: the user's file.
        lines: number of lines.
        numbers: file with the line number of each in the user's file, as 8-byte integers.
        unit: unit of these numbers: "line", or "record" for JSON.
    """

    name: str
    lines: int
    numbers: Path
    unit: str = "line"

    def number(self, index: int) -> int:
        """Line number in the user's file of the line at an index of the span."""
        with self.numbers.open("rb") as file:
            file.seek(8 * index)
            return int.from_bytes(file.read(8), sys.byteorder)


@dataclass(frozen=True)
class SourceFile:
    """One year's CSV on the local disk, uncompressed and otherwise as published.

    Attributes:
        path: the CSV file, inside the directory that was passed to `fetch`.
        origin: where it came from, in enough detail to find it again.
        synthetic: True if the rows are made up; every view of them must be labeled as synthetic.
        details: other facts for the manifest, such as a seed or a URL. `partial`, if the source can tell, is True if
            the publisher will still add rows to the year.
        spans: origin of the lines after the header, if the CSV was assembled from the user's files.
        ignored: columns of these files that were dropped because they are not source columns.
        missing: source columns that some of these files lack.
        problems: problems for which the file is refused unless a user accepts them.
    """

    path: Path
    origin: str
    synthetic: bool = False
    details: dict[str, str | int | bool] = field(default_factory=dict)
    spans: tuple[Span, ...] = ()
    ignored: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    def place(self, line: int) -> Place:
        """Locate a line of the CSV in the user's files; the header is line 1."""
        index = line - 2
        for span in self.spans if index >= 0 else ():
            if index < span.lines:
                return Place(span.number(index), span.name if len(self.spans) > 1 else "", span.unit)
            index -= span.lines
        return Place(line)


class PreviousFile(NamedTuple):
    """The file that this source delivered for a year before: path, SHA-256 in hexadecimal, and details."""

    path: Path
    sha256: str
    details: Mapping[str, str | int | bool]


Previous = Mapping[int, PreviousFile]
"""The files of years that were fetched from the source before."""

NO_FILES: Previous = {}


@dataclass(frozen=True)
class Expected:
    """What a source knows about a year's file before fetching it.

    Attributes:
        description: the file, in words.
        rows: number of rows, if known.
        bytes: size as uncompressed CSV, if known.
        problem: why fetching it would fail; "" if no problem is known.
        refusals: problems for which it is refused unless a user accepts them.
        skipped: files that would be skipped, and why.
    """

    description: str
    rows: int | None = None
    bytes: int | None = None
    problem: str = ""
    refusals: tuple[str, ...] = ()
    skipped: str = ""


class CrimeSource(ABC):
    """Delivers the crimes of a year as one CSV file."""

    name: str

    is_inbox = False
    """True if every year that appears is meant to be loaded, as in a folder of the user."""

    fresh_for: timedelta | None = None
    """Maximum age of published data from this source; None if it does not change by itself."""

    @abstractmethod
    def years(self) -> list[int]:
        """Return the years that are available now, ascending."""

    def prepare(
        self, years: Sequence[int], directory: Path, progress: Progress = no_progress, previous: Previous = NO_FILES
    ) -> "CrimeSource":
        """Return a source that is prepared to fetch the years of a run.

        Files and requests that cover many years are read here, once. An error in a file is raised when one of its
        years is fetched. `directory` has the intermediate files, and is kept until the last fetch.
        """
        return self

    def unchanged(self) -> list[int]:
        """Return the years that a prepared source found unchanged since they were fetched."""
        return []

    @abstractmethod
    def fetch(self, year: int, directory: Path, progress: Progress = no_progress) -> SourceFile:
        """Write a year's CSV into `directory`.

        `directory` is an empty folder on the file system where the file will be kept. The caller publishes the file
        from there, so a failed fetch leaves the year's previous file untouched.

        Raises:
            SourceError: the year is unavailable, or the file is incomplete.
        """

    def expect(self, years: Sequence[int]) -> dict[int, Expected]:
        """Describe the files of these years without fetching them; omits unavailable years.

        Raises:
            SourceError: the publisher cannot be reached.
        """
        return {year: Expected(f"a file of {self.name}") for year in self.years() if year in years}

    def versions(self) -> dict[int, str]:
        """Return a version string for each year of an inbox, without fetching; it changes with any file of the year.

        `fetch` stores the version that it fetched in the details under `VERSION`. Incomplete years are omitted.

        Raises:
            SourceError: the inbox cannot be read.
        """
        return {}

    def check_settings(self) -> None:  # noqa: B027 - most sources have nothing to check
        """Check before a run, without any request, that the settings allow a fetch.

        Raises:
            UsageError: a setting is wrong; the message names it and what to do.
        """

    def check_access(self) -> str:
        """Verify with one quick request that the publisher accepts our credentials.

        Returns:
            The finding for `doctor`, without secrets; "" if there is nothing to verify.

        Raises:
            SourceError: access is denied, or the publisher cannot be reached.
        """
        return ""


def years_in(name: str) -> set[int]:
    """Return the years in a file name."""
    return {int(year) for year in re.findall(r"(?<!\d)20\d\d(?!\d)", name)}


@dataclass(frozen=True)
class Boundaries:
    """The official outlines of the City's places.

    Attributes:
        origin: where they come from, in words.
        places: the count of each kind, in words.
        geojson: one feature per place with `kind` and `number`, in longitude and latitude (WGS 84).
    """

    origin: str
    places: str
    geojson: bytes = field(repr=False)
