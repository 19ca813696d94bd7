"""The source `folder`: files that were downloaded already, of one year or of many, in the forms people have them in."""

import hashlib
import re
import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from pathlib import Path

from typing_extensions import override

from chicago_crime.errors import UsageError
from chicago_crime.sources.base import (
    VERSION,
    CrimeSource,
    Expected,
    NotCrimesError,
    PreviousFile,
    Progress,
    SourceError,
    SourceFile,
    no_progress,
    years_in,
)
from chicago_crime.sources.by_year import NO_YEAR, YearSplit, split_by_year
from chicago_crime.sources.containers import BLOCK, Item, open_item, scan, unpacked_size
from chicago_crime.sources.layouts import detect_layout
from chicago_crime.sources.records import Dialect, as_csv, csv_line, find_records, whole_lines
from chicago_crime.tables.columns import SOURCE_NAMES
from chicago_crime.tables.years import FIRST_YEAR, current_year, format_years

SETTLE_S = 60
"""A file that changed within this many seconds may still be being copied into the folder."""

MAX_SKIPPED_SHOWN = 5
"""At most this many skipped files are named in a message."""

_OPEN_END = re.compile("present|today|to.date|current|since|onward", re.IGNORECASE)
_DATE = re.compile(r"(?<!\d)(20\d\d)(?:[-_.]\d\d[-_.]\d\d|(?:\d\d){1,2})(?!\d)")
"""A day, or a month without a separator, as in names of downloads."""


class NoFolderError(SourceError, UsageError):
    """The configured folder does not exist; the message says how to configure another."""


@dataclass(frozen=True)
class _YearsInName:
    """What the name of a file says about its years.

    Attributes:
        first: the first that it may have.
        last: the last that it may have.
        is_one_year: True if the name has one year and nothing that speaks of others: all of its rows are that year's.
    """

    first: int = 0
    last: int = 9999
    is_one_year: bool = False

    def may_contain(self, year: int) -> bool:
        return self.first <= year <= self.last


def _years_in_name(item: Item) -> _YearsInName:
    for name in item.names:
        years = years_in(_DATE.sub("", name))
        dates = {int(date) for date in _DATE.findall(name)}
        if not years | dates:
            continue
        if not years:
            return _YearsInName()
        has_open_end = bool(dates - years or _OPEN_END.search(name))
        return _YearsInName(min(years), 9999 if has_open_end else max(years), len(years) == 1 and not has_open_end)
    return _YearsInName()


