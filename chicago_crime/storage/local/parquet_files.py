"""The format of the local warehouse's Parquet files, and the notes beside them: what each was made of.

A note is a file of its own, so that a file that Spark wrote is taken as it is. It names the size and time of its file,
which it never outlives: it is replaced first, and a note of another file counts as one of unknown inputs.
"""

import json
from os import stat_result
from pathlib import Path

import pyarrow.parquet as pq

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
BY_DUCKDB = "FORMAT PARQUET, COMPRESSION ZSTD, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE 30720, DICTIONARY_SIZE_LIMIT 2000"
"""Options of DuckDB's COPY."""


def contract(table: Table) -> str:
    """A SELECT list that casts to exactly a table's columns and types."""
    return ", ".join(f'CAST("{c.name}" AS {DUCKDB_TYPES[c.type]}) AS "{c.name}"' for c in table.columns)


def publish_year(file: Path, target: Path, lineage: Lineage) -> TableYear:
    """Move a complete Parquet file from a staging folder to its place, with a note of what it was made of."""
    stat = file.stat()
    rows = pq.read_metadata(file).num_rows
    note = file.with_suffix(".json")
    note.write_text(json.dumps([lineage.identity, lineage.inputs, *_mark(stat)]))
    publish(note, target.with_suffix(".json"))
    publish(file, target)
    return TableYear(rows, stat.st_size, stat.st_mtime, lineage)


def noted_lineage(file: Path, stat: stat_result) -> Lineage | None:
    """What the note beside a file says that it was made of; None if there is none."""
    try:
        identity, inputs, *mark = json.loads(file.with_suffix(".json").read_text())
    except FileNotFoundError:
        return None
    except ValueError:
        return Lineage("", "")
    return Lineage(identity, inputs) if tuple(mark) == _mark(stat) else Lineage("", "")


def _mark(stat: stat_result) -> tuple[int, int]:
    return stat.st_size, stat.st_mtime_ns
