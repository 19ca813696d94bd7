"""A published snapshot as a DuckDB database, for Python programs and notebooks."""

from dataclasses import dataclass, field

import duckdb
from typing_extensions import override

from chicago_crime import reference
from chicago_crime.errors import UsageError
from chicago_crime.published.catalog import Catalog
from chicago_crime.published.reader import SnapshotReader
from chicago_crime.storage.local.parquet_reader import comment_on, create_view, create_views

_MEANINGS = "FROM duckdb_columns() SELECT column_name, data_type, comment AS meaning WHERE table_name = $table"


@dataclass
class Database:
    """One snapshot; it stays what it is while newer ones are published.

    A table's files are opened, and fetched if they are elsewhere, when a query first names it.

    Attributes:
        reader: reads the snapshot.
    """

    reader: SnapshotReader
    _connection: duckdb.DuckDBPyConnection = field(default_factory=duckdb.connect, init=False, repr=False)
    _opened: set[str] = field(default_factory=set, init=False, repr=False)

    def __post_init__(self) -> None:
        create_views(self._connection, {})

    @override
    def __repr__(self) -> str:
        return f"<{self.cite()}>"

    @property
    def catalog(self) -> Catalog:
        """What the snapshot consists of: years, sources, checks, files."""
        return self.reader.catalog

    @property
    def tables(self) -> list[str]:
        """The tables that a query may name."""
        return [*self.reader.tables, *reference.TABLES]

    def sql(self, query: str, params: object = None) -> duckdb.DuckDBPyRelation:
        """The answer to a query in DuckDB's SQL, as a relation: `.df()`, `.pl()`, `.arrow()`, `.fetchall()`.

        Args:
            query: one statement.
            params: values for its `?`, or by name for its `$name`.

        Raises:
            DamagedError: a file that it reads is damaged, or cannot be fetched.
            duckdb.Error: the query is wrong.
        """
        for table, files in self.reader.files_named(query).items():
            if table not in self._opened:
                create_view(self._connection, table, files)
                self._opened.add(table)
        return self._connection.sql(query, params=params)

    def describe(self, table: str) -> duckdb.DuckDBPyRelation:
        """The columns of a table: name, type, and what a value means, with its unit and caveat.

        Raises:
            UsageError: there is no such table.
        """
        if table not in self.tables:
            raise UsageError(f"there is no table {table!r}: the tables are {', '.join(self.tables)}")
        self.sql(f"FROM {table}")
        comment_on(self._connection, table)
        return self.sql(_MEANINGS, {"table": table})

    def cite(self) -> str:
        """How to cite a figure of this snapshot."""
        return self.catalog.citation
