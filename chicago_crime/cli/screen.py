"""How the command line prints: consoles that show data as they are, and tables that fit the terminal."""

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from rich import box
from rich.cells import cell_len
from rich.console import Console, JustifyMethod, RenderableType
from rich.table import Table
from rich.text import Text

# Neither markup nor emoji codes: brackets and colons are parts of the data.
out = Console(soft_wrap=not sys.stdout.isatty(), highlight=False, markup=False, emoji=False)
errors = Console(stderr=True, soft_wrap=True, highlight=False, markup=False, emoji=False)

MOST_RECORDS = 3
"""An answer of up to this many rows that is too wide is printed as records, one value a line."""

WIDEST_WORD = 24
"""Longer words in values may be folded, so that one of them does not hide other columns."""

_NUMBERS_THAT_COUNT_NOTHING = ("id", "beat")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def printable(text: str, keep: str = "") -> str:
    """Text with control characters as escapes: a terminal would obey them. Those in `keep` stay."""
    return _CONTROLS.sub(lambda found: found[0] if found[0] in keep else ascii(found[0])[1:-1], text)


def answer(
    columns: Sequence[str], rows: Sequence[Sequence[object]], width: int, title: str | None = None
) -> list[RenderableType]:
    """The rows of an answer in a layout that fits the width.

    A table, if need be with names folded at underscores and values folded between words. What does not fit is shown as
    records if it has few rows, else without its middle columns and with a note that says so.
    """
    names = [printable(name) for name in columns]
    cells = [_texts(name, [row[at] for row in rows]) for at, name in enumerate(columns)]
    natural = [max(map(cell_len, (name, *texts))) for name, texts in zip(names, cells, strict=True)]
    least = [_least_width(name, texts) for name, texts in zip(names, cells, strict=True)]
    heading: list[RenderableType] = [Text(title, style="italic")] if title else []
    is_right = [_is_number([row[at] for row in rows]) for at in range(len(columns))]

    def table(chosen: Sequence[int], widths: Sequence[int], gap_after: int | None = None) -> Table:
        drawn = Table(safe_box=True)
        for place, (at, wide) in enumerate(zip(chosen, widths, strict=True)):
            justify: JustifyMethod = "right" if is_right[at] else "left"
            drawn.add_column(_folded(names[at], wide), justify=justify, width=wide, overflow="fold")
            if place == gap_after:
                drawn.add_column("…", width=1)
        for row in range(len(rows)):
            shown = [cells[at][row] for at in chosen]
            if gap_after is not None:
                shown.insert(gap_after + 1, "…")
            drawn.add_row(*shown)
        return drawn

    everything = range(len(columns))
    if _total(natural) <= width:
        return [*heading, table(everything, natural)]
    if 0 < len(rows) <= MOST_RECORDS and len(columns) > 1:
        return [*heading, *_records(names, cells, len(rows))]
    if _total(least) <= width:
        values_first = _widened(least, [max(map(cell_len, texts), default=0) for texts in cells], width)
        return [*heading, table(everything, _widened(values_first, natural, width))]
    left, right = _ends(least, width)
    chosen = [*left, *right]
    room = width - 4  # for the column of dots
    widths = _widened([least[at] for at in chosen], [natural[at] for at in chosen], room)
    note = Text(
        f"{len(columns) - len(chosen)} of {len(columns)} columns are hidden: select fewer, or write all "
        "of them with --format csv or --output FILE",
        style="italic",
    )
    return [*heading, table(chosen, widths, len(left) - 1), note]


