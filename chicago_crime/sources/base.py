"""The interface of the sources: whoever publishes the yearly CSVs, and the file a source delivers."""

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
"""Receives how much of a year is done and the total (bytes or rows; None if unknown)."""


VERSION = "version"
"""The key in a file's details that identifies the version of the year: see `CrimeSource.versions`."""

DIFFERENCE = "difference"
"""The key in a file's details that says, in words, what a reading of the whole year corrected."""


def no_progress(done: int, total: int | None) -> None:
    """Ignore progress."""


class SourceError(PlatformError):
    """A source cannot deliver a year; the message names the file or setting and says what to do."""


class NotCrimesError(SourceError):
    """A file is readable, but nothing in it names the columns of crimes."""


class Place(NamedTuple):
    """A line as the user can find it: its number, its file if there are several, and what the file is counted in."""

    number: int
    file: str = ""
    unit: str = "line"

    def __str__(self) -> str:
        return f"{self.unit} {self.number:,}{self.file and f' of {self.file}'}"


@dataclass(frozen=True)
class Span:
    """Consecutive lines of a year's file that come from one file of the user.

    Attributes:
        name: the user's file.
        lines: how many lines.
        numbers: a file with the number of each in the user's file, as an integer of 8 bytes.
        unit: what the user's file is counted in: lines, or records of JSON.
    """

    name: str
    lines: int
    numbers: Path
    unit: str = "line"

    def number(self, index: int) -> int:
        """Number of a line in the user's file; the first has index 0."""
        with self.numbers.open("rb") as file:
            file.seek(8 * index)
            return int.from_bytes(file.read(8), sys.byteorder)


@dataclass(frozen=True)
class SourceFile:
    """One year's CSV on this machine's disk, as its publisher wrote it (uncompressed).

    Attributes:
        path: the CSV file, inside the directory that was passed to `fetch`.
        origin: where it came from, in words that let a person find it again.
        synthetic: True if the rows are made up; everything that shows them must say so.
        details: anything else worth keeping in the manifest (a seed, a download address, ...). `partial` says whether
            the publisher will still add rows to the year, where the source can know it.
        spans: where its lines after the header come from, if it was made of the user's files.
        ignored: names of columns of these files that it does not have, because they are not source columns.
        missing: source columns that some of these files lack.
    """

    path: Path
    origin: str
    synthetic: bool = False
    details: dict[str, str | int | bool] = field(default_factory=dict)
    spans: tuple[Span, ...] = ()
    ignored: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    def place(self, line: int) -> Place:
        """Where a line of the CSV is in the user's files; the header is line 1."""
        index = line - 2
        for span in self.spans if index >= 0 else ():
            if index < span.lines:
                return Place(span.number(index), span.name if len(self.spans) > 1 else "", span.unit)
            index -= span.lines
        return Place(line)


class PreviousFile(NamedTuple):
    """A year's file as this source delivered it before: its path, checksum (hexadecimal) and details."""

    path: Path
    sha256: str
    details: Mapping[str, str | int | bool]


@dataclass(frozen=True)
class Expected:
    """What is known of a year's file before it is fetched.

    Attributes:
        what: the file, in words.
        rows: its number of rows, if known.
        bytes: its size as uncompressed CSV, if known.
        problem: why a fetch would fail; "" as far as nothing is known.
        left_out: files that would not be read, with the reasons, in words.
    """

    what: str
    rows: int | None = None
    bytes: int | None = None
    problem: str = ""
    left_out: str = ""


class CrimeSource(ABC):
    """Delivers the crimes of one year as one CSV file."""

    name: str

    is_inbox = False
    """True if every year that appears in it is meant to be loaded; a publisher also has years that nobody wants."""

    fresh_for: timedelta | None = None
    """How old what was published of it may become; None for a source that does not change."""

    @abstractmethod
    def years(self) -> list[int]:
        """The years this source can deliver now, ascending."""

    def prepare(
        self,
        years: Sequence[int],
        directory: Path,
        progress: Progress = no_progress,
        held: Mapping[int, PreviousFile] = {},
    ) -> "CrimeSource":
        """The source to fetch the years of a run from.

        Where one file or request has many years, it is read here, once for all of them. What is wrong with a file is
        raised by the fetch of the years that it concerns. `directory` is kept until the last fetch; `held` has the
        years that were fetched from this source before.
        """
        return self

    def unchanged(self) -> list[int]:
        """Of a prepared source, the years that it found to be as they were fetched before."""
        return []

    @abstractmethod
    def fetch(self, year: int, directory: Path, progress: Progress = no_progress) -> SourceFile:
        """Write the year's CSV into `directory` and return where it is.

        `directory` is a fresh, empty folder on the file system that will keep the file. The caller publishes the file
        from there, so a fetch that fails half-way leaves the year's previous file untouched.

        Raises:
            SourceError: the year is not available, or the file is incomplete.
        """

    def expect(self, years: Sequence[int]) -> dict[int, Expected]:
        """What is known of these years' files without fetching any; unavailable years are left out.

        Raises:
            SourceError: the publisher cannot be reached.
        """
        return {year: Expected(f"a file of {self.name}") for year in self.years() if year in years}

    def versions(self) -> dict[int, str]:
        """A text per year that changes whenever the publisher changes the year, found cheaply and without fetching.

        `fetch` stores the text of the version it fetched in the details under `VERSION`. Years that are unavailable
        or incomplete are left out; a source that never changes has none.

        Raises:
            SourceError: the publisher cannot be reached.
        """
        return {}

    def check_settings(self) -> None:  # noqa: B027 - most sources have nothing to refuse
        """Refuse, before a run starts and without any request, settings with which no year can be fetched.

        Raises:
            UsageError: the message names the setting and says what to do.
        """

    def check_access(self) -> str:
        """Make one quick request to verify that the publisher accepts our credentials.

        Returns:
            What the doctor shows about the access, without any secret; "" if there is nothing to try.

        Raises:
            SourceError: access is denied, or the publisher cannot be reached.
        """
        return ""


def years_in(name: str) -> set[int]:
    """The years that a file's name contains."""
    return {int(year) for year in re.findall(r"(?<!\d)20\d\d(?!\d)", name)}


@dataclass(frozen=True)
class Boundaries:
    """The official outlines of the City's places.

    Attributes:
        origin: where they come from, in words.
        places: how many there are of each kind, in words.
        geojson: a feature for each place with `kind` and `number`, in longitude and latitude (WGS 84).
    """

    origin: str
    places: str
    geojson: bytes = field(repr=False)
