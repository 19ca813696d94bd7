"""The seam between assets and Spark: run one file of `spark_jobs/`, Parquet in and Parquet out.

Here belongs where and how a job runs. What it computes belongs to the job.
"""

import importlib
import logging
import os
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from dagster import AssetExecutionContext

import spark_jobs
from chicago_crime.errors import PlatformError
from chicago_crime.resources.parquet_files import BY_SAIL
from chicago_crime.resources.staging import staging_folder
from chicago_crime.settings import Settings


class SparkError(PlatformError):
    """A job failed or cannot be started; the message has the end of its log, or what to do."""


@dataclass(frozen=True)
class Workspace:
    """Fresh folders for one job: fill `input` before it runs, take its tables from `output` afterwards.

    Both are what the warehouse of the same deployment reads and writes: paths or URIs.

    Attributes:
        input, output: the folders.
        is_filled: whether the job runs already, for an earlier start of the same run: leave `input` alone.
    """

    input: str
    output: str
    is_filled: bool = False


@dataclass(frozen=True)
class JobReport:
    """What is known of a job that ended well.

    Attributes:
        seconds: how long it took, with the wait for machines.
        about: metadata of the job as a whole.
        told: (table, year) -> metadata that the job itself told while it ran; empty where nobody asked it to.
    """

    seconds: float
    about: Mapping[str, Any] = field(default_factory=dict)
    told: Mapping[tuple[str, int], Mapping[str, Any]] = field(default_factory=dict)


class SparkRunner(ABC):
    """Runs jobs of `spark_jobs/`, each for the Dagster run that asks for it."""

    engine = "spark"

    @abstractmethod
    def workspace(self, context: AssetExecutionContext, job: str) -> AbstractContextManager[Workspace]:
        """Folders for one job of one run, gone afterwards."""

    @abstractmethod
    def run(self, context: AssetExecutionContext, job: str, **arguments: Path | str) -> JobReport:
        """Run a job to its end, inside of its workspace.

        Args:
            context: of the Dagster run.
            job: name of its file, without `.py`.
            arguments: its options, with underscores for dashes. A Path is a local file; where the job runs elsewhere,
                it is taken there.

        Raises:
            SparkError: the job failed.
        """


def as_options(arguments: Mapping[str, object]) -> list[str]:
    """A job's arguments as its command line has them."""
    return [text for name, value in arguments.items() for text in (f"--{name.replace('_', '-')}", str(value))]


@dataclass(frozen=True)
class LocalSpark(SparkRunner):
    """Runs jobs on this machine.

    Attributes:
        staging: where workspaces are made; on the warehouse's file system.
        threads: processor cores that Spark may use.
    """

    staging: Path
    threads: int

    @contextmanager
    def workspace(self, context: AssetExecutionContext, job: str) -> Iterator[Workspace]:
        """See `SparkRunner.workspace`."""
        with staging_folder(self.staging) as folder:
            (folder / "input").mkdir()
            yield Workspace(str(folder / "input"), str(folder / "output"))

    def run(self, context: AssetExecutionContext, job: str, **arguments: Path | str) -> JobReport:
        """See `SparkRunner.run`."""
        start = time.perf_counter()
        self._run(job, as_options(arguments))
        return JobReport(time.perf_counter() - start)

    @abstractmethod
    def _run(self, job: str, options: list[str]) -> None: ...


class EmbeddedSpark(LocalSpark):
    """Sail, a Spark Connect server in this process: no Java, and up in two seconds."""

    engine = "embedded"

    def _run(self, job: str, options: list[str]) -> None:
        # The client warns when it tidies up after a session that is over. What goes wrong it raises besides.
        logging.getLogger("pyspark.sql.connect.logging").setLevel(logging.CRITICAL)
        from dagster_pyspark import LazyPySparkResource

        try:
            with embedded_server() as address:
                session = LazyPySparkResource(spark_config={"spark.remote": address}).spark_session
                try:
                    importlib.import_module(f"{spark_jobs.__name__}.{job}").main(options, session)
                finally:
                    session.stop()
        except Exception as error:
            raise SparkError(f"the Spark job {job} failed on the embedded engine: {error}") from error


@contextmanager
def embedded_server() -> Iterator[str]:
    """A Spark Connect server in this process, stopped afterwards; gives its address, e.g. sc://127.0.0.1:4040."""
    # The server reads these when it starts. What it logs below "error" is about hints that it does not need.
    os.environ.setdefault("RUST_LOG", "error")
    # One stream of rows per query keeps their order; jobs use all cores by working on several years at once.
    os.environ["SAIL_EXECUTION__DEFAULT_PARALLELISM"] = "1"
    os.environ |= BY_SAIL
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
        java_home: folder of Java 17 or 21; None to take the `java` that is on the path.
    """

    java_home: Path | None = None
    engine = "jvm"

    def _run(self, job: str, options: list[str]) -> None:
        script = Path(spark_jobs.__path__[0]) / f"{job}.py"
        environment = os.environ | {"PYSPARK_SUBMIT_ARGS": f"--master local[{self.threads}] {_QUIET} pyspark-shell"}
        for of_connect in ("SPARK_REMOTE", "SPARK_CONNECT_MODE_ENABLED"):  # the embedded engine's client leaves them
            environment.pop(of_connect, None)
        if self.java_home:
            environment["JAVA_HOME"] = str(self.java_home)
        with TemporaryFile("w+") as log:
            code = subprocess.call([sys.executable, str(script), *options], env=environment, stdout=log, stderr=log)
            if code:
                log.seek(0)
                tail = log.read()[-4000:]
                raise SparkError(
                    f"the Spark job {job} ended with exit code {code}. It needs Java 17 or 21: JAVA_HOME or "
                    f"CHICAGO_CRIME_JAVA_HOME names its folder. The end of its log:\n{tail}"
                )


_QUIET = "--conf spark.ui.enabled=false --conf spark.ui.showConsoleProgress=false"


def build_spark(settings: Settings) -> SparkRunner:
    """The runner that the settings choose. Nothing is started yet."""
    staging = settings.data_dir / "staging"
    if settings.spark_engine == "jvm":
        return JvmSpark(staging, settings.threads, settings.java_home)
    return EmbeddedSpark(staging, settings.threads)
