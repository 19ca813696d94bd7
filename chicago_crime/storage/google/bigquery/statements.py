"""The GoogleSQL statements of the BigQuery warehouse, for any table and year; `ddl.py` has the DDL."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlglot import exp

from chicago_crime import sql
from chicago_crime.tables import TABLES, Table


def name_of(table: str) -> str:
    """Quote the name of a table or column as an identifier."""
    return exp.to_identifier(table, quoted=True).sql("bigquery")


def is_by_month(table: Table) -> bool:
    """Whether a table is partitioned by month, as tables of single crimes are. Tables of counts are, by year."""
    return {"date", "month"} <= {column.name for column in table.columns if column.type != "STRING"}


def _of_year(table: Table, year: int, prefix: str = "") -> str:
    """The condition that selects a year of a table, written so that only its partitions are read."""
    if is_by_month(table):
        return f"{prefix}month BETWEEN CAST('{year}-01-01' AS DATE) AND CAST('{year}-12-31' AS DATE)"
    if table.year_column is None:
        return f"{prefix}_PARTITIONTIME = TIMESTAMP(CAST('{year}-01-01' AS DATE))"
    return f"{prefix}{name_of(table.year_column)} = {year}"


def _contract(table: Table, source: str) -> str:
    """The query that selects a source's rows with the live table's columns and types."""
    columns = ", ".join(f"CAST({name_of(c.name)} AS {c.type}) AS {name_of(c.name)}" for c in table.columns)
    return f"SELECT {columns} FROM {source}"


def computed(table: Table, year: int) -> str:
    """The query in a table's file in `sql/`, over one year of its inputs, with the live table's columns and types."""
    query = sql.statement(f"tables/{table.name}").copy()
    for read in list(query.find_all(exp.Table)):
        if upstream := TABLES.get(read.name):
            rows = exp.select("*").from_(read.name).where(_of_year(upstream, year), dialect="bigquery")
            read.replace(rows.subquery(read.alias_or_name))
    text = query.sql("bigquery", comments=False).replace("@year", str(year))
    return _contract(table, f"({text}) AS computed")


def no_rows(table: Table) -> str:
    """The query that returns a table's columns and no rows."""
    columns = ", ".join(f"CAST(NULL AS {column.type}) AS {name_of(column.name)}" for column in table.columns)
    return f"SELECT {columns} LIMIT 0"


def replaced(table: Table, year: int, query: str) -> str:
    """The statement that replaces a year with the rows of a query, atomically.

    Google documents its constant false predicate for replacements: no rows are joined ("DML syntax", MERGE). Only the
    year's partitions are read (measured: yogirk.dev, "Merge on false", April 2026).
    """
    names = ", ".join(name_of(column.name) for column in table.columns)
    return (
        f"MERGE {name_of(table.name)} AS target USING (\n{query}\n) AS made ON FALSE\n"
        f"WHEN NOT MATCHED BY SOURCE AND {_of_year(table, year, 'target.')} THEN DELETE\n"
        f"WHEN NOT MATCHED THEN INSERT ({names}) VALUES ({names})"
    )


def staged(table: Table, year: int, staging: str) -> str:
    """The query of a staging table's rows, with the live table's columns and types; it fails on a row of another year.

    Times without a zone keep their digits, whether they arrive as DATETIME or as TIMESTAMP in UTC.
    """
    values = "*"
    if table.year_column:
        column, message = name_of(table.year_column), f"'a row for {table.name} is not from {year}'"
        values = f"* REPLACE (IF({column} = {year}, {column}, ERROR({message})) AS {column})"
    return _contract(table, f"(SELECT {values} FROM {name_of(staging)}) AS staged")


def export(table: Table, years: Sequence[int], folder: str, as_of: datetime | None = None) -> str:
    """The statement that exports years as Parquet files to a folder, as of now or of a given time."""
    uri = exp.Literal.string(f"{folder.rstrip('/')}/{table.name}-*.parquet").sql("bigquery")
    source = name_of(table.name)
    if as_of:  # a literal, because the clause requires a constant
        source += f" FOR SYSTEM_TIME AS OF TIMESTAMP('{as_of:%Y-%m-%d %H:%M:%S.%f+00}')"
    of_years = " OR ".join(_of_year(table, year) for year in years)
    rows = f"{_contract(table, source)} WHERE {of_years}"
    return f"EXPORT DATA OPTIONS (uri = {uri}, format = 'PARQUET', overwrite = TRUE) AS\n{rows}"


def measured(table: Table, years: Sequence[int], measures: Mapping[str, str]) -> str:
    """The query of aggregates by year: one row per year, even for an empty year."""

    def of(year: int) -> str:
        values = ", ".join(f"{measure.replace('@year', str(year))} AS {name}" for name, measure in measures.items())
        return f"SELECT {year} AS of_year, {values} FROM {name_of(table.name)} WHERE {_of_year(table, year)}"

    return "\nUNION ALL\n".join(map(of, years))


def counted(table: Table, years: Sequence[int], column: str) -> str:
    """The query that counts rows by year and value of a column, most frequent first."""

    def of(year: int) -> str:
        values = f"{year} AS of_year, COALESCE({name_of(column)}, '') AS value, COUNT(*) AS row_count"
        return f"SELECT {values} FROM {name_of(table.name)} WHERE {_of_year(table, year)} GROUP BY value"

    return "\nUNION ALL\n".join(map(of, years)) + "\nORDER BY of_year, row_count DESC, value"
