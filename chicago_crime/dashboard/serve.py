"""Starting the dashboard's server, until Ctrl-C."""

import threading
from collections.abc import Callable
from contextlib import suppress

import uvicorn

from chicago_crime.dashboard.app import Dashboard
from chicago_crime.dashboard.charts.vega import bundle
from chicago_crime.dashboard.data import Data
from chicago_crime.installation import Installation

MEMORY = "256MB"
"""What DuckDB may use for pages: the marts are small, and a backfill on the same machine needs the rest."""


def build_dashboard(installation: Installation) -> Dashboard:
    """The dashboard of an installation."""
    return Dashboard(Data.of(installation))


def serve(installation: Installation, port: int, host: str, announce: Callable[[str], None]) -> None:
    """Serve until Ctrl-C or SIGTERM. Only requests addressed to this machine by name are answered.

    Args:
        installation: whose tables are shown.
        port: the port to listen on.
        host: the address to listen on.
        announce: called with the URL when the server is about to listen.
    """
    dashboard = build_dashboard(installation)
    dashboard.warm_up()
    threading.Thread(target=bundle, daemon=True).start()
    server = uvicorn.Server(
        uvicorn.Config(dashboard.application(), host=host, port=port, log_level="warning", lifespan="off")
    )
    announce(f"http://{host}:{port}")
    with suppress(KeyboardInterrupt):  # uvicorn raises it again after a clean shutdown
        server.run()
