"""Statements of the dashboard, reduced to what one question has to read on BigQuery.

Once the parameters are known, filters that are off are removed, so that their columns are not read; years and months
become literals, which select partitions; packed marts are read by their number. The result is the same.
"""

from collections.abc import Mapping
from datetime import date
from typing import cast

from sqlglot import exp

from chicago_crime import sql
from chicago_crime.storage.google.bigquery.packing import LAYOUTS, unpacked
from chicago_crime.storage.google.bigquery.statements import text
from chicago_crime.tables import TABLES

MB = 2**20
"""What Google's price list calls a megabyte."""

PAGE = 50 * MB
"""What a page may read over 22 full-size years, for any filters; measured by `benchmarks/dashboard_bytes.py`."""

MOST_BYTES = {"pages/where": 30 * MB, "pages/cells": 16 * MB, "pages/revisions": 20 * MB}
"""Caps of statements that share a page. All caps leave room for more years."""

MOST_BYTES_ALONE = 46 * MB
"""Cap of a page's only statement. (No cap can be below 10 MB: BigQuery bills that for any table.)"""

FEW_YEARS = 8
"""Up to this many years are selected by the column `year`, which reads only their partitions; more by the number."""

_PARTITIONS = {"years": "year", "months": "month", "whole_months": "month"}
"""Parameters that select partitions, and the column that they select by."""


def most_bytes(name: str) -> int:
    """What a statement in `sql/` may read: BigQuery refuses one that would read more, for free."""
    return MOST_BYTES.get(name, MOST_BYTES_ALONE)


def too_much(most: int) -> str:
    """The message for a statement that would read more than its cap, in bytes."""
    return (
        f"This would read more than {most / MB:,.3g} MB of BigQuery, which is the limit for a part of a page: reading "
        "costs money. Choose fewer years, or remove some filters."
    )


def reduced(name: str, parameters: Mapping[str, object]) -> tuple[str, dict[str, object]]:
    """A statement in `sql/` as it is sent, and the parameters that it still has.

    Args:
        name: of the statement, e.g. dashboard/overview.
        parameters: name -> value of every `@name` in it.
    """
    query = sql.statement(name).copy()
    for node in reversed(list(query.bfs())):  # innermost first: an outer node depends on what is left of the inner ones
        kept = _kept(node, parameters)
        if kept is not node:
            node.replace(kept)
    common = {cte.alias for cte in query.find_all(exp.CTE)}
    for table in list(query.find_all(exp.Table)):
        if table.name in LAYOUTS and table.name not in common:
            _read_packed(table, cast(list[int] | None, parameters.get("years")))
    left = {parameter.name for parameter in query.find_all(exp.Parameter)}
    return text(query), {name: value for name, value in parameters.items() if name in left}


def _kept(node: exp.Expr, parameters: Mapping[str, object]) -> exp.Expr:
    """What is left of a node: a filter that is off is TRUE, and a choice between columns is the chosen one."""
    match node:
        case exp.Or(this=exp.EQ(this=exp.ArraySize(this=exp.Parameter() as switch))) if switch.name in parameters:
            return node.expression if parameters[switch.name] else exp.true()
        case exp.Or(this=exp.Is(this=exp.Parameter() as switch)) if switch.name in parameters:
            return node.expression if parameters[switch.name] is not None else exp.true()
        case exp.If(this=exp.Parameter() as switch) if switch.name in parameters:
            return node.args["true" if parameters[switch.name] else "false"]
        case exp.Case(this=exp.Parameter() as switch) if switch.name in parameters:
            chosen = [one.args["true"] for one in node.args["ifs"] if one.this.name == parameters[switch.name]]
            return chosen[0] if chosen else node.args["default"]
        case exp.In(args={"unnest": exp.Unnest(expressions=[exp.Parameter() as choice])}) if (
            choice.name in parameters and _PARTITIONS.get(choice.name) == node.this.name
        ):
            return _one_of(node.this, cast(list[int | date], parameters[choice.name]))
        case exp.Paren(this=exp.Boolean()):
            return node.this
        case exp.And() if node.left == exp.true():
            return node.right
        case exp.And() if node.right == exp.true():
            return node.left
    return node


def _one_of(column: exp.Expr, values: list[int | date]) -> exp.Expr:
    return exp.In(this=column.copy(), expressions=[exp.convert(value) for value in values]) if values else exp.false()


def _read_packed(table: exp.Table, years: list[int] | None) -> None:
    """Read a packed mart by its number, with the columns that the statement around it still names."""
    select = table.find_ancestor(exp.Select)
    assert select
    named = {column.name for column in select.find_all(exp.Column)}
    rows = unpacked(TABLES[table.name], named)
    chooses = any(one.this.name == "year" for one in select.find_all(exp.In))
    if years and chooses and len(years) <= FEW_YEARS:
        rows = rows.where(_one_of(exp.column("year"), list(years)))
    table.replace(rows.subquery(table.alias_or_name))
