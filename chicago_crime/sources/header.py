"""Reading a CSV header: which column is which source column."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from chicago_crime.tables.columns import SOURCE_COLUMNS

SPELLINGS = {
    spelling: column.name for column in SOURCE_COLUMNS for spelling in (column.name.replace("_", ""), *column.spellings)
}
"""Every known spelling of a column, letters and digits only, and the column's name."""

MAX_HEADER_CHARS = 400
"""Characters of a wrong header that are told."""


def normalize(name: str) -> str:
    """A name as `SPELLINGS` has it."""
    return re.sub("[^a-z0-9]", "", name.lower())


class HeaderError(ValueError):
    """A header is unusable; the message names the columns."""


@dataclass(frozen=True)
class Header:
    """A CSV's header, matched to the source columns.

    Attributes:
        positions: for each source column in canonical order its index in the file, None if the file lacks it.
        width: how many fields a row of the file has.
        ignored: names of columns that are not source columns.
    """

    positions: tuple[int | None, ...]
    width: int
    ignored: tuple[str, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """Canonical names of the columns that the file lacks."""
        return tuple(c.name for c, index in zip(SOURCE_COLUMNS, self.positions, strict=True) if index is None)

    def position(self, name: str) -> int | None:
        """Index of a source column in the file, None if the file lacks it."""
        return next(index for c, index in zip(SOURCE_COLUMNS, self.positions, strict=True) if c.name == name)


def read_header(names: Iterable[str]) -> Header:
    """Match header names to source columns, in any order and any known spelling.

    A column with the City's own name goes before one with another spelling of it, which is then ignored.

    Raises:
        HeaderError: a needed column is missing, or two names stand for the same column.
    """
    names = list(names)
    plain = [normalize(name) for name in names]
    found: dict[str, int] = {}
    ignored: list[str] = []
    for index, (name, spelling) in enumerate(zip(names, plain, strict=True)):
        column = SPELLINGS.get(spelling)
        own = (column or "").replace("_", "")
        if column is None or (spelling != own and own in plain):
            ignored.append(name or "(no name)")
        elif column in found:
            raise HeaderError(f"two columns of the header stand for {column!r}; remove or rename the second, {name!r}")
        else:
            found[column] = index
    lacking = [column.name for column in SOURCE_COLUMNS if column.needed and column.name not in found]
    if lacking and not found and any(name.isdecimal() for name in names):
        raise HeaderError(
            f"{', '.join(names[:3])}, ... are values: add a line above it that names the columns (ID, Date, ...)"
        )
    if lacking:
        has = ", ".join(ignored + list(found))[:MAX_HEADER_CHARS] or "nothing"
        raise HeaderError(
            f"the header lacks {', '.join(lacking)}; it has {has}. Is it a file of the City's crimes, with its header?"
        )
    return Header(tuple(found.get(column.name) for column in SOURCE_COLUMNS), len(names), tuple(ignored))
