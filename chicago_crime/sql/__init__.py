"""The SQL files, in GoogleSQL. The header of each describes its result, grain and columns.

This module parses the files and inserts fragments. `duckdb_dialect.py` translates them for DuckDB.
"""

from functools import lru_cache
from pathlib import Path

import sqlglot
import sqlglot.dialects.bigquery  # imported here because lazy loading is not thread-safe
import sqlglot.dialects.duckdb
from sqlglot import exp

_FOLDER = Path(__file__).parent
_SUBQUERIES = ("parsed_crimes", "typed_crimes")
"""Fragments used like tables, inserted as subqueries."""

_EXPRESSIONS = ("chosen_place", "matches_filters")
"""Fragments used like columns, inserted as expressions."""

_FUNCTIONS = tuple(sorted(file.stem for file in (_FOLDER / "fragments").glob("read_*.sql")))
"""Fragments used like functions of one string, inserted as expressions over `value`."""


@lru_cache
def statement(name: str) -> exp.Query:
    """Return the parsed statement of `tables/NAME`, `pages/NAME`, `fragments/NAME` or `audit/NAME`.

    The statement of a table reads one year of other tables, given by the parameter `@year`.

    The result is cached: copy it before changing it.
    """
    query = sqlglot.parse_one((_FOLDER / f"{name}.sql").read_text(encoding="utf-8"), read="bigquery")
    for table in list(query.find_all(exp.Table)):
        if table.name in _SUBQUERIES:
            table.replace(statement(f"fragments/{table.name}").copy().subquery(table.alias_or_name))
    assert isinstance(query, exp.Query), f"{name}.sql is not one query"
    for call in list(query.find_all(exp.Anonymous)):
        if call.name.lower() in _FUNCTIONS:
            [argument], [read] = call.expressions, statement(f"fragments/{call.name.lower()}").selects
            read = exp.paren(read.unalias().copy())
            for value in [column for column in read.find_all(exp.Column) if column.name == "value"]:
                value.replace(argument.copy())
            call.replace(read.this if isinstance(read.this, exp.Case | exp.Func) else read)
    for column in list(query.find_all(exp.Column)):
        if column.name in _EXPRESSIONS:
            [shared] = statement(f"fragments/{column.name}").selects
            column.replace(exp.paren(shared.unalias().copy()))
    return query


def tables_read(name: str) -> list[str]:
    """Return the tables that a statement reads, sorted by name."""
    query = statement(name)
    common = {cte.alias for cte in query.find_all(exp.CTE)}
    return sorted({table.name for table in query.find_all(exp.Table) if table.name and table.name not in common})


def example_queries() -> list[tuple[str, str]]:
    """Example questions, each with a query on the marts in SQL that runs on DuckDB and BigQuery."""
    texts = [file.read_text(encoding="utf-8") for file in sorted((_FOLDER / "demo").glob("*.sql"))]
    return [(text.splitlines()[0].removeprefix("-- "), text) for text in texts]
