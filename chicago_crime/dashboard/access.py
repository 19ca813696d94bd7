"""What stands before the pages: the names that the server answers to, its proxy, and limits for each client."""

import ipaddress
import math
import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from typing_extensions import override
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from chicago_crime.settings import PREFIX, Settings

LOCAL_NAMES = ["127.0.0.1", "localhost"]
COSTLY = {"download", "report", "incidents", "api", "mcp"}
"""The first parts of the paths whose answers are limited: large, or asked for by programs."""


def middleware(settings: Settings) -> list[Middleware]:
    """What every request passes, outermost first. A name that is not ours is refused: it may be a rebound DNS name."""
    return [
        Middleware(BehindProxy, settings=settings),
        Middleware(OurNames, names=[*LOCAL_NAMES, *settings.dashboard_hosts.split()]),
        Middleware(RateLimit, per_minute=settings.dashboard_requests_per_minute),
    ]


class BehindProxy(ProxyHeadersMiddleware):
    """Believes a trusted proxy who the client is, and nobody else; removes the path under which it serves us.

    Whether the proxy passes that path on or strips it, makes no difference.
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


class OurNames:
    """Refuses requests for names that are not ours."""

    def __init__(self, app: ASGIApp, names: list[str]) -> None:
        self.app = app
        self.names = {name.lower() for name in names}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 400 and which setting has the names."""
        host = Headers(scope=scope).get("host", "").partition(":")[0] if scope["type"] == "http" else None
        if host is None or host.lower() in self.names:
            await self.app(scope, receive, send)
            return
        problem = (
            f"This dashboard does not answer to the name {host!r}. If it is yours, add the name to the setting "
            f"{PREFIX}DASHBOARD_HOSTS, and start it again."
        )
        await PlainTextResponse(problem, 400)(scope, receive, send)


class RateLimit:
    """Refuses clients that ask for more than their share of what costs. Those on this machine have no limit."""

    def __init__(self, app: ASGIApp, per_minute: int) -> None:
        self.app = app
        self.share = RateLimitItemPerMinute(per_minute)
        self.asked = MovingWindowRateLimiter(MemoryStorage())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 429 and when to ask again."""
        path = scope["path"].removeprefix(scope["root_path"]) if scope["type"] == "http" else ""
        client = _client(scope) if path.split("/")[1:2] and path.split("/")[1] in COSTLY else None
        if not client or self.asked.hit(self.share, client):
            await self.app(scope, receive, send)
            return
        wait = max(1, math.ceil(self.asked.get_window_stats(self.share, client).reset_time - time.time()))
        most = f"at most {self.share.amount} downloads, reports, incidents and API answers a minute"
        problem = f"{client} may ask for {most}: ask again in {wait} s"
        await JSONResponse({"problem": problem}, 429, {"Retry-After": str(wait)})(scope, receive, send)


def _client(scope: Scope) -> str | None:
    """Whose share a request is of; None for this machine. What a proxy passes on without an address is the proxy's."""
    text, peer = (scope[name][0] if scope.get(name) else "" for name in ("client", "peer"))
    try:
        address = ipaddress.ip_address(text)
    except ValueError:  # a test's client, or a socket of this machine, if no proxy says it
        return None if text == peer else f"{peer} (a proxy)"
    address = getattr(address, "ipv4_mapped", None) or address
    if address.is_loopback:
        return None
    # a household or a server has a whole /64 to choose addresses from
    return str(address) if address.version == 4 else str(ipaddress.IPv6Network((int(address), 64), strict=False))