@dataclass(frozen=True)
class FolderSource(CrimeSource):
    """Takes the rows of a year from all files of a folder that have some.

    A file whose name contains one year has the rows of that year; which years any other file has, its rows say.

    Attributes:
        folder: where the files are; of its subfolders, only those that Spark wrote are read.
        setting: what the user wrote to choose it, for the error if it does not exist.
    """

    folder: Path
    setting: str = ""
    name = "folder"
    is_inbox = True
    _splits: Mapping[Item, YearSplit | SourceError] = field(default_factory=dict, repr=False, compare=False)

    @override
    def years(self) -> list[int]:
        return sorted({year for item in self._scan()[0] for year in _years_of(item)})

    @override
    def prepare(
        self,
        years: Sequence[int],
        directory: Path,
        progress: Progress = no_progress,
        held: Mapping[int, PreviousFile] = {},
    ) -> CrimeSource:
        splits: dict[Item, YearSplit | SourceError] = {}
        for number, item in enumerate(self._scan()[0]):
            named = _years_in_name(item)
            wanted = [year for year in years if named.may_contain(year)]
            if wanted and not named.is_one_year:
                splits[item] = _split(item, wanted, directory / str(number), progress)
        return replace(self, _splits=splits)

    @override
    def fetch(self, year: int, directory: Path, progress: Progress = no_progress) -> SourceFile:
        """Unpack and join the files of the year; the checksums of compressed files are verified."""
        items, others = self._scan()
        splits: list[YearSplit] = []
        not_crimes: list[str] = []
        for number, item in enumerate(item for item in items if _years_in_name(item).may_contain(year)):
            split = self._splits.get(item) or _split(item, [year], directory / str(number), progress)
            if isinstance(split, NotCrimesError) and not _years_in_name(item).is_one_year:
                not_crimes.append(str(split))
            elif isinstance(split, SourceError):
                raise split
            elif split.lines[year] or split.is_one_year:
                splits.append(split)
        if not splits:
            raise SourceError(self._why_missing([year]))
        for split in splits:
            if split.item.version != split.version:
                raise SourceError(
                    f"{split.item} is still being written: it changed while it was read. Wait until it is complete."
                )
        version = ", ".join(split.version for split in splits)
        parts, same = _without_duplicates(splits, year)
        first, is_alike = parts[0], len({part.layout.names for part in parts}) == 1
        target = directory / f"{_stem(first.item)}{'' if first.is_one_year else f'_{year}'}.csv"
        _join(parts, year, target, is_alike)
        origin = " and ".join(dict.fromkeys(str(part.item.inside or part.item) for part in parts))
        details = _details(parts, year) | {VERSION: version, "folder": str(self.folder)}
        if left_out := _abbreviated([*same, *not_crimes, *others]):
            details["left_out"] = left_out
        spans = tuple(part.span(year) for part in parts)
        ignored, missing = ((), ()) if is_alike else (_columns(parts, "ignored"), _columns(parts, "missing"))
        return SourceFile(target, origin, False, details, spans, ignored, missing)

    @override
    def expect(self, years: Sequence[int]) -> dict[int, Expected]:
        """Sizes come from the files or their archives' directories; files of many years are read to count them."""
        found: dict[int, list[Expected]] = {}
        not_crimes: dict[str, None] = {}
        items, others = self._scan()
        for item in items:
            for year in filter(_years_in_name(item).may_contain, years):
                try:
                    if expected := _expected(item, year):
                        found.setdefault(year, []).append(expected)
                except NotCrimesError as error:
                    not_crimes[str(error)] = None
        left_out, missing = _abbreviated([*not_crimes, *others]), [year for year in years if year not in found]
        absent = Expected("", problem=self._why_missing(missing) if missing else "")
        return {year: _combined(found[year], left_out) if year in found else absent for year in years}

    @override
    def versions(self) -> dict[int, str]:
        """Leave out years with files that are being written."""
        now, found, changing = time.time(), dict[int, list[str]](), set[int]()
        for item in self._scan()[0]:
            with suppress(SourceError, OSError):
                years = _years_of(item)
                if now - item.file.stat().st_mtime < SETTLE_S:
                    changing |= years
                for year in years:
                    found.setdefault(year, []).append(item.version)
        return {year: ", ".join(found[year]) for year in sorted(found.keys() - changing)}

    @override
    def check_settings(self) -> None:
        if not self.folder.is_dir():
            raise NoFolderError(
                f"{self.setting or self.folder} is not a folder: name the one with the .csv, .csv.gz or .zip files"
            )

    def _scan(self) -> tuple[list[Item], list[str]]:
        self.check_settings()
        try:
            return scan(self.folder)
        except OSError as error:
            raise SourceError(f"{self.folder} cannot be listed ({error.strerror}): correct its permissions") from error

    def _why_missing(self, years: Sequence[int]) -> str:
        """Why there are no rows of these years."""
        elsewhere: list[str] = []
        unread: list[str] = []
        without_year: list[str] = []
        items, others = self._scan()
        for item in items:
            if not any(map(_years_in_name(item).may_contain, years)):
                elsewhere.append(item.names[0])
                continue
            try:
                split = _count_years(item, item.version)
            except SourceError as error:
                unread.append(str(error))
                continue
            if split.first_of_no_year:
                without_year.append(f"{split.lines[NO_YEAR] - split.blank:,}, such as {split.first_of_no_year}")
        have = format_years(self.years()) or "none"
        reasons = "".join(
            f" {reason}: {_abbreviated(texts)}."
            for reason, texts in (
                ("Lines whose date has no year (it must be like 02/28/2016 or 28-Feb-16)", without_year),
                ("Not searched, as the name has other years (a file without any is searched for all)", elsewhere),
                ("Not read", [*unread, *others]),
            )
            if texts
        )
        advice = reasons or " Put a .csv, .csv.gz or .zip file with some there."
        return f"{self.folder}: it has no rows of {format_years(years)}. Years found: {have}.{advice}"


def _abbreviated(texts: Sequence[str]) -> str:
    """The first of them, and how many others there are."""
    more = f"; and {len(texts) - MAX_SKIPPED_SHOWN} others" if len(texts) > MAX_SKIPPED_SHOWN else ""
    return "; ".join(texts[:MAX_SKIPPED_SHOWN]) + more


def _split(item: Item, years: Sequence[int], directory: Path, progress: Progress) -> YearSplit | SourceError:
    """Take the lines of some years out of a file, or say why that fails."""
    directory.mkdir(parents=True, exist_ok=True)
    try:
        return split_by_year(item, years, directory, progress, _years_in_name(item).is_one_year)
    except SourceError as error:
        return error


