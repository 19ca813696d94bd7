"""The GoogleSQL statements of the BigQuery warehouse, for any table and year."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from sqlglot import exp

from chicago_crime import reference, sql
from chicago_crime.tables import TABLES, Table
from chicago_crime.tables.years import FIRST_YEAR

LAST_YEAR = 2101
"""End of the year range of the partitions of tables of counts. Empty partitions cost nothing."""

LABELS = {"platform": "chicago_crime"}
CONTENT = "content"
"""Label of a reference table: hash of its source files."""


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
    uri = _text(f"{folder.rstrip('/')}/{table.name}-*.parquet")
    source = name_of(table.name)
    if as_of:  # a literal, because the clause requires a constant
        source += f" FOR SYSTEM_TIME AS OF TIMESTAMP('{as_of:%Y-%m-%d %H:%M:%S.%f+00}')"
    of_years = " OR ".join(_of_year(table, year) for year in years)
    rows = f"{_contract(table, source)} WHERE {of_years}"
    return f"EXPORT DATA OPTIONS (uri = {uri}, format = 'PARQUET', overwrite = TRUE) AS\n{rows}"


def measured(table: Table, years: Sequence[int], measures: Mapping[str, str]) -> str:
    """The query of aggregates by year: one row per year, even for an empty year."""
    values = ", ".join(f"{measure} AS {name}" for name, measure in measures.items())
    return _of_each_year(table, years, values)


def counted(table: Table, years: Sequence[int], column: str) -> str:
    """The query that counts rows by year and value of a column, most frequent first."""
    values = f"COALESCE({name_of(column)}, '') AS value, COUNT(*) AS row_count"
    return _of_each_year(table, years, values, "GROUP BY value") + "\nORDER BY of_year, row_count DESC, value"


def _of_each_year(table: Table, years: Sequence[int], values: str, group: str = "") -> str:
    return "\nUNION ALL\n".join(
        f"SELECT {year} AS of_year, {values.replace('@year', str(year))} FROM {name_of(table.name)} "
        f"WHERE {_of_year(table, year)} {group}"
        for year in years
    )


def create(table: Table) -> str:
    """Return the statement that creates a table if it does not exist.

    All columns are nullable, as in the result of any job. The checks report NULLs after every load, with a message
    about the data.
    """
    columns = ",\n".join(
        f"  {name_of(c.name)} {c.type} OPTIONS (description = {_text(c.description)})" for c in table.columns
    )
    cluster = "\nCLUSTER BY `primary_type`" if is_by_month(table) else ""
    description = _text(f"{table.description} One row per {table.grain}.")
    return (
        f"CREATE TABLE IF NOT EXISTS {name_of(table.name)} (\n{columns}\n)\n"
        f"PARTITION BY {_partition_by(table)}{cluster}\n"
        f"OPTIONS (description = {description}, require_partition_filter = FALSE, labels = {_pairs(LABELS)})"
    )


def _partition_by(table: Table) -> str:
    if is_by_month(table):
        return "DATE_TRUNC(`month`, MONTH)"
    if table.year_column is None:
        return "TIMESTAMP_TRUNC(_PARTITIONTIME, YEAR)"
    return f"RANGE_BUCKET({name_of(table.year_column)}, GENERATE_ARRAY({FIRST_YEAR}, {LAST_YEAR}, 1))"


def reference_hash(name: str, estimates: Path | None = None) -> str:
    """Return a hash of a reference table's files, short enough for a label."""
    files = reference.files(name, estimates)
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:40]


def create_reference(name: str, estimates: Path | None = None) -> str:
    """Return the statement that creates or replaces a reference table from its files."""
    rows = reference.rows(name, estimates)
    types = reference_types(rows)
    columns = ", ".join(f"{name_of(column)} {kind}" for column, kind in types.items())
    structs = ",\n".join(f"  ({', '.join(_literal(row[c], kind) for c, kind in types.items())})" for row in rows)
    labels = _pairs(LABELS | {CONTENT: reference_hash(name, estimates)})
    return (
        f"CREATE OR REPLACE TABLE {name_of(name)} ({columns})\nOPTIONS (labels = {labels}) AS\n"
        f"SELECT * FROM UNNEST(ARRAY<STRUCT<{columns}>>[\n{structs}\n])"
    )


def reference_types(rows: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Return the columns' types, as DuckDB detects them: INT64 for whole numbers without leading zeros, else STRING."""
    number = re.compile("0|[1-9][0-9]*")
    return {c: "INT64" if all(number.fullmatch(row[c]) for row in rows) else "STRING" for c in rows[0]}


def _literal(value: str, kind: str) -> str:
    if not value:
        return "NULL"
    return value if kind == "INT64" else _text(value)


def _pairs(labels: Mapping[str, str]) -> str:
    return "[" + ", ".join(f"({_text(name)}, {_text(value)})" for name, value in labels.items()) + "]"


def _text(value: str) -> str:
    return exp.Literal.string(value).sql("bigquery")
