"""The local warehouse: one Parquet file per table and year, written and read by DuckDB."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import sqlglot
from sqlglot import exp
from typing_extensions import override

from chicago_crime import reference, sql
from chicago_crime.intake.staging import staging_folder
from chicago_crime.sql.duckdb_dialect import to_duckdb
from chicago_crime.sql.duckdb_scans import csv_scan, no_rows, open_parquet_scan, parquet_scan, typed_csv_scan
from chicago_crime.storage.lineage import Lineage
from chicago_crime.storage.local.parquet_files import has_format, publish_year, write_year
from chicago_crime.storage.local.parquet_reader import ParquetReader
from chicago_crime.storage.warehouse import FirstRows, Preview, TableYear, Warehouse, WarehouseError, no_year
from chicago_crime.tables import Table

T = TypeVar("T")

PREVIEW_ROWS = 3


@dataclass
class DuckDBWarehouse(ParquetReader, Warehouse):
    """DuckDB over `<folder>/<table>/<year>.parquet`. A note next to each file records its lineage."""

    estimates: Path | None = None

    @override
    def load_csv(self, table: Table, year: int, csv: str, sha256: str) -> TableYear:
        query = exp.select("*").from_(csv_scan(csv, [column.name for column in table.columns])).sql("duckdb")
        try:
            return self._publish(table, year, query, Lineage.of(table, [sha256]))
        except duckdb.Error as error:
            raise WarehouseError(f"cannot load {csv} into {table.name}: {error}") from error

    @override
    def load_parquet(self, table: Table, year: int, folder: str, lineage: Lineage | None = None) -> TableYear:
        is_published = lineage is not None
        lineage = lineage or self._lineage(table, year)
        files = [Path(folder)] if folder.endswith(".parquet") else sorted(Path(folder).rglob("*.parquet"))
        if not files:
            return self.clear_year(table, year)
        query = exp.select("*").from_(parquet_scan(*files)).sql("duckdb")
        try:
            rows = self.connect().sql(query)
            is_other = f"{table.year_column} IS DISTINCT FROM {year}"
            if table.year_column and (other := rows.filter(is_other).limit(1).fetchall()):
                raise WarehouseError(f"a row for {table.name} is not from {year}: {other[0]}")
            if len(files) == 1 and (is_published or _is_in_order(table)) and has_format(files[0], table, rows):
                with staging_folder(self.staging) as staging:
                    (staging / "year.parquet").hardlink_to(files[0])
                    return publish_year(staging / "year.parquet", self.file(table.name, year), lineage)
            return self._publish(table, year, query, lineage)
        except duckdb.Error as error:
            raise WarehouseError(f"cannot load {year} into {table.name}: {error}") from error

    @override
    def clear_year(self, table: Table, year: int) -> TableYear:
        nothing = exp.select("*").from_(no_rows([column.name for column in table.columns]))
        return self._publish(table, year, nothing.sql("duckdb"), self._lineage(table, year))

    @override
    def replace_year(self, table: Table, year: int) -> TableYear:
        lineage = self._lineage(table, year)  # before the rows are read, so that later changes make this year stale
        query, read = _replacement(table.name, self.estimates)
        values = {name: str(self._existing(name, year)) for name in read} | ({"year": year} if "$year" in query else {})
        try:
            return self._publish(table, year, query, lineage, values)
        except duckdb.Error as error:
            raise WarehouseError(f"cannot compute {table.name} for {year}: {error}") from error

    @override
    def export_parquet(self, table: Table, years: Sequence[int], folder: str) -> None:
        """Hard-link the files, which are Parquet already."""
        self.fetch_parquet([table], years, Path(folder))

    @override
    def fetch_parquet(self, tables: Sequence[Table], years: Sequence[int], folder: Path) -> dict[tuple[str, int], Path]:
        """Hard-link the files, so that later replacements do not affect them."""
        found = {}
        for table in tables:
            for year in years:
                file = self._existing(table.name, year)
                if damage := self.damage(table.name, year):
                    raise WarehouseError(damage)
                found[table.name, year] = folder / f"{table.name}-{year}.parquet"
                found[table.name, year].hardlink_to(file)
        return found

    @override
    def measure(self, table: Table, years: Sequence[int], measures: Mapping[str, str]) -> dict[int, dict[str, Any]]:
        query = exp.select(
            *(exp.alias_(sqlglot.parse_one(text, read="bigquery"), name) for name, text in measures.items())
        )

        # Translated once, with year and file as parameters, because translation takes longer than most queries.
        text = to_duckdb(query.from_(table.name), {}, lambda _: open_parquet_scan("file"))

        def of_year(year: int) -> dict[str, Any]:
            values = {"file": str(self._existing(table.name, year))} | ({"year": year} if "$year" in text else {})
            row = self.connect().execute(text, values).fetchone()
            return dict(zip(measures, row or (), strict=True))

        return self._year_by_year(years, of_year)

    @override
    def preview(self, table: Table, year: int) -> Preview:
        file = str(self._existing(table.name, year))
        counts = "SELECT path_in_schema, SUM(stats_null_count)::BIGINT FROM parquet_metadata(?) GROUP BY ALL"
        first = self.connect().read_parquet(file).limit(PREVIEW_ROWS)
        nulls = dict(self.connect().execute(counts, [file]).fetchall())
        return Preview(nulls, FirstRows(first.columns, first.fetchall()))

    @override
    def count_by(self, table: Table, years: Sequence[int], column: str) -> dict[int, dict[str, int]]:
        value = f"COALESCE({column}, '')"

        def of_year(year: int) -> dict[str, int]:
            rows = self.connect().read_parquet(str(self._existing(table.name, year)))
            counts = rows.aggregate(f"{value} AS value, COUNT(*) AS n", value)
            return dict(counts.order("n DESC, value").fetchall())

        return self._year_by_year(years, of_year)

    def _year_by_year(self, years: Sequence[int], query: Callable[[int], T]) -> dict[int, T]:
        try:
            with ThreadPoolExecutor(self.settings.threads) as pool:  # small queries mostly wait for the disk
                return dict(zip(years, pool.map(query, years), strict=True))
        except duckdb.Error as error:
            raise WarehouseError(f"a table cannot be read: {error}") from error

    def _existing(self, table: str, year: int) -> Path:
        file = self.file(table, year)
        if not file.exists():
            raise WarehouseError(no_year(table, year))
        return file

    def _publish(
        self, table: Table, year: int, query: str, lineage: Lineage, parameters: Mapping[str, object] | None = None
    ) -> TableYear:
        with staging_folder(self.staging) as folder:
            write_year(self.connect(), table, query, folder / "year.parquet", parameters)
            return publish_year(folder / "year.parquet", self.file(table.name, year), lineage)


def _is_in_order(table: Table) -> bool:
    """Whether the table has the rows of its upstream table, whose order the Spark job preserves."""
    upstream = table.upstream[0]
    return table.made_by == "spark" and (table.key, table.order) == (upstream.key, upstream.order)


@cache
def _replacement(table: str, estimates: Path | None) -> tuple[str, list[str]]:
    """Return the query of a table and the tables it reads. Its parameters are their files and the year.

    It is translated once for all years, because translation takes longer than most queries.
    """
    read = [name for name in sql.tables_read(f"tables/{table}") if name not in reference.TABLES]

    def scan(name: str) -> exp.Expr:
        return open_parquet_scan(name) if name in read else typed_csv_scan(*reference.files(name, estimates))

    return to_duckdb(sql.statement(f"tables/{table}"), {}, scan), read
