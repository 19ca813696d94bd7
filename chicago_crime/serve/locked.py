"""Untrusted SQL, in a DuckDB database that can read the published files and nothing else."""

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
"""Memory limit of a query's process: DuckDB's own limit does not cover strings that its functions build."""
MAX_CHARACTERS = 1_000_000
"""Maximum length of a result."""

Rows = tuple[list[str], list[tuple[Any, ...]]]


def locked_rows(reader: SnapshotReader, sql: str, count: int) -> Rows:
    """Return the columns and first rows of a query over the tables of one snapshot.

    The query cannot open other files or the network, or change settings. It runs in a separate process that can be
    killed, because DuckDB checks for interrupts only between batches of rows.

    Raises:
        DamagedError: a file that the query reads is damaged, or cannot be fetched.
        UsageError: it is not a query, DuckDB rejects it, or it runs too long or returns too much.
    """
    folders = [reader.folder / "published" / "data", reference.file("").parent]
    spawn = multiprocessing.get_context("spawn")
    receiver, sender = spawn.Pipe(duplex=False)
    arguments = (sender, reader.files_named(sql), folders, reader.settings.threads, sql, count)
    process = spawn.Process(target=_answer, args=arguments, daemon=True)
    process.start()
    sender.close()  # so that `recv` fails as soon as the process has ended
    try:
        if not receiver.poll(SECONDS):
            raise UsageError(f"stopped after {SECONDS:.0f} s: narrow the query, or query a mart instead of crimes")
        found = receiver.recv()
    except EOFError:
        raise UsageError("DuckDB crashed, possibly out of memory: narrow the query") from None
    finally:
        process.kill()
        process.join()
        receiver.close()
    if isinstance(found, UsageError):
        raise found
    return found


def _answer(sender: Connection, *arguments: Any) -> None:
    """Send the rows or the error to the parent process."""
    try:
        sender.send(_rows(*arguments))
    except UsageError as error:
        sender.send(error)


def _rows(files: Mapping[str, Any], folders: Sequence[Path], threads: int, sql: str, count: int) -> Rows:
    resource.setrlimit(resource.RLIMIT_DATA, (PROCESS_BYTES, PROCESS_BYTES))
    allowed = ", ".join(map(quoted, folders))
    try:
        config: dict[str, Any] = {"threads": threads, "memory_limit": MEMORY}
        with duckdb.connect(config=config) as connection:
            connection.execute("SET enable_progress_bar = false")  # standard output belongs to the MCP protocol
            create_views(connection, files)
            connection.execute("SET temp_directory = ''")
            connection.execute(f"SET allowed_directories = [{allowed}]")
            connection.execute("SET enable_external_access = false; SET lock_configuration = true")
            if [one.type for one in connection.extract_statements(sql)] != [duckdb.StatementType.SELECT]:
                raise UsageError("only a single SELECT is allowed")
            answer = connection.sql(sql)
            columns, rows = answer.columns, answer.limit(count).fetchall()
    except (duckdb.Error, MemoryError) as error:
        raise UsageError(str(error) or "out of memory") from None
    if (length := len(repr(rows))) > MAX_CHARACTERS:
        raise UsageError(f"the result has {length:,} characters, more than {MAX_CHARACTERS:,}: narrow the query")
    return columns, rows
