"""The GoogleSQL statements of the BigQuery warehouse, for any table and year. DDL is left to `ddl.py`."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache

import sqlglot
from sqlglot import exp

from chicago_crime import sql
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


def _of_year(table: Table, year: int, alias: str | None = None) -> exp.Condition:
    if is_by_month(table):
        return exp.column("month", alias).between(_day(year, 1, 1), _day(year, 12, 31))
    if table.year_column is None:
        return exp.column("_PARTITIONTIME", alias).eq(exp.Timestamp(this=_day(year, 1, 1)))
    return exp.column(table.year_column, alias, quoted=True).eq(exp.Literal.number(year))


def _day(year: int, month: int, day: int) -> exp.Expr:
    return exp.cast(exp.Literal.string(f"{year}-{month:02}-{day:02}"), "DATE")


@cache
def computed(table: Table) -> str:
    """The query of a table's file in `sql/`: the live table's columns, in its types, for the parameter @year."""
    return text(_contract(table).from_(sql.statement(f"tables/{table.name}").copy().subquery("computed")))


def _contract(table: Table) -> exp.Select:
    columns = [exp.cast(exp.column(c.name, quoted=True), exp.DataType.build(c.type, "bigquery")) for c in table.columns]
    return exp.select(*(exp.alias_(x, c.name, quoted=True) for x, c in zip(columns, table.columns, strict=True)))


def delete(table: Table, year: int) -> str:
    """The statement that deletes a year."""
    return text(exp.delete(exp.to_table(name_of(table.name), dialect="bigquery"), where=_of_year(table, year)))


def replaced(table: Table, year: int, query: str) -> str:
    """The statement that replaces a year by the rows of a query, all or nothing.

    Google calls its condition a constant false predicate, made for a replacement: no rows are joined ("DML syntax",
    MERGE). Only the year's partitions are read (measured: yogirk.dev, "Merge on false", April 2026).
    """
    names = ", ".join(name_of(column.name) for column in table.columns)
    old = text(_of_year(table, year, "target"))
    return (
        f"MERGE {name_of(table.name)} AS target USING (\n{query}\n) AS made ON FALSE\n"
        f"WHEN NOT MATCHED BY SOURCE AND {old} THEN DELETE\n"
        f"WHEN NOT MATCHED THEN INSERT ({names}) VALUES ({names})"
    )


def staged(table: Table, year: int, staging: str) -> str:
    """The query of a staging table's rows, with the live table's columns and types; it fails on a row of another year.

    A time without a zone keeps its digits, whether it arrives as DATETIME or as TIMESTAMP in UTC.
    """
    source = f"SELECT * FROM {name_of(staging)}"
    if table.year_column:
        column = name_of(table.year_column)
        message = exp.Literal.string(f"a row to load into {table.name} is not of {year}").sql("bigquery")
        source = (
            f"SELECT * REPLACE (IF({column} = {year}, {column}, ERROR({message})) AS {column}) FROM {name_of(staging)}"
        )
    parsed = sqlglot.parse_one(source, read="bigquery")
    assert isinstance(parsed, exp.Query)
    return text(_contract(table).from_(parsed.subquery("staged")))


def export(table: Table, years: Sequence[int], folder: str, as_of: datetime | None = None) -> str:
    """The statement that writes years as Parquet files into a folder, as they are now or were at a time."""
    uri = exp.Literal.string(f"{folder.rstrip('/')}/{table.name}-*.parquet").sql("bigquery")
    rows = rows_of(table, years, as_of)
    return f"EXPORT DATA OPTIONS (uri = {uri}, format = 'PARQUET', overwrite = TRUE) AS\n{rows}"


def rows_of(table: Table, years: Sequence[int], as_of: datetime | None = None) -> str:
    """The query of all rows of some years."""
    source = exp.to_table(name_of(table.name), dialect="bigquery")
    if as_of:  # a literal is certainly constant, which the clause demands
        at = exp.Timestamp(this=exp.Literal.string(as_of.strftime("%Y-%m-%d %H:%M:%S.%f+00")))
        source.set("version", exp.Version(this="TIMESTAMP", kind="AS OF", expression=at))
    return text(_contract(table).from_(source).where(of_years(table, years)))


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
