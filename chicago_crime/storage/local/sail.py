"""The embedded Spark engine: Sail, a Spark Connect server, and Spark's client in a separate process.

Run as a program, it starts the server, then runs the job once per line of its input, a JSON list of options. It prints
a line for each, the error or null, and exits when its input ends. Ctrl-C in a terminal must not reach it: Sail would
stop by itself, and Spark's client would retry its requests for ten minutes.
"""

import atexit
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from queue import SimpleQueue

from chicago_crime.storage.local import ROWS_OF_GROUP

_idle: list[subprocess.Popen[str]] = []
"""Engine processes that are not running a job."""


def prepare() -> None:
    """Start an engine process in the background, which takes two seconds.

    Raises:
        ModuleNotFoundError: the extra `spark` is not installed.
    """
    if not _idle:
        if find_spec("pyspark") is None:
            raise ModuleNotFoundError("No module named 'pyspark'", name="pyspark")
        # In a new session, so that Ctrl-C in a terminal reaches only the run, which then ends the job.
        program = [sys.executable, "-m", __name__]
        pipe = subprocess.PIPE
        _idle.append(subprocess.Popen(program, stdin=pipe, stdout=pipe, text=True, start_new_session=True))


def run_job(options: list[str]) -> str | None:
    """Run the job in an engine process, which then waits for the next one. Returns the error, or None."""
    prepare()
    process = _idle.pop()
    assert process.stdin and process.stdout
    error: str | None = "the engine's process ended, possibly because the system ran out of memory"
    try:
        with suppress(BrokenPipeError):
            print(json.dumps(options), file=process.stdin, flush=True)
        if answer := process.stdout.readline():
            error = json.loads(answer)
    finally:  # also when the run is canceled
        if error:
            _end(process)
        else:
            _idle.append(process)
    return error


def _end(process: subprocess.Popen[str]) -> None:
    with suppress(BrokenPipeError), process:  # closes its pipes, and waits
        process.kill()


@atexit.register
def _end_idle() -> None:
    for process in _idle:
        _end(process)


@contextmanager
def embedded_server() -> Iterator[str]:
    """Run a Spark Connect server in this process; yields its address, such as sc://127.0.0.1:4040."""
    # The server reads these when it starts. Its warnings are about unsupported hints, which are harmless.
    os.environ.setdefault("RUST_LOG", "error")
    # One partition per query keeps the order of rows; jobs use all cores by processing several years at once.
    os.environ["SAIL_EXECUTION__DEFAULT_PARALLELISM"] = "1"
    # Its files become the warehouse's, so they have the format of DuckDB's.
    os.environ["SAIL_PARQUET__MAX_ROW_GROUP_SIZE"] = str(ROWS_OF_GROUP)
    os.environ["SAIL_PARQUET__COMPRESSION"] = "zstd(1)"
    os.environ["SAIL_PARQUET__DICTIONARY_PAGE_SIZE_LIMIT"] = "10000"  # bytes; more makes larger files, more slowly
    # By default, idle sessions end after some minutes, which a run's other steps can take between two jobs.
    os.environ["SAIL_SPARK__SESSION_TIMEOUT_SECS"] = str(7 * 86_400)
    # Return freed memory to the system soon, because the next steps need it. At once would take an eighth more time.
    os.environ["MIMALLOC_PURGE_DELAY"] = "10"
    os.environ["MIMALLOC_ARENA_EAGER_COMMIT"] = "0"
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    try:
        yield f"sc://127.0.0.1:{server.listening_address[1]}"
    finally:
        server.stop()


def main() -> None:
    """Run the job with each list of options on standard input."""
    jobs: SimpleQueue[list[str]] = SimpleQueue()

    def read_jobs() -> None:
        for line in sys.stdin:
            jobs.put(json.loads(line))
        os._exit(0)  # the parent process closed the input or died, possibly in the middle of a job

    threading.Thread(target=read_jobs, daemon=True).start()
    # The client logs warnings when it cleans up a closed session. Errors are raised anyway.
    logging.getLogger("pyspark.sql.connect.logging").setLevel(logging.CRITICAL)
    from pyspark.sql import SparkSession

    from spark_jobs import enrich_crimes

    with embedded_server() as address:
        session = SparkSession.builder.remote(address).getOrCreate()
        while True:
            options = jobs.get()
            error = None
            try:
                enrich_crimes.main(options, session)
            except Exception as raised:
                error = str(raised) or repr(raised)
            print(json.dumps(error), flush=True)


if __name__ == "__main__":
    main()
