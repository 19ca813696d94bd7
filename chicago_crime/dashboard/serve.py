"""Starting the dashboard: on 127.0.0.1 unless told otherwise, until Ctrl-C."""

import socket
import threading
from contextlib import suppress

import uvicorn

from chicago_crime.dashboard.app import Dashboard
from chicago_crime.dashboard.data import Data
from chicago_crime.errors import UsageError
from chicago_crime.installation import Installation
from chicago_crime.settings import Settings

MEMORY = "256MB"
"""What DuckDB may use here: the marts are small, and a backfill beside it needs the rest."""


def build_dashboard(settings: Settings) -> Dashboard:
    """The dashboard of an installation."""
    installation = Installation(settings.model_copy(update={"duckdb_memory": MEMORY}))
    data = Data(installation.warehouse, installation.source_files, settings.home)
    return Dashboard(data, settings.data_dir / "dashboard")


def serve(settings: Settings, port: int, host: str = "127.0.0.1") -> None:
    """Serve until Ctrl-C or SIGTERM. Whatever the address, only browsers that ask for this machine are answered.

    Raises:
        UsageError: the port is in use.
    """
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise UsageError(f"port {port} is in use: stop what uses it, or choose another with --port")
    dashboard = build_dashboard(settings)
    threading.Thread(target=dashboard.warm_up, daemon=True).start()
    server = uvicorn.Server(
        uvicorn.Config(dashboard.application(), host=host, port=port, log_level="warning", lifespan="off")
    )
    with suppress(KeyboardInterrupt):  # how uvicorn tells, once all is closed, that it was stopped with Ctrl-C
        server.run()
