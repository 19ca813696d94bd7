"""Every known kind of dirt, added to a clean sample and counted by kind.

The file has its columns in reverse order under another publisher's names, an additional one, CRLF and a byte order
mark. Some rows are damaged: a value, or the whole line.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import cycle
from pathlib import Path

from chicago_crime.tables.columns import SOURCE_COLUMNS

Row = dict[str, str]
"""One row's values by canonical column name."""

ONE_IN = 200
"""One row in this many is damaged: few enough that a dirty year still passes its checks."""

_NAMES = [column.name for column in SOURCE_COLUMNS]


def add_dirt(clean: Path) -> tuple[Path, dict[str, int]]:
    """Replace a clean sample by a dirty version in a new file.

    Returns:
        The dirty file, and the number of damaged rows by kind.
    """
    dirty, counts = clean.with_stem(f"{clean.stem}_dirty"), Counter[str]()
    with (
        clean.open(encoding="utf-8", newline="") as rows,
        dirty.open("w", encoding="utf-8", errors="surrogateescape", newline="\r\n") as file,
    ):
        header = {name: "Unique Key" if name == "id" else name.replace("_", " ").title() for name in _NAMES}
        file.write("\ufeff" + _line(header, extra="Unnamed: 0"))
        file.writelines(_lines(csv.DictReader(rows, _NAMES), counts))
    clean.unlink()
    return dirty, dict(sorted(counts.items()))


def _lines(rows: Iterator[Row], counts: Counter[str]) -> Iterator[str]:
    next(rows)
    kinds = cycle(KINDS)
    for number, row in enumerate(rows):
        if number % ONE_IN != ONE_IN // 2:
            yield _line(row)
            continue
        kind = next(kinds)
        counts[kind] += 1
        if kind in _VALUES:
            _VALUES[kind](row)
            yield _line(row)
        else:
            yield _LINES[kind](row)


def _line(row: Row, extra: str = "") -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow([extra, *reversed(row.values())])
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


def _repeated_id(row: Row) -> str:
    return _line(row | {"updated_on": "01/01/2001 12:00:00 PM"}) + _line(row)


def _quoted_newline(row: Row) -> str:
    return _line(row | {"location_description": f"{row['location_description']}\n(SEE REPORT)"})


_LINES: dict[str, Callable[[Row], str]] = {
    "repeated_id": _repeated_id,
    "quoted_newline": _quoted_newline,
    "blank_line": lambda row: "\n" + _line(row),
    "cut_off": lambda row: _line(row)[:40].replace('"', "") + "\n",
    "extra_field": lambda row: "?," + _line(row),
    "open_quote": lambda row: _line(row).replace('"', "")[:-1] + ',"\n',
    "not_utf8": lambda row: _line(row | {"block": f"{row['block']} CAF\udce9"}),
}
"""Damage to a row's line, by kind."""

KINDS = (*_VALUES, *_LINES)
"""All kinds of damage."""
