"""From GoogleSQL to DuckDB, where sqlglot alone does not get the meaning right.

Here belong the node rewrites, each with a test in `chicago_crime_tests/resources/test_duckdb_dialect.py`, and nothing
that knows a table of ours. What is not known to mean the same on both engines is refused, never translated by luck:
the tests ask Google's own evaluator. Two differences cannot be seen here and are left: UPPER and LOWER of letters that
become several, like ß; and CAST of a FLOAT64 to STRING, which writes 7 in GoogleSQL and 7.0 in DuckDB.
"""

import re
from collections.abc import Callable, Mapping

from sqlglot import exp

TableScan = Callable[[str], exp.Expr]
"""Gives the expression that reads the table of a name, e.g. a call of read_parquet."""

FUNCTIONS: tuple[type[exp.Expr], ...] = (
    *(exp.Abs, exp.And, exp.Array, exp.ArraySize, exp.ArrayToString, exp.Avg, exp.Case, exp.Cast, exp.Ceil),
    *(exp.Coalesce, exp.Concat, exp.ConcatWs, exp.Count, exp.CountIf, exp.Date, exp.DateAdd, exp.DateDiff),
    *(exp.DateFromParts, exp.DateSub, exp.DateTrunc, exp.EndsWith, exp.Exists, exp.Extract, exp.Floor),
    *(exp.Greatest, exp.GroupConcat, exp.Grouping, exp.If, exp.JSONFormat, exp.Lag, exp.Least, exp.Left),
    *(exp.Length, exp.LogicalAnd, exp.LogicalOr, exp.Lower, exp.Max, exp.Min, exp.Nullif, exp.Or, exp.Pad),
    *(exp.ParseDatetime, exp.RegexpExtract, exp.RegexpLike, exp.RegexpReplace, exp.Replace, exp.Reverse, exp.Right),
    *(exp.Round, exp.RowNumber, exp.SafeDivide, exp.SafeFunc, exp.StartsWith, exp.StrPosition, exp.Struct),
    *(exp.Substring, exp.Sum, exp.TimeToStr, exp.Trim, exp.TryCast, exp.TsOrDsToDate, exp.TsOrDsToDatetime),
    *(exp.Unnest, exp.Upper),
)
"""What sqlglot makes of the functions that mean the same on both engines, as they come or as rewritten here."""

_DATE_UNITS = ("YEAR", "QUARTER", "MONTH", "DAY")
_DATE_PARTS = (*_DATE_UNITS, "DAYOFYEAR", "DAYOFWEEK", "HOUR", "MINUTE", "SECOND")
_DATE_FORMAT = re.compile(r"(%[YmdHMSFT]|[^%])*")


class TranslationError(NotImplementedError):
    """A query says what is not known to mean the same on DuckDB; the message names it and the reason."""


def to_duckdb(query: exp.Query, parameters: Mapping[str, object], scan: TableScan) -> str:
    """Write a GoogleSQL query in DuckDB's dialect.

    Args:
        query: the parsed query; it is left as it is.
        parameters: name -> value that takes the place of `@name`: a number, text, date, truth, list of them or None.
            A name without a value stays open, as `$name`, until the statement is run.
        scan: what takes the place of each table that is no common table expression.

    Raises:
        TranslationError: the query uses something that is not known to mean the same on DuckDB.
    """
    query = _without_partition(query)
    for node in query.bfs():
        if why := _why_not(node):
            raise TranslationError(f"{node.sql('bigquery')}: {why}")
    return _written(query, parameters, scan)


def translated(query: exp.Query, parameters: Mapping[str, object], scan: TableScan) -> str:
    """Do what `to_duckdb` does and refuse nothing: for who knows that each value fits what it is cast to."""
    return _written(_without_partition(query), parameters, scan)


def _written(query: exp.Query, parameters: Mapping[str, object], scan: TableScan) -> str:
    """The text of a query, which is changed on the way."""
    nodes = list(query.bfs())
    common = {cte.alias for cte in query.find_all(exp.CTE)}
    for node in reversed(nodes):  # the innermost first: what is rewritten may stand in what will be
        rewritten = _rewrite(node, parameters)
        if rewritten is not node:
            node.replace(rewritten)
    for table in list(query.find_all(exp.Table)):
        if table.name and table.name not in common:
            table.replace(
                exp.Table(this=scan(table.name), alias=exp.TableAlias(this=exp.to_identifier(table.alias_or_name)))
            )
    return query.sql("duckdb")


