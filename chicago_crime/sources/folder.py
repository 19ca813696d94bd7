"""The source `folder`: files on the local disk, each with one year or many, in the formats found in practice."""

import hashlib
import re
import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path

from typing_extensions import override

from chicago_crime.errors import UsageError
from chicago_crime.sources.base import (
    NO_FILES,
    VERSION,
    CrimeSource,
    Expected,
    NotCrimesError,
    Previous,
    Progress,
    SourceError,
    SourceFile,
    no_progress,
    years_in,
)
from chicago_crime.sources.by_year import YearSplit, split_by_year
from chicago_crime.sources.containers import BLOCK, Item, open_item, scan, shown, unpacked_size
from chicago_crime.sources.layouts import detect_layout
from chicago_crime.sources.records import Dialect, as_csv, csv_line, find_records, whole_lines
from chicago_crime.tables.columns import SOURCE_NAMES
from chicago_crime.tables.years import FIRST_YEAR, current_year, format_years

SETTLE_S = 60
"""A file modified within this many seconds may still be copying."""

MAX_SHOWN = 5
"""Maximum number of files named in a message."""

_OPEN_END = re.compile("present|today|to.date|current|since|onward", re.IGNORECASE)
_DATE = re.compile(
    r"(?<!\d)(20\d\d)(?:[-_.]\d\d[-_.]\d\d|(?:\d\d){1,2})(?!\d)"
    r"|(?<!\d)(?:\d\d?[-_.]\d\d?|(?:jan|feb|ma|apr|ju|aug|sep|oct|nov|dec)[a-z]*[-_. ]\d\d?,?)[-_. ](20\d\d)(?!\d)",
    re.IGNORECASE,
)
"""A day, or a month without a separator, as downloads often have in their names."""
_WEEK = re.compile(r"(?<![a-z])(?:week|wk|kw|w)[-_ ]?\d\d?(?!\d)", re.IGNORECASE)
"""A week, which may have days of two years."""


class NoFolderError(SourceError, UsageError):
    """The configured folder does not exist."""


@dataclass(frozen=True)
class _YearsInName:
    """The years that a file may contain, according to its name.

    If it has a single year and no sign of others, all rows are assigned to that year.
    """

    first: int = 0
    last: int = 9999
    is_one_year: bool = False

    def may_contain(self, year: int) -> bool:
        return self.first <= year <= self.last


def _years_in_name(item: Item) -> _YearsInName:
    for name in item.names:
        years = years_in(_DATE.sub("", name))
        dates = {int(first or last) for first, last in _DATE.findall(name)}
        if not years | dates:
            continue
        if not years or _WEEK.search(name):
            return _YearsInName()
        has_open_end = bool(dates - years or _OPEN_END.search(name))
        last = 9999 if has_open_end else max(years)
        return _YearsInName(min(years | dates), last, len(years) == 1 and not has_open_end)
    return _YearsInName()


