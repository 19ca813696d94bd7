"""DDL of the BigQuery tables, derived from `tables/` and `reference/`, and a check of live tables against it."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlglot import exp

from chicago_crime import reference
from chicago_crime.storage.google.bigquery.statements import is_by_month, name_of
from chicago_crime.storage.warehouse import WarehouseError
from chicago_crime.tables import Table
from chicago_crime.tables.years import FIRST_YEAR

LAST_YEAR = 2101
"""End of the year range of the partitions of tables of counts. Empty partitions cost nothing."""

LABELS = {"platform": "chicago_crime"}
CONTENT = "content"
"""Label of a reference table: hash of its source files."""

_LEGACY_NAMES = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}


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


def require_same_columns(table: Table, live: Any) -> None:
    """Check that a live table has the expected columns.

    Raises:
        WarehouseError: they differ; the message lists each difference and the statement that drops the table.
    """
    found = {field.name: _LEGACY_NAMES.get(field.field_type, field.field_type) for field in live.schema}
    wanted = {column.name: column.type for column in table.columns}
    differences = [
        f"{name} is {found.get(name, 'missing')}, expected {wanted.get(name, 'no such column')}"
        for name in (*wanted, *(found.keys() - wanted.keys()))
        if found.get(name) != wanted.get(name)
    ]
    if differences:
        where = f"{live.dataset_id}.{table.name}"
        raise WarehouseError(
            f"the columns of the table {where} differ from this version of the package: {'; '.join(differences)}. "
            f"Remove it with DROP TABLE {name_of(where)}, and load its years again with `chicago-crime run`: published "
            "data stays. Or use the version of the package that wrote it"
        )


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
