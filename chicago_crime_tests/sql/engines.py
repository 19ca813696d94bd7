"""Tables and statements for Google's evaluator, and DuckDB with our translation on given rows."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import duckdb
import sqlglot
from sqlglot import exp

from chicago_crime import reference, sql
from chicago_crime.sql.duckdb_dialect import to_duckdb
from chicago_crime.storage.google.bigquery import statements
from chicago_crime.storage.local.parquet_files import DUCKDB_TYPES
from chicago_crime.tables import TABLES

Row = dict[str, Any]

REFERENCE = {name: [*statements.reference_types(reference.rows(name)).items()] for name in reference.TABLES}
CATALOG = {name: [(column.name, column.type) for column in table.columns] for name, table in TABLES.items()} | REFERENCE
CATALOG["new_crimes"] = CATALOG["crimes"]  # the file compared with the published crimes
CATALOG["raw_crimes"] += [("_PARTITIONTIME", "TIMESTAMP")]


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
