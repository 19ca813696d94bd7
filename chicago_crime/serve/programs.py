"""What the dashboard's server has for programs: `/api/v1`, `/openapi.json` and `/mcp`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette

from chicago_crime.dashboard.app import Dashboard
from chicago_crime.serve.api import routes
from chicago_crime.serve.tools import build_server


def add_programs(dashboard: Dashboard) -> None:
    """Serve them beside the pages, from the same snapshots."""
    server = build_server(dashboard.snapshots)
    over_http = server.streamable_http_app(stateless_http=True, json_response=True)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with server.session_manager.run():
            yield

    dashboard.more = [*routes(dashboard), *over_http.routes]
    dashboard.lifespan = lifespan
