"""Translation from GoogleSQL to DuckDB, where sqlglot alone does not preserve the meaning.

Tests compare every statement of `sql/` with Google's own evaluator. Two differences remain: UPPER and LOWER of letters
that become several, like ß; and CAST of a FLOAT64 to STRING, which gives 7 in GoogleSQL and 7.0 in DuckDB.
"""

import re
from collections.abc import Callable, Mapping

from sqlglot import exp

TableScan = Callable[[str], exp.Expr]
"""Gives the expression that reads a table by name, e.g. a call of read_parquet."""


def to_duckdb(query: exp.Query, parameters: Mapping[str, object], scan: TableScan) -> str:
    """Translate a GoogleSQL query to DuckDB's dialect.

    Args:
        query: the parsed query; it is not changed.
        parameters: name -> value that replaces `@name`: a number, string, date, bool, list of them, or None. A name
            without a value becomes a parameter `$name` of the translated statement.
        scan: replaces each table that is not a common table expression.
    """
    query = query.copy()
    nodes = list(query.bfs())
    common = {cte.alias for cte in query.find_all(exp.CTE)}
    for node in reversed(nodes):  # innermost first: a rewritten node may be part of another
        rewritten = _rewrite(node, parameters)
        if rewritten is not node:
            node.replace(rewritten)
    for table in list(query.find_all(exp.Table)):
        if table.name and table.name not in common:
            table.replace(
                exp.Table(this=scan(table.name), alias=exp.TableAlias(this=exp.to_identifier(table.alias_or_name)))
            )
    # After an apostrophe in a comment, DuckDB would take the no-break spaces of texts for blanks between words.
    return query.sql("duckdb", comments=False)


def _rewrite(node: exp.Expr, parameters: Mapping[str, object]) -> exp.Expr:
    match node:
        case exp.Parameter() if node.name in parameters:
            # Values become literals of the tree, so that no value is parsed as SQL, and DuckDB skips files by them.
            return exp.convert(parameters[node.name])
        case exp.Literal(is_string=False, this=text) if "." in text and "e" not in text.lower():
            return exp.Literal.number(f"{text}e0")  # a FLOAT64; without an exponent, DuckDB takes it for a DECIMAL
        case exp.In(this=value, args={"unnest": exp.Unnest(expressions=[exp.Array(expressions=choices)])}):
            # sqlglot would add GoogleSQL's rules for NULLs in the array; a list of literals has none.
            return exp.In(this=value, expressions=choices) if choices else exp.false()
        case exp.Div() if not (node.right.is_number and float(node.right.name)):
            # GoogleSQL fails; DuckDB gives infinity.
            fails = exp.Anonymous(this="ERROR", expressions=[exp.Literal.string("division by zero")])
            divisor = exp.paren(node.right)
            node.set("expression", exp.case().when(divisor.eq(0), fails).else_(divisor.copy()))
        case exp.CountIf():
            return exp.func("COUNT", exp.case().when(node.this, exp.true()))  # 0 of no rows; DuckDB's own gives NULL
        case exp.ArrayToString():
            return exp.func("COALESCE", node.copy(), exp.convert(""))  # "" if all are NULL; DuckDB's own gives NULL
        case exp.DataType() if node.is_type("decimal"):
            return exp.DataType.build("DECIMAL(38, 9)")  # GoogleSQL's NUMERIC; DuckDB's own has 3 decimals
        case exp.DateTrunc() | exp.DateAdd() | exp.DateSub():
            return exp.cast(node.copy(), "DATE")  # DuckDB gives a TIMESTAMP
        case exp.Extract() if node.name.upper() == "DAYOFWEEK":
            return exp.paren(exp.Add(this=node.copy(), expression=exp.Literal.number(1)))  # Sunday is 1; in DuckDB 0
        case exp.SafeFunc(this=parse):
            # sqlglot would keep SAFE. and put a default year before the value and the format.
            return exp.func("TRY_STRPTIME", parse.this, parse.args["format"])
        case exp.RegexpExtract() if re.compile(node.expression.name).groups:
            # GoogleSQL gives the group, or NULL without a match; DuckDB gives an empty string for both.
            group = exp.Anonymous(
                this="REGEXP_EXTRACT", expressions=[node.this, node.expression, exp.Literal.number(1)]
            )
            return exp.func("NULLIF", group, exp.Literal.string(""))
        case exp.Distinct(expressions=[exp.JSONFormat(this=exp.Struct(expressions=values))]):
            # A 64-bit hash tells values apart in a third of the time. A collision would count one value too few, so a
            # repeated key is never overlooked.
            return exp.Distinct(expressions=[exp.Anonymous(this="HASH", expressions=values)])
    return node
