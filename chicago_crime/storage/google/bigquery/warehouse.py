"""The BigQuery warehouse: tables are partitioned by month or by year, and always replaced by the year."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import duckdb
import pyarrow as pa
from google.cloud import bigquery
from sqlglot import exp
from typing_extensions import override

from chicago_crime import sql
from chicago_crime.errors import PlatformError
from chicago_crime.settings import Settings
from chicago_crime.sources.retry import RetryPolicy
from chicago_crime.sql.duckdb_scans import no_rows, parquet_scan
from chicago_crime.storage.google.bigquery import statements
from chicago_crime.storage.google.bigquery.jobs import JobResult, Jobs, Purpose
from chicago_crime.storage.google.bigquery.live_tables import LiveTables
from chicago_crime.storage.google.bucket import BucketStore
from chicago_crime.storage.leases import abandoned, lease
from chicago_crime.storage.lineage import Lineage
from chicago_crime.storage.local.parquet_files import write_year
from chicago_crime.storage.local.parquet_reader import write_result
from chicago_crime.storage.warehouse import FirstRows, TableYear, Warehouse, WarehouseError, no_year
from chicago_crime.tables import Table

_TABLES_AT_ONCE = 4


@dataclass
class BigQueryWarehouse(Warehouse):
    """BigQuery tables: those of crimes are partitioned by month, those of counts and the raw one by year.

    A load job or a MERGE replaces a year atomically. If two statements change the same partitions at once, BigQuery
    fails one of them, which is restarted.

    Attributes:
        settings: of the installation.
        staging: the bucket for exported files.
        policy: timeouts and retries of each request.
        leases: local folder with a note for each export.
    """

    settings: Settings
    staging: BucketStore
    estimates: Path | None = None
    policy: RetryPolicy = field(default_factory=RetryPolicy)

    def __post_init__(self) -> None:
        self.jobs = Jobs(self.settings, self.policy)
        self.tables = LiveTables(self.jobs, self.estimates)
        self.leases = self.settings.data_dir / "exports"

    @override
    def for_run(self, run_id: str) -> Self:
        self.jobs.run_id = run_id  # a process works on one run at a time
        return self

    @override
    def load_csv(self, table: Table, year: int, csv: str, sha256: str) -> TableYear:
        purpose = Purpose(f"cannot load {csv} into {table.name}", table.name, year)
        self.tables.make_ready(table)
        with self.tables.changing(table, year):
            done = self.jobs.load(
                csv,
                self.jobs.dataset.table(f"{table.name}${year}"),
                purpose,
                source_format=bigquery.SourceFormat.CSV,
                schema=[bigquery.SchemaField(c.name, "STRING", description=c.description) for c in table.columns],
                skip_leading_rows=1,
                allow_quoted_newlines=True,
                preserve_ascii_control_characters=True,
            )
        return self._record(table, year, Lineage.of(table, [sha256]), done)

    @override
    def load_parquet(self, table: Table, year: int, folder: str, lineage: Lineage | None = None) -> TableYear:
        purpose = Purpose(f"cannot load {year} into {table.name}", table.name, year)
        self.tables.make_ready(table)
        lineage = lineage or self._lineage(table, year)
        uri = folder if folder.endswith(".parquet") else f"{folder.rstrip('/')}/*.parquet"
        if uri != folder and not self.staging.has_parquet(folder):
            return self._replace(table, year, statements.no_rows(table), lineage, purpose)
        with self.staged(table, year, uri, purpose) as staged:
            return self._replace(table, year, statements.staged(table, year, staged.table_id), lineage, purpose)

    @contextmanager
    def staged(self, table: Table, year: int, uri: str, purpose: Purpose) -> Iterator[bigquery.TableReference]:
        """Load Parquet files into a staging table, which is deleted on exit, or expires.

        Its columns are those of the files, so a missing column is an error instead of NULL.
        """
        with self.tables.staging(table, year) as staged:
            self.jobs.load(uri, staged, purpose, source_format=bigquery.SourceFormat.PARQUET)
            yield staged

    @override
    def load_parquets(self, folders: Mapping[Table, str], year: int) -> dict[str, TableYear]:
        # Upstream tables come first, because a table's lineage records their content.
        last = [table for table in folders if not folders.keys().isdisjoint(table.upstream)]
        loaded = dict[str, TableYear]()
        with ThreadPoolExecutor(_TABLES_AT_ONCE) as pool:
            for tables in ([table for table in folders if table not in last], last):
                years = pool.map(lambda table: self.load_parquet(table, year, folders[table]), tables)
                loaded |= {table.name: stored for table, stored in zip(tables, years, strict=True)}
        return loaded

    @override
    def clear_year(self, table: Table, year: int) -> TableYear:
        self.tables.make_ready(table)
        purpose = Purpose(f"cannot clear {year} of {table.name}", table.name, year)
        return self._replace(table, year, statements.no_rows(table), self._lineage(table, year), purpose)

    @override
    def replace_year(self, table: Table, year: int) -> TableYear:
        purpose = Purpose(f"cannot compute {table.name} for {year}", table.name, year)
        self.tables.make_ready(table, sql.tables_read(f"tables/{table.name}"))
        lineage = self._lineage(table, year)  # before the rows are read, so that later changes make this year stale
        return self._replace(table, year, statements.computed(table, year), lineage, purpose)

    def _replace(self, table: Table, year: int, query: str, lineage: Lineage, purpose: Purpose) -> TableYear:
        with self.tables.changing(table, year):
            done = self.jobs.run(statements.replaced(table, year, query), purpose)
        return self._record(table, year, lineage, done)

    def _record(self, table: Table, year: int, lineage: Lineage, done: JobResult) -> TableYear:
        if done.rows is None:
            raise WarehouseError(f"BigQuery did not report the rows it wrote to {year} of {table.name}: try again")
        return replace(self.tables.record(table, year, lineage, done.rows), details=done.as_details())

    @override
    def export_parquet(self, table: Table, years: Sequence[int], folder: str) -> None:
        self._existing([table], years)
        self._export(table, years, folder)

    def _export(self, table: Table, years: Sequence[int], folder: str, as_of: datetime | None = None) -> None:
        """Export years. The files of a failed attempt are removed, because the next one may write fewer."""
        store, prefix = self.staging.at(f"{folder}/")
        purpose = Purpose(f"cannot export {table.name}", table.name)
        statement = statements.export(table, years, folder, as_of)
        self.jobs.run(statement, purpose, before_restart=lambda: store.delete_prefix(prefix))

    @override
    def fetch_parquet(self, tables: Sequence[Table], years: Sequence[int], folder: Path) -> dict[tuple[str, int], Path]:
        """Export, download and sort each year: BigQuery's exports have no order."""
        stored = self._existing(tables, years)
        purpose = Purpose("cannot look up BigQuery's time", "export")
        as_of = self.jobs.read("SELECT CURRENT_TIMESTAMP() AS now", purpose)["now"][0].as_py()

        limits = {"memory_limit": self.settings.duckdb_memory, "temp_directory": str(folder)}
        found = dict[tuple[str, int], Path]()
        with (
            self._export_folder() as remote,
            ThreadPoolExecutor(_TABLES_AT_ONCE) as pool,
            duckdb.connect(config={**limits}) as connection,  # one table after the other, within the memory limit
        ):
            downloaded = pool.map(lambda table: self._download(table, years, as_of, remote, folder), tables)
            for table, files in zip(tables, downloaded, strict=True):
                rows = {year: stored[table.name][year].rows for year in years}
                found |= _sorted(connection, table, rows, files, folder)
        return found

    @contextmanager
    def _export_folder(self) -> Iterator[str]:
        """Create a folder in the bucket; it is deleted on exit, as are those of processes that died."""
        name = uuid.uuid4().hex
        with lease(self.leases, name, "export") as note:
            try:
                yield f"exports/{name}/"
            finally:
                self._remove_export(note)
                for dead in abandoned(self.leases):
                    self._remove_export(dead)

    def _remove_export(self, note: Path) -> None:
        with suppress(PlatformError):  # the note stays, and the next export tries again
            self.staging.delete_prefix(f"exports/{note.name}/")
            note.unlink()

    def _download(self, table: Table, years: Sequence[int], as_of: datetime, remote: str, folder: Path) -> list[Path]:
        """Export and download years of a table, in any order. There may be no files if there are no rows."""
        self._export(table, years, self.staging.uri(f"{remote}{table.name}"), as_of)
        return [self.staging.get(item.key, folder) for item in self.staging.list(f"{remote}{table.name}/")]

    @override
    def stored_of_all(self, tables: Sequence[Table]) -> dict[str, dict[int, TableYear]]:
        return self.tables.years(tables)

    @override
    def measure(self, table: Table, years: Sequence[int], measures: Mapping[str, str]) -> dict[int, dict[str, Any]]:
        if not years:
            return {}
        self._existing([table], years)
        purpose = Purpose(f"cannot measure {table.name}", table.name)
        rows = self.jobs.read(statements.measured(table, years, measures), purpose).to_pylist()
        return {row.pop("of_year"): row for row in rows}

    @override
    def count_by(self, table: Table, years: Sequence[int], column: str) -> dict[int, dict[str, int]]:
        counts: dict[int, dict[str, int]] = {year: {} for year in years}
        if not years:
            return counts
        self._existing([table], years)
        purpose = Purpose(f"cannot count {table.name} by {column}", table.name)
        for row in self.jobs.read(statements.counted(table, years, column), purpose).to_pylist():
            counts[row["of_year"]][row["value"]] = row["row_count"]
        return counts

    @override
    def outdated(self, table: Table) -> list[int]:
        live = self.tables.live(table.name)
        if live is None or {column.name for column in table.columns} == {column.name for column in live.schema}:
            return []
        return list(self.stored(table))

    @override
    def first_rows(self, sql: str, count: int | None) -> FirstRows:
        rows = self._read(sql, count)
        return FirstRows(rows.column_names, list(zip(*(column.to_pylist() for column in rows.columns), strict=True)))

    @override
    def write(self, sql: str, file: Path, format: str) -> None:
        with duckdb.connect() as connection:
            write_result(connection.from_arrow(self._read(sql, None)), file, format)

    def _read(self, sql: str, max_rows: int | None) -> pa.Table:
        purpose = Purpose("cannot run the query", "query")
        if self.jobs.statement_type(sql, purpose) != "SELECT":
            raise WarehouseError("the statement is not a query: only SELECT statements are run")
        return self.jobs.read(sql, purpose, max_rows=max_rows)

    def _existing(self, tables: Sequence[Table], years: Sequence[int]) -> dict[str, dict[int, TableYear]]:
        """Return the stored years of tables, which must include these."""
        stored = self.stored_of_all(tables)
        for name, held in stored.items():
            for year in years:
                if year not in held:
                    raise WarehouseError(no_year(name, year))
        return stored


def _sorted(
    connection: duckdb.DuckDBPyConnection, table: Table, rows: Mapping[int, int], files: Sequence[Path], folder: Path
) -> dict[tuple[str, int], Path]:
    """Sort exported files into one file per year, by table name and year, and delete them."""
    source = parquet_scan(*files) if files else no_rows([column.name for column in table.columns])
    found = {(table.name, year): folder / f"{table.name}-{year}.parquet" for year in rows}
    for (name, year), file in found.items():
        query = exp.select("*").from_(source).where(f"{table.year_column} = {year}").sql("duckdb")
        if (written := write_year(connection, table, query, file)) != rows[year]:
            raise WarehouseError(
                f"{name} had {rows[year]:,} rows of {year}, but {written:,} were exported: another run replaced the "
                "year. Run again"
            )
    for file in files:
        file.unlink()
    return found
