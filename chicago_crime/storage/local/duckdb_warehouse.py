"""The local warehouse: one Parquet file per table and year, written and read by DuckDB."""

import atexit
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import pyarrow as pa
import sqlglot
from sqlglot import exp
from typing_extensions import override

from chicago_crime import reference, sql
from chicago_crime.intake.staging import publish, staging_folder
from chicago_crime.sql.duckdb_dialect import to_duckdb
from chicago_crime.sql.duckdb_scans import csv_scan, no_rows, open_parquet_scan, parquet_scan, typed_csv_scan
from chicago_crime.storage.local.parquet_files import BY_DUCKDB, contract, table_year
from chicago_crime.storage.local.parquet_reader import VIEWS_FILE, ParquetReader
from chicago_crime.storage.warehouse import TableYear, Warehouse, WarehouseError
from chicago_crime.tables import TABLES, Table

T = TypeVar("T")


@dataclass
class DuckDBWarehouse(ParquetReader, Warehouse):
    """DuckDB over `<folder>/<table>/<year>.parquet`.

    Attributes:
        folder: the tables.
        staging: folder for files that are not published yet; on the same file system.
        threads: processor cores to use.
        memory: limit for all statements of this process together before they spill to disk, e.g. 800MB.
    """

    _database: duckdb.DuckDBPyConnection | None = field(default=None, init=False, repr=False)
    _until_exit: ExitStack = field(default_factory=ExitStack, init=False, repr=False)
    _viewed: frozenset[str] = field(default=frozenset(), init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    @override
    def load_csv(self, table: Table, year: int, csv: str) -> TableYear:
        query = exp.select("*").from_(csv_scan(csv, [column.name for column in table.columns])).sql("duckdb")
        try:
            return self._publish(table, year, query)
        except duckdb.Error as error:
            raise WarehouseError(f"cannot load {csv} into {table.name}: {error}") from error

    @override
    def load_parquet(self, table: Table, year: int, folder: str) -> TableYear:
        files = sorted(Path(folder).rglob("*.parquet"))
        if not files:
            return self.clear_year(table, year)
        query = exp.select("*").from_(parquet_scan(*files)).sql("duckdb")
        try:
            self._refuse_other_years(table, year, self._connect().sql(query))
            return self._publish(table, year, query)
        except duckdb.Error as error:
            raise WarehouseError(f"cannot load {year} into {table.name}: {error}") from error

    @override
    def clear_year(self, table: Table, year: int) -> TableYear:
        nothing = exp.select("*").from_(no_rows([column.name for column in table.columns]))
        return self._publish(table, year, nothing.sql("duckdb"))

    @override
    def replace_year(self, table: Table, year: int) -> TableYear:
        query, read = _replacement(table.name)
        values = {name: str(self._existing(name, year)) for name in read} | ({"year": year} if "$year" in query else {})
        try:
            return self._publish(table, year, query, values)
        except duckdb.Error as error:
            raise WarehouseError(f"cannot compute {table.name} for {year}: {error}") from error

    @override
    def export_parquet(self, table: Table, years: Sequence[int], folder: str) -> None:
        """Hard-link the years' files: they are Parquet already."""
        for year in years:
            (Path(folder) / f"{table.name}-{year}.parquet").hardlink_to(self._existing(table.name, year))

    @override
    def measure(self, table: Table, years: Sequence[int], measures: Mapping[str, str]) -> dict[int, dict[str, Any]]:
        query = exp.select(
            *(exp.alias_(sqlglot.parse_one(text, read="bigquery"), name) for name, text in measures.items())
        )

        # Translated once, with year and file as parameters: translation takes longer than most of the queries.
        text = to_duckdb(query.from_(table.name), {}, lambda _: open_parquet_scan("file"))

        def of_year(year: int) -> dict[str, Any]:
            values = {"file": str(self._existing(table.name, year))} | ({"year": year} if "$year" in text else {})
            row = self._connect().execute(text, values).fetchone()
            return dict(zip(measures, row or (), strict=True))

        return self._year_by_year(years, of_year)

    @override
    def count_by(self, table: Table, years: Sequence[int], column: str) -> dict[int, dict[str, int]]:
        value = f"COALESCE({column}, '')"

        def of_year(year: int) -> dict[str, int]:
            rows = self._connect().read_parquet(str(self._existing(table.name, year)))
            counts = rows.aggregate(f"{value} AS value, COUNT(*) AS n", value)
            return dict(counts.order("n DESC, value").fetchall())

        return self._year_by_year(years, of_year)

    @override
    def answer(self, name: str, parameters: Mapping[str, object]) -> pa.Table:
        query = to_duckdb(sql.statement(name), parameters, self._scan_all)
        try:
            rows = self._connect().sql(query).to_arrow_table()
        except duckdb.Error as error:
            raise WarehouseError(f"cannot answer {name}: {error}") from error
        # GoogleSQL's sum of INT64 is INT64; DuckDB's is wider.
        return rows.cast(
            pa.schema([f.with_type(pa.int64()) if pa.types.is_decimal(f.type) else f for f in rows.schema])
        )

    def _year_by_year(self, years: Sequence[int], query: Callable[[int], T]) -> dict[int, T]:
        with ThreadPoolExecutor(self.threads) as pool:  # small queries mostly wait for the disk
            return dict(zip(years, pool.map(query, years), strict=True))

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
        with self._lock:  # one database, so that all threads share its memory limit
            if self._database is None:
                spill = self._until_exit.enter_context(staging_folder(self.staging))
                atexit.register(self._until_exit.close)
                limits = {"memory_limit": self.memory, "temp_directory": str(spill)}
                # Tables with an order are sorted when they are written; the raw rows need none.
                unordered = {"preserve_insertion_order": False}
                self._database = duckdb.connect(config={"threads": self.threads, **limits, **unordered})
            return self._database.cursor()

    def _publish(
        self, table: Table, year: int, query: str, parameters: Mapping[str, object] | None = None
    ) -> TableYear:
        # Names and types of the columns are a contract, whatever computed the rows.
        rows = f"SELECT {contract(table)} FROM ({query})"
        if table.order:
            rows += f" ORDER BY {', '.join(table.order)}"
        with staging_folder(self.staging) as folder:
            file = folder / "year.parquet"
            copy = f"COPY ({rows}) TO {exp.convert(str(file)).sql('duckdb')} ({BY_DUCKDB})"
            self._connect().execute(copy, parameters)
            publish(file, self.file(table.name, year))
        self._update_views(table)
        return table_year(self.file(table.name, year))

    @staticmethod
    def _refuse_other_years(table: Table, year: int, rows: duckdb.DuckDBPyRelation) -> None:
        if table.year_column is None:
            return
        other = rows.filter(f"{table.year_column} IS DISTINCT FROM {year}").limit(1).fetchall()
        if other:
            raise WarehouseError(f"a row to load into {table.name} is not of {year}: {other[0]}")

    def _update_views(self, table: Table) -> None:
        with self._lock:
            if table.name not in self._viewed:
                self._viewed = self.tables_present()
                self._write_views()

    def _write_views(self) -> None:
        """Write `warehouse.duckdb`: a view over the Parquet files of each table, and the reference tables.

        It is always replaced and never modified, so that clients that have it open and runs do not block each other.
        """
        with staging_folder(self.staging) as fresh:
            file = fresh / VIEWS_FILE
            with duckdb.connect(str(file)) as connection:
                for name in sorted(self._viewed):
                    rows = exp.select("*").from_(parquet_scan(self.folder / name / "*.parquet"))
                    connection.execute(exp.Create(this=exp.to_table(name), kind="VIEW", expression=rows).sql("duckdb"))
                    _comment(connection, f"VIEW {name}", TABLES[name].description)
                    present = connection.table(name).columns  # files of another version have others
                    for column in (one for one in TABLES[name].columns if one.name in present):
                        _comment(connection, f'COLUMN {name}."{column.name}"', column.description)
                for name in reference.TABLES:
                    rows = exp.select("*").from_(typed_csv_scan(reference.file(name)))
                    connection.execute(exp.Create(this=exp.to_table(name), kind="TABLE", expression=rows).sql("duckdb"))
            publish(file, self.folder / VIEWS_FILE)


@cache
def _replacement(table: str) -> tuple[str, list[str]]:
    """The query of a table, and the tables that it reads, whose files are its parameters, as is the year.

    Translated once for all years: that takes longer than most of the queries.
    """
    read = [name for name in sql.tables_read(f"tables/{table}") if name not in reference.TABLES]

    def scan(name: str) -> exp.Expr:
        return open_parquet_scan(name) if name in read else typed_csv_scan(reference.file(name))

    return to_duckdb(sql.statement(f"tables/{table}"), {}, scan), read


def _comment(connection: duckdb.DuckDBPyConnection, what: str, text: str) -> None:
    connection.execute(f"COMMENT ON {what} IS {exp.convert(text).sql('duckdb')}")
