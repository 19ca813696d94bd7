"""Free SQL from strangers: a DuckDB database that reads the published files and nothing else."""

import multiprocessing
import resource
import threading
from collections.abc import Mapping, Sequence
from multiprocessing.context import SpawnContext, SpawnProcess
from multiprocessing.pool import Pool
from typing import Any

import duckdb
from typing_extensions import override

from chicago_crime import reference
from chicago_crime.errors import UsageError
from chicago_crime.published.reader import SnapshotReader
from chicago_crime.storage.local.parquet_reader import create_views

SECONDS = 10.0
MEMORY = "256MB"
PROCESS_BYTES = 1 << 30
"""What the process of a query may allocate: DuckDB counts texts that its functions make in no limit of its own."""
MAX_CHARACTERS = 1_000_000
"""How long an answer may be."""

Rows = tuple[list[str], list[tuple[Any, ...]]]


class _Process(SpawnProcess):
    """A process that a pool can always end: in a script's background job, SIGTERM may be ignored."""

    @override
    def terminate(self) -> None:
        self.kill()


class _Spawned(SpawnContext):
    Process = _Process


class LockedDatabase:
    """The tables of one snapshot as views. Statements can open no other file and no network, nor change settings.

    A process of its own runs them: DuckDB looks only between batches of rows whether it is to stop.

    Attributes:
        snapshot: its id.
    """

    def __init__(self, reader: SnapshotReader) -> None:
        self.snapshot = reader.catalog.snapshot
        self._folders = [str(reader.folder / "published" / "data"), str(reference.file("").parent)]
        self._files, self._threads = reader.files(), reader.threads
        self._lock = threading.Lock()
        self._start()

    def _start(self) -> None:
        self._process = Pool(1, context=_Spawned())

    def rows(self, sql: str, count: int) -> Rows:
        """The columns and the first rows of an answer.

        Raises:
            UsageError: it is no query, DuckDB refuses it, or it takes too long or is too long.
        """
        with self._lock:
            try:
                asked = (self._files, self._folders, self._threads, sql, count)
                return self._process.apply_async(_rows, asked).get(SECONDS)
            except multiprocessing.TimeoutError as error:
                self._process.terminate()
                self._start()
                problem = f"stopped after {SECONDS:.0f} s: ask for less, or for a mart instead of crimes"
                raise UsageError(problem) from error


def _rows(files: Mapping[str, Any], folders: Sequence[str], threads: int, sql: str, count: int) -> Rows:
    """In the process: the same."""
    resource.setrlimit(resource.RLIMIT_DATA, (PROCESS_BYTES, PROCESS_BYTES))
    try:
        config: dict[str, Any] = {"threads": threads, "memory_limit": MEMORY}
        with duckdb.connect(config=config) as connection:
            connection.execute("SET enable_progress_bar = false")  # standard output is the protocol's
            create_views(connection, files)
            connection.execute("SET temp_directory = ''")
            connection.execute(f"SET allowed_directories = {folders}")
            connection.execute("SET enable_external_access = false; SET lock_configuration = true")
            if [one.type for one in connection.extract_statements(sql)] != [duckdb.StatementType.SELECT]:
                raise UsageError("only a single SELECT is answered")
            answer = connection.sql(sql)
            columns, rows = answer.columns, answer.limit(count).fetchall()
    except (duckdb.Error, MemoryError) as error:
        raise UsageError(str(error) or "it takes too much memory") from None
    if (length := len(repr(rows))) > MAX_CHARACTERS:
        raise UsageError(f"the answer has {length:,} characters, more than {MAX_CHARACTERS:,}: ask for less")
    return columns, rows
