"""Detect the layout of a file of crimes: its header line, separator and quoting."""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from io import BufferedReader

from chicago_crime.sources.base import NotCrimesError, SourceError
from chicago_crime.sources.containers import HEAD, Item, detect_encoding
from chicago_crime.sources.header import SPELLINGS, Header, HeaderError, normalize, read_header
from chicago_crime.sources.records import Dialect

SEPARATORS = (",", ";", "\t", "|")
"""Common separators; a header may use another."""

MAX_LINES_BEFORE_HEADER = 50
"""Number of lines that are searched for the header."""

_QUOTED = re.compile('"(?:[^"]|"")*"')


@dataclass(frozen=True)
class Layout:
    """The layout of a file.

    Attributes:
        line: line number of the header, from 1.
        is_wrapped: True if entire lines are quoted, as if each were a single field.
    """

    header: Header
    line: int
    dialect: Dialect
    is_wrapped: bool

    @property
    def is_plain(self) -> bool:
        """True if the records need no conversion."""
        return self.dialect == Dialect(len(self.header.names)) and not self.is_wrapped


def detect_layout(item: Item, stream: BufferedReader) -> Layout:
    """Detect the layout from the start of a file, without advancing the stream.

    Raises:
        SourceError: the file is not a CSV of crimes.
    """
    head = stream.peek(HEAD)
    if not head:
        raise SourceError(f"{item} is empty: download it again, or remove it")
    marks, encoding = detect_encoding(head)
    text = head[marks:].decode(encoding, "replace")
    if re.match(r"\s*<", text):
        raise SourceError(f"{item} is an HTML or XML page, not a CSV, probably an error page: download it again")
    lines = re.split(r"\r\n|\r|\n", text)
    declared = re.findall(r"^sep=([\t!-~])$", lines[0], re.IGNORECASE)
    for index, line in enumerate(lines[:MAX_LINES_BEFORE_HEADER]):
        for separator in (*declared, *_separators(line)):
            if names := _header(line, separator):
                after = lines[index + 1 :]
                names = _fit_to_rows(names, after, separator)
                blanks = re.compile(rf'\{separator} +"')
                whole = [one for one in after if one.count('"') % 2 == 0]  # not parts of values of several lines
                may_have_blanks = f"{separator} " in line or any(blanks.search(_QUOTED.sub('"', one)) for one in whole)
                has_blanks = may_have_blanks and separator != " "
                header = read_header(names)
                _check_folders(item, header)
                return Layout(
                    header,
                    index + 1,
                    Dialect(len(names), separator, has_blanks),
                    is_wrapped=any(len(_fields(_unwrapped(one), separator)) == len(names) for one in after),
                )
    if encoding == "utf-8" and re.search(rb"[\0-\x08\x0e-\x1f]", head[:1000]):
        raise NotCrimesError(f"{item} is a binary file, not a CSV: export it as CSV in UTF-8")
    raise NotCrimesError(f"{item}, {_header_problem(lines)}")


def _check_folders(item: Item, header: Header) -> None:
    """Raise an error if a column is only in the name of a folder, as in district=1/part-0.csv."""
    folders = item.names if item.inside or item.member else []
    keys = {key for folder in folders for key, sign, _ in [folder.partition("=")] if sign}
    if lost := [key for key in sorted(keys) if SPELLINGS.get(normalize(key)) in {*header.missing} - {"year"}]:
        raise SourceError(
            f"{item} has values of {', '.join(lost)} only in the names of its folders: write the files again "
            "without partitions, or partitioned by year"
        )


def _separators(line: str) -> list[str]:
    """Return candidates for the separator: the common ones, then any other symbol in the header."""
    signs = [sign for sign in line if sign.isascii() and not sign.isalnum() and sign not in '_"\0\x1e\x1f']
    return list(dict.fromkeys([*SEPARATORS, *signs]))


def _header(line: str, separator: str) -> list[str]:
    """Return the column names if the line is a header of crimes, else an empty list."""
    names = _fields(_unwrapped(line) or line, separator)
    try:
        read_header(names)
    except HeaderError:
        return []
    return names


def _fit_to_rows(names: list[str], lines: Sequence[str], separator: str) -> list[str]:
    """Adjust the column names to the width of most rows.

    Some programs add an empty field to each row, or to the header only; R adds a row number at the start of each row.
    """
    id_at, date_at = (read_header(names).position(name) or 0 for name in ("id", "date"))
    try:
        rows = [row for row in csv.reader(lines, delimiter=separator, skipinitialspace=True) if any(row[date_at:][:1])]
    except csv.Error:  # field too long
        return names
    widths = Counter(map(len, rows))
    width = max(widths, key=lambda width: (widths[width], width == len(names)), default=len(names))
    rows = [row for row in rows if len(row) == width]
    at_end = slice(min(len(names), width), None)
    if not any(names[at_end]) and not any(field for row in rows for field in row[at_end]):
        return names[:width] + [""] * (width - len(names))
    has_numbers = width == len(names) + 1 and all(f"{row[0]}{row[id_at + 1]}".isdecimal() for row in rows)
    return ["", *names] if has_numbers else names


def _fields(line: str, separator: str) -> list[str]:
    try:
        return [name.strip() for name in next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])]
    except csv.Error:  # field too long
        return []


def _unwrapped(line: str) -> str:
    """Return the content of a fully quoted line, without trailing empty fields; "" for other lines."""
    found = re.fullmatch(r'"((?:[^"]|"")*)"[;,]*', line)
    return found[1].replace('""', '"') if found else ""


def _header_problem(lines: Sequence[str]) -> str:
    """Return the number and problem of the line that looks most like a header."""
    candidates = [(number, _fields(line, by)) for number, line in enumerate(lines[:10], 1) for by in SEPARATORS]
    problems = []
    for number, names in candidates:
        try:
            read_header(names)
        except HeaderError as error:
            text = "".join(letter if letter.isprintable() else "?" for letter in str(error))
            problems.append((-len(names), number, text))
    _, number, problem = min(problems)
    return f"line {number}: {problem}"