def _without_partition(query: exp.Query) -> exp.Query:
    """A copy of a query that does not choose a partition: one file holds one year, and is chosen as such."""
    query = query.copy()
    for equation in list(query.find_all(exp.EQ)):
        if equation.left.name == "_PARTITIONTIME":
            equation.replace(exp.true())
    return query


def _why_not(node: exp.Expr) -> str | None:
    """The reason why something cannot be translated; None if it can."""
    match node:
        case exp.Func() if not isinstance(node, FUNCTIONS):
            return "the function is not known to mean the same on DuckDB"
        case exp.SafeFunc() | exp.ParseDatetime() if exp.ParseDatetime not in map(type, (node.this, node)):
            return "of SAFE. only SAFE.PARSE_DATETIME is translated"
        case exp.ParseDatetime() if not isinstance(node.parent, exp.SafeFunc):
            return "only SAFE.PARSE_DATETIME is translated"
        case exp.TryCast() if not isinstance(node.this, exp.RegexpExtract | exp.Replace):
            return (
                "engines differ in what texts they read: SAFE_CAST is for what REGEXP_EXTRACT or REPLACE made sure of"
            )
        case exp.Cast() if node.is_type("bigint") and not isinstance(
            node.this, exp.RegexpExtract | exp.Round | exp.Floor | exp.Ceil | exp.Null
        ):
            return "engines round halves differently: ROUND, FLOOR or CEIL what is cast to INT64"
        case exp.Cast() if node.is_type("boolean") and not isinstance(node.this, exp.Null):
            return "engines differ in what texts they read as BOOL"
        case exp.Cast() if node.is_type("decimal", "bigdecimal") and not (
            node.is_type("decimal") and isinstance(node.parent, exp.Cast) and node.parent.is_type("double")
        ):
            return "NUMERIC is only a step on the way to FLOAT64"
        case exp.Extract() if node.name.upper() not in _DATE_PARTS:
            return f"engines count this part differently; the others are {', '.join(_DATE_PARTS)}"
        case exp.DateTrunc() | exp.DateAdd() | exp.DateSub() if node.text("unit").upper() not in _DATE_UNITS:
            return f"of a DATE only {', '.join(_DATE_UNITS)} are translated"
        case exp.TimeToStr() if not _DATE_FORMAT.fullmatch(node.text("format")):
            return "of a date's format only %Y %m %d %H %M %S %F %T are translated"
        case exp.JSONFormat() if not (isinstance(node.parent, exp.Distinct) and isinstance(node.this, exp.Struct)):
            return "TO_JSON_STRING(STRUCT(...)) is for telling rows apart, in COUNT(DISTINCT ...)"
        case exp.Struct() if not isinstance(node.parent, exp.JSONFormat):
            return "a STRUCT is only a step on the way to COUNT(DISTINCT TO_JSON_STRING(...))"
        case exp.Round() if node.args.get("decimals"):
            return "engines differ in the last digit: round whole numbers only"
        case exp.RegexpExtract() if not _is_plain_pattern(node.expression.name):
            return "a pattern has at most one group, and what it gives is never the empty text"
        case exp.Substring() if not node.args["start"].is_number or node.args["start"].name == "0":
            return "engines differ in a start of 0: SUBSTR is for a start that is a literal, and another one"
        case exp.Like() if not node.expression.is_string or "\\" in node.expression.name:
            return "engines escape differently: LIKE is for patterns that are literals without a backslash"
        case exp.ArrayToString() if not isinstance(node.this, exp.Array) or node.args.get("null"):
            return "ARRAY_TO_STRING is for an array that is written out, and leaves NULLs away"
        case exp.Trim() if node.text("expression") != " ":
            return "engines differ in what is white space: say TRIM(..., ' ')"
        case exp.Unnest() if node.args.get("offset"):
            return "WITH OFFSET counts from 1 on DuckDB"
        case exp.BitwiseLeftShift() | exp.BitwiseRightShift():
            return "engines shift negative numbers differently"
    return None


