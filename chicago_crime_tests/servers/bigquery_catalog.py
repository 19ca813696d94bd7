"""The datasets and tables of the BigQuery server: their metadata, and their rows in a DuckDB database.

If a table is partitioned by ingestion time, its DuckDB table has an additional column with the partition.
"""

import threading
from dataclasses import dataclass, field
from typing import Any

import duckdb
from sqlglot import exp

from chicago_crime.storage.local import parquet_files
from chicago_crime_tests.servers.google_server import RefusedError

DUCKDB_TYPES = parquet_files.DUCKDB_TYPES | {"TIMESTAMP": "TIMESTAMP"}
REST_NAMES = {"INT64": "INTEGER", "FLOAT64": "FLOAT", "BOOL": "BOOLEAN"}
PARTITION = "_PARTITIONTIME"


@dataclass
class LiveTable:
    """The current state of a table.

    Attributes:
        columns: name, SQL type and description of each column.
        partitioning: its `timePartitioning` or `rangePartitioning`, if any, as the API describes it.
        clusters: columns that it is clustered by.
        measured: rows and bytes, if counted since the last change.
    """

    dataset: str
    name: str
    columns: list[tuple[str, str, str]]
    partitioning: dict[str, Any] = field(default_factory=dict)
    clusters: list[str] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    description: str = ""
    expires_ms: int | None = None
    measured: tuple[int, int] | None = None

    @property
    def rows_table(self) -> str:
        """Name of its DuckDB table, quoted."""
        return f'"{self.dataset}"."{self.name}"'

    @property
    def is_by_ingestion(self) -> bool:
        """Whether it is partitioned by ingestion time."""
        return self.partitioning.get("timePartitioning", {}).keys() == {"type"}

    def column_bytes(self, name: str) -> str:
        """The DuckDB expression for a column's logical bytes in a row, as BigQuery counts them."""
        kind = next(kind for column, kind, _ in self.columns if column == name)
        if kind == "STRING":
            return f'COALESCE(2 + strlen("{name}"), 0)'
        return f'(CASE WHEN "{name}" IS NULL THEN 0 ELSE {1 if kind == "BOOL" else 8} END)'


class Catalog:
    """All datasets and tables, and the database with their rows."""

    def __init__(self) -> None:
        self.database = duckdb.connect(config={"threads": 2, "memory_limit": "3GB"})
        self.datasets: dict[str, dict[str, Any]] = {}
        self.tables: dict[tuple[str, str], LiveTable] = {}
        self.lock = threading.RLock()

    def add_dataset(self, name: str, about: dict[str, Any]) -> None:
        """Create a dataset."""
        with self.lock:
            if name in self.datasets:
                raise RefusedError(409, f"Already Exists: Dataset chicago-test:{name}")
            self.database.cursor().execute(f'CREATE SCHEMA "{name}"')
            self.datasets[name] = about

    def find(self, dataset: str, name: str) -> LiveTable:
        """A table, which must exist."""
        with self.lock:
            if dataset not in self.datasets:
                raise RefusedError(404, f"Not found: Dataset chicago-test:{dataset}")
            if (dataset, name) not in self.tables:
                raise RefusedError(404, f"Not found: Table chicago-test:{dataset}.{name}")
            return self.tables[dataset, name]

    def add(self, table: LiveTable) -> None:
        """Create or replace a table, without rows."""
        kinds = [f'"{name}" {DUCKDB_TYPES[kind]}' for name, kind, _ in table.columns]
        kinds += [f"{PARTITION} TIMESTAMP"] * table.is_by_ingestion
        with self.lock:
            if table.dataset not in self.datasets:
                raise RefusedError(404, f"Not found: Dataset chicago-test:{table.dataset}")
            kinds = kinds or ["__none BOOLEAN"]  # DuckDB has no table without columns
            self.database.cursor().execute(f"CREATE OR REPLACE TABLE {table.rows_table} ({', '.join(kinds)})")
            self.tables[table.dataset, table.name] = table

    def remove(self, table: LiveTable) -> None:
        """Delete a table."""
        with self.lock:
            self.database.cursor().execute(f"DROP TABLE {table.rows_table}")
            del self.tables[table.dataset, table.name]

    def size(self, table: LiveTable) -> tuple[int, int]:
        """Rows and logical bytes of a table, cached until the next change."""
        if table.measured is None:
            sums = " + ".join(["0", *(f"COALESCE(SUM({table.column_bytes(name)}), 0)" for name, _, _ in table.columns)])
            query = f"SELECT COUNT(*), CAST({sums} AS BIGINT) FROM {table.rows_table}"
            [table.measured] = self.database.cursor().execute(query).fetchall()
        return table.measured

    def for_analyzer(self, default_dataset: str) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
        """The tables in the default dataset, with columns and types, as a key of caches."""
        with self.lock:
            return tuple(
                (name, (*(column[:2] for column in t.columns), *[(PARTITION, "TIMESTAMP")] * t.is_by_ingestion))
                for (dataset, name), t in self.tables.items()
                if dataset == default_dataset
            )


def table_from_ddl(create: exp.Create, dataset: str) -> LiveTable:
    """The table that a CREATE TABLE statement describes."""
    target = create.this.this if isinstance(create.this, exp.Schema) else create.this
    definitions = create.this.expressions if isinstance(create.this, exp.Schema) else []
    table = LiveTable(target.db or dataset, target.name, [_column(definition) for definition in definitions])
    properties = create.args.get("properties")
    for one in properties.expressions if properties else []:
        if isinstance(one, exp.PartitionedByProperty):
            table.partitioning = _partitioning(one.this)
        elif isinstance(one, exp.ClusterProperty):
            table.clusters = [column.name for column in one.expressions]
        elif one.name == "description":
            table.description = one.args["value"].name
        elif one.name == "labels":
            table.labels = {
                pair.expressions[0].name: pair.expressions[1].name for pair in one.args["value"].expressions
            }
        else:
            assert one.name == "require_partition_filter", one.name
    return table


def _column(definition: exp.ColumnDef) -> tuple[str, str, str]:
    found = [p for p in definition.find_all(exp.Property) if p.name == "description"]
    return definition.name, definition.kind.sql("bigquery"), found[0].args["value"].name if found else ""


def _partitioning(by: exp.Expr) -> dict[str, Any]:
    if isinstance(by, exp.RangeBucket):
        limits = dict(zip(("start", "end", "interval"), (one.name for one in by.find_all(exp.Literal)), strict=True))
        return {"rangePartitioning": {"field": by.this.name, "range": limits}}
    column = by.this.name
    return {"timePartitioning": {"type": by.unit.name.upper()} | ({} if column == PARTITION else {"field": column})}
