"""Packed marts: BigQuery is paid by the byte and has no small numbers, so a mart's row is also kept as one number.

A page of the dashboard filters by up to seven columns of up to four million rows; read one by one they are 100 to
340 MB, packed into one INT64 they are 8 bytes a row. The readable columns stay beside it, for people and Looker Studio.
`statements.py` and `ddl.py` write it, `answers.py` reads it.

A row with a value that has no place in the number (a crime type from after this list, a district 99) is kept whole as
JSON in a second column, which is NULL in all others: a NULL is read for nothing. So nothing is ever lost.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlglot
from sqlglot import exp

from chicago_crime import reference
from chicago_crime.tables import CELL_FT, CRIMES_BY_CELL, CRIMES_HOURLY, CRIMES_MONTHLY, Table
from chicago_crime.tables.columns import X_FT, Y_FT, Column
from chicago_crime.tables.years import FIRST_YEAR

PACKED = "packed_1"
"""Name of the number. Whoever changes what it means gives it another name: then no old number is read as a new one."""
UNPACKABLE = "unpackable"

_NUMBER = Column(
    PACKED, "INT64", "The row as one number, for the dashboard to read few bytes; the columns say the same."
)
_WHOLE = Column(UNPACKABLE, "STRING", f"The row as JSON where {PACKED} has no place for it, else NULL.")

MOST_YEARS = 100
MOST_TYPES = 64

COMPARABLE = reference.comparable_types()
TYPES = (
    *("ARSON", "ASSAULT", "BATTERY", "BURGLARY", "CONCEALED CARRY LICENSE VIOLATION", "CRIM SEXUAL ASSAULT"),
    *("CRIMINAL ABORTION", "CRIMINAL DAMAGE", "CRIMINAL SEXUAL ASSAULT", "CRIMINAL TRESPASS", "DECEPTIVE PRACTICE"),
    *("DOMESTIC VIOLENCE", "GAMBLING", "HOMICIDE", "HUMAN TRAFFICKING", "INTERFERENCE WITH PUBLIC OFFICER"),
    *("INTIMIDATION", "KIDNAPPING", "LIQUOR LAW VIOLATION", "MOTOR VEHICLE THEFT", "NARCOTICS", "NON - CRIMINAL"),
    *("NON-CRIMINAL", "NON-CRIMINAL (SUBJECT SPECIFIED)", "OBSCENITY", "OFFENSE INVOLVING CHILDREN"),
    *("OTHER NARCOTIC VIOLATION", "OTHER OFFENSE", "PROSTITUTION", "PUBLIC INDECENCY", "PUBLIC PEACE VIOLATION"),
    *("RITUALISM", "ROBBERY", "SEX OFFENSE", "STALKING", "THEFT", "WEAPONS VIOLATION"),
)
"""Crime types by the source's label, each with its place. New ones are added at the end, up to `MOST_TYPES`."""
CLASSES = ("violent", "property", "non_index")


@dataclass(frozen=True)
class Digit:
    """A part of the number.

    Attributes:
        size: how many values it has.
        value: GoogleSQL expression of the part, 0 to size - 1, of a row that has a place for it.
        fits: GoogleSQL condition that the row has, never NULL.
        columns: what the columns are, as GoogleSQL expressions in which `{d}` stands for the part.
    """

    size: int
    value: str
    fits: str
    columns: dict[str, str]


def _whole_number(column: str, low: int, high: int) -> Digit:
    """A number that may be NULL, which is 0."""
    return Digit(
        high - low + 2,
        f"IF({column} IS NULL, 0, {column} - {low - 1})",
        f"COALESCE({column} BETWEEN {low} AND {high}, TRUE)",
        {column: f"NULLIF({{d}}, 0) + {low - 1}"},
    )


def _flag(column: str) -> Digit:
    value = f"IF({column} IS NULL, 0, IF({column}, 2, 1))"
    return Digit(3, value, "TRUE", {column: "NULLIF({d}, 0) = 2"})


def _count(column: str, size: int) -> Digit:
    return Digit(size, column, f"COALESCE({column} BETWEEN 0 AND {size - 1}, FALSE)", {column: "{d}"})


def _choice(labels: Iterable[str], size: int, whole: str, columns: dict[str, dict[str, str]]) -> Digit:
    """One of some texts, or of some pairs of texts."""
    cases = " ".join(f"WHEN {_text(label)} THEN {place}" for place, label in enumerate(labels))
    texts = {
        column: "CASE {d} " + " ".join(f"WHEN {p} THEN {_text(of[label])}" for p, label in enumerate(labels)) + " END"
        for column, of in columns.items()
    }
    return Digit(size, f"CASE {whole} {cases} END", f"COALESCE(CASE {whole} {cases} END >= 0, FALSE)", texts)


