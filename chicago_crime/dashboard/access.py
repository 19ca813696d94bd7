"""Access to the pages: allowed host names, reverse proxy, rate limits, and turns of costly requests."""

import ipaddress
import math
import time
from asyncio import Semaphore
from collections.abc import Awaitable, Callable

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from typing_extensions import override
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from chicago_crime.settings import PREFIX, Settings

LOCAL_NAMES = ["127.0.0.1", "localhost"]
COSTLY = {"download", "report", "incidents", "api", "mcp"}
"""First path segments of rate-limited routes: their responses are large, or programs request them."""
TURNS = Semaphore(8)
"""For pages computed at the same time; more would only delay each other. Waiting pages occupy no thread."""


def middleware(settings: Settings) -> list[Middleware]:
    """List the middleware, outermost first. Unknown host names are refused, because they may be DNS rebinding."""
    return [
        Middleware(BehindProxy, settings=settings),
        Middleware(AllowedHosts, names=[*LOCAL_NAMES, *settings.dashboard_hosts.split()]),
        Middleware(RateLimit, per_minute=settings.dashboard_requests_per_minute),
    ]


def in_turn(page: Callable[[Request], Response]) -> Callable[[Request], Awaitable[Response]]:
    """Make a page wait until fewer than eight others are computed, and skip it if its client has gone by then."""

    async def respond(request: Request) -> Response:
        async with TURNS:
            if await request.is_disconnected():
                return Response(status_code=499)  # as nginx logs a response that nobody receives
            return await run_in_threadpool(page, request)

    return respond


class BehindProxy(ProxyHeadersMiddleware):
    """Takes the client's address from trusted proxies only, and strips the path under which they serve the dashboard.

    The proxy may pass that path on or strip it itself.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        super().__init__(app, settings.dashboard_proxies.split())  # type: ignore[arg-type]
        self.path = settings.dashboard_path

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # type: ignore[override]
        if scope["type"] == "http":
            if not f"{scope['path']}/".startswith(f"{self.path}/"):
                scope["path"] = self.path + scope["path"]
            scope["root_path"] = self.path
            scope["peer"] = scope.get("client")
        await super().__call__(scope, receive, send)  # type: ignore[arg-type]


class AllowedHosts:
    """Refuses requests for unknown host names."""

    def __init__(self, app: ASGIApp, names: list[str]) -> None:
        self.app = app
        self.names = {name.lower() for name in names}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or respond 400 with the setting that lists the names."""
        host = Headers(scope=scope).get("host", "").partition(":")[0] if scope["type"] == "http" else None
        if host is None or host.lower() in self.names:
            await self.app(scope, receive, send)
            return
        problem = (
            f"This dashboard does not serve the host name {host!r}. If it should, add the name to the setting "
            f"{PREFIX}DASHBOARD_HOSTS and restart it."
        )
        await PlainTextResponse(problem, 400)(scope, receive, send)


class RateLimit:
    """Limits the costly requests of each client. Clients on this machine have no limit."""

    def __init__(self, app: ASGIApp, per_minute: int) -> None:
        self.app = app
        self.limit = RateLimitItemPerMinute(per_minute)
        self.limiter = MovingWindowRateLimiter(MemoryStorage())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or respond 429 with the time to wait."""
        path = scope["path"].removeprefix(scope["root_path"]) if scope["type"] == "http" else ""
        client = _client(scope) if COSTLY & {*path.split("/")[1:2]} else None
        if not client or self.limiter.hit(self.limit, client):
            await self.app(scope, receive, send)
            return
        wait = max(1, math.ceil(self.limiter.get_window_stats(self.limit, client).reset_time - time.time()))
        requests = f"{self.limit.amount} downloads, reports, incident pages and API responses per minute"
        problem = f"{client} may request at most {requests}: try again in {wait} s"
        await JSONResponse({"problem": problem}, 429, {"Retry-After": str(wait)})(scope, receive, send)


def _client(scope: Scope) -> str | None:
    """Return the client that a request counts against: the proxy if it names none; None for this machine."""
    text, peer = (scope[name][0] if scope.get(name) else "" for name in ("client", "peer"))
    try:
        address = ipaddress.ip_address(text)
    except ValueError:  # a test client or a local socket, unless a proxy sent it
        return None if text == peer else f"{peer} (a proxy)"
    address = getattr(address, "ipv4_mapped", None) or address
    if address.is_loopback:
        return None
    # a household or server can use any address of its /64
    return str(address) if address.version == 4 else str(ipaddress.IPv6Network((int(address), 64), strict=False))