def _without_duplicates(splits: Sequence[YearSplit], year: int) -> tuple[list[YearSplit], list[str]]:
    """Files with different rows of a year, and which others are the same: a zip, and what was unpacked from it."""
    if len(splits) == 1:  # most years: nothing to compare, and no digest to compute
        return list(splits), []
    kept: dict[object, YearSplit] = {}
    same: list[str] = []
    for split in splits:
        with split.files[year].open("rb") as file:
            file.readline()  # names may be normalize otherwise
            rows = hashlib.file_digest(file, "sha256").digest()
        if (first := kept.setdefault((split.layout.header.positions, rows), split)) is not split:
            same.append(f"{split.item}: same as {first.item}")
    return list(kept.values()), same


def _join(splits: Sequence[YearSplit], year: int, target: Path, is_alike: bool) -> None:
    """Make one file of a year's files, with the source columns if theirs are not alike."""
    if len(splits) == 1:
        shutil.move(splits[0].files[year], target)
        return
    with target.open("wb") as file:
        file.write(csv_line(splits[0].layout.names if is_alike else SOURCE_NAMES))
        for split in splits:
            plain, columns = Dialect(len(split.layout.names)), split.layout.header.positions
            with split.files[year].open("rb") as lines:
                lines.readline()
                if is_alike:
                    shutil.copyfileobj(lines, file)
                    continue
                # Headers that come again are in the order of this file, in which the gate would not know them.
                blocks = whole_lines(iter(partial(lines.read, BLOCK), b""))
                for records in find_records(blocks, plain, split.layout.names):
                    file.write(as_csv(records, plain, columns))


@lru_cache(maxsize=64)
def _count_years(item: Item, version: str) -> YearSplit:
    """Count the lines of each year in a version of a file."""
    return split_by_year(item)


def _years_of(item: Item) -> set[int]:
    """The years that an item has; none if it cannot be read."""
    named = _years_in_name(item)
    if named.is_one_year:
        return {named.first}
    with suppress(SourceError):
        found = filter(named.may_contain, _count_years(item, item.version).lines)
        return {year for year in found if FIRST_YEAR <= year <= current_year()}
    return set()


def _details(splits: Sequence[YearSplit], year: int) -> dict[str, str | int | bool]:
    """What a manifest keeps of the files of a year."""
    details: dict[str, str | int | bool] = {}
    for split in splits:
        for key, value in split.details(year).items():
            details[key] = value if isinstance(value, str) else int(details.get(key, 0)) + value
    cut_off = [
        f"{split.item}, {split.cut_off}" if len(splits) > 1 else split.cut_off for split in splits if split.cut_off
    ]
    return details | ({"cut_off": " ".join(cut_off)} if cut_off else {})


def _columns(splits: Sequence[YearSplit], kind: str) -> tuple[str, ...]:
    """The columns of this kind that files have which are not alike."""
    lists = [getattr(split.layout.header, kind) for split in splits]
    names = dict.fromkeys(name for one in lists for name in one)
    return tuple(name if all(name in one for one in lists) else f"{name} (in some files)" for name in names)


def _expected(item: Item, year: int) -> Expected | None:
    """What an item has of a year; None if it has nothing.

    Raises:
        NotCrimesError: it is something else than crimes, and its name does not claim to be a year of them.
    """
    is_one_year = _years_in_name(item).is_one_year
    try:
        if is_one_year:
            with open_item(item) as (stream, _):
                detect_layout(item, stream)
            return Expected(str(item), bytes=unpacked_size(item))
        split = _count_years(item, item.version)
        return Expected(str(item), bytes=split.bytes[year]) if year in split.lines else None
    except SourceError as error:
        if not is_one_year and isinstance(error, NotCrimesError):
            raise
        return Expected(str(item), problem=str(error))


def _combined(found: Sequence[Expected], left_out: str) -> Expected:
    sizes = [one.bytes for one in found]
    return Expected(
        " and ".join(one.what for one in found),
        bytes=None if None in sizes else sum(filter(None, sizes)),
        problem="; ".join(one.problem for one in found if one.problem),
        left_out=left_out,
    )


def _stem(item: Item) -> str:
    name = item.inside.name if item.inside else Path(item.member or item.file.name).name
    return re.sub(r"(\.[a-z]+\d?)+$", "", name, flags=re.IGNORECASE)
