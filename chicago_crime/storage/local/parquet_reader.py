"""Reads Parquet tables with DuckDB: the warehouse's own here, published ones in `published/`.

Importing this module loads neither sqlglot nor Arrow.
"""

from __future__ import annotations

import re
import threading
import weakref
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from operator import itemgetter
from os import stat_result
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import duckdb
from typing_extensions import override

from chicago_crime import reference
from chicago_crime.errors import HOW_TO_LOAD, HOW_TO_REPAIR
from chicago_crime.intake.staging import staging_folder
from chicago_crime.settings import Settings
from chicago_crime.storage.local.parquet_files import has_checksum, noted_lineage, quoted
from chicago_crime.storage.warehouse import FirstRows, TableReader, TableYear, WarehouseError
from chicago_crime.tables import TABLES, Table

_DESCRIBE = re.compile(r"\s*(?:describe|desc)\s+(?:table\s+)?(\w+)\s*;?\s*", re.IGNORECASE)
_OPTIONS = {"csv": ", HEADER", "json": ", ARRAY true, TIMESTAMPFORMAT '%Y-%m-%dT%H:%M:%S'"}
_LISTS_TABLES = re.compile(r"\b(show|information_schema|duckdb_\w+)\b", re.IGNORECASE)  # needs a view of every table
_QUERIES = {"SELECT", "EXPLAIN", "MULTI"}  # a PIVOT is several statements
_Used = TypeVar("_Used")


