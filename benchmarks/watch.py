"""Runs a command and measures its time and the memory of its process tree."""

import os
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Measured:
    """The time of a command and the peak memory of its process tree.

    Attributes:
        seconds: wall-clock time.
        processor: processor time of the process and its children, which depends less on other load.
        bytes: proportional set size, which counts memory shared between processes once.
    """

    seconds: float
    processor: float
    bytes: int


def run(command: Sequence[str], log: Path) -> Measured:
    """Run a command until it exits.

    Raises:
        SystemExit: it failed; the message includes the end of its log.
    """
    # As in any installation, Python compiles modules once.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    start, peak = time.perf_counter(), 0
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
        ended = threading.Event()

        def watch() -> None:
            nonlocal peak
            while not ended.wait(0.1):
                peak = max(peak, _memory(process.pid))

        watcher = threading.Thread(target=watch)
        watcher.start()
        _, status, used = os.wait4(process.pid, 0)
        code = process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - start
        ended.set()
        watcher.join()
    if code:
        raise SystemExit(f"{' '.join(command)} ended with {code}:\n{log.read_text()[-3000:]}")
    return Measured(seconds, used.ru_utime + used.ru_stime, peak)


def _memory(pid: int) -> int:
    total = 0
    with suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                total += process.memory_full_info().pss
    return total
