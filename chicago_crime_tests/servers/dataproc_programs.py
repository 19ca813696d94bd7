"""Runs the PySpark programs of the Dataproc server, each in its own process, with Sail on the files of the buckets."""

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from chicago_crime_tests.servers.storage_server import StorageServer

DRIVER = Path(__file__).with_name("spark_driver.py")
OUTPUT_BYTES = 2000
"""Size of a file of a driver's output before the next begins. Google's are larger."""


class Program:
    """One program, which starts at once and calls `is_over` with its exit code at its end.

    Attributes:
        runs: False to run nothing and succeed after `pretend_s`.
    """

    def __init__(
        self,
        storage: StorageServer,
        runs: bool,
        pretend_s: float,
        main: str,
        modules: Sequence[str],
        arguments: Sequence[str],
        output: tuple[str, str],
        is_over: Callable[[int], None],
    ):
        self.storage, self.runs, self.pretend_s = storage, runs, pretend_s
        self._given = main, modules, arguments
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
        main, modules, arguments = self._given
        with tempfile.TemporaryDirectory() as folder:
            try:
                files = [self._fetch(uri, Path(folder)) for uri in (*modules, main)]
            except Exception as error:
                self._print(f"{error}\n".encode(), 0)
                self._is_over(1)
                return
            given = [self._local(text) for text in arguments]
            command = [sys.executable, str(DRIVER), folder, str(files[-1]), *given]
            environment = {name: value for name, value in os.environ.items() if not name.startswith("SPARK_")}
            self._process = subprocess.Popen(
                command, env=environment, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
            if self._stopped.is_set():
                self._process.kill()
            self._collect()
            self._is_over(self._process.wait())

    def _fetch(self, uri: str, folder: Path) -> Path:
        bucket, _, name = uri.removeprefix("gs://").partition("/")
        file = folder / Path(name).name
        file.write_bytes(self.storage.read(bucket, name))
        return file

    def _local(self, text: str) -> str:
        """An argument, or the local path in place of a URI."""
        if not text.startswith("gs://"):
            return text
        bucket, _, name = text.removeprefix("gs://").partition("/")
        return str(self.storage.path(bucket, name))

    def _collect(self) -> None:
        assert self._process and self._process.stdout
        index, content = 0, b""
        for line in self._process.stdout:
            content += line
            self._print(content, index)
            if len(content) > OUTPUT_BYTES:
                index, content = index + 1, b""

    def _print(self, content: bytes, index: int) -> None:
        bucket, prefix = self._output
        self.storage.write(bucket, f"{prefix}.{index:09}", content)