@dataclass(frozen=True)
class FolderSource(CrimeSource):
    """Collects the rows of a year from all files in a folder.

    A file with a single year in its name is read as that year; other files are split by the dates of their rows.

    Attributes:
        folder: the folder with the files; of subfolders, only Spark output is read.
        setting: the option or setting that names the folder, for error messages.
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
        self, years: Sequence[int], directory: Path, progress: Progress = no_progress, previous: Previous = NO_FILES
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
        """Unpack and join the files of the year, verifying the checksums of compressed files."""
        items, others = self._scan()
        splits: list[YearSplit] = []
        without_year: list[YearSplit] = []
        not_crimes: list[str] = []
        for number, item in enumerate(item for item in items if _years_in_name(item).may_contain(year)):
            split = self._splits.get(item) or _split(item, [year], directory / str(number), progress)
            if isinstance(split, NotCrimesError) and not _years_in_name(item).is_one_year:
                not_crimes.append(str(split))
            elif isinstance(split, SourceError):
                raise split
            elif split.lines[year] or split.is_one_year:
                splits.append(split)
            elif split.without_year:
                without_year.append(split)
        if not splits:
            raise SourceError(self._why_missing([year]))
        for split in splits:
            if split.item.version != split.version:
                raise SourceError(
                    f"{split.item} changed while it was being read: wait until it is complete, then try again"
                )
        version = ", ".join(split.version for split in splits)
        parts, same = _without_duplicates(splits, year)
        is_alike = len({part.layout.header.names for part in parts}) == 1
        target = directory / f"{year}.csv"
        _join(parts, year, target, is_alike)
        origin = _abbreviated([*dict.fromkeys(str(part.item.inside or part.item) for part in parts)], " and ")
        details = _details(parts, without_year, year) | {VERSION: version, "folder": shown(self.folder)}
        if skipped := _abbreviated([*same, *not_crimes, *others]):
            details["skipped_files"] = skipped
        spans = tuple(part.span(year) for part in parts)
        ignored, missing = ((), ()) if is_alike else (_columns(parts, "ignored"), _columns(parts, "missing"))
        problems = tuple(problem for split in [*parts, *without_year] for problem in split.problems)
        return SourceFile(target, origin, False, details, spans, ignored, missing, problems)

    @override
    def expect(self, years: Sequence[int]) -> dict[int, Expected]:
        """Take sizes from the files or archive directories; read files of many years to count their rows."""
        items, others = self._scan()
        found = {
            year: [_expected(item, year) for item in items if _years_in_name(item).may_contain(year)] for year in years
        }
        missing = [year for year, files in found.items() if not any(one.description for one in files)]
        absent = Expected("", problem=self._why_missing(missing) if missing else "")
        return {year: absent if year in missing else _combined(found[year], others) for year in years}

    @override
    def versions(self) -> dict[int, str]:
        """Omit years with files that are still being written."""
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
                f"{self.setting or self.folder} is not a folder: give the one with the .csv, .csv.gz or .zip files"
            )

    def _scan(self) -> tuple[list[Item], list[str]]:
        self.check_settings()
        try:
            return scan(self.folder)
        except OSError as error:
            raise SourceError(f"{self.folder} cannot be listed ({error.strerror}): check its permissions") from error

    def _why_missing(self, years: Sequence[int]) -> str:
        """Explain why there are no rows of these years."""
        elsewhere: list[str] = []
        unread: list[str] = []
        without_year: list[str] = []
        items, others = self._scan()
        for item in items:
            if not any(map(_years_in_name(item).may_contain, years)):
                elsewhere.append(f"{shown(item.file.name)}:{item.member}" if item.member else item.names[0])
                continue
            try:
                split = _count_years(item, item.version)
            except SourceError as error:
                unread.append(str(error))
                continue
            if split.without_year:
                without_year.append(split.described_without_year)
        have = format_years(self.years()) or "none"
        reasons = "".join(
            f" {reason}: {_abbreviated(texts)}."
            for reason, texts in (
                ("Lines without a year in the date (supported: 02/28/2016, 28-Feb-16, and others)", without_year),
                (
                    "Not searched because of other years in the name (files without one are searched for all years)",
                    elsewhere,
                ),
                ("Skipped", [*unread, *others]),
            )
            if texts
        )
        advice = reasons or " Add a .csv, .csv.gz or .zip file for the year."
        return f"{self.folder}: no rows for {format_years(years)}. Years found: {have}.{advice}"


def _abbreviated(texts: Sequence[str], by: str = "; ") -> str:
    """Join the first texts, and count the rest."""
    more = [f"{len(texts) - MAX_SHOWN} more"] if len(texts) > MAX_SHOWN else []
    return by.join([*texts[:MAX_SHOWN], *more])


def _split(item: Item, years: Sequence[int], directory: Path, progress: Progress) -> YearSplit | SourceError:
    """Extract the lines of some years from a file, or return the error."""
    directory.mkdir(parents=True, exist_ok=True)
    try:
        return split_by_year(item, years, directory, progress, _years_in_name(item).is_one_year)
    except SourceError as error:
        return error


def _without_duplicates(splits: Sequence[YearSplit], year: int) -> tuple[list[YearSplit], list[str]]:
    """Drop files with identical rows, such as a zip file and its unpacked member; also return which were dropped."""
    if len(splits) == 1:  # most years: no digest to compute
        return list(splits), []
    kept: dict[object, YearSplit] = {}
    same: list[str] = []
    for split in splits:
        with split.files[year].open("rb") as file:
            file.readline()  # headers may differ in spelling
            rows = hashlib.file_digest(file, "sha256").digest()
        if (first := kept.setdefault((split.layout.header.positions, rows), split)) is not split:
            same.append(f"{split.item} has the same rows as {first.item}")
    return list(kept.values()), same


def _join(splits: Sequence[YearSplit], year: int, target: Path, is_alike: bool) -> None:
    """Join the files of a year, with the canonical columns if their headers differ."""
    if len(splits) == 1:
        shutil.move(splits[0].files[year], target)
        return
    with target.open("wb") as file:
        file.write(csv_line(splits[0].layout.header.names if is_alike else SOURCE_NAMES))
        for split in splits:
            header = split.layout.header
            plain = Dialect(len(header.names))
            with split.files[year].open("rb") as lines:
                lines.readline()
                if is_alike:
                    shutil.copyfileobj(lines, file)
                    continue
                # Repeated headers are in the column order of this file, which the gate would not recognize.
                blocks = whole_lines(iter(partial(lines.read, BLOCK), b""))
                for records in find_records(blocks, plain, header.names):
                    file.write(as_csv(records, plain, header.positions))


@cache
def _count_years(item: Item, version: str) -> YearSplit:
    """Count the lines of each year in this version of a file."""
    return split_by_year(item)


def _years_of(item: Item) -> set[int]:
    """Return the years in an item; none if it cannot be read."""
    named = _years_in_name(item)
    if named.is_one_year:
        return {named.first}
    with suppress(SourceError):
        found = filter(named.may_contain, _count_years(item, item.version).lines)
        return {year for year in found if FIRST_YEAR <= year <= current_year()}
    return set()


def _details(splits: Sequence[YearSplit], others: Sequence[YearSplit], year: int) -> dict[str, str | int | bool]:
    """Return facts for the manifest about the files of a year, and about others with lines that have no year."""
    details: dict[str, str | int | bool] = {}
    for split in [*splits, *others]:
        for key, value in split.details(year).items():
            details[key] = value if isinstance(value, str) else int(details.get(key, 0)) + value
    return details


def _columns(splits: Sequence[YearSplit], kind: str) -> tuple[str, ...]:
    """Return the ignored or missing columns of files with different headers."""
    lists = [getattr(split.layout.header, kind) for split in splits]
    names = dict.fromkeys(name for one in lists for name in one)
    return tuple(name if all(name in one for one in lists) else f"{name} (in some files)" for name in names)


def _expected(item: Item, year: int) -> Expected:
    """Describe an item's rows of a year; with an empty description if it has none."""
    is_one_year = _years_in_name(item).is_one_year
    try:
        if is_one_year:
            with open_item(item) as (stream, _):
                detect_layout(item, stream)
            return Expected(str(item), bytes=unpacked_size(item))
        split = _count_years(item, item.version)
        refusals = tuple(split.problems)
        if year in split.lines:
            return Expected(str(item), bytes=split.bytes[year], refusals=refusals)
        skipped = f"lines without a year: {split.described_without_year}" if split.without_year else ""
        return Expected("", bytes=0, refusals=refusals if skipped else (), skipped=skipped)
    except SourceError as error:
        if not is_one_year and isinstance(error, NotCrimesError):
            return Expected("", bytes=0, skipped=str(error))
        return Expected(str(item), problem=str(error))


def _combined(found: Sequence[Expected], others: Sequence[str]) -> Expected:
    sizes = [one.bytes for one in found]
    return Expected(
        _abbreviated([one.description for one in found if one.description], " and "),
        bytes=None if None in sizes else sum(filter(None, sizes)),
        problem="; ".join(one.problem for one in found if one.problem),
        refusals=tuple(refusal for one in found for refusal in one.refusals),
        skipped=_abbreviated([*(one.skipped for one in found if one.skipped), *others]),
    )
