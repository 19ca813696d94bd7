"""Google's own GoogleSQL evaluator, and DuckDB with our translation, on the same rows."""

import csv
import gzip
import itertools
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import sqlglot
from sqlglot import exp

from chicago_crime import reference, sql
from chicago_crime.sql.duckdb_dialect import to_duckdb
from chicago_crime.storage.google.bigquery import statements
from chicago_crime.storage.local.parquet_files import DUCKDB_TYPES
from chicago_crime.tables import TABLES
from chicago_crime_tests.servers.googlesql import Analyzer, Typed
from chicago_crime_tests.support import NAMES

Row = dict[str, Any]

FILES = sorted(f"{file.parent.name}/{file.stem}" for file in Path(sql.__file__).parent.rglob("*.sql"))

REFERENCE = {name: [*statements.reference_types(reference.rows(name)).items()] for name in reference.TABLES}
CATALOG = {
    table.name: [(column.name, column.type) for column in table.columns] for table in TABLES.values()
} | REFERENCE
CATALOG["new_crimes"] = CATALOG["crimes"]  # the file compared with the published crimes
CATALOG["raw_crimes"] += [("_PARTITIONTIME", "TIMESTAMP")]

PARAMETERS = {
    **dict.fromkeys(("year", "cell_x", "cell_y", "row_count", "skipped"), "INT64"),
    **dict.fromkeys(
        ("years", "years_back", "areas", "districts", "wards", "beats", "hours", "weekdays"), "ARRAY<INT64>"
    ),
    **dict.fromkeys(("west_ft", "east_ft", "south_ft", "north_ft", "west", "east", "south", "north"), "FLOAT64"),
    **dict.fromkeys(("place", "sorted_by"), "STRING"),
    **dict.fromkeys(("codes", "classes", "types", "descriptions", "blocks", "locations"), "ARRAY<STRING>"),
    **dict.fromkeys(("start", "finish", "last_day"), "DATE"),
    **dict.fromkeys(("arrest", "domestic", "is_descending"), "BOOL"),
}
"""All parameters of statements, with their types."""


@cache
def google() -> Analyzer:
    return Analyzer(CATALOG)


def typed(parameters: Mapping[str, object]) -> dict[str, Typed]:
    return {name: (PARAMETERS[name], value) for name, value in parameters.items()}


@cache
def written(name: str) -> str:
    """Return a statement as sent to BigQuery, except for %F, which the evaluator does not support."""
    return sql.statement(name).sql("bigquery", comments=False).replace("%F", "%Y-%m-%d")


def in_duckdb(query: str, rows: Mapping[str, Sequence[Row]], parameters: Mapping[str, object], catalog: Any) -> list:
    """Translate a GoogleSQL query like the warehouse does, and run it on rows in DuckDB."""
    with duckdb.connect() as connection:
        for name, columns in catalog.items():
            types = ", ".join(f'"{column}" {DUCKDB_TYPES[kind]}' for column, kind in columns)
            connection.execute(f"CREATE TABLE {name} ({types})")
            if rows.get(name):
                values = [[row.get(column) for column, _ in columns] for row in rows[name]]
                connection.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(columns))})", values)
        parsed = sqlglot.parse_one(query, read="bigquery")
        answer = connection.execute(to_duckdb(parsed, parameters, exp.to_identifier))
        names = [column[0] for column in answer.description]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


def cut(file: Path, every: int) -> list[dict[str, str]]:
    """Return every n-th row of a real file, with our 22 columns."""
    opened = gzip.open if file.suffix == ".gz" else open
    with opened(file, "rt", newline="", encoding="utf-8-sig") as stream:
        rows = csv.reader(stream)
        next(rows)
        return [dict(zip(NAMES, row[: len(NAMES)], strict=True)) for row in itertools.islice(rows, 0, None, every)]


def reference_rows(table: str) -> list[Row]:
    types = dict(REFERENCE[table])
    return [
        {name: int(text) if types[name] == "INT64" else text or None for name, text in row.items()}
        for row in reference.rows(table)
    ]


def in_order(rows: Iterable[Mapping[str, Any]]) -> list[tuple[tuple[str, Any], ...]]:
    """Sort rows for comparison. 1, 1.0 and true remain distinct."""
    return sorted(tuple((name, repr(value)) for name, value in row.items()) for row in rows)
