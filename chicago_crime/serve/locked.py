"""Free SQL from strangers: a DuckDB database that reads the published files and nothing else."""

import multiprocessing
import resource
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import duckdb

from chicago_crime import reference
from chicago_crime.errors import UsageError
from chicago_crime.published.reader import SnapshotReader
from chicago_crime.storage.local.parquet_files import quoted
from chicago_crime.storage.local.parquet_reader import create_views

SECONDS = 10.0
MEMORY = "256MB"
PROCESS_BYTES = 1 << 30
"""What the process of a query may allocate: DuckDB counts texts that its functions make in no limit of its own."""
MAX_CHARACTERS = 1_000_000
"""How long an answer may be."""

Rows = tuple[list[str], list[tuple[Any, ...]]]


def locked_rows(reader: SnapshotReader, sql: str, count: int) -> Rows:
    """The columns and the first rows of an answer, from the tables of one snapshot as views.

    The statement can open no other file and no network, nor change settings. A process of its own runs it: DuckDB looks
    only between batches of rows whether it is to stop.

    Raises:
        DamagedError: a file that it reads is damaged, or cannot be fetched.
        UsageError: it is no query, DuckDB refuses it, or it takes too long or is too long.
    """
    folders = [reader.folder / "published" / "data", reference.file("").parent]
    spawn = multiprocessing.get_context("spawn")
    answers, there = spawn.Pipe(duplex=False)
    given = (there, reader.files_named(sql), folders, reader.threads, sql, count)
    process = spawn.Process(target=_answer, args=given, daemon=True)
    process.start()
    there.close()  # so that nothing more can come once the process has ended
    try:
        if not answers.poll(SECONDS):
            raise UsageError(f"stopped after {SECONDS:.0f} s: ask for less, or for a mart instead of crimes")
        found = answers.recv()
    except EOFError:
        raise UsageError("DuckDB ended on it, maybe for want of memory: ask for less") from None
    finally:
        process.kill()
        answers.close()
    if isinstance(found, UsageError):
        raise found
    return found


def _answer(there: Connection, *given: Any) -> None:
    """In the process: send the rows, or why there are none."""
    try:
        there.send(_rows(*given))
    except UsageError as error:
        there.send(error)


def _rows(files: Mapping[str, Any], folders: Sequence[Path], threads: int, sql: str, count: int) -> Rows:
    resource.setrlimit(resource.RLIMIT_DATA, (PROCESS_BYTES, PROCESS_BYTES))
    allowed = ", ".join(map(quoted, folders))
    try:
        config: dict[str, Any] = {"threads": threads, "memory_limit": MEMORY}
        with duckdb.connect(config=config) as connection:
            connection.execute("SET enable_progress_bar = false")  # standard output is the protocol's
            create_views(connection, files)
            connection.execute("SET temp_directory = ''")
            connection.execute(f"SET allowed_directories = [{allowed}]")
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
