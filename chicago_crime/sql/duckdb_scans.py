"""Expressions with which DuckDB reads files, as sqlglot nodes that replace the name of a table."""

from collections.abc import Sequence
from pathlib import Path

import sqlglot
from sqlglot import exp

# Strict, without type detection: a malformed row is an error. An empty field is NULL, and a quoted empty string is an
# empty string, as in BigQuery.
_CSV_OPTIONS = (
    "auto_detect = FALSE, header = TRUE, delim = ',', quote = '\"', escape = '\"', strict_mode = TRUE, "
    "allow_quoted_nulls = FALSE, max_line_size = 1000000"
)


def csv_scan(file: Path | str, columns: Sequence[str]) -> exp.Expr:
    """Reads a CSV with exactly these columns, whatever its header says, all as strings.

    The file's name may be a parameter of the statement: $file.
    """
    types = ", ".join(f"'{name}': 'VARCHAR'" for name in columns)
    name = file if file == "$file" else _text(file)
    return sqlglot.parse_one(f"READ_CSV({name}, columns = {{{types}}}, {_CSV_OPTIONS})", read="duckdb")


def typed_csv_scan(*files: Path) -> exp.Expr:
    """Reads CSVs of a reference table; DuckDB detects the types."""
    by_name = exp.EQ(this=exp.column("union_by_name"), expression=exp.true())
    texts = exp.array(*(exp.Literal.string(str(file)) for file in files))
    return exp.Anonymous(this="READ_CSV", expressions=[texts, by_name])


def parquet_scan(*files: Path | str) -> exp.Expr:
    """Reads Parquet files with the same columns, or a glob of them. Folder names never become columns."""
    return _read_parquet(exp.array(*(exp.Literal.string(str(file)) for file in files)))


def open_parquet_scan(parameter: str) -> exp.Expr:
    """Reads one Parquet file whose path is a parameter of the statement."""
    return _read_parquet(exp.Parameter(this=exp.var(parameter)))


def _read_parquet(files: exp.Expr) -> exp.Expr:
    options = exp.EQ(this=exp.column("hive_partitioning"), expression=exp.false())
    return exp.Anonymous(this="READ_PARQUET", expressions=[files, options])


def no_rows(columns: Sequence[str]) -> exp.Expr:
    """A table with these columns and no rows."""
    return exp.select(*(exp.alias_(exp.null(), name) for name in columns)).where(exp.false()).subquery()


def _text(file: Path | str) -> str:
    return exp.Literal.string(str(file)).sql("duckdb")
