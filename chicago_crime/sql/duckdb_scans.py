"""DuckDB table functions that read files, as sqlglot nodes that replace table names."""

from collections.abc import Sequence
from pathlib import Path

import sqlglot
from sqlglot import exp

# Malformed rows are errors and types are not detected. As in BigQuery, an empty field is NULL, and "" an empty string.
# Quotes may double the size of a row, which has up to 1 MB in the source.
_CSV_OPTIONS = (
    "auto_detect = FALSE, header = TRUE, delim = ',', quote = '\"', escape = '\"', strict_mode = TRUE, "
    "allow_quoted_nulls = FALSE, max_line_size = 2100000"
)


def csv_scan(file: Path | str, columns: Sequence[str]) -> exp.Expr:
    """Read a CSV with these columns, all as strings, ignoring its header.

    `file` may be `$file`, a parameter of the statement.
    """
    types = ", ".join(f"'{name}': 'VARCHAR'" for name in columns)
    name = file if file == "$file" else exp.Literal.string(str(file)).sql("duckdb")
    return sqlglot.parse_one(f"READ_CSV({name}, columns = {{{types}}}, {_CSV_OPTIONS})", read="duckdb")


def typed_csv_scan(*files: Path) -> exp.Expr:
    """Read the CSVs of a reference table with detected types."""
    by_name = exp.EQ(this=exp.column("union_by_name"), expression=exp.true())
    texts = exp.array(*(exp.Literal.string(str(file)) for file in files))
    return exp.Anonymous(this="READ_CSV", expressions=[texts, by_name])


def parquet_scan(*files: Path | str) -> exp.Expr:
    """Read Parquet files, or globs of them, with the same columns. Folder names do not become columns."""
    return _read_parquet(exp.array(*(exp.Literal.string(str(file)) for file in files)))


def open_parquet_scan(parameter: str) -> exp.Expr:
    """Read one Parquet file whose path is a parameter of the statement."""
    return _read_parquet(exp.Parameter(this=exp.var(parameter)))


def _read_parquet(files: exp.Expr) -> exp.Expr:
    options = exp.EQ(this=exp.column("hive_partitioning"), expression=exp.false())
    return exp.Anonymous(this="READ_PARQUET", expressions=[files, options])


def no_rows(columns: Sequence[str]) -> exp.Expr:
    """Return a table with these columns and no rows."""
    return exp.select(*(exp.alias_(exp.null(), name) for name in columns)).where(exp.false()).subquery()
