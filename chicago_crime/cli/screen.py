"""Terminal output: consoles that print data unchanged, and tables that fit the width."""

import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from rich import box
from rich.console import Console, JustifyMethod, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text
from typing_extensions import override

from chicago_crime.errors import with_options

if TYPE_CHECKING:  # slow to import
    from rich.progress import Progress

_PROGRAM = re.compile(r"\bchicago-crime(?= [a-z])")


class Screen(Console):
    """A console that prints commands ready to be copied: with the path and the --data-dir of the current one.

    Attributes:
        data_dir: as the user wrote it; None if no option gave one.
    """

    data_dir: ClassVar[Path | None] = None

    @override
    def print(self, *objects: Any, **options: Any) -> None:
        complete = (self.complete(one) if isinstance(one, str) else one for one in objects)
        super().print(*complete, **options)

    def complete(self, text: str) -> str:
        """Complete the commands in a text; for table cells, which `print` does not see."""
        return _PROGRAM.sub(self._as_called, with_options(text, self.data_dir))

    def _as_called(self, command: re.Match[str]) -> str:
        program = Path(sys.argv[0])
        is_on_path = program.name != "chicago-crime" or shutil.which(program.name)
        near = os.path.relpath(program.parent)
        folder = os.path.abspath(program.parent) if near.startswith("..") else near  # noqa: PTH100 - as it was typed
        path = "" if is_on_path else f"{shlex.quote(folder)}/"
        return f"{path}{command[0]}"


# No markup or emoji codes: brackets and colons are part of the data.
out = Screen(soft_wrap=not sys.stdout.isatty(), highlight=False, markup=False, emoji=False)
errors = Screen(stderr=True, soft_wrap=True, highlight=False, markup=False, emoji=False)

MAX_ROWS = 50
"""Rows of a result that are printed as a table."""

MAX_RECORDS = 3
"""Rows of a result that are printed as records if a table would be too wide."""

_NUMBERS_WITHOUT_SEPARATORS = ("id", "beat")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def printable(text: str, keep: str = "") -> str:
    """Escape control characters, which a terminal would obey, except those in `keep`."""
    return _CONTROLS.sub(lambda found: found[0] if found[0] in keep else ascii(found[0])[1:-1], text)


def lay_out(columns: Sequence[str], rows: Sequence[Sequence[object]], width: int) -> Iterator[RenderableType]:
    """Lay out the first rows of a result to fit the width, with a note if there are more.

    The layout is a table, with values wrapped between words if necessary. If it still does not fit, or few rows would
    be wrapped, it is records with one value per line.
    """
    names = [printable(name) for name in columns]
    cells = [_texts(name, [row[at] for row in rows[:MAX_ROWS]]) for at, name in enumerate(columns)]
    table = Table(safe_box=True)
    for at, name in enumerate(names):
        justify: JustifyMethod = "right" if _is_number([row[at] for row in rows]) else "left"
        no_words = not any(" " in text for text in cells[at])
        table.add_column(Text(name), justify=justify, overflow="fold", no_wrap=no_words)
    for texts in zip(*cells, strict=True):
        table.add_row(*map(Text, texts))
    needed = Measurement.get(out, out.options.update(width=sys.maxsize), table)
    is_table = (needed.maximum if len(rows) <= MAX_RECORDS else needed.minimum) <= width
    if not rows and not is_table:
        yield Text(f"no rows; the columns are {', '.join(names)}")
        return
    shown = min(len(rows), MAX_ROWS if is_table else MAX_RECORDS)
    if is_table:
        yield table
        if not rows:
            yield "no rows"
    else:
        yield from _records(names, cells, shown)
    if shown < len(rows):
        reason = "" if is_table else ", because the columns do not fit the width: select fewer"
        yield f"Only the first {shown} rows are shown{reason}. --output FILE writes all of them"


def print_by_year(cells: Mapping[str, Mapping[int, str]]) -> None:
    """Print tables with a column per year and a row per name, split by years to fit the terminal."""
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
        out.print(table)


def progress_bar() -> "Progress":
    """A progress bar that counts finished steps, hidden if the output is not a terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    text = TextColumn("{task.description}", markup=False)
    columns = (SpinnerColumn(), text, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=out, disable=not out.is_terminal)


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


def _is_number(values: Sequence[object]) -> bool:
    present = [value for value in values if value is not None]
    return bool(present) and all(
        isinstance(value, int | float | Decimal) and not isinstance(value, bool) for value in present
    )


def _texts(column: str, values: Sequence[Any]) -> list[str]:
    """Format a column's values: whole numbers get separators, unless they are years, ids or beats."""
    are_years = all(value is None or (isinstance(value, int) and 1900 <= value <= 2100) for value in values)
    separator = "" if are_years or column in _NUMBERS_WITHOUT_SEPARATORS else ","

    def text(value: Any) -> str:
        if value is None:
            return "NULL"
        if isinstance(value, Decimal) and value == value.to_integral_value():
            value = int(value)  # DuckDB's sums of whole numbers
        if isinstance(value, int) and not isinstance(value, bool):
            return f"{value:{separator}}"
        return printable(str(value))

    return [text(value) for value in values]
