"""The SQL files, in GoogleSQL, each with a header that says what it gives, its grain and its columns.

This module reads them and inserts fragments. `duckdb_dialect.py` translates them for DuckDB; the warehouse runs them.
"""

from functools import lru_cache
from pathlib import Path

import sqlglot
import sqlglot.dialects.bigquery  # not when first used: a second thread would parse with a dialect that is half made
import sqlglot.dialects.duckdb
from sqlglot import exp

_FOLDER = Path(__file__).parent
_SUBQUERIES = ("parsed_crimes", "typed_crimes")
"""Fragments that other files read like a table: each becomes a subquery there."""

_SHARED = ("chosen_place", "matches_filters")
"""Expressions that the statements of the pages share: each replaces its name."""

_EXPRESSIONS = tuple(sorted(file.stem for file in (_FOLDER / "fragments").glob("read_*.sql")))
"""Fragments that other files call like a function of one text: each is an expression over `value`."""


@lru_cache
def statement(name: str) -> exp.Query:
    """The parsed statement of a file: `tables/NAME`, `pages/NAME` or `fragments/NAME`.

    That of a table reads one year of other tables, which the warehouse chooses; its number is the parameter `@year`.

    The result is shared: copy it before you change it.
    """
    query = sqlglot.parse_one((_FOLDER / f"{name}.sql").read_text(), read="bigquery")
    for table in list(query.find_all(exp.Table)):
        if table.name in _SUBQUERIES:
            table.replace(statement(f"fragments/{table.name}").copy().subquery(table.alias_or_name))
    assert isinstance(query, exp.Query), f"{name}.sql is not one query"
    for call in list(query.find_all(exp.Anonymous)):
        if call.name.lower() in _EXPRESSIONS:
            [argument], [read] = call.expressions, statement(f"fragments/{call.name.lower()}").selects
            read = exp.paren(read.unalias().copy())
            for value in [column for column in read.find_all(exp.Column) if column.name == "value"]:
                value.replace(argument.copy())
            call.replace(read.this if isinstance(read.this, exp.Case | exp.Func) else read)
    for column in list(query.find_all(exp.Column)):
        if column.name in _SHARED:
            [shared] = statement(f"fragments/{column.name}").selects
            column.replace(exp.paren(shared.unalias().copy()))
    return query


def tables_read(name: str) -> list[str]:
    """The tables that a statement reads, sorted."""
    query = statement(name)
    common = {cte.alias for cte in query.find_all(exp.CTE)}
    return sorted({table.name for table in query.find_all(exp.Table) if table.name and table.name not in common})


def answers() -> list[tuple[str, str]]:
    """Example questions, each with a query on the marts in SQL that every warehouse understands."""
    texts = [file.read_text() for file in sorted((_FOLDER / "demo").glob("*.sql"))]
    return [(text.splitlines()[0].removeprefix("-- "), text) for text in texts]
