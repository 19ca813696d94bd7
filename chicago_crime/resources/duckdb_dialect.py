"""From GoogleSQL to DuckDB, where sqlglot alone does not get the meaning right.

Here belong the node rewrites, each with a test in `chicago_crime_tests/resources/test_duckdb_dialect.py`, and nothing
that knows a table of ours.
"""

from collections.abc import Callable, Mapping

from sqlglot import exp

TableScan = Callable[[str], exp.Expr]
"""Gives the expression that reads the table of a name, e.g. a call of read_parquet."""


def to_duckdb(query: exp.Query, parameters: Mapping[str, object], scan: TableScan) -> str:
    """Write a GoogleSQL query in DuckDB's dialect.

    Args:
        query: the parsed query; it is left as it is.
        parameters: name -> value that takes the place of `@name`: a number, text, date, truth, list of them or None.
            A name without a value stays open, as `$name`, until the statement is run.
        scan: what takes the place of each table that is no common table expression.
    """
    query = query.copy()
    common = {cte.alias for cte in query.find_all(exp.CTE)}
    for table in list(query.find_all(exp.Table)):
        if table.name and table.name not in common:
            table.replace(
                exp.Table(this=scan(table.name), alias=exp.TableAlias(this=exp.to_identifier(table.alias_or_name)))
            )
    return query.transform(_with_values, parameters, copy=False).transform(_rewrite, copy=False).sql("duckdb")


def _with_values(node: exp.Expr, parameters: Mapping[str, object]) -> exp.Expr:
    # Values become literals of the tree, never of the text: no value can be read as SQL, and DuckDB skips what a
    # literal rules out.
    if isinstance(node, exp.Parameter) and node.name in parameters:
        return exp.convert(parameters[node.name])
    return node


def _rewrite(node: exp.Expr) -> exp.Expr:
    match node:
        case exp.In(this=value, args={"unnest": exp.Unnest(expressions=[exp.Array(expressions=choices)])}):
            # As it comes, sqlglot spells out what GoogleSQL says of NULLs in the array; a list of literals has none.
            return exp.In(this=value, expressions=choices) if choices else exp.false()
        case exp.EQ() if node.left.name == "_PARTITIONDATE":
            return exp.true()  # one file holds one year: the partition is chosen by choosing the file
        case exp.SafeFunc(this=exp.ParseDatetime() as parse):
            # As it comes, sqlglot leaves SAFE. in place and puts a default year before the value and the format.
            return exp.func("TRY_STRPTIME", parse.this.transform(_rewrite), parse.args["format"])
        case exp.RegexpExtract() if "(" in node.expression.name:
            # GoogleSQL gives the group, or NULL without a match; DuckDB gives an empty string for both.
            return exp.func(
                "NULLIF",
                exp.Anonymous(this="REGEXP_EXTRACT", expressions=[node.this, node.expression, exp.Literal.number(1)]),
                exp.Literal.string(""),
            )
        case exp.Distinct(expressions=[exp.JSONFormat(this=exp.Struct(expressions=values))]):
            # Only whether values differ matters, and 64 bits tell that in a third of the time. Were two ever to fall
            # together, one would be counted too few: a repeated key is never overlooked.
            return exp.Distinct(expressions=[exp.Anonymous(this="HASH", expressions=values)])
        case exp.RegexpReplace():
            # GoogleSQL replaces every match; DuckDB only the first unless told.
            return exp.Anonymous(
                this="REGEXP_REPLACE",
                expressions=[node.this, node.expression, node.args["replacement"], exp.Literal.string("g")],
            )
    return node