def year_tables(cells: Mapping[str, Mapping[int, str]]) -> Iterator[Table]:
    """A column per year and a row per name, in as many tables below each other as the terminal's width requires."""
    years = sorted({year for row in cells.values() for year in row})
    widest = max((len(line) for row in cells.values() for cell in row.values() for line in cell.split("\n")), default=0)
    fitting = max(1, (out.width - max(map(len, cells), default=0) - 3) // (max(widest, 4) + 2))
    for start in range(0, len(years), fitting):
        shown = years[start : start + fitting]
        table = Table("", box=box.SIMPLE_HEAD, pad_edge=False)
        table.columns[0].no_wrap = True
        for year in shown:
            table.add_column(str(year), justify="right", no_wrap=True)
        for name, row in cells.items():
            table.add_row(name, *(row.get(year, "-") for year in shown))
        yield table


def size(count: float) -> str:
    """Bytes in the unit that reads best."""
    for unit in ("B", "KB", "MB"):
        if count < 1000:
            return f"{count:,.0f} {unit}"
        count /= 1000
    return f"{count:,.1f} GB"


def _records(names: Sequence[str], cells: Sequence[Sequence[str]], count: int) -> Iterator[RenderableType]:
    for row in range(count):
        record = Table.grid("", "", padding=(0, 2))
        record.columns[0].no_wrap = True
        record.columns[1].overflow = "fold"
        for name, texts in zip(names, cells, strict=True):
            record.add_row(Text(name, style="bold"), texts[row])
        if count > 1:
            yield Text(f"row {row + 1}", style="italic")
        yield record
        if row + 1 < count:
            yield ""


def _total(widths: Sequence[int]) -> int:
    """Width of a table: each column has a border and a blank on both sides."""
    return sum(widths) + 3 * len(widths) + 1


def _least_width(name: str, texts: Sequence[str]) -> int:
    """The narrowest that a column can be without a break inside a part of its name or a word of its values."""
    words = (min(cell_len(word), WIDEST_WORD) for text in texts for word in text.split())
    return max(1, *map(cell_len, _parts(name)), *words)


def _widened(least: Sequence[int], wanted: Sequence[int], width: int) -> list[int]:
    """Widths that fill the space, from the least ones towards the wanted ones, the narrowest first."""
    widths, space = list(least), width - _total(least)
    while space > 0:
        growing = [at for at, wide in enumerate(widths) if wide < wanted[at]]
        if not growing:
            break
        widths[min(growing, key=lambda at: widths[at])] += 1
        space -= 1
    return widths


def _ends(least: Sequence[int], width: int) -> tuple[list[int], list[int]]:
    """The first and the last columns that fit beside a column of dots, taken from both ends in turn."""
    left, right = [0], list[int]()
    used = _total([least[0], 1])
    first, last = 1, len(least) - 1
    while first <= last:
        take_right = len(right) < len(left)
        at = last if take_right else first
        if used + least[at] + 3 > width:
            break
        used += least[at] + 3
        if take_right:
            right.insert(0, at)
            last -= 1
        else:
            left.append(at)
            first += 1
    return left, right


def _parts(name: str) -> list[str]:
    """A name in the parts between which it may be folded: after underscores and blanks."""
    return re.findall(r"[^_\s]*[_\s]+|[^_\s]+", name) or [name]


def _folded(name: str, width: int) -> str:
    lines = [""]
    for part in _parts(name):
        if lines[-1] and cell_len(lines[-1] + part.rstrip()) > width:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)


def _is_number(values: Sequence[object]) -> bool:
    present = [value for value in values if value is not None]
    return bool(present) and all(
        isinstance(value, int | float | Decimal) and not isinstance(value, bool) for value in present
    )


def _texts(column: str, values: Sequence[Any]) -> list[str]:
    """A column's values for people: whole numbers get separators, unless they are years, ids or beats."""
    are_years = all(value is None or (isinstance(value, int) and 1900 <= value <= 2100) for value in values)
    separator = "" if are_years or column in _NUMBERS_THAT_COUNT_NOTHING else ","

    def text(value: Any) -> str:
        if value is None:
            return "NULL"
        if isinstance(value, Decimal) and value == value.to_integral_value():
            value = int(value)  # DuckDB's sums of whole numbers
        if isinstance(value, int) and not isinstance(value, bool):
            return f"{value:{separator}}"
        return printable(str(value))

    return [text(value) for value in values]
