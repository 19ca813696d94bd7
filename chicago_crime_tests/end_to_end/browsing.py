"""Commands in separate processes, and a free port for their servers."""

import socket
import subprocess
import sys
from typing import Any

PROGRAM = [sys.executable, "-c", "from chicago_crime.cli.app import main; main()"]


def begin(*arguments: str, **options: Any) -> subprocess.Popen[str]:
    """Start a command in a separate process, as users do; options are those of `Popen`."""
    program = [PROGRAM[0], "-u", *PROGRAM[1:], *arguments]
    return subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
