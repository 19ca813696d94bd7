"""The format of the local warehouse's Parquet files, and the notes beside them: what each was made of.

A note is a file of its own, so that a file that Spark wrote is taken as it is. It is replaced before its file and has a
digest of it: after a crash between the two, what the file was made of is unknown, and it counts as stale.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from os import SEEK_END
from pathlib import Path

import duckdb

from chicago_crime.intake.staging import publish
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
ROWS_OF_GROUP = 30_720
_OPTIONS = (
    f"FORMAT PARQUET, COMPRESSION ZSTD, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE {ROWS_OF_GROUP}, DICTIONARY_SIZE_LIMIT 2000"
)


def quoted(file: Path) -> str:
    """A path as a string in SQL."""
    return "'{}'".format(str(file).replace("'", "''"))


def write_year(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    query: str,
    file: Path,
    parameters: Mapping[str, object] | None = None,
) -> int:
    """Write the rows of a query, and return their number.

    Names, types and order are a contract, whatever computed the rows: equal rows make equal files.
    """
    columns = ", ".join(f'CAST("{c.name}" AS {DUCKDB_TYPES[c.type]}) AS "{c.name}"' for c in table.columns)
    order = f" ORDER BY {', '.join(table.total_order)}" if table.made_by != "csv" else ""
    copy = f"COPY (SELECT {columns} FROM ({query}){order}) TO {quoted(file)} ({_OPTIONS})"
    [[written]] = connection.execute(copy, parameters).fetchall()
    return int(written)


def has_format(file: Path, table: Table, rows: duckdb.DuckDBPyRelation) -> bool:
    """Whether a file, and its rows as DuckDB reads them, need not be written again: columns, types and row groups."""
    import pyarrow.parquet as pq  # here, because readers need no Arrow

    columns = [(column.name, DUCKDB_TYPES[column.type]) for column in table.columns]
    written = pq.read_metadata(file)
    is_in_groups = written.num_rows <= written.num_row_groups * ROWS_OF_GROUP
    return is_in_groups and list(zip(rows.columns, map(str, rows.types), strict=True)) == columns


def publish_year(file: Path, target: Path, lineage: Lineage) -> TableYear:
    """Move a complete Parquet file from a staging folder to its place, with a note of what it was made of."""
    import pyarrow.parquet as pq  # here, because readers need no Arrow

    stat = file.stat()
    rows = pq.read_metadata(file).num_rows
    note = file.with_suffix(".json")
    note.write_text(json.dumps([lineage.identity, lineage.inputs, _digest_of(file)]))
    publish(note, target.with_suffix(".json"))
    publish(file, target)
    return TableYear(rows, stat.st_size, stat.st_mtime, lineage)


def noted_lineage(file: Path) -> Lineage:
    """What the note beside a file says that it was made of; an empty one is that of no content, so that it is stale."""
    try:
        identity, inputs, of_file = json.loads(file.with_suffix(".json").read_text())
    except (FileNotFoundError, ValueError):
        return Lineage("", "")
    return Lineage(identity, inputs) if of_file == _digest_of(file) else Lineage("", "")


def _digest_of(file: Path) -> str:
    """Digest of a Parquet file's end, where the sizes, places and extremes of all columns are."""
    with file.open("rb") as stream:
        stream.seek(-min(stream.seek(0, SEEK_END), 1 << 16), SEEK_END)
        return sha256(stream.read()).hexdigest()
