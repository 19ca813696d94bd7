"""The parts of a page: numbers, sections, charts and tables, and the formats of values.

Layout is in `templates/` and `static/`, chart specifications in `charts/`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from itertools import groupby, pairwise
from typing import Any, Literal, get_args

import pyarrow as pa

from chicago_crime.analysis.expected import TOO_FEW
from chicago_crime.dashboard.charts.map import Map

TextKind = Literal["text", "type", "prose"]
NumberKind = Literal["count", "change", "percent", "percent_change", "growth", "decimal", "score"]
Kind = TextKind | NumberKind | Literal["date", "month", "time", "flag"]

TEXTS = get_args(TextKind)

MANY_COLUMNS = 4
"""Most columns that fit on a phone."""

UNKNOWN = "\u2013"
MINUS = "\u2212"
MIN_KNOWN_FLAGS = 0.99
"""Share of arrest flags that must be known for a rate, as in the Spark job."""

SYNTHETIC = "SYNTHETIC"
"""Label of sample data on every page and in every download."""


FORMATS = {
    "count": "{:,.0f}",
    "change": "{:+,.0f}",
    "percent": "{:.1%}",
    "percent_change": "{:+,.1%}",
    "decimal": "{:,.1f}",
    "score": "{:+.1f}",
    "date": "{0:%B} {0.day}, {0.year}",
    "month": "{:%B %Y}",
    "time": "{0:%b} {0.day}, {0:%Y %H:%M}",
}


def as_text(value: Any, kind: Kind) -> str:
    """Format a value; a dash means unknown, or too few crimes to tell."""
    if value in (None, TOO_FEW):
        return UNKNOWN
    if kind in TEXTS:
        return str(value).capitalize() if kind == "type" and value.isupper() else str(value)
    if kind == "flag":
        return "yes" if value else "no"
    if kind == "growth":  # the column header has the percent sign
        return as_text(value, "percent_change").removesuffix("%")
    text = FORMATS[kind].format(value).replace("-", MINUS)
    if kind == "percent" and 0 < value < 1:  # 0% is none, and 100% all
        return {"0.0%": "<0.1%", "100.0%": ">99.9%"}.get(text, text)
    return text.replace("+", "") if value == 0 else text


def crimes_text(crimes: float, kind: Kind = "count") -> str:
    """Format a number of crimes, or a change in it, with the noun."""
    return f"{as_text(crimes, kind)} crime{'' if abs(crimes) == 1 else 's'}"


def days_text(first: date, last: date) -> str:
    """Format a span of days, such as Jan 1 - Nov 12, 2018."""
    year = "" if first.year == last.year else f", {first.year}"
    return f"{first:%b} {first.day}{year} \u2013 {last:%b} {last.day}, {last.year}"


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        name: name in downloads.
        label: label on the page.
        kind: format of its values.
        group: label above several columns.
        is_small: name of a column that is true where this column's value is too small to be meaningful.
        is_shown: whether the page shows it; downloads always include it.
        incidents: name of the value with the query string of the incidents behind this column's count.
    """

    name: str
    label: str
    kind: Kind = "text"
    group: str = ""
    is_small: str = ""
    is_shown: bool = True
    incidents: str = ""

    @property
    def is_number(self) -> bool:
        """Whether it is numeric, and so right-aligned."""
        return self.kind in get_args(NumberKind)


CRIMES = Column("crimes", "Crimes", "count", incidents="incidents")


