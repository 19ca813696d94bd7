"""A published snapshot as a DuckDB database, for Python programs and notebooks."""

from dataclasses import dataclass, field

import duckdb
from typing_extensions import override

from chicago_crime import reference
from chicago_crime.errors import UsageError
from chicago_crime.published.catalog import Catalog
from chicago_crime.published.reader import SnapshotReader
from chicago_crime.storage.local.parquet_reader import create_view, create_views, description_of


@dataclass
class Database:
    """One snapshot, unaffected by newer ones.

    The files of a table are opened, and downloaded if necessary, when a query first names it.
    """

    reader: SnapshotReader
    _connection: duckdb.DuckDBPyConnection = field(default_factory=duckdb.connect, init=False, repr=False)
    _opened: set[str] = field(default_factory=set, init=False, repr=False)

    def __post_init__(self) -> None:
        create_views(self._connection, {})

    @override
    def __repr__(self) -> str:
        return f"<Chicago crime snapshot {self.catalog.snapshot}>"

    @property
    def catalog(self) -> Catalog:
        """The years, sources, checks and files of the snapshot."""
        return self.reader.catalog

    @property
    def tables(self) -> list[str]:
        """Tables that queries can use."""
        return [*self.reader.tables, *reference.TABLES]

    def sql(self, query: str, params: object = None) -> duckdb.DuckDBPyRelation:
        """Run a query in DuckDB's SQL; the relation has `.df()`, `.pl()`, `.arrow()` and `.fetchall()`.

        Args:
            query: one statement.
            params: a sequence of values for `?`, or a mapping of values for `$name`.

        Raises:
            DamagedError: a file is missing or damaged.
            ObjectStoreError: a file cannot be downloaded.
            duckdb.Error: the query is invalid.
        """
        for table, files in self.reader.files_named(query).items():
            if table not in self._opened:
                create_view(self._connection, table, files)
                self._opened.add(table)
        return self._connection.sql(query, params=params)

    def register(self, name: str, table: object) -> None:
        """Add a table of your own to this database: a DataFrame of pandas or Polars, or an Arrow table."""
        self._connection.register(name, table)

    def describe(self, table: str) -> duckdb.DuckDBPyRelation:
        """Return the columns of a table: name, type and meaning, which is NULL for reference tables.

        Raises:
            UsageError: there is no such table.
        """
        if table not in self.tables:
            raise UsageError(f"there is no table {table!r}; the tables are {', '.join(self.tables)}")
        self.sql(f"FROM {table}")
        return self._connection.sql(description_of(self._connection, table))

    def cite(self) -> str:
        """Return a citation of this snapshot, as on the dashboard."""
        [[newest]] = self.sql("SELECT MAX(day) FROM crimes_daily").fetchall()
        return self.catalog.cite(f"{newest:%B %-d, %Y}")
