"""For tests of servers that a command starts: the command, and a free port."""

import socket
import sys

PROGRAM = [sys.executable, "-c", "from chicago_crime.cli.app import main; main()"]


def free_port() -> int:
    """A port that is free at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