def _is_plain_pattern(pattern: str) -> bool:
    try:
        groups = re.compile(pattern).groups
    except re.error:
        return False
    given = re.search(r"(?<!\\)\((?!\?)([^()]+)\)", pattern) if groups else None
    return groups < 2 and bool(given) == bool(groups) and not re.fullmatch(given[1] if given else pattern, "")


def _rewrite(node: exp.Expr, parameters: Mapping[str, object]) -> exp.Expr:
    match node:
        case exp.Parameter() if node.name in parameters:
            # Values become literals of the tree, never of the text: no value can be read as SQL, and DuckDB skips what
            # a literal rules out.
            return exp.convert(parameters[node.name])
        case exp.Literal(is_string=False, this=text) if "." in text and "e" not in text.lower():
            return exp.Literal.number(f"{text}e0")  # 0.1 is a FLOAT64; without an exponent it is DuckDB's DECIMAL
        case exp.In(this=value, args={"unnest": exp.Unnest(expressions=[exp.Array(expressions=choices)])}):
            # As it comes, sqlglot spells out what GoogleSQL says of NULLs in the array; a list of literals has none.
            return exp.In(this=value, expressions=choices) if choices else exp.false()
        case exp.Div() if not (node.right.is_number and float(node.right.name)):
            # GoogleSQL fails; DuckDB answers infinity, unless told.
            fails = exp.Anonymous(this="ERROR", expressions=[exp.Literal.string("division by zero")])
            divisor = exp.paren(node.right)
            node.set("expression", exp.case().when(divisor.eq(0), fails).else_(divisor.copy()))
        case exp.CountIf():
            return exp.func("COUNT", exp.case().when(node.this, exp.true()))  # of no rows it is 0; DuckDB's is NULL
        case exp.ArrayToString():
            return exp.func("COALESCE", node.copy(), exp.convert(""))  # of NULLs alone it is "", in DuckDB NULL
        case exp.DataType() if node.is_type("decimal"):
            return exp.DataType.build("DECIMAL(38, 9)")  # GoogleSQL's NUMERIC; DuckDB's own has 3 decimals
        case exp.DateTrunc() | exp.DateAdd() | exp.DateSub():
            return exp.cast(node.copy(), "DATE")  # to DuckDB it is a TIMESTAMP
        case exp.Extract() if node.name.upper() == "DAYOFWEEK":
            return exp.paren(exp.Add(this=node.copy(), expression=exp.Literal.number(1)))  # Sunday is 1; to DuckDB, 0
        case exp.SafeFunc(this=parse):
            # As it comes, sqlglot leaves SAFE. in place and puts a default year before the value and the format.
            return exp.func("TRY_STRPTIME", parse.this, parse.args["format"])
        case exp.RegexpExtract() if re.compile(node.expression.name).groups:
            # GoogleSQL gives the group, or NULL without a match; DuckDB gives an empty string for both.
            group = exp.Anonymous(
                this="REGEXP_EXTRACT", expressions=[node.this, node.expression, exp.Literal.number(1)]
            )
            return exp.func("NULLIF", group, exp.Literal.string(""))
        case exp.Distinct(expressions=[exp.JSONFormat(this=exp.Struct(expressions=values))]):
            # Only whether values differ matters, and 64 bits tell that in a third of the time. Were two ever to fall
            # together, one would be counted too few: a repeated key is never overlooked.
            return exp.Distinct(expressions=[exp.Anonymous(this="HASH", expressions=values)])
        case exp.RegexpReplace():
            # GoogleSQL replaces every match; DuckDB only the first unless told.
            parts = [node.this, node.expression, node.args["replacement"], exp.Literal.string("g")]
            return exp.Anonymous(this="REGEXP_REPLACE", expressions=parts)
        case exp.Replace(this=text, expression=exp.Literal(is_string=True) as sought) if sought.name:
            # As with TRIM: to look is quicker than to replace.
            return exp.case().when(exp.func("CONTAINS", text.copy(), sought.copy()), node.copy()).else_(text.copy())
        case exp.Trim(this=text):
            # DuckDB is slow to trim, and few texts need it. (Not told what to trim, it takes other white space, too.)
            needs_it = exp.or_(*(exp.Like(this=text.copy(), expression=exp.convert(end)) for end in (" %", "% ")))
            return exp.case().when(needs_it, node.copy()).else_(text.copy())
    return node
