"""Reading the local warehouse: its Parquet files through DuckDB, without the libraries that only writing needs."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
from typing_extensions import override

from chicago_crime import reference
from chicago_crime.storage.warehouse import FirstRows, TableReader, TableYear, WarehouseError
from chicago_crime.tables import TABLES, Table

if TYPE_CHECKING:  # slow to import, and only exports need it
    import pyarrow as pa

VIEWS_FILE = "warehouse.duckdb"
EMPTY = "the warehouse is empty: load some years first, e.g. chicago-crime run --years 2021"

_DESCRIBE = re.compile(r"\s*(?:describe|desc)\s+(?:table\s+)?(\w+)\s*;?\s*", re.IGNORECASE)
_MEANINGS = "FROM duckdb_columns() SELECT column_name, data_type AS column_type, comment AS meaning WHERE table_name = "
_FOOTERS = """
SELECT file_name, ANY_VALUE(rows.num_rows), LIST(columns.name ORDER BY columns.column_id)
FROM parquet_file_metadata($files) AS rows JOIN parquet_schema($files) AS columns USING (file_name)
WHERE columns.num_children IS NULL
GROUP BY file_name
"""


@dataclass
class ParquetReader(TableReader):
    """Reads `<folder>/<table>/<year>.parquet`, and queries the views over them in `<folder>/warehouse.duckdb`.

    Attributes:
        folder: where the tables are.
        staging: where files are written before they are published; on the same file system.
        threads: processor cores in use.
        memory: what all statements of this process together may use before they spill to disk, e.g. 800MB.
    """

    folder: Path
    staging: Path
    threads: int
    memory: str
    _footers: dict[tuple[Path, int, int], tuple[int, list[str]]] = field(default_factory=dict, init=False, repr=False)

    def file(self, table: str, year: int) -> Path:
        """The path of a year of a table, whether or not it exists yet."""
        return self.folder / table / f"{year}.parquet"

    def tables_present(self) -> frozenset[str]:
        """Names of the tables with at least one year."""
        return frozenset(name for name in TABLES if any((self.folder / name).glob("*.parquet")))

    @override
    def stored(self, table: Table) -> dict[int, TableYear]:
        return self.stored_of_all([table])[table.name]

    @override
    def stored_of_all(self, tables: Sequence[Table]) -> dict[str, dict[int, TableYear]]:
        found = self._files(tables)
        return {
            table.name: {
                int(file.stem): TableYear(rows, stat.st_size, stat.st_mtime)
                for file, (stat, rows, _) in found.items()
                if file.parent.name == table.name
            }
            for table in tables
        }

    @override
    def outdated(self, table: Table) -> list[int]:
        names = [column.name for column in table.columns]
        return [int(file.stem) for file, (_, _, columns) in self._files([table]).items() if columns != names]

    @override
    def first_rows(self, sql: str, count: int | None) -> FirstRows:
        with self._answer(sql) as answer:
            return FirstRows(answer.columns, (answer if count is None else answer.limit(count)).fetchall())

    @override
    @contextmanager
    def batches(self, sql: str) -> Iterator[pa.RecordBatchReader]:
        with self._answer(sql) as answer:
            yield answer.to_arrow_reader(100_000)

    @contextmanager
    def _answer(self, sql: str) -> Iterator[duckdb.DuckDBPyRelation]:
        views = self.folder / VIEWS_FILE
        if not views.exists():
            raise WarehouseError(EMPTY)
        if (described := _DESCRIBE.fullmatch(sql)) and described[1].lower() in {*TABLES, *reference.TABLES}:
            sql = f"{_MEANINGS}'{described[1].lower()}' ORDER BY column_index"
        config: dict[str, str | bool | int | float | list[str]] = {
            "threads": self.threads,
            "memory_limit": self.memory,
            "temp_directory": str(self.staging / f"query-{os.getpid()}"),
        }
        try:
            with duckdb.connect(str(views), read_only=True, config=config) as connection:
                answer = connection.sql(sql)
                if answer is None:
                    raise WarehouseError("the statement returns no rows: only queries can be answered")
                yield answer
        except duckdb.CatalogException as error:
            names = sorted({*self.tables_present(), *reference.TABLES})
            raise WarehouseError(f"{error}\nThe tables are {', '.join(names)}.") from error
        except duckdb.Error as error:
            raise WarehouseError(str(error)) from error

    def _files(self, tables: Sequence[Table]) -> dict[Path, tuple[os.stat_result, int, list[str]]]:
        """The files of tables, with the number of rows and the columns in their footers. Those are read once a file."""
        files = [
            (file, file.stat())
            for table in tables
            for file in sorted((self.folder / table.name).glob("[0-9][0-9][0-9][0-9].parquet"))
        ]
        unread = [str(file) for file, stat in files if (file, stat.st_ino, stat.st_mtime_ns) not in self._footers]
        if unread:
            try:
                with duckdb.connect(config={"threads": self.threads}) as connection:
                    read = connection.execute(_FOOTERS, {"files": unread}).fetchall()
            except duckdb.Error as error:
                raise WarehouseError(f"cannot read the tables in {self.folder}: {error}") from error
            footers = {Path(name): (rows, columns) for name, rows, columns in read}
            self._footers |= {
                (file, stat.st_ino, stat.st_mtime_ns): footers[file] for file, stat in files if file in footers
            }
        return {file: (stat, *self._footers[file, stat.st_ino, stat.st_mtime_ns]) for file, stat in files}
