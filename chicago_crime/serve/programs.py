"""The endpoints for programs on the dashboard's server: `/api/v1`, `/openapi.json` and `/mcp`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette

from chicago_crime.dashboard.access import LOCAL_NAMES
from chicago_crime.dashboard.app import Dashboard
from chicago_crime.serve.api import routes
from chicago_crime.serve.tools import build_server

MAX_REQUEST = 1 << 16
"""Maximum bytes of a request to `/mcp`; one with all filters has a few hundred."""


def add_programs(dashboard: Dashboard) -> None:
    """Add the endpoints to the dashboard, on the same snapshots."""
    server = build_server(dashboard.snapshots)
    names = [*LOCAL_NAMES, *dashboard.settings.dashboard_hosts.lower().split()]
    hosts = [form for name in names for form in (name, f"{name}:*")]
    security = TransportSecuritySettings(
        allowed_hosts=hosts, allowed_origins=[f"{scheme}://{host}" for scheme in ("http", "https") for host in hosts]
    )
    over_http = server.streamable_http_app(
        stateless_http=True, json_response=True, max_request_body_size=MAX_REQUEST, transport_security=security
    )

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with server.session_manager.run():
            yield

    dashboard.more = [*routes(dashboard), *over_http.routes]
    dashboard.lifespan = lifespan
