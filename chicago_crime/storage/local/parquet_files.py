"""The format of the local warehouse's Parquet files, and the notes next to them that record their lineage.

Notes are separate files, so that files written by Spark can be used unchanged. A note includes a digest of the end of
its Parquet file and is replaced first: after a crash between the two, the digest does not match and the year is stale.
It also has the checksum of the whole file, because Parquet's own are optional.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from os import SEEK_END
from pathlib import Path

import duckdb

from chicago_crime.intake.staging import publish
from chicago_crime.storage.lineage import Lineage
from chicago_crime.storage.local import ROWS_OF_GROUP
from chicago_crime.storage.object_store import checksum_of
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

# The fastest compression makes files 2 to 6% larger. Without the limit, DuckDB builds large dictionaries for ids and
# numbers before it discards them.
_OPTIONS = (
    f"FORMAT PARQUET, COMPRESSION ZSTD, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE {ROWS_OF_GROUP}, DICTIONARY_SIZE_LIMIT 2000"
)


def quoted(file: Path) -> str:
    """Quote a path as a SQL string."""
    return "'{}'".format(str(file).replace("'", "''"))


def write_year(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    query: str,
    file: Path,
    parameters: Mapping[str, object] | None = None,
) -> int:
    """Write the rows of a query to a file and return their number.

    The table determines column names, types and row order: equal rows make equal files, whatever computed
    them. Only `raw_crimes` has no order.
    """
    columns = ", ".join(f'CAST("{c.name}" AS {DUCKDB_TYPES[c.type]}) AS "{c.name}"' for c in table.columns)
    order = f" ORDER BY {', '.join(table.total_order)}" if table.made_by != "csv" else ""
    copy = f"COPY (SELECT {columns} FROM ({query}){order}) TO {quoted(file)} ({_OPTIONS})"
    [[written]] = connection.execute(copy, parameters).fetchall()
    return int(written)


def has_format(file: Path, table: Table, rows: duckdb.DuckDBPyRelation) -> bool:
    """Whether a file can be used unchanged: its columns, their types as DuckDB reads them, and its row groups."""
    import pyarrow.parquet as pq  # here, because readers need no Arrow

    columns = [(column.name, DUCKDB_TYPES[column.type]) for column in table.columns]
    written = pq.read_metadata(file)
    is_in_groups = written.num_rows <= written.num_row_groups * ROWS_OF_GROUP
    return is_in_groups and list(zip(rows.columns, map(str, rows.types), strict=True)) == columns


def publish_year(file: Path, target: Path, lineage: Lineage) -> TableYear:
    """Move a complete Parquet file from a staging folder into place, with a note of its lineage."""
    import pyarrow.parquet as pq  # here, because readers need no Arrow

    stat = file.stat()
    rows = pq.read_metadata(file).num_rows
    note = file.with_suffix(".json")
    note.write_text(json.dumps([lineage.identity, lineage.inputs, _digest_of(file), checksum_of(file)]))
    publish(note, target.with_suffix(".json"))
    publish(file, target)
    return TableYear(rows, stat.st_size, stat.st_mtime, lineage)


def noted_lineage(file: Path) -> Lineage:
    """Return the lineage in the note next to a file, or an empty one, which is stale, if there is no matching note."""
    identity, inputs, of_file, *_ = _note_of(file)
    return Lineage(identity, inputs) if of_file == _digest_of(file) else Lineage("", "")


def has_checksum(file: Path) -> bool:
    """Whether a file has the checksum in its note, or there is none, as in notes of older versions."""
    _, _, _, *checksum = _note_of(file)
    return not checksum or checksum == [checksum_of(file)]


def _note_of(file: Path) -> list[str]:
    """Return identity, inputs, digest and perhaps checksum in the note of a file; empty ones if it cannot be read."""
    try:
        identity, inputs, of_file, *checksum = json.loads(file.with_suffix(".json").read_text())
    except (FileNotFoundError, ValueError, TypeError):
        return ["", "", ""]
    return [identity, inputs, of_file, *checksum]


def _digest_of(file: Path) -> str:
    """Digest of the end of a Parquet file, which has the sizes, offsets and statistics of all columns."""
    with file.open("rb") as stream:
        stream.seek(-min(stream.seek(0, SEEK_END), 1 << 16), SEEK_END)
        return sha256(stream.read()).hexdigest()
