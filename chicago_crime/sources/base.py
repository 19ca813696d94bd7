"""The seam between the platform and whoever publishes the yearly CSVs.

Here belongs what every source shares: the interface, the file it hands over, and its errors. How one source
gets its files belongs in that source's module; what becomes of a file afterwards belongs in `assets/`.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from chicago_crime.errors import PlatformError

Progress = Callable[[int, int | None], None]
"""Told how much of a year is done and how much there is in all (bytes or rows; None where it is not known)."""


VERSION = "version"
"""The entry of a file's details that says which version of the year it is: see `CrimeSource.versions`."""


def no_progress(done: int, total: int | None) -> None:
    """Report to nobody."""


class SourceError(PlatformError):
    """A source cannot hand over a year; the message names the file or setting and says what to do."""


@dataclass(frozen=True)
class SourceFile:
    """One year's CSV, on this machine's disk, as its publisher wrote it (uncompressed).

    Attributes:
        path: the CSV file, inside the directory that `fetch` was given.
        origin: where it came from, in words that let a person find it again.
        synthetic: True if the rows are made up; whatever shows them must say so.
        details: anything else worth keeping in the manifest (a seed, a download address, ...). `partial` says whether
            more of the year is still to come, where the source can know it.
    """

    path: Path
    origin: str
    synthetic: bool = False
    details: dict[str, str | int | bool] = field(default_factory=dict)


@dataclass(frozen=True)
class Expected:
    """What is known of a year's file before it is had.

    Attributes:
        what: the file, in words.
        rows: how many it has, where that is known.
        bytes: its size as CSV, uncompressed, where that is known.
    """

    what: str
    rows: int | None = None
    bytes: int | None = None


class CrimeSource(ABC):
    """Hands over the crimes of one year as one CSV file."""

    name: str

    is_inbox = False
    """True if all that appears in it is meant to be loaded; a publisher has years that nobody here may want."""

    look_every_s = 6 * 3600
    """How often it may be asked whether anything is new, in seconds."""

    @abstractmethod
    def years(self) -> list[int]:
        """The years this source can hand over now, ascending."""

    @abstractmethod
    def fetch(self, year: int, directory: Path, progress: Progress = no_progress) -> SourceFile:
        """Write the year's CSV into `directory` and say where it is.

        `directory` is a fresh, empty folder on the disk that will keep the file: the caller publishes the file from
        there, so a fetch that fails half-way leaves the year's former file untouched.

        Raises:
            SourceError: the year is not to be had, or what came is not whole.
        """

    def expect(self, years: Sequence[int]) -> dict[int, Expected]:
        """What is known of these years' files without fetching any; years that are not to be had are left out.

        Raises:
            SourceError: the publisher cannot be asked.
        """
        return {year: Expected(f"a file of {self.name}") for year in self.years() if year in years}

    def versions(self) -> dict[int, str]:
        """What tells the present state of each year from a former one, asked cheaply and without fetching any.

        The text of a year is equal as long as its publisher changes nothing, and `fetch` keeps the one of what it
        fetched in the details under `VERSION`. Years that are not to be had, or not yet whole, are left out; a source
        in which nothing ever changes by itself has none.

        Raises:
            SourceError: the publisher cannot be asked.
        """
        return {}

    def refuse_wrong_settings(self) -> None:  # noqa: B027 - most sources have nothing to refuse
        """Refuse, before a run starts and without asking anybody, settings under which no year is to be had.

        Raises:
            UsageError: the message names the setting and says what to do.
        """

    def try_access(self) -> str:
        """Try once, and quickly, whether the publisher lets us in.

        Returns:
            What a person should know of the access, without any secret; "" if there is nothing to try.

        Raises:
            SourceError: it does not, or cannot be reached.
        """
        return ""


def years_in(name: str) -> set[int]:
    """The years that the name of a file has in it."""
    return {int(year) for year in re.findall(r"(?<!\d)20\d\d(?!\d)", name)}
