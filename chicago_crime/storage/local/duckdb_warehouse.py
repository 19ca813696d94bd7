"""The warehouse on a laptop: one Parquet file per table and year, and DuckDB to make and read them.

Here belongs what is particular to DuckDB and Parquet. The SQL is in `sql/`, its translation in `duckdb_dialect.py`,
the `warehouse.duckdb` that other programs open in `duckdb_views.py`, what a file looks like in `parquet_files.py`.
"""

import atexit
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import pyarrow as pa
import sqlglot
from sqlglot import exp

from chicago_crime import reference, sql
from chicago_crime.intake.staging import publish, staging_folder
from chicago_crime.sql.duckdb_dialect import to_duckdb
from chicago_crime.sql.duckdb_scans import csv_scan, no_rows, open_parquet_scan, parquet_scan, typed_csv_scan
from chicago_crime.storage.local.duckdb_views import tables_present, write_views
from chicago_crime.storage.local.parquet_files import BY_DUCKDB, contract, is_as_written_here, table_year
from chicago_crime.storage.local.parquet_reader import ParquetReader
from chicago_crime.storage.warehouse import TableYear, Warehouse, WarehouseError
from chicago_crime.tables import Table

T = TypeVar("T")


@dataclass
class DuckDBWarehouse(ParquetReader, Warehouse):
    """DuckDB over `<folder>/<table>/<year>.parquet`.

    Attributes:
        folder: where the tables are.
        staging: where files are written before they are published; on the same file system.
        threads: processor cores in use.
        memory: what all statements of this process together may use before they spill to disk, e.g. 800MB.
    """

    _database: duckdb.DuckDBPyConnection | None = field(default=None, init=False, repr=False)
    _until_exit: ExitStack = field(default_factory=ExitStack, init=False, repr=False)
    _viewed: frozenset[str] = field(default=frozenset(), init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def load_csv(self, table: Table, year: int, csv: str) -> TableYear:
        """See `Warehouse.load_csv`."""
        query = exp.select("*").from_(csv_scan(csv, [column.name for column in table.columns])).sql("duckdb")
        try:
            return self._publish(table, year, query)
        except duckdb.Error as error:
            raise WarehouseError(f"cannot load {csv} into {table.name}: {error}") from error

    def load_parquet(self, table: Table, year: int, folder: str) -> TableYear:
        """See `Warehouse.load_parquet`. A single file that is just as this warehouse would write it is moved in."""
        files = sorted(Path(folder).rglob("*.parquet"))
        if not files:
            return self.clear_year(table, year)
        query = exp.select("*").from_(parquet_scan(*files)).sql("duckdb")
        try:
            rows = self._connect().sql(query)
            self._refuse_other_years(table, year, rows)
            if len(files) == 1 and is_as_written_here(table, rows):
                return self._take_in(table, year, files[0])
            return self._publish(table, year, query)
        except duckdb.Error as error:
            raise WarehouseError(f"cannot load {year} into {table.name}: {error}") from error

    def clear_year(self, table: Table, year: int) -> TableYear:
        """See `Warehouse.clear_year`."""
        nothing = exp.select("*").from_(no_rows([column.name for column in table.columns]))
        return self._publish(table, year, nothing.sql("duckdb"))

    def replace_year(self, table: Table, year: int) -> TableYear:
        """See `Warehouse.replace_year`."""
        query = to_duckdb(sql.statement(f"tables/{table.name}"), {"year": year}, partial(self._scan, year=year))
        try:
            return self._publish(table, year, query)
        except duckdb.Error as error:
            raise WarehouseError(f"cannot compute {table.name} for {year}: {error}") from error

    def export_parquet(self, table: Table, years: Sequence[int], folder: str) -> None:
        """See `Warehouse.export_parquet`. A year's file is Parquet already: it is linked, not copied."""
        for year in years:
            (Path(folder) / f"{table.name}-{year}.parquet").hardlink_to(self._existing(table.name, year))

    def measure(self, table: Table, years: Sequence[int], measures: Mapping[str, str]) -> dict[int, dict[str, Any]]:
        """See `Warehouse.measure`."""
        query = exp.select(
            *(exp.alias_(sqlglot.parse_one(text, read="bigquery"), name) for name, text in measures.items())
        )

        # Translated once for all years: that takes longer than most of the queries. Year and file are left open.
        text = to_duckdb(query.from_(table.name), {}, lambda _: open_parquet_scan("file"))

        def of_year(year: int) -> dict[str, Any]:
            values = {"file": str(self._existing(table.name, year))} | ({"year": year} if "$year" in text else {})
            row = self._connect().execute(text, values).fetchone()
            return dict(zip(measures, row or (), strict=True))

        return self._year_by_year(years, of_year)

    def count_by(self, table: Table, years: Sequence[int], column: str) -> dict[int, dict[str, int]]:
        """See `Warehouse.count_by`."""
        value = f"COALESCE({column}, '')"

        def of_year(year: int) -> dict[str, int]:
            rows = self._connect().read_parquet(str(self._existing(table.name, year)))
            counts = rows.aggregate(f"{value} AS value, COUNT(*) AS n", value)
            return dict(counts.order("n DESC, value").fetchall())

        return self._year_by_year(years, of_year)

    def answer(self, name: str, parameters: Mapping[str, object]) -> pa.Table:
        """See `Warehouse.answer`."""
        query = to_duckdb(sql.statement(name), parameters, self._scan_all)
        try:
            rows = self._connect().sql(query).to_arrow_table()
        except duckdb.Error as error:
            raise WarehouseError(f"cannot answer {name}: {error}") from error
        # GoogleSQL's sum of INT64 is INT64; DuckDB's is wider.
        return rows.cast(
            pa.schema([f.with_type(pa.int64()) if pa.types.is_decimal(f.type) else f for f in rows.schema])
        )

    def _year_by_year(self, years: Sequence[int], ask: Callable[[int], T]) -> dict[int, T]:
        with ThreadPoolExecutor(self.threads) as pool:  # most of a small query is waiting
            return dict(zip(years, pool.map(ask, years), strict=True))

    def _scan(self, table: str, year: int) -> exp.Expr:
        if table in reference.TABLES:
            return typed_csv_scan(reference.file(table))
        return parquet_scan(self._existing(table, year))

    def _scan_all(self, table: str) -> exp.Expr:
        if table in reference.TABLES:
            return typed_csv_scan(reference.file(table))
        if not any((self.folder / table).glob("*.parquet")):
            raise WarehouseError(f"{table} is empty: load some years first, e.g. chicago-crime run --years 2021")
        return parquet_scan(self.folder / table / "*.parquet")

    def _existing(self, table: str, year: int) -> Path:
        file = self.file(table, year)
        if not file.exists():
            raise WarehouseError(f"{table} has no year {year}: materialize it first")
        return file

    def _connect(self) -> duckdb.DuckDBPyConnection:
        with self._lock:  # one database, so that all threads share one memory limit
            if self._database is None:
                spill = self._until_exit.enter_context(staging_folder(self.staging))
                atexit.register(self._until_exit.close)
                limits = {"memory_limit": self.memory, "temp_directory": str(spill)}
                # What has an order is sorted when it is written; the raw rows have none worth waiting for.
                as_it_comes = {"preserve_insertion_order": False}
                self._database = duckdb.connect(config={"threads": self.threads, **limits, **as_it_comes})
            return self._database.cursor()

    def _publish(self, table: Table, year: int, query: str) -> TableYear:
        # The columns' names and types are a contract: whatever computed the rows, exactly these come out.
        rows = f"SELECT {contract(table)} FROM ({query})"
        if table.order:
            rows += f" ORDER BY {', '.join(table.order)}"
        with staging_folder(self.staging) as folder:
            file = folder / "year.parquet"
            self._connect().execute(f"COPY ({rows}) TO {exp.convert(str(file)).sql('duckdb')} ({BY_DUCKDB})")
            return self._take_in(table, year, file)

    def _take_in(self, table: Table, year: int, file: Path) -> TableYear:
        publish(file, self.file(table.name, year))
        self._have_viewed(table)
        return table_year(self.file(table.name, year))

    @staticmethod
    def _refuse_other_years(table: Table, year: int, rows: duckdb.DuckDBPyRelation) -> None:
        if table.year_column is None:
            return
        strange = rows.filter(f"{table.year_column} IS DISTINCT FROM {year}").limit(1).fetchall()
        if strange:
            raise WarehouseError(f"a row to load into {table.name} is not of {year}: {strange[0]}")

    def _have_viewed(self, table: Table) -> None:
        with self._lock:
            if table.name not in self._viewed:
                self._viewed = tables_present(self.folder)
                write_views(self.folder, self.staging)
