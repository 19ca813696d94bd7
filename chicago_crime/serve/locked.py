"""Free SQL from strangers: a DuckDB database that reads the published files and nothing else."""

import threading
from typing import Any

import duckdb

from chicago_crime import reference
from chicago_crime.errors import UsageError
from chicago_crime.published.reader import SnapshotReader
from chicago_crime.storage.local.parquet_reader import create_views

SECONDS = 10.0
MEMORY = "256MB"


class LockedDatabase:
    """The tables of one snapshot as views. Statements can open no other file and no network, nor change settings.

    Attributes:
        snapshot: its id.
    """

    def __init__(self, reader: SnapshotReader) -> None:
        self.snapshot = reader.catalog.snapshot
        self._connection = duckdb.connect(config={"threads": reader.threads, "memory_limit": MEMORY})
        create_views(self._connection, reader.files())
        folders = [str(reader.folder / "published" / "data"), str(reference.file("").parent)]
        self._connection.execute("SET temp_directory = ''")
        self._connection.execute(f"SET allowed_directories = {folders}")
        self._connection.execute("SET enable_external_access = false; SET lock_configuration = true")

    def rows(self, sql: str, count: int) -> tuple[list[str], list[tuple[Any, ...]]]:
        """The columns and the first rows of an answer.

        Raises:
            UsageError: it is no query, DuckDB refuses it, or it takes too long.
        """
        connection = self._connection.cursor()
        deadline = threading.Timer(SECONDS, connection.interrupt)
        deadline.start()
        try:
            if [one.type for one in connection.extract_statements(sql)] != [duckdb.StatementType.SELECT]:
                raise UsageError("only a single SELECT is answered")
            answer = connection.sql(sql)
            return answer.columns, answer.limit(count).fetchall()
        except duckdb.InterruptException as error:
            raise UsageError(f"stopped after {SECONDS:.0f} s: ask for less, or for a mart instead of crimes") from error
        except duckdb.Error as error:
            raise UsageError(str(error)) from error
        finally:
            deadline.cancel()
            connection.close()
