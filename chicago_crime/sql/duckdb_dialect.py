"""Translation from GoogleSQL to DuckDB, including constructs whose meaning sqlglot alone does not preserve.

Tests compare every statement in `sql/` with Google's own evaluator. Two differences remain: UPPER and LOWER of letters
that expand to several, such as ß, and CAST of a FLOAT64 to STRING, which returns 7 in GoogleSQL and 7.0 in DuckDB.
"""

import re
from collections.abc import Callable, Mapping

from sqlglot import exp

TableScan = Callable[[str], exp.Expr]
"""Returns the expression that reads the table of a name, such as a call of READ_PARQUET."""


def to_duckdb(query: exp.Query, parameters: Mapping[str, object], scan: TableScan) -> str:
    """Translate a GoogleSQL query to DuckDB's dialect.

    Args:
        query: the parsed query, which is not modified.
        parameters: values that replace `@name`: numbers, strings, dates, bools, lists of them, or None. Parameters
            without a value become `$name` in the translated statement.
        scan: called for each table that is not a common table expression.
    """
    query = query.copy()
    nodes = list(query.bfs())
    common = {cte.alias for cte in query.find_all(exp.CTE)}
    for node in reversed(nodes):  # innermost first, because rewritten nodes may be nested
        rewritten = _rewrite(node, parameters)
        if rewritten is not node:
            node.replace(rewritten)
    for table in list(query.find_all(exp.Table)):
        if table.name and table.name not in common:
            table.replace(
                exp.Table(this=scan(table.name), alias=exp.TableAlias(this=exp.to_identifier(table.alias_or_name)))
            )
    # After an apostrophe in a comment, DuckDB treats no-break spaces in string literals as separators.
    return query.sql("duckdb", comments=False)


def _rewrite(node: exp.Expr, parameters: Mapping[str, object]) -> exp.Expr:
    match node:
        case exp.Parameter() if node.name in parameters:
            # Literals in the tree are never parsed as SQL, and DuckDB can prune files by them.
            return exp.convert(parameters[node.name])
        case exp.Literal(is_string=False, this=text) if "." in text and "e" not in text.lower():
            return exp.Literal.number(f"{text}e0")  # FLOAT64; without an exponent, it is a DECIMAL in DuckDB
        case exp.In(this=value, args={"unnest": exp.Unnest(expressions=[exp.Array(expressions=choices)])}):
            # sqlglot would add GoogleSQL's handling of NULLs in arrays, which lists of literals do not need.
            return exp.In(this=value, expressions=choices) if choices else exp.false()
        case exp.Div() if not (node.right.is_number and float(node.right.name)):
            # GoogleSQL raises an error; DuckDB returns infinity.
            fails = exp.Anonymous(this="ERROR", expressions=[exp.Literal.string("division by zero")])
            divisor = exp.paren(node.right)
            node.set("expression", exp.case().when(divisor.eq(0), fails).else_(divisor.copy()))
        case exp.CountIf():
            return exp.func("COUNT", exp.case().when(node.this, exp.true()))  # DuckDB's COUNT_IF of no rows is NULL
        case exp.ArrayToString():
            return exp.func("COALESCE", node.copy(), exp.convert(""))  # DuckDB returns NULL if all elements are NULL
        case exp.DataType() if node.is_type("decimal"):
            return exp.DataType.build("DECIMAL(38, 9)")  # GoogleSQL's NUMERIC; DuckDB's default has 3 decimals
        case exp.DateTrunc() | exp.DateAdd() | exp.DateSub():
            return exp.cast(node.copy(), "DATE")  # DuckDB returns a TIMESTAMP
        case exp.Extract() if node.name.upper() == "DAYOFWEEK":
            return exp.paren(exp.Add(this=node.copy(), expression=exp.Literal.number(1)))  # DuckDB counts from 0
        case exp.SafeFunc(this=parse):
            # sqlglot would keep SAFE. and prefix the value and the format with a default year.
            return exp.func("TRY_STRPTIME", parse.this, parse.args["format"])
        case exp.RegexpExtract() if re.compile(node.expression.name).groups:
            # GoogleSQL returns NULL without a match; DuckDB returns an empty string.
            group = exp.Anonymous(
                this="REGEXP_EXTRACT", expressions=[node.this, node.expression, exp.Literal.number(1)]
            )
            return exp.func("NULLIF", group, exp.Literal.string(""))
        case exp.Distinct(expressions=[exp.JSONFormat(this=exp.Struct(expressions=values))]):
            # Hashes are three times as fast. A collision counts one value too few, so it never hides a repeated key.
            return exp.Distinct(expressions=[exp.Anonymous(this="HASH", expressions=values)])
    return node