@dataclass(frozen=True)
class PageTable:
    """A table on a page; its download has the same rows.

    Attributes:
        name: name in the URL of its download.
        rows: values by column name; `link` may hold the query string that the first cell links to.
        shown: number of rows on the page; downloads have all.
        is_open: whether it is expanded at first; below a chart with the same numbers, it is not.
        total: totals below the rows. They are not in downloads, where they would be counted twice.
        matching: number of rows, if `rows` is only a part of them.
    """

    name: str
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Mapping[str, Any]]
    shown: int = 100
    is_open: bool = True
    total: Mapping[str, Any] | None = None
    matching: int | None = None

    @cached_property
    def shown_columns(self) -> list[Column]:
        """The columns that the page shows."""
        return [column for column in self.columns if column.is_shown]

    @cached_property
    def starts(self) -> list[Column]:
        """The first column of each group."""
        shown = self.shown_columns
        return [column for before, column in pairwise(shown) if column.group != before.group]

    @property
    def is_dense(self) -> bool:
        """Whether it has so many columns that narrow screens stack the cells of a row."""
        return len(self.shown_columns) > MANY_COLUMNS or bool(self.groups)

    @property
    def groups(self) -> list[tuple[str, int]]:
        """Group labels with the number of columns they span; empty without groups."""
        groups = groupby(self.shown_columns, key=lambda column: column.group)
        spans = [(group, len([*columns])) for group, columns in groups]
        return spans if any(column.group for column in self.columns) else []

    def ordered(self, sort: str) -> Sequence[Mapping[str, Any]]:
        """Sort the rows by `Filters.sort`, if it applies to this table, with unknown values last."""
        table, _, name = sort.partition(":")
        column = next((column.name for column in self.columns if column.name == name.removeprefix("-")), None)
        if table != self.name or column is None:
            return self.rows
        known = [row for row in self.rows if row[column] is not None]
        known.sort(key=lambda row: row[column], reverse=name.startswith("-"))
        return [*known, *(row for row in self.rows if row[column] is None)]

    def next_sort(self, column: Column, sort: str) -> str:
        """Return the order after a click on a column's header: numbers descending, text ascending, then reversed."""
        first, second = f"{self.name}:{column.name}", f"{self.name}:-{column.name}"
        if column.kind not in TEXTS:
            first, second = second, first
        return second if sort == first else first

    def download(self, sort: str, synthetic: bool) -> pa.Table:
        """Return the unformatted rows, with a column that marks synthetic data."""
        found = self.ordered(sort)
        rows = pa.table({column.name: [row[column.name] for row in found] for column in self.columns})
        if synthetic:
            rows = rows.append_column("data", pa.array([SYNTHETIC] * rows.num_rows, pa.string()))
        return rows


@dataclass(frozen=True)
class Figure:
    """A chart: its specification, including data."""

    name: str
    label: str
    spec: Mapping[str, Any]


@dataclass(frozen=True)
class Link:
    """A link and its target."""

    text: str
    address: str


@dataclass(frozen=True)
class Section:
    """A section of a page: chart or map, a table with the same numbers, and a link to more. Wide ones span the page.

    `table_caveats` are those of what only the table has.
    """

    name: str
    title: str
    intro: str = ""
    caveats: Sequence[str] = ()
    figure: Figure | None = None
    tables: Sequence[PageTable] = ()
    map: Map | None = None
    is_wide: bool = True
    link: Link | None = None
    table_caveats: Sequence[str] = ()

    @property
    def notes(self) -> list[str]:
        """All caveats."""
        return [*self.caveats, *self.table_caveats]


@dataclass(frozen=True)
class Number:
    """A key figure at the top of a page; `link` leads to the incidents it counts."""

    label: str
    value: str
    detail: str = ""
    caveat: str = ""
    link: str = ""


@dataclass(frozen=True)
class View:
    """A page."""

    question: str
    sections: Sequence[Section] = ()
    numbers: Sequence[Number] = ()

    def only(self, name: str) -> Section | None:
        """Return the section with only the chart or map of this name."""
        for section in self.sections:
            drawn = section.figure or section.map
            if drawn and drawn.name == name:
                return replace(section, tables=(), table_caveats=())
        return None

    def table(self, name: str) -> PageTable | None:
        """Return the table with this name."""
        return next((table for section in self.sections for table in section.tables if table.name == name), None)


def arrests_number(counts: Mapping[str, int], caveat: str = "") -> Number:
    """Build the key figure of the arrest rate; counts as for `arrest_rate`."""
    arrests = f"{crimes_text(counts['arrests'])} with the arrest flag"
    return Number("Arrest rate", as_text(arrest_rate(counts), "percent"), arrests, caveat)


def part_number(label: str, part: int, crimes: int) -> Number:
    """Build the key figure of a part of the matching crimes."""
    return Number(label, as_text(part, "count"), f"{as_text(share(part, crimes), 'percent')} of these crimes")


def share(part: float, whole: float) -> float | None:
    """Return part / whole, or None if the whole is 0."""
    return part / whole if whole else None


def rate_unit(crimes: float, residents: float) -> int:
    """Return the unit of rates: per 1,000 residents, or per 100,000 if there is less than one crime per 1,000."""
    return 1_000 if 1_000 * crimes >= residents else 100_000


def arrest_rate(counts: Mapping[str, int]) -> float | None:
    """Return `arrests` / `flagged`, the crimes with a known flag; None if over 1% of the `crimes` have none."""
    is_known = counts["flagged"] >= MIN_KNOWN_FLAGS * counts["crimes"]
    return share(counts["arrests"], counts["flagged"]) if is_known else None


def change(now: float, before: float | None) -> float | None:
    """Return the relative change, or None if there was nothing before."""
    return (now - before) / before if before else None
