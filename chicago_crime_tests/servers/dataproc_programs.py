"""Runs the PySpark programs of the Dataproc server in separate processes, with Sail and the buckets' files."""

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from chicago_crime_tests.servers.storage_server import StorageServer

DRIVER = Path(__file__).with_name("spark_driver.py")


class Program:
    """A program that starts immediately and calls `is_over` with its exit code when it ends.

    Attributes:
        runs: False to run nothing and succeed after `pretend_s`.
    """

    def __init__(
        self,
        storage: StorageServer,
        runs: bool,
        pretend_s: float,
        main: str,
        arguments: Sequence[str],
        output: tuple[str, str] | None,
        is_over: Callable[[int], None],
    ):
        self.storage, self.runs, self.pretend_s = storage, runs, pretend_s
        self._given = main, arguments
        self._output, self._is_over = output, is_over
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Kill it if it is still running."""
        self._stopped.set()
        if self._process:
            self._process.kill()

    def join(self) -> None:
        """Wait for its end."""
        self._thread.join()

    def _run(self) -> None:
        if not self.runs:
            self._stopped.wait(self.pretend_s)
            self._is_over(-9 if self._stopped.is_set() else 0)
            return
        main, arguments = self._given
        command = [sys.executable, str(DRIVER), *map(self._local, (main, *arguments))]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SPARK_")}
        with tempfile.TemporaryDirectory() as folder:
            self._process = subprocess.Popen(
                command, env=environment, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
            if self._stopped.is_set():
                self._process.kill()
            printed, _ = self._process.communicate()
        if self._output:
            bucket, prefix = self._output
            self.storage.write(bucket, f"{prefix}.000000000", printed)
        self._is_over(self._process.returncode)

    def _local(self, text: str) -> str:
        """An argument, with a URI replaced by its local path."""
        if not text.startswith("gs://"):
            return text
        bucket, _, name = text.removeprefix("gs://").partition("/")
        return str(self.storage.path(bucket, name))
