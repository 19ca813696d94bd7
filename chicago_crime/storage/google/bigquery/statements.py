"""The GoogleSQL statements of the BigQuery warehouse, for any table and year. DDL is left to `ddl.py`."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache

import sqlglot
from sqlglot import exp

from chicago_crime import sql
from chicago_crime.storage.google.bigquery.packing import live_columns, packed
from chicago_crime.tables import Table


def text(query: exp.Expr) -> str:
    """An expression in BigQuery's dialect."""
    return query.transform(_rewrite).sql("bigquery", comments=False)


def _rewrite(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.Interval) and isinstance(node.this, exp.Literal) and node.this.is_string:
        # sqlglot quotes the number; DATE_SUB takes an INT64.
        return exp.Interval(this=exp.Literal.number(node.name), unit=node.args["unit"].copy())
    return node


def name_of(table: str) -> str:
    """A table's or column's name as an identifier."""
    return exp.to_identifier(table, quoted=True).sql("bigquery")


def is_by_month(table: Table) -> bool:
    """Whether a table holds single crimes: those are partitioned by month, tables of counts by year."""
    return {"date", "month"} <= {column.name for column in table.columns if column.type != "STRING"}


def of_years(table: Table, years: Iterable[int]) -> exp.Condition:
    """The condition that chooses years of a table, written so that only their partitions are read."""
    return exp.or_(*(_of_year(table, year) for year in years))


def _of_year(table: Table, year: int) -> exp.Condition:
    if is_by_month(table):
        return exp.column("month").between(_day(year, 1, 1), _day(year, 12, 31))
    if table.year_column is None:
        return exp.column("_PARTITIONTIME").eq(exp.Timestamp(this=_day(year, 1, 1)))
    return exp.column(table.year_column, quoted=True).eq(exp.Literal.number(year))


def _day(year: int, month: int, day: int) -> exp.Expr:
    return exp.cast(exp.Literal.string(f"{year}-{month:02}-{day:02}"), "DATE")


@cache
def computed(table: Table) -> str:
    """The query of a table's file in `sql/`: the live table's columns, in its types, for the parameter @year."""
    return text(
        packed(table, _contract(table).from_(sql.statement(f"tables/{table.name}").copy().subquery("computed")))
    )


def _contract(table: Table) -> exp.Select:
    columns = [exp.cast(exp.column(c.name, quoted=True), exp.DataType.build(c.type, "bigquery")) for c in table.columns]
    return exp.select(*(exp.alias_(x, c.name, quoted=True) for x, c in zip(columns, table.columns, strict=True)))


def delete(table: Table, year: int) -> str:
    """The statement that deletes a year."""
    return text(exp.delete(exp.to_table(name_of(table.name), dialect="bigquery"), where=_of_year(table, year)))


def replaced(table: Table, year: int, query: str | None) -> list[str]:
    """The statements that replace a year by the rows of a query, or by nothing."""
    names = ", ".join(name_of(column.name) for column in live_columns(table))
    insert = [f"INSERT INTO {name_of(table.name)} ({names})\n{query}"] if query else []
    return [delete(table, year), *insert]


def transaction(statements: Sequence[str], before: Sequence[str] = ()) -> str:
    """A script that runs all statements or none; those of `before` run first, outside the transaction."""
    return ";\n".join([*before, "BEGIN TRANSACTION", *statements, "COMMIT TRANSACTION"]) + ";"


def staged(table: Table, year: int, folder: str) -> tuple[list[str], str]:
    """How a script reads Parquet files below a folder.

    Returns:
        The statements that load them into a temporary table and assert that all rows are of the year; and the query of
        their rows, with the live table's columns and types. A time without a zone keeps its digits, whether it arrives
        as DATETIME or as TIMESTAMP in UTC.
    """
    name = name_of(f"staged_{table.name}")
    uri = exp.Literal.string(f"{folder.rstrip('/')}/*.parquet").sql("bigquery")
    statements = [f"LOAD DATA INTO TEMP TABLE {name} FROM FILES (format = 'PARQUET', uris = [{uri}])"]
    if table.year_column:
        message = exp.Literal.string(f"a row to load into {table.name} is not of {year}").sql("bigquery")
        strange = f"{name_of(table.year_column)} IS DISTINCT FROM {year}"
        statements.append(f"ASSERT NOT EXISTS(SELECT 1 FROM {name} WHERE {strange}) AS {message}")
    return statements, text(packed(table, _contract(table).from_(exp.to_table(name, dialect="bigquery"))))


def export(table: Table, years: Sequence[int], folder: str) -> str:
    """The statement that writes years as Parquet files into a folder."""
    uri = exp.Literal.string(f"{folder.rstrip('/')}/{table.name}-*.parquet").sql("bigquery")
    rows = rows_of(table, years)
    return f"EXPORT DATA OPTIONS (uri = {uri}, format = 'PARQUET', overwrite = TRUE) AS\n{rows}"


def rows_of(table: Table, years: Sequence[int]) -> str:
    """The query of all rows of some years."""
    source = exp.to_table(name_of(table.name), dialect="bigquery")
    return text(_contract(table).from_(source).where(of_years(table, years)))


def partitions(dataset: str) -> str:
    """The query of rows, bytes and last change of the partitions of @tables, by table and year."""
    return (
        "SELECT table_name, SAFE_CAST(REGEXP_EXTRACT(partition_id, r'^(\\d{4})(?:\\d\\d)?$') AS INT64) AS year,\n"
        "  SUM(total_rows) AS row_count, SUM(total_logical_bytes) AS bytes, MAX(last_modified_time) AS replaced_at\n"
        f"FROM {name_of(dataset)}.INFORMATION_SCHEMA.PARTITIONS\n"
        "WHERE table_name IN UNNEST(@tables)\n"
        "GROUP BY table_name, year HAVING year IS NOT NULL AND row_count > 0"
    )


def measured(table: Table, years: Sequence[int], measures: Mapping[str, str]) -> str:
    """The query of aggregates by year: one row a year, also for an empty year."""
    parsed = {name: sqlglot.parse_one(measure, read="bigquery") for name, measure in measures.items()}

    def of(year: int) -> exp.Query:
        here = exp.Literal.number(year)
        values = [
            exp.alias_(e.transform(lambda n: here.copy() if n == exp.Parameter(this=exp.var("year")) else n), name)
            for name, e in parsed.items()
        ]
        source = exp.to_table(name_of(table.name), dialect="bigquery")
        return exp.select(exp.alias_(here.copy(), "of_year"), *values).from_(source).where(_of_year(table, year))

    return text(_union_all(map(of, years)))


def counted(table: Table, years: Sequence[int], column: str) -> str:
    """The query of rows by year and value of a column, most first."""
    value = exp.func("COALESCE", exp.column(column, quoted=True), exp.Literal.string(""))

    def of(year: int) -> exp.Query:
        source = exp.to_table(name_of(table.name), dialect="bigquery")
        here = exp.alias_(exp.Literal.number(year), "of_year")
        rows = exp.select(here, exp.alias_(value.copy(), "value"), exp.alias_(exp.Count(this=exp.Star()), "row_count"))
        return rows.from_(source).where(_of_year(table, year)).group_by("value")

    return text(_union_all(map(of, years)).order_by("of_year", "row_count DESC", "value"))


def _union_all(queries: Iterable[exp.Query]) -> exp.Query:
    first, *others = queries
    return exp.union(first, *others, distinct=False) if others else first
