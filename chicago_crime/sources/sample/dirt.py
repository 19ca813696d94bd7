"""Every known kind of dirt, added to a clean sample on request and counted by kind.

The year decides the file's layout: header, order of columns, line ends and byte order mark, as files from different
publishers differ. Some rows are damaged: a value, or the whole line.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import cycle
from pathlib import Path

from chicago_crime.tables.columns import SOURCE_COLUMNS

Row = dict[str, str]
"""One row's values by canonical column name."""

ONE_IN = 200
"""One row in this many is damaged: few enough that a dirty year still passes its checks."""

_NAMES = [column.name for column in SOURCE_COLUMNS]


@dataclass(frozen=True)
class Layout:
    """How a publisher writes a file.

    Attributes:
        spell: turns a column's canonical name into the header's.
        newline: the line end.
        mark: a byte order mark, or nothing.
        is_reversed: whether the columns are in reverse order.
        extra: name of an additional first column of row numbers; empty for none.
    """

    spell: Callable[[str], str]
    newline: str = "\n"
    mark: str = ""
    is_reversed: bool = False
    extra: str = ""


def _kaggle(name: str) -> str:
    words = {"id": "ID", "iucr": "IUCR", "fbi_code": "FBI Code"}
    return words.get(name, name.replace("_", " ").title())


LAYOUTS = (
    Layout(_kaggle, mark="\ufeff"),
    Layout(lambda name: name, newline="\r\n"),
    Layout(lambda name: "unique_key" if name == "id" else name.upper(), newline="\r", is_reversed=True),
    Layout(lambda name: name.title(), extra="Unnamed: 0"),
)
"""The year modulo their number selects the layout."""


def add_dirt(clean: Path, year: int) -> tuple[Path, dict[str, int]]:
    """Replace a clean sample by a dirty version in a new file.

    Returns:
        The dirty file, and the number of damaged rows by kind.
    """
    dirty, layout = clean.with_stem(f"{clean.stem}_dirty"), LAYOUTS[year % len(LAYOUTS)]
    counts: Counter[str] = Counter()
    with (
        clean.open(encoding="utf-8", newline="") as rows,
        dirty.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file,
    ):
        header = [layout.spell(name) for name in _NAMES]
        file.write(layout.mark + _line(header, layout, layout.extra))
        for line in _damaged(csv.reader(rows), layout, counts):
            file.write(line)
    clean.unlink()
    return dirty, dict(sorted(counts.items()))


def _damaged(rows: Iterator[list[str]], layout: Layout, counts: Counter[str]) -> Iterator[str]:
    next(rows)
    kinds = cycle([*_VALUES, *_LINES])
    for number, fields in enumerate(rows):
        if number % ONE_IN != ONE_IN // 2:
            yield _line(fields, layout, str(number))
            continue
        kind = next(kinds)
        counts[kind] += 1
        if kind in _VALUES:
            row = dict(zip(_NAMES, fields, strict=True))
            _VALUES[kind](row)
            yield _line(list(row.values()), layout, str(number))
        else:
            yield from _LINES[kind](fields, layout, str(number))


def _line(fields: list[str], layout: Layout, extra: str) -> str:
    ordered = fields[::-1] if layout.is_reversed else fields
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=layout.newline)
    writer.writerow([extra, *ordered] if layout.extra else ordered)
    return text.getvalue()


def _set(**values: str) -> Callable[[Row], None]:
    return lambda row: row.update(values)


def _flags(true: str, false: str) -> Callable[[Row], None]:
    return lambda row: row.update({name: true if row[name] == "true" else false for name in ("arrest", "domestic")})


def _as_floats(row: Row) -> None:
    row.update({name: f"{row[name]}.0" for name in ("id", "beat", "district", "ward", "community_area")})


def _without_zeros(row: Row) -> None:
    row.update({name: row[name].lstrip("0") for name in ("beat", "district", "iucr", "fbi_code")})


def _dates(form: str) -> Callable[[Row], None]:
    def change(row: Row) -> None:
        for name in ("date", "updated_on"):
            row[name] = datetime.strptime(row[name], "%m/%d/%Y %I:%M:%S %p").strftime(form)

    return change


def _float_artefacts(row: Row) -> None:
    for name in ("latitude", "longitude"):
        if row[name]:
            row[name] = f"{float(row[name]):.9f}00001"


def _last_year(row: Row) -> None:
    row["date"] = re.sub(r"(\d{4})", lambda match: str(int(match[1]) - 1), row["date"], count=1)


_VALUES: dict[str, Callable[[Row], None]] = {
    "flags_title_case": _flags("True", "False"),
    "flags_as_digits": _flags("1", "0"),
    "flags_as_letters": _flags("Y", "N"),
    "integers_as_floats": _as_floats,
    "lost_leading_zeros": _without_zeros,
    "dates_24_hours": _dates("%m/%d/%Y %H:%M"),
    "dates_iso": _dates("%Y-%m-%dT%H:%M:%S.000"),
    "dates_false_utc": _dates("%Y-%m-%d %H:%M:%S UTC"),
    "float_artefacts": _float_artefacts,
    "place_in_missouri": _set(latitude="36.619446395", longitude="-91.686565684", x_coordinate="0", y_coordinate="0"),
    "place_zero": _set(x_coordinate="0", y_coordinate="0", latitude="", longitude="", location=""),
    "community_area_zero": _set(community_area="0"),
    "missing_id": _set(id=""),
    "unreadable_date": _set(date="02/30/20xx"),
    "date_outside_year": _last_year,
}
"""Damage to a row's values, by kind."""


def _repeated_id(fields: list[str], layout: Layout, extra: str) -> Iterator[str]:
    older = dict(zip(_NAMES, fields, strict=True)) | {"updated_on": "01/01/2001 12:00:00 PM"}
    yield _line(list(older.values()), layout, extra)
    yield _line(fields, layout, extra)


def _quoted_newline(fields: list[str], layout: Layout, extra: str) -> Iterator[str]:
    place = _NAMES.index("location_description")
    yield _line([*fields[:place], f"{fields[place]}{layout.newline}(SEE REPORT)", *fields[place + 1 :]], layout, extra)


def _blank_line(fields: list[str], layout: Layout, extra: str) -> Iterator[str]:
    yield layout.newline
    yield _line(fields, layout, extra)


def _cut_off(fields: list[str], layout: Layout, extra: str) -> Iterator[str]:
    yield ",".join(fields[:10]) + layout.newline


def _extra_field(fields: list[str], layout: Layout, extra: str) -> Iterator[str]:
    yield _line([*fields, "?"], layout, extra)


def _open_quote(fields: list[str], layout: Layout, extra: str) -> Iterator[str]:
    yield ",".join([*fields[:3], f'"{fields[3]}', *fields[4:]]) + layout.newline


def _not_utf8(fields: list[str], layout: Layout, extra: str) -> Iterator[str]:
    yield _line([*fields[:3], f"{fields[3]} CAF\udce9", *fields[4:]], layout, extra)


_LINES: dict[str, Callable[[list[str], Layout, str], Iterator[str]]] = {
    "repeated_id": _repeated_id,
    "quoted_newline": _quoted_newline,
    "blank_line": _blank_line,
    "cut_off": _cut_off,
    "extra_field": _extra_field,
    "open_quote": _open_quote,
    "not_utf8": _not_utf8,
}
"""Damage to a row's line, by kind."""

KINDS = (*_VALUES, *_LINES)
"""All kinds of damage."""
