"""Spark on this machine: the embedded engine or Apache Spark in a JVM, each in a separate process."""

import logging
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from typing_extensions import override

from chicago_crime.intake.staging import staging_folder
from chicago_crime.settings import Settings
from chicago_crime.storage.local import sail
from chicago_crime.storage.spark import PROGRAM, SparkError, SparkRunner, Workspace


@dataclass(frozen=True)
class LocalSpark(SparkRunner):
    """Runs the job on this machine."""

    settings: Settings

    @contextmanager
    @override
    def workspace(self, run_id: str, log: logging.Logger) -> Iterator[Workspace]:
        with staging_folder(self.settings.data_dir / "staging") as folder:  # on the warehouse's file system
            (folder / "input").mkdir()
            yield Workspace(str(folder / "input"), str(folder / "output"))


class EmbeddedSpark(LocalSpark):
    """Sail: starts in two seconds and needs no Java."""

    engine = "embedded"

    @override
    def run(self, run_id: str, workspace: Workspace, log: logging.Logger) -> Mapping[str, str]:
        if error := sail.run_job(workspace.job_options()):
            raise SparkError(f"the Spark job failed on the embedded engine: {error}")
        return {}


class JvmSpark(LocalSpark):
    """Apache Spark in local mode."""

    engine = "jvm"

    @override
    def run(self, run_id: str, workspace: Workspace, log: logging.Logger) -> Mapping[str, str]:
        master = f"--master local[{self.settings.threads}]"
        environment = self.settings.as_environment()
        environment["PYSPARK_SUBMIT_ARGS"] = f"{master} {_QUIET} pyspark-shell"
        for of_connect in ("SPARK_REMOTE", "SPARK_CONNECT_MODE_ENABLED"):  # would send the job to a server
            environment.pop(of_connect, None)
        if self.settings.java_home:  # otherwise, `java` on the PATH is used
            environment["JAVA_HOME"] = str(self.settings.java_home)
        command = [sys.executable, str(PROGRAM), *workspace.job_options()]
        ended = subprocess.run(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        if ended.returncode:
            raise SparkError(
                f"the Spark job failed with exit code {ended.returncode}. It needs Java 17 or 21 (set JAVA_HOME or "
                "CHICAGO_CRIME_JAVA_HOME to its folder) and the package pyspark instead of pyspark-client "
                f"(`make setup-dev` installs it). The end of its log:\n{ended.stdout[-4000:]}"
            )
        return {}


_QUIET = "--conf spark.ui.enabled=false --conf spark.ui.showConsoleProgress=false"
