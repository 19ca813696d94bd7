"""The datasets and tables of the BigQuery server, and the files that it reads from and writes to Cloud Storage.

Rows are in a DuckDB database. If a table is partitioned by ingestion time, its DuckDB table has another column with the
partition.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import filter as matching
from typing import Any, Self
from urllib.parse import urlsplit

import duckdb
from sqlglot import exp

from chicago_crime.storage.local import parquet_files
from chicago_crime_tests.servers.google_server import RefusedError
from chicago_crime_tests.servers.storage_server import Buckets

DUCKDB_TYPES = parquet_files.DUCKDB_TYPES | {"TIMESTAMP": "TIMESTAMP"}
REST_NAMES = {"INT64": "INTEGER", "FLOAT64": "FLOAT", "BOOL": "BOOLEAN"}
PARTITION = "_PARTITIONTIME"
_FROM_DUCKDB = {
    **{kind: name for name, kind in parquet_files.DUCKDB_TYPES.items()},
    "INTEGER": "INT64",
    "FLOAT": "FLOAT64",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMP",
}


@dataclass
class LiveTable:
    """The current state of a table.

    Attributes:
        columns: name, SQL type and description of each column.
        about: its other properties, as the API describes them.
    """

    dataset: str
    name: str
    columns: list[tuple[str, str, str]]
    about: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_ddl(cls, create: exp.Create, dataset: str) -> Self:
        """The table that a CREATE TABLE statement describes."""
        target = create.this.this if isinstance(create.this, exp.Schema) else create.this
        definitions = create.this.expressions if isinstance(create.this, exp.Schema) else []
        table = cls(target.db or dataset, target.name, [_column(definition) for definition in definitions])
        properties = create.args.get("properties")
        for one in properties.expressions if properties else []:
            if isinstance(one, exp.PartitionedByProperty):
                table.about |= _partitioning(one.this)
            elif isinstance(one, exp.ClusterProperty):
                table.about["clustering"] = {"fields": [column.name for column in one.expressions]}
            elif one.name == "description":
                table.about["description"] = one.args["value"].name
            elif one.name == "labels":
                pairs = [pair.expressions for pair in one.args["value"].expressions]
                table.about["labels"] = {name.name: value.name for name, value in pairs}
            else:
                assert one.name == "require_partition_filter", one.name
        return table

    @property
    def labels(self) -> dict[str, str]:
        return self.about.setdefault("labels", {})

    @property
    def rows_table(self) -> str:
        """Name of its DuckDB table, quoted."""
        return f'"{self.dataset}"."{self.name}"'

    @property
    def is_by_ingestion(self) -> bool:
        """Whether it is partitioned by ingestion time."""
        return self.about.get("timePartitioning", {}).keys() == {"type"}


class JobError(Exception):
    """A job fails; the reason is BigQuery's name for the kind of failure."""

    def __init__(self, reason: str, message: str):
        super().__init__(message)
        self.reason = reason


class Catalog:
    """All datasets and tables, and the database with their rows; reads and writes objects in Cloud Storage.

    Attributes:
        exports_no_rows: whether an export without rows writes a file, which Google does not document.
    """

    def __init__(self, buckets: Buckets) -> None:
        self.buckets, self.exports_no_rows = buckets, True
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
        """Rows and logical bytes of a table, as BigQuery counts them."""
        sizes = ["0"]
        for name, kind, _ in table.columns:
            size = f'2 + STRLEN("{name}")' if kind == "STRING" else "1" if kind == "BOOL" else "8"
            sizes.append(f'COALESCE(SUM(IF("{name}" IS NULL, 0, {size})), 0)')
        query = f"SELECT COUNT(*), CAST({' + '.join(sizes)} AS BIGINT) FROM {table.rows_table}"
        return self.database.cursor().execute(query).fetchall()[0]

    def for_analyzer(self, default_dataset: str) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
        """The tables in the default dataset, with columns and types, as a key of caches."""
        with self.lock:
            return tuple(
                (name, (*(column[:2] for column in t.columns), *[(PARTITION, "TIMESTAMP")] * t.is_by_ingestion))
                for (dataset, name), t in self.tables.items()
                if dataset == default_dataset
            )

    def files_at(self, uris: Sequence[str]) -> list[str]:
        """The files at some addresses, each of which may have one `*`."""
        found: list[str] = []
        for uri in uris:
            address = urlsplit(uri)
            names = matching(self.buckets.names(address.netloc), address.path.lstrip("/"))
            if not names or address.scheme != "gs":
                raise JobError("notFound", f"Not found: URI {uri}")
            found += [str(self.buckets.path(address.netloc, name)) for name in names]
        return found

    def csv(self, about: Mapping[str, Any]) -> str:
        """The DuckDB query for a CSV's rows as text: empty fields are NULL, and empty quotes an empty text."""
        fields = about["schema"]["fields"]
        assert {field["type"] for field in fields} == {"STRING"}, "other types are not implemented here"
        assert (about["skipLeadingRows"], about["allowQuotedNewlines"]) == (1, True)
        assert about["preserveAsciiControlCharacters"], "BigQuery would drop them"
        columns = ", ".join(f"'{field['name']}': 'VARCHAR'" for field in fields)
        return (
            f"FROM READ_CSV({self.files_at(about['sourceUris'])}, auto_detect = FALSE, header = FALSE, skip = 1, "
            f"columns = {{{columns}}}, delim = ',', quote = '\"', escape = '\"', strict_mode = TRUE, "
            "allow_quoted_nulls = FALSE, max_line_size = 10000000)"
        )

    def parquet(self, cursor: duckdb.DuckDBPyConnection, uris: Sequence[str]) -> tuple[str, list[tuple[str, str]]]:
        """The DuckDB query for the rows of Parquet files, and their columns with BigQuery's types."""
        files = self.files_at(uris)
        rows = cursor.read_parquet(files, hive_partitioning=False)
        columns = [(n, _FROM_DUCKDB[str(kind)]) for n, kind in zip(rows.columns, rows.types, strict=True)]
        zoned = [f'"{n}" AT TIME ZONE \'UTC\' AS "{n}"' if k == "TIMESTAMP" else f'"{n}"' for n, k in columns]
        return f"SELECT {', '.join(zoned)} FROM READ_PARQUET({files}, hive_partitioning = FALSE)", columns

    def export(self, rows: duckdb.DuckDBPyRelation, uri: str) -> None:
        """Write rows as Parquet to an address with one `*`, which becomes a number."""
        address = urlsplit(uri)
        assert address.path.count("*") == 1, uri
        if self.exports_no_rows or rows.limit(1).fetchall():
            file = self.buckets.path(address.netloc, address.path.lstrip("/").replace("*", "000000000000"))
            file.parent.mkdir(parents=True, exist_ok=True)
            rows.write_parquet(str(file))


def _column(definition: exp.ColumnDef) -> tuple[str, str, str]:
    found = [p for p in definition.find_all(exp.Property) if p.name == "description"]
    return definition.name, definition.kind.sql("bigquery"), found[0].args["value"].name if found else ""


def _partitioning(by: exp.Expr) -> dict[str, Any]:
    if isinstance(by, exp.RangeBucket):
        limits = dict(zip(("start", "end", "interval"), (one.name for one in by.find_all(exp.Literal)), strict=True))
        return {"rangePartitioning": {"field": by.this.name, "range": limits}}
    column = by.this.name
    return {"timePartitioning": {"type": by.unit.name.upper()} | ({} if column == PARTITION else {"field": column})}
