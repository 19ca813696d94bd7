"""The one reader of published snapshots: `query`, reports and pages see one whole state through it, or an older one."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from typing_extensions import override

from chicago_crime.intake.staging import publish, staging_folder
from chicago_crime.published.catalog import Catalog, DamagedError, PublishedTable
from chicago_crime.storage.lineage import digest
from chicago_crime.storage.local.parquet_reader import DuckDBReader
from chicago_crime.storage.object_store import ObjectStore, ObjectStoreError
from chicago_crime.storage.warehouse import TableYear
from chicago_crime.tables import Table

DOWNLOADS_AT_ONCE = 8


@dataclass
class SnapshotReader(DuckDBReader):
    """Reads one snapshot, whatever is published meanwhile: its files never change.

    Attributes:
        catalog: the snapshot.
        store: where its files are.
        folder: where they are on this machine: the store's own folder, or copies that are fetched when first needed.
    """

    catalog: Catalog
    store: ObjectStore
    folder: Path

    @override
    def files(self) -> Mapping[str, Sequence[Path]]:
        return self._found[0]

    @override
    def damaged(self) -> Mapping[str, str]:
        return self._found[1]

    @override
    def stored(self, table: Table) -> dict[int, TableYear]:
        at = self.catalog.published_at.timestamp()
        return {
            year: TableYear(held.rows, held.bytes, at, held.lineage)
            for year, held in sorted(self._years(table.name).items())
        }

    @override
    def outdated(self, table: Table) -> list[int]:
        columns = columns_digest(table)
        return sorted(year for year, held in self._years(table.name).items() if held.columns != columns)

    def _years(self, table: str) -> dict[int, PublishedTable]:
        return {year: held.tables[table] for year, held in self.catalog.years.items() if table in held.tables}

    @cached_property
    def _found(self) -> tuple[dict[str, list[Path]], dict[str, str]]:
        """The files of each table that has all of them, and for each other table what is wrong."""
        wanted = [
            (name, year, table)
            for year, held in sorted(self.catalog.years.items())
            for name, table in held.tables.items()
        ]
        files: dict[str, list[Path]] = {}
        damaged: dict[str, str] = {}
        with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
            found = pool.map(lambda one: self._local(one[2], one[1]), wanted)
            for (name, _, _), path in zip(wanted, found, strict=True):
                if isinstance(path, DamagedError):
                    damaged.setdefault(name, str(path))
                else:
                    files.setdefault(name, []).append(path)
        return {name: paths for name, paths in files.items() if name not in damaged}, damaged

    def _local(self, table: PublishedTable, year: int) -> Path | DamagedError:
        path = self.folder / table.key
        if not path.exists():
            try:
                with staging_folder(self.staging) as fresh:
                    publish(self.store.get(table.key, fresh), path)
            except ObjectStoreError:
                return DamagedError(f"{table.key} is missing: load the year again, chicago-crime run --years {year}")
        if path.stat().st_size != table.bytes:
            return DamagedError(
                f"{path} has {path.stat().st_size:,} bytes and should have {table.bytes:,}: it is damaged. Load the "
                f"year again: chicago-crime run --years {year}"
            )
        return path


def columns_digest(table: Table) -> str:
    """Stands for the names of a table's columns, in their order."""
    return digest(*(column.name for column in table.columns))
