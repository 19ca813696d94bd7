"""Runs the PySpark programs of the Dataproc server in separate processes, with Sail and the buckets' files."""

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from chicago_crime_tests.servers.storage_objects import Buckets

DRIVER = Path(__file__).with_name("spark_driver.py")


class Program:
    """A program that starts immediately and calls `is_over` with its exit code when it ends.

    Args:
        given: URI of the program, and its arguments.
        output: bucket and prefix of its output; None to store none.
        pretend_s: run nothing, and succeed after this many seconds; None to run it.
    """

    def __init__(
        self,
        buckets: Buckets,
        given: Sequence[str],
        output: tuple[str, str] | None,
        is_over: Callable[[int], None],
        pretend_s: float | None,
    ):
        self.buckets, self._given, self._output, self._pretend_s = buckets, given, output, pretend_s
        self._is_over = is_over
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
        self._thread.join()

    def _run(self) -> None:
        if self._pretend_s is not None:
            self._stopped.wait(self._pretend_s)
            self._is_over(-9 if self._stopped.is_set() else 0)
            return
        command = [sys.executable, str(DRIVER), *map(self._local, self._given)]
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
            self.buckets.write(bucket, f"{prefix}.000000000", printed)
        self._is_over(self._process.returncode)

    def _local(self, text: str) -> str:
        """An argument, with a URI replaced by its local path."""
        if not text.startswith("gs://"):
            return text
        return str(self.buckets.path(*text.removeprefix("gs://").split("/", 1)))
