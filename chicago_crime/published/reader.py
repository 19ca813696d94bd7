"""The reader of published snapshots, shared by `query`, reports, pages and interfaces."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
from typing_extensions import override

from chicago_crime import reference
from chicago_crime.errors import PlatformError
from chicago_crime.intake.staging import publish, staging_folder
from chicago_crime.published.catalog import DATA, Catalog, DamagedError, PublishedTable, current
from chicago_crime.storage.lineage import digest
from chicago_crime.storage.local.folder_store import FolderStore
from chicago_crime.storage.local.parquet_reader import DuckDBReader
from chicago_crime.storage.object_store import NoObjectError, ReadableStore, StoredObject, checksum_of
from chicago_crime.storage.warehouse import TableYear, WarehouseError
from chicago_crime.tables import Table

if TYPE_CHECKING:  # slow to import, and `query` does not need it
    import pyarrow as pa
    from sqlglot import exp

DOWNLOADS_AT_ONCE = 8

UNREAD_S = 7 * 86_400
"""Minimum time since a cached file was read before it is removed, in seconds."""


@dataclass
class SnapshotReader(DuckDBReader):
    """Reads one snapshot, whose files never change.

    Attributes:
        catalog: the snapshot.
        store: object store with its files.
        folder: local folder with its files: the store's own folder, or a cache filled on demand.
    """

    catalog: Catalog
    store: ReadableStore
    folder: Path
    _files: dict[str, list[Path]] = field(default_factory=dict, init=False, repr=False)

    @property
    @override
    def tables(self) -> Sequence[str]:
        return self.catalog.tables

    @override
    def stored_of_all(self, tables: Sequence[Table]) -> dict[str, dict[int, TableYear]]:
        at = self.catalog.published_at.timestamp()
        return {
            table.name: {
                year: TableYear(held.rows, held.bytes, at, held.lineage)
                for year, held in self.catalog.years_of(table.name).items()
            }
            for table in tables
        }

    @override
    def outdated(self, table: Table) -> list[int]:
        columns = columns_digest(table)
        return [year for year, held in self.catalog.years_of(table.name).items() if held.columns != columns]

    @override
    def files_of(self, table: str) -> Sequence[Path]:
        """Return the local files of a table, downloading those that are missing.

        Raises:
            DamagedError: a file is missing or has the wrong size.
        """
        if table not in self._files:
            with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
                self._files[table] = list(pool.map(self._local, self.catalog.years_of(table).items()))
            if not isinstance(self.store, FolderStore):
                self._remove_unread(table)
        return self._files[table]

    def _remove_unread(self, table: str) -> None:
        """Remove cached files of a table that this snapshot does not name and that nobody has read for a week."""
        for file in {*(self.folder / DATA / table).rglob("*.*")} - {*self._files[table]}:
            if time.time() - file.stat().st_atime > UNREAD_S:
                file.unlink(missing_ok=True)

    def answer(self, name: str, parameters: Mapping[str, object]) -> "pa.Table":
        """Run a statement of `sql/`, such as pages/totals, over all years of its tables. It may join reference tables.

        Each of its `@name` parameters needs a value.

        Raises:
            DamagedError: a file is missing or has the wrong size.
            WarehouseError: a table lacks a column.
        """
        import pyarrow as pa

        from chicago_crime.sql import statement
        from chicago_crime.sql.duckdb_dialect import to_duckdb
        from chicago_crime.sql.duckdb_scans import parquet_scan, typed_csv_scan

        def scan(table: str) -> "exp.Expr":
            if table in reference.TABLES:
                return typed_csv_scan(reference.file(table))
            return parquet_scan(*self.files_of(table))

        query = to_duckdb(statement(name), parameters, scan)
        try:
            rows = self.connect().sql(query).to_arrow_table()
        except duckdb.Error as error:
            raise WarehouseError(f"cannot run {name}: {error}") from error
        # SUM of INT64 is INT64 in GoogleSQL, but wider in DuckDB.
        return rows.cast(
            pa.schema([f.with_type(pa.int64()) if pa.types.is_decimal(f.type) else f for f in rows.schema])
        )

    @override
    def connect(self) -> duckdb.DuckDBPyConnection:
        connection = super().connect()
        connection.execute("LOAD parquet; SET parquet_metadata_cache = true")  # safe because files never change
        return connection

    def boundaries(self) -> bytes | None:
        """Return the official boundaries as GeoJSON; None if the snapshot has none.

        Raises:
            DamagedError: the file is missing or damaged.
        """
        held = self.catalog.boundaries
        if held is None:
            return None
        return self._verified(held).read_bytes()

    def verify(self) -> None:
        """Verify the checksums of all opened files, after an error, and replace damaged copies.

        Raises:
            DamagedError: a file is damaged in the store, too.
        """
        for table in self._files:
            for year, held in self.catalog.years_of(table).items():
                self._verified(held, year)

    def _local(self, of_year: tuple[int, PublishedTable]) -> Path:
        year, table = of_year
        path = self.folder / table.key
        if not path.exists() or path.stat().st_size != table.bytes:
            self._fetch(table.key, year)
        if (bytes := path.stat().st_size) != table.bytes:
            problem = f"damaged (it has {bytes:,} bytes instead of {table.bytes:,})"
            raise self._damage(table.key, year, problem)
        return path

    def _verified(self, held: PublishedTable | StoredObject, year: int | None = None) -> Path:
        """Return the local copy of a file, replaced if its checksum is wrong; without a year, it is the boundaries'."""
        path = self.folder / held.key
        if not path.exists() or checksum_of(path) != held.sha256:
            self._fetch(held.key, year)
            if checksum_of(path) != held.sha256:
                raise self._damage(held.key, year)
        return path

    def _damage(self, key: str, year: int | None, problem: str = "damaged") -> DamagedError:
        """Return the error for a file, with the command that restores it if the current snapshot has it, too."""
        path = self.folder / key
        with suppress(PlatformError):
            newest = current(self.store)
            if newest and key not in newest.keys:
                return DamagedError(f"{path} is {problem}. It cannot be restored: use another snapshot")
        if year is None:
            return DamagedError(f"{path} is {problem}. Fetch the boundaries again: `chicago-crime boundaries`")
        return DamagedError(self.catalog.years[year].damage(year, path, problem))

    def _fetch(self, key: str, year: int | None) -> None:
        """Replace a missing or damaged copy. The store's own file is not changed."""
        try:
            with staging_folder(self.staging) as fresh:
                publish(self.store.get(key, fresh), self.folder / key)
        except NoObjectError:
            raise self._damage(key, year, "missing") from None


def columns_digest(table: Table) -> str:
    """Return a digest of a table's column names, in order."""
    return digest(*(column.name for column in table.columns))
