"""The dashboard's server."""

import asyncio
import math
import threading
from collections.abc import Callable
from contextlib import suppress

import uvicorn
from typing_extensions import override
from uvicorn.protocols.http.h11_impl import H11Protocol

from chicago_crime.dashboard.app import Dashboard
from chicago_crime.dashboard.charts.vega import bundle
from chicago_crime.errors import PlatformError

MEMORY = "256MB"
"""DuckDB's memory limit for pages: the marts are small, and a backfill on the same machine needs the rest."""

SLOW_SECONDS = 60.0
"""Time limit for a client to send a request, and to receive at least a part of the response."""


class TimeoutProtocol(H11Protocol):
    """Closes connections of slow clients: uvicorn itself waits forever for the rest of a request."""

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()

    @override
    def on_response_complete(self) -> None:
        self._deadline.cancel()
        self._wait()
        super().on_response_complete()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._deadline.cancel()
        super().connection_lost(exc)

    def _wait(self, unsent: float = math.inf) -> None:
        self._unsent = unsent
        self._deadline = self.loop.call_later(SLOW_SECONDS, self._give_up)

    def _give_up(self) -> None:
        unsent = self.transport.get_write_buffer_size()
        is_computed = self.cycle and not self.cycle.more_body and not self.cycle.response_started
        if is_computed or 0 < unsent < self._unsent:  # the server is the slow side, or the client receives
            self._wait(unsent)
        else:
            self.transport.abort()


def serve(dashboard: Dashboard, port: int, host: str, announce: Callable[[str], None]) -> None:
    """Serve until Ctrl-C or SIGTERM. Only requests for this machine or a host name in the settings are answered.

    `announce` is called with a startup problem, if any, and with the URL before the server listens.
    """
    try:
        dashboard.warm_up()
    except PlatformError as error:  # the pages show it, too, until it is fixed
        announce(str(error))
    threading.Thread(target=bundle, daemon=True).start()
    server = uvicorn.Server(
        uvicorn.Config(
            dashboard.application(),
            host=host,
            port=port,
            http=TimeoutProtocol,
            proxy_headers=False,  # BehindProxy reads them
            log_level="warning",
        )
    )
    announce(f"Dashboard: http://{host}:{port}{dashboard.settings.dashboard_path}/  (Ctrl-C stops it)")
    with suppress(KeyboardInterrupt):  # uvicorn raises it again after a clean shutdown
        server.run()
