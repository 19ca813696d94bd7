"""Spark on this machine: the embedded engine in this process, or Apache Spark in a JVM."""

import importlib
import logging
import os
import subprocess
import sys
import threading
import time
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

from dagster import AssetExecutionContext
from typing_extensions import override

import spark_jobs
from chicago_crime.intake.staging import staging_folder
from chicago_crime.storage.local.parquet_files import ROWS_OF_GROUP
from chicago_crime.storage.spark import JobReport, SparkError, SparkRunner, Workspace, as_options


@dataclass(frozen=True)
class LocalSpark(SparkRunner):
    """Runs jobs on this machine.

    Attributes:
        staging: folder for workspaces; on the warehouse's file system.
        threads: processor cores that Spark may use.
    """

    staging: Path
    threads: int

    @contextmanager
    @override
    def workspace(self, context: AssetExecutionContext, job: str) -> Iterator[Workspace]:
        with staging_folder(self.staging) as folder:
            (folder / "input").mkdir()
            yield Workspace(str(folder / "input"), str(folder / "output"))

    @override
    def run(self, context: AssetExecutionContext, job: str, **arguments: Path | str) -> JobReport:
        start = time.perf_counter()
        self._run(job, as_options(arguments))
        return JobReport(time.perf_counter() - start)

    @abstractmethod
    def _run(self, job: str, options: list[str]) -> None: ...


class EmbeddedSpark(LocalSpark):
    """Sail, a Spark Connect server in this process: starts in two seconds and needs no Java."""

    engine = "embedded"

    def prepare(self) -> None:
        """Import Spark's client: it takes a second, in which DuckDB can use the other cores."""
        threading.Thread(target=importlib.import_module, args=("pyspark.sql.connect.session",)).start()

    def _run(self, job: str, options: list[str]) -> None:
        # The client logs warnings when it cleans up a closed session. Errors are raised as well.
        logging.getLogger("pyspark.sql.connect.logging").setLevel(logging.CRITICAL)
        from pyspark.sql import SparkSession

        try:
            with embedded_server() as address:
                session = SparkSession.builder.remote(address).getOrCreate()
                try:
                    importlib.import_module(f"{spark_jobs.__name__}.{job}").main(options, session)
                finally:
                    session.stop()
        except Exception as error:
            raise SparkError(f"the Spark job {job} failed on the embedded engine: {error}") from error


@contextmanager
def embedded_server() -> Iterator[str]:
    """Run a Spark Connect server in this process; yields its address, e.g. sc://127.0.0.1:4040."""
    # The server reads these when it starts. Its warnings are about unsupported hints that do not matter.
    os.environ.setdefault("RUST_LOG", "error")
    # One partition per query keeps the order of rows; jobs use all cores by processing several years at once.
    os.environ["SAIL_EXECUTION__DEFAULT_PARALLELISM"] = "1"
    # Its files become the warehouse's, so they are written as DuckDB writes them.
    os.environ["SAIL_PARQUET__MAX_ROW_GROUP_SIZE"] = str(ROWS_OF_GROUP)
    os.environ["SAIL_PARQUET__COMPRESSION"] = "zstd(1)"
    os.environ["SAIL_PARQUET__DICTIONARY_PAGE_SIZE_LIMIT"] = "10000"  # bytes; larger ones make larger files, later
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    try:
        yield f"sc://127.0.0.1:{server.listening_address[1]}"
    finally:
        server.stop()


@dataclass(frozen=True)
class JvmSpark(LocalSpark):
    """Apache Spark in local mode, in a process of its own.

    Attributes:
        java_home: folder of Java 17 or 21; None for the `java` on the PATH.
    """

    java_home: Path | None = None
    engine = "jvm"

    def _run(self, job: str, options: list[str]) -> None:
        script = Path(spark_jobs.__path__[0]) / f"{job}.py"
        environment = os.environ | {"PYSPARK_SUBMIT_ARGS": f"--master local[{self.threads}] {_QUIET} pyspark-shell"}
        for of_connect in ("SPARK_REMOTE", "SPARK_CONNECT_MODE_ENABLED"):  # set by the embedded engine's client
            environment.pop(of_connect, None)
        if self.java_home:
            environment["JAVA_HOME"] = str(self.java_home)
        with TemporaryFile("w+") as log:
            code = subprocess.call([sys.executable, str(script), *options], env=environment, stdout=log, stderr=log)
            if code:
                log.seek(0)
                tail = log.read()[-4000:]
                raise SparkError(
                    f"the Spark job {job} ended with exit code {code}. It needs Java 17 or 21, whose folder JAVA_HOME "
                    "or CHICAGO_CRIME_JAVA_HOME names, and the package pyspark in place of pyspark-client: "
                    f"`make setup-dev` installs it. The end of its log:\n{tail}"
                )


_QUIET = "--conf spark.ui.enabled=false --conf spark.ui.showConsoleProgress=false"