def _text(value: str) -> str:
    return exp.Literal.string(value).sql("bigquery")


def _types() -> Digit:
    labels = {label: f"{label}>{COMPARABLE.get(label, label)}" for label in TYPES}
    names = {label: text for text, label in labels.items()}
    comparable = {text: text.partition(">")[2] for text in names}
    both = "CONCAT(primary_type, '>', primary_type_comparable)"
    return _choice(tuple(names), MOST_TYPES, both, {"primary_type": names, "primary_type_comparable": comparable})


_SHARED = (
    Digit(
        MOST_YEARS,
        f"year - {FIRST_YEAR}",
        f"year BETWEEN {FIRST_YEAR} AND {FIRST_YEAR + MOST_YEARS - 1}",
        {"year": f"{{d}} + {FIRST_YEAR}"},
    ),
    _choice(CLASSES, len(CLASSES), "offense_class", {"offense_class": {label: label for label in CLASSES}}),
    _types(),
    _whole_number("community_area", 1, 77),
    _whole_number("district", 1, 31),
    _flag("arrest"),
    _flag("domestic"),
)

LAYOUTS: dict[str, tuple[Digit, ...]] = {
    CRIMES_MONTHLY.name: (
        *_SHARED,
        Digit(
            12,
            "EXTRACT(MONTH FROM month) - 1",
            "month = DATE(year, EXTRACT(MONTH FROM month), 1)",
            {"month": "DATE({year}, {d} + 1, 1)"},
        ),
        _count("crimes", 1_000_000),
    ),
    CRIMES_HOURLY.name: (
        *_SHARED,
        Digit(7, "day_of_week - 1", "day_of_week BETWEEN 1 AND 7", {"day_of_week": "{d} + 1"}),
        _count("hour", 24),
        _count("crimes", 10_000),
        _count("time_placeholders", 10_000),
    ),
    CRIMES_BY_CELL.name: (
        *_SHARED,
        _whole_number("cell_x", X_FT[0] // CELL_FT, X_FT[1] // CELL_FT),
        _whole_number("cell_y", Y_FT[0] // CELL_FT, Y_FT[1] // CELL_FT),
        _count("crimes", 500_000),
    ),
}
"""The packed tables, and the parts of each one's number, the largest first."""


def live_columns(table: Table) -> tuple[Column, ...]:
    """The columns that a table has in BigQuery: its own, and of a packed one those two."""
    return (*table.columns, _NUMBER, _WHOLE) if table.name in LAYOUTS else table.columns


def packed(table: Table, rows: exp.Select) -> exp.Select:
    """The query of a packed table's rows with the two columns more; of another table, as it is."""
    if table.name not in LAYOUTS:
        return rows
    layout = LAYOUTS[table.name]
    fits = " AND ".join(f"({digit.fits})" for digit in layout)
    number = _sum([f"({digit.value}) * {place}" for digit, place in _places(layout)])
    whole = ", ".join(f"{column.name} AS {column.name}" for column in table.columns)
    return (
        exp.select("*", _as(f"IF({fits}, {number}, NULL)", PACKED))
        .select(_as(f"IF({fits}, NULL, TO_JSON_STRING(STRUCT({whole})))", UNPACKABLE))
        .from_(rows.subquery("unpacked"))
    )


def unpacked(table: Table, columns: Iterable[str]) -> exp.Select:
    """The query of some columns of a packed table, which reads nothing but the number (and what has no place in it)."""
    texts = dict[str, str]()
    for digit, place in _places(LAYOUTS[table.name]):
        part = f"MOD(DIV({PACKED}, {place}), {digit.size})"
        texts |= {column: text.replace("{d}", part) for column, text in digit.columns.items()}
    kinds = {column.name: column.type for column in table.columns}
    return exp.select(
        *(
            _as(
                f"IF({PACKED} IS NULL, CAST(JSON_VALUE({UNPACKABLE}, '$.{column}') AS {kinds[column]}), "
                f"{texts[column].replace('{year}', '(' + texts['year'] + ')')})",
                column,
            )
            for column in kinds
            if column in set(columns)
        )
    ).from_(table.name)


def _places(layout: Sequence[Digit]) -> list[tuple[Digit, int]]:
    """The parts, each with what it is multiplied by."""
    return [(digit, math.prod(after.size for after in layout[i + 1 :])) for i, digit in enumerate(layout)]


def _sum(terms: list[str]) -> str:
    """The sum of terms, halved again and again: written in one row it is nested too deeply for some readers of SQL."""
    half = len(terms) // 2
    return f"({_sum(terms[:half])} + {_sum(terms[half:])})" if half else terms[0]


def _as(text: str, name: str) -> exp.Expr:
    return exp.alias_(sqlglot.parse_one(text, read="bigquery"), name)
