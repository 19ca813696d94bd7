"""The format of the local warehouse's Parquet files."""

from pathlib import Path

import pyarrow.parquet as pq

from chicago_crime.storage.lineage import Lineage
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

# Row groups are small enough that a filter on month and type skips most of a year, and large enough to compress well.
# The fastest level makes files 2 to 6 % larger. Without the limit, DuckDB builds large dictionaries for ids and
# numbers before it discards them.
BY_DUCKDB = "FORMAT PARQUET, COMPRESSION ZSTD, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE 30720, DICTIONARY_SIZE_LIMIT 2000"
"""Options of DuckDB's COPY."""


def contract(table: Table) -> str:
    """A SELECT list that casts to exactly a table's columns and types."""
    return ", ".join(f'CAST("{c.name}" AS {DUCKDB_TYPES[c.type]}) AS "{c.name}"' for c in table.columns)


def table_year(file: Path, lineage: Lineage) -> TableYear:
    """Facts about a year's file, from its metadata only."""
    stat = file.stat()
    return TableYear(pq.read_metadata(file).num_rows, stat.st_size, stat.st_mtime, lineage)
