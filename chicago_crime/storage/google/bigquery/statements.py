"""The GoogleSQL statements of the BigQuery warehouse, for any table and year. DDL is left to `ddl.py`."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlglot import exp

from chicago_crime import sql
from chicago_crime.tables import TABLES, Table


def name_of(table: str) -> str:
    """A table's or column's name as an identifier."""
    return exp.to_identifier(table, quoted=True).sql("bigquery")


def is_by_month(table: Table) -> bool:
    """Whether a table holds single crimes: those are partitioned by month, tables of counts by year."""
    return {"date", "month"} <= {column.name for column in table.columns if column.type != "STRING"}


def _of_year(table: Table, year: int, prefix: str = "") -> str:
    """The condition that chooses a year of a table, written so that only its partitions are read."""
    if is_by_month(table):
        return f"{prefix}month BETWEEN CAST('{year}-01-01' AS DATE) AND CAST('{year}-12-31' AS DATE)"
    if table.year_column is None:
        return f"{prefix}_PARTITIONTIME = TIMESTAMP(CAST('{year}-01-01' AS DATE))"
    return f"{prefix}{name_of(table.year_column)} = {year}"


def _contract(table: Table, source: str) -> str:
    """The query of a source's rows with the live table's columns, in its types."""
    columns = ", ".join(f"CAST({name_of(c.name)} AS {c.type}) AS {name_of(c.name)}" for c in table.columns)
    return f"SELECT {columns} FROM {source}"


def computed(table: Table, year: int) -> str:
    """The query of a table's file in `sql/`, over a year of what it reads: the live table's columns, in its types."""
    query = sql.statement(f"tables/{table.name}").copy()
    for read in list(query.find_all(exp.Table)):
        if upstream := TABLES.get(read.name):
            rows = exp.select("*").from_(read.name).where(_of_year(upstream, year), dialect="bigquery")
            read.replace(rows.subquery(read.alias_or_name))
    text = query.sql("bigquery", comments=False).replace("@year", str(year))
    return _contract(table, f"({text}) AS computed")


def no_rows(table: Table) -> str:
    """The query of a table's columns without a row."""
    columns = ", ".join(f"CAST(NULL AS {column.type}) AS {name_of(column.name)}" for column in table.columns)
    return f"SELECT {columns} LIMIT 0"


def replaced(table: Table, year: int, query: str) -> str:
    """The statement that replaces a year by the rows of a query, all or nothing.

    Google calls its condition a constant false predicate, made for a replacement: no rows are joined ("DML syntax",
    MERGE). Only the year's partitions are read (measured: yogirk.dev, "Merge on false", April 2026).
    """
    names = ", ".join(name_of(column.name) for column in table.columns)
    return (
        f"MERGE {name_of(table.name)} AS target USING (\n{query}\n) AS made ON FALSE\n"
        f"WHEN NOT MATCHED BY SOURCE AND {_of_year(table, year, 'target.')} THEN DELETE\n"
        f"WHEN NOT MATCHED THEN INSERT ({names}) VALUES ({names})"
    )


def staged(table: Table, year: int, staging: str) -> str:
    """The query of a staging table's rows, with the live table's columns and types; it fails on a row of another year.

    A time without a zone keeps its digits, whether it arrives as DATETIME or as TIMESTAMP in UTC.
    """
    values = "*"
    if table.year_column:
        column, message = name_of(table.year_column), f"'a row to load into {table.name} is not of {year}'"
        values = f"* REPLACE (IF({column} = {year}, {column}, ERROR({message})) AS {column})"
    return _contract(table, f"(SELECT {values} FROM {name_of(staging)}) AS staged")


def export(table: Table, years: Sequence[int], folder: str, as_of: datetime | None = None) -> str:
    """The statement that writes years as Parquet files into a folder, as they are now or were at a time."""
    uri = exp.Literal.string(f"{folder.rstrip('/')}/{table.name}-*.parquet").sql("bigquery")
    source = name_of(table.name)
    if as_of:  # a literal is certainly constant, which the clause demands
        source += f" FOR SYSTEM_TIME AS OF TIMESTAMP('{as_of:%Y-%m-%d %H:%M:%S.%f+00}')"
    of_years = " OR ".join(_of_year(table, year) for year in years)
    rows = f"{_contract(table, source)} WHERE {of_years}"
    return f"EXPORT DATA OPTIONS (uri = {uri}, format = 'PARQUET', overwrite = TRUE) AS\n{rows}"


def measured(table: Table, years: Sequence[int], measures: Mapping[str, str]) -> str:
    """The query of aggregates by year: one row a year, also for an empty year."""

    def of(year: int) -> str:
        values = ", ".join(f"{measure.replace('@year', str(year))} AS {name}" for name, measure in measures.items())
        return f"SELECT {year} AS of_year, {values} FROM {name_of(table.name)} WHERE {_of_year(table, year)}"

    return _union_all(map(of, years))


def counted(table: Table, years: Sequence[int], column: str) -> str:
    """The query of rows by year and value of a column, most first."""

    def of(year: int) -> str:
        values = f"{year} AS of_year, COALESCE({name_of(column)}, '') AS value, COUNT(*) AS row_count"
        return f"SELECT {values} FROM {name_of(table.name)} WHERE {_of_year(table, year)} GROUP BY value"

    return f"{_union_all(map(of, years))}\nORDER BY of_year, row_count DESC, value"


def _union_all(queries: Iterable[str]) -> str:
    return "\nUNION ALL\n".join(queries)
