"""Match the header of a CSV to the source columns."""

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass

from chicago_crime.tables.columns import SOURCE_COLUMNS, SOURCE_NAMES

SPELLINGS = {
    spelling: column.name for column in SOURCE_COLUMNS for spelling in (column.name.replace("_", ""), *column.spellings)
}
"""Normalized spellings, and the source column of each."""

REQUIRED = ", ".join(column.name for column in SOURCE_COLUMNS if column.required)
MAX_HEADER_CHARS = 400
"""Characters of an unusable header that are quoted in the error."""


def normalize(name: str) -> str:
    """Normalize a column name for `SPELLINGS`: its letters, digits, and the sign of a system field (:id, _id)."""
    return re.sub("(?!^[:_])[^a-z0-9]", "", name.strip().lower())


class HeaderError(ValueError):
    """An unusable header; the message names the columns."""


@dataclass(frozen=True)
class Header:
    """The header of a CSV, matched to the source columns.

    Attributes:
        names: column names in the file.
        positions: index in the file of each source column, in canonical order; None if the file lacks it.
        ignored: names of columns that are not source columns.
    """

    names: tuple[str, ...]
    positions: tuple[int | None, ...]
    ignored: tuple[str, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """Source columns that the file lacks."""
        return tuple(name for name, index in zip(SOURCE_NAMES, self.positions, strict=True) if index is None)

    def position(self, name: str) -> int | None:
        """Return the index of a source column in the file, None if the file lacks it."""
        return self.positions[SOURCE_NAMES.index(name)]


def read_header(names: Iterable[str]) -> Header:
    """Match header names to source columns, in any order and any known spelling.

    The City's own name of a column takes precedence over other spellings, which are then ignored. So is a table's name
    before all names, as in crimes.id.

    Raises:
        HeaderError: a required column is missing, or two names match the same column.
    """
    names = list(names)
    tables = {name.rpartition(".")[0] for name in names}
    plain = [normalize(name.rpartition(".")[2] if len(tables) == 1 else name) for name in names]
    found: dict[str, int] = {}
    ignored: list[str] = []
    for index, (name, spelling) in enumerate(zip(names, plain, strict=True)):
        column = SPELLINGS.get(spelling)
        own = (column or "").replace("_", "")
        if column is None or (spelling != own and own in plain):
            ignored.append(name or "(no name)")
        elif column == "year" and column in found:  # pandas users add one, and tables take the year from the date
            ignored.append(name)
        elif column in found:
            both = f"{names[found[column]]!r} and {name!r}"
            raise HeaderError(f"the header has two columns for {column}, {both}: remove the one that is not the City's")
        else:
            found[column] = index
    ignored = list(dict.fromkeys(ignored))
    lacking = [column.name for column in SOURCE_COLUMNS if column.required and column.name not in found]
    if lacking and not found and any(name.isdecimal() for name in names):
        raise HeaderError(
            f"no header, only values ({', '.join(names[:3])}, ...): add a line with the column names (ID, Date, ...)"
        )
    if lacking:
        has = ", ".join(ignored + list(found))[:MAX_HEADER_CHARS] or "no columns"
        raise HeaderError(
            f"the header lacks {', '.join(lacking)} (found: {has}). A file of Chicago crimes needs columns for "
            f"{REQUIRED}: export it again with all of them, or load the years with --source portal"
        )
    return Header(tuple(names), tuple(map(found.get, SOURCE_NAMES)), tuple(ignored))


def repeated_header(line: str, header: Header, separator: str = ",") -> list[str]:
    """Return the column names if a line repeats the header, in any spelling; else an empty list.

    Raises:
        HeaderError: its columns are in a different order, so the rows below it are, too.
    """
    names = next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])
    try:
        again = read_header(names)
    except HeaderError:
        return []
    if again.positions != header.positions:
        raise HeaderError(
            "is a header with the columns in a different order. Split the file above this line, and put both parts in "
            "the folder."
        )
    return names
