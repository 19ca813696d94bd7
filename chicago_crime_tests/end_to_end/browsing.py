"""What tests of a server that a command starts have in common: the command, and a free port."""

import socket
import sys

PROGRAM = [sys.executable, "-c", "from chicago_crime.cli.app import main; main()"]


def free_port() -> int:
    """A port that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
