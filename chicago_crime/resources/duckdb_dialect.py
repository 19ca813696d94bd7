"""From GoogleSQL to DuckDB, where sqlglot alone does not get the meaning right.

Here belong the node rewrites, each with a test in `chicago_crime_tests/resources/test_duckdb_dialect.py`, and nothing
that knows a table of ours.
"""

from collections.abc import Callable, Mapping

from sqlglot import exp

TableScan = Callable[[str], exp.Expr]
"""Gives the expression that reads the table of a name, e.g. a call of read_parquet."""

_WHITE_SPACE = "\t\n\v\f\r\x85 \xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))


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
    for node in reversed(list(query.bfs())):  # the innermost first, so that what is rewritten stands in what will be
        rewritten = _rewrite(node, parameters)
        if rewritten is not node:
            node.replace(rewritten)
    return query.sql("duckdb")


def _rewrite(node: exp.Expr, parameters: Mapping[str, object]) -> exp.Expr:
    match node:
        case exp.Parameter() if node.name in parameters:
            # Values become literals of the tree, never of the text: no value can be read as SQL, and DuckDB skips what
            # a literal rules out.
            return exp.convert(parameters[node.name])
        case exp.In(this=value, args={"unnest": exp.Unnest(expressions=[exp.Array(expressions=choices)])}):
            # As it comes, sqlglot spells out what GoogleSQL says of NULLs in the array; a list of literals has none.
            return exp.In(this=value, expressions=choices) if choices else exp.false()
        case exp.EQ() if node.left.name == "_PARTITIONDATE":
            return exp.true()  # one file holds one year: the partition is chosen by choosing the file
        case exp.SafeFunc(this=exp.ParseDatetime() as parse):
            # As it comes, sqlglot leaves SAFE. in place and puts a default year before the value and the format.
            return exp.func("TRY_STRPTIME", parse.this, parse.args["format"])
        case exp.RegexpExtract() if "(" in node.expression.name:
            # GoogleSQL gives the group, or NULL without a match; DuckDB gives an empty string for both.
            return exp.func(
                "NULLIF",
                exp.Anonymous(this="REGEXP_EXTRACT", expressions=[node.this, node.expression, exp.Literal.number(1)]),
                exp.Literal.string(""),
            )
        case exp.DataType(this=exp.DType.DECIMAL, expressions=[]):
            return exp.DataType.build("DECIMAL(38, 9)")  # GoogleSQL's NUMERIC; DuckDB's own has 3 decimals
        case exp.DateTrunc(this=exp.Date() | exp.Cast(to=exp.DataType(this=exp.DType.DATE))):
            # GoogleSQL's is of the type that it was given.
            return exp.cast(node.copy(), "DATE")
        case exp.Trim(this=text) if not node.expression:
            # GoogleSQL takes away all white space; DuckDB, unless told, only blanks. Telling it is slow, so it is told
            # only of texts that need it.
            ends = (exp.func("ASCII", text), exp.func("ASCII", exp.func("RIGHT", text, exp.Literal.number(1))))
            clean = exp.and_(*(end.between(exp.Literal.number(33), exp.Literal.number(126)) for end in ends))
            return exp.case().when(clean, text).else_(exp.Trim(this=text, expression=exp.Literal.string(_WHITE_SPACE)))
        case exp.RegexpReplace():
            # GoogleSQL replaces every match; DuckDB only the first unless told.
            return _replace_all(node.this, node.expression, node.args["replacement"])
    return node


def _replace_all(text: exp.Expr, pattern: exp.Expr, replacement: exp.Expr) -> exp.Expr:
    every = exp.Literal.string("g")
    return exp.Anonymous(this="REGEXP_REPLACE", expressions=[text, pattern, replacement, every])
