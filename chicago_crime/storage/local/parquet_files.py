"""The format of the local warehouse's Parquet files, which DuckDB and the embedded Spark engine both write."""

from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from chicago_crime.storage.warehouse import TableYear
from chicago_crime.tables import Table

DUCKDB_TYPES = {
    "STRING": "VARCHAR",
    "INT64": "BIGINT",
    "FLOAT64": "DOUBLE",
    "BOOL": "BOOLEAN",
    "DATETIME": "TIMESTAMP",
    "DATE": "DATE",
}

# Small enough that a filter on month and type skips most of a year, large enough to compress well.
ROWS_PER_GROUP = 30_720

# The fastest level makes files 2 to 6 % larger. Without the limit, DuckDB builds large dictionaries for ids and
# numbers before it discards them.
BY_DUCKDB = (
    f"FORMAT PARQUET, COMPRESSION ZSTD, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE {ROWS_PER_GROUP}, "
    "DICTIONARY_SIZE_LIMIT 2000"
)
"""Options of DuckDB's COPY."""

BY_SAIL = {
    "SAIL_PARQUET__MAX_ROW_GROUP_SIZE": str(ROWS_PER_GROUP),
    "SAIL_PARQUET__COMPRESSION": "zstd(1)",
    "SAIL_PARQUET__DICTIONARY_PAGE_SIZE_LIMIT": "16384",  # in bytes, unlike DuckDB's limit in values
}
"""Environment variables of the embedded Spark engine, read when it starts."""


def contract(table: Table) -> str:
    """A SELECT list that casts to exactly a table's columns and types."""
    return ", ".join(f'CAST("{c.name}" AS {DUCKDB_TYPES[c.type]}) AS "{c.name}"' for c in table.columns)


def is_as_written_here(table: Table, rows: duckdb.DuckDBPyRelation) -> bool:
    """Whether the rows of a file have exactly the table's columns, types and order (if the table has one)."""
    found = list(zip(rows.columns, map(str, rows.types), strict=True))
    if found != [(column.name, DUCKDB_TYPES[column.type]) for column in table.columns]:
        return False
    if not table.order:
        return True
    key = f"ROW({', '.join(table.order)})"
    steps_back = rows.select(f"{key} < LAG({key}) OVER () AS is_step_back").filter("is_step_back")
    return not steps_back.limit(1).fetchall()


def table_year(file: Path) -> TableYear:
    """Facts about a year's file, from its metadata only."""
    stat = file.stat()
    return TableYear(pq.read_metadata(file).num_rows, stat.st_size, stat.st_mtime)