@dataclass
class DuckDBReader(TableReader):
    """Runs queries on Parquet tables in one in-memory DuckDB database.

    Attributes:
        settings: of the installation. The memory limit is for all statements of this reader together.
    """

    settings: Settings
    _database: duckdb.DuckDBPyConnection | None = field(default=None, init=False, repr=False)
    _spill: ExitStack = field(default_factory=ExitStack, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    @property
    def staging(self) -> Path:
        """Folder that DuckDB spills to; if it is read-only, the system's temporary folder is used."""
        return self.settings.data_dir / "staging"

    @property
    @abstractmethod
    def tables(self) -> Sequence[str]:
        """The tables with any stored year."""

    @abstractmethod
    def files_of(self, table: str) -> Sequence[Path]:
        """The files of one table, oldest year first.

        Raises:
            PlatformError: a file is damaged.
        """

    @override
    def first_rows(self, sql: str, count: int | None) -> FirstRows:
        def read(result: duckdb.DuckDBPyRelation) -> FirstRows:
            return FirstRows(result.columns, (result if count is None else result.limit(count)).fetchall())

        return self._run(sql, read)

    @override
    def write(self, sql: str, file: Path, format: str) -> None:
        self._run(sql, lambda result: write_result(result, file, format))

    def _run(self, sql: str, use: Callable[[duckdb.DuckDBPyRelation], _Used]) -> _Used:
        if not self.tables:
            raise WarehouseError(f"nothing is loaded. {HOW_TO_LOAD}")
        try:
            connection = self.connect()  # not closed here, because a second Ctrl-C may come while it ends
            files = self.files_named(sql)
            with self._lock:  # threads that replace a shared view at the same time get a conflict
                create_views(connection, files)
                if (described := _DESCRIBE.fullmatch(sql)) and described[1].lower() in {*TABLES, *reference.TABLES}:
                    sql = description_of(connection, described[1].lower())
            kinds = [one.type.name for one in connection.extract_statements(sql)]
            if not kinds:
                raise WarehouseError("the query is empty: try FROM crimes_monthly")
            if {*kinds} - _QUERIES:
                raise WarehouseError("only queries can be run, not statements that change or write something")
            if len(kinds) > 1:
                raise WarehouseError(f"there are {len(kinds)} queries: run them one at a time")
            with ThreadPoolExecutor(1) as pool:
                used = pool.submit(lambda: use(connection.sql(sql)))
                try:
                    return used.result()
                except KeyboardInterrupt:  # which DuckDB does not notice by itself
                    connection.interrupt()
                    raise
        except duckdb.CatalogException as error:
            names = sorted({*self.tables, *reference.TABLES})
            raw = " raw_crimes is a working table: add --working." if is_named("raw_crimes", sql) else ""
            raise WarehouseError(f"{error}\nThe tables are {', '.join(names)}.{raw}") from error
        except duckdb.Error as error:
            raise WarehouseError(str(error)) from error

    def files_named(self, sql: str) -> dict[str, Sequence[Path]]:
        """Return the files of each table named in a statement."""
        lists = _LISTS_TABLES.search(sql)
        return {table: self.files_of(table) for table in self.tables if lists or is_named(table, sql)}

    def connect(self) -> duckdb.DuckDBPyConnection:
        """Return a connection to this reader's database. All threads share the database and its memory limit."""
        with self._lock:
            if self._database is None:
                try:
                    spill = self._spill.enter_context(staging_folder(self.staging))
                except OSError:  # the data folder is read-only
                    spill = Path(self._spill.enter_context(TemporaryDirectory()))
                weakref.finalize(self, self._spill.close)  # runs at exit, too
                limits = {"memory_limit": self.settings.duckdb_memory, "temp_directory": str(spill)}
                # Tables are sorted when they are written, and results by their queries.
                unordered = {"preserve_insertion_order": False}
                # DuckDB 2.0 hangs if a query fails while other threads write its result (duckdb/duckdb#23885).
                threads = {"threads": self.settings.threads, "async_threads": 0}
                self._database = duckdb.connect(config={**threads, **limits, **unordered})
            return self._database.cursor()


def write_result(result: duckdb.DuckDBPyRelation, file: Path, format: str) -> None:
    """Write rows to a file, as csv, json or parquet."""
    result.query("result", f"COPY result TO {quoted(file)} (FORMAT {format}{_OPTIONS.get(format, '')})")


def is_named(table: str, sql: str) -> bool:
    """Whether a statement contains a table's name as a word."""
    return re.search(rf"\b{table}\b", sql, re.IGNORECASE) is not None


def create_views(connection: duckdb.DuckDBPyConnection, files: Mapping[str, Sequence[Path]]) -> None:
    """Create a view over the files of each table, and over each reference table."""
    for name, paths in files.items():
        create_view(connection, name, paths)
    for name in reference.TABLES:
        connection.read_csv(str(reference.file(name))).create_view(name)


def create_view(connection: duckdb.DuckDBPyConnection, table: str, files: Sequence[Path]) -> None:
    """Create a view over the files of one table."""
    connection.read_parquet([str(file) for file in files], hive_partitioning=False).create_view(table)


def comment_on(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Add comments to a view and its columns, if the table is one of ours."""
    if described := TABLES.get(table):
        _comment(connection, f"VIEW {table}", described.description)
        present = connection.table(table).columns  # another version of the package may have written the files
        for column in (one for one in described.columns if one.name in present):
            _comment(connection, f'COLUMN {table}."{column.name}"', column.meaning)


def description_of(connection: duckdb.DuckDBPyConnection, view: str) -> str:
    """Return a query of the columns of a view: name, type and meaning, which is NULL unless the table is ours."""
    comment_on(connection, view)
    columns = "column_name, data_type AS column_type, comment AS meaning"
    return f"SELECT {columns} FROM duckdb_columns() WHERE table_name = '{view}' ORDER BY column_index"


def _comment(connection: duckdb.DuckDBPyConnection, what: str, text: str) -> None:
    connection.execute(f"COMMENT ON {what} IS '{text.replace(chr(39), chr(39) * 2)}'")


_Footer = tuple[int, list[str]]
"""Number of rows, and column names."""


@dataclass
class ParquetReader(DuckDBReader):
    """Reads the warehouse's own tables, `<folder>/<table>/<year>.parquet`."""

    _footers: dict[tuple[Path, int, int], _Footer] = field(default_factory=dict, init=False, repr=False)

    @property
    def folder(self) -> Path:
        """Where the tables are."""
        return self.settings.data_dir / "warehouse"

    def file(self, table: str, year: int) -> Path:
        """The path of a year of a table, whether or not it exists yet."""
        return self.folder / table / f"{year}.parquet"

    @property
    @override
    def tables(self) -> Sequence[str]:
        return [name for name in TABLES if self._years(name)]

    @override
    def files_of(self, table: str) -> Sequence[Path]:
        for problem in self._read([TABLES[table]])[1].values():
            raise WarehouseError(problem)
        return self._years(table)

    @override
    def damaged_years(self) -> Mapping[tuple[str, int], str]:
        problems = self._read(list(TABLES.values()))[1]
        return {(file.parent.name, int(file.stem)): problem for file, problem in problems.items()}

    @override
    def damage(self, table: str, year: int) -> str | None:
        if has_checksum(file := self.file(table, year)):
            return None
        return f"{file} is damaged (wrong checksum): load {year} {HOW_TO_REPAIR}"

    @override
    def stored_of_all(self, tables: Sequence[Table]) -> dict[str, dict[int, TableYear]]:
        found, _ = self._read(tables)
        return {
            table.name: {
                int(file.stem): TableYear(rows, stat.st_size, stat.st_mtime, noted_lineage(file))
                for file, (stat, (rows, _)) in found.items()
                if file.parent.name == table.name
            }
            for table in tables
        }

    @override
    def outdated(self, table: Table) -> list[int]:
        names = [column.name for column in table.columns]
        return [int(file.stem) for file, (_, (_, found)) in self._read([table])[0].items() if found != names]

    def _years(self, table: str) -> list[Path]:
        return sorted((self.folder / table).glob("[0-9][0-9][0-9][0-9].parquet"))

    def _read(self, tables: Sequence[Table]) -> tuple[dict[Path, tuple[stat_result, _Footer]], dict[Path, str]]:
        """Return the files of some tables with their footers, which are cached, and the problems of damaged ones."""
        stats = {file: file.stat() for table in tables for file in self._years(table.name)}
        keys = {file: (file, stat.st_ino, stat.st_mtime_ns) for file, stat in stats.items()}
        footers, problems = self._read_footers([str(file) for file, key in keys.items() if key not in self._footers])
        self._footers |= {keys[file]: footer for file, footer in footers.items()}
        found = {file: (stats[file], self._footers[key]) for file, key in keys.items() if key in self._footers}
        return found, problems

    def _read_footers(self, files: list[str]) -> tuple[dict[Path, _Footer], dict[Path, str]]:
        """Return the footers of files, and the problems of files whose footer cannot be read."""
        if not files:
            return {}, {}
        try:
            with self.connect() as connection:
                rows = connection.table_function("parquet_file_metadata", [files]).select("file_name", "num_rows")
                footers: dict[Path, _Footer] = {Path(name): (count, []) for name, count in rows.fetchall()}
                nodes = connection.table_function("parquet_schema", [files])
                columns = nodes.select("file_name", "column_id", "name", "num_children").fetchall()
        except duckdb.Error as error:
            if half := len(files) // 2:  # find the damaged ones
                halves = self._read_footers(files[:half]), self._read_footers(files[half:])
                return halves[0][0] | halves[1][0], halves[0][1] | halves[1][1]
            path = Path(files[0])
            return {}, {path: f"{path} is damaged ({error}): load {path.stem} {HOW_TO_REPAIR}"}
        for name, _, column, children in sorted(columns, key=itemgetter(0, 1)):
            if children is None:  # the root of the schema has some
                footers[Path(name)][1].append(column)
        return footers, {}
