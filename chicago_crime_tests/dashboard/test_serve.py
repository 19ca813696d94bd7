"""Tests of the server: slow clients lose their connections, and pages that nobody waits for are not computed."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chicago_crime.dashboard import serve
from chicago_crime.dashboard.access import in_turn
from chicago_crime_tests.end_to_end.browsing import free_port
from chicago_crime_tests.waiting import wait_until

SLOW = 0.3
LARGE = 32 << 20


@contextmanager
def serving(*routes: Route) -> Iterator[int]:
    """Serve routes and yield the port."""
    application = Starlette(routes=routes)
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(application, port=port, http=serve.TimeoutProtocol, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started)
    try:
        yield port
    finally:
        server.should_exit = True
        thread.join(30)


def received(port: int, sent: bytes, pause: float = 0, pauses: float = 0) -> bytes:
    """Send bytes, and receive until the server closes the connection; TimeoutError if it does not.

    `pause` is before the first part, and `pauses` after each, in seconds.
    """
    found = b""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client, suppress(ConnectionResetError):
        client.sendall(sent)
        time.sleep(pause)
        while part := client.recv(1 << 20):
            found += part
            time.sleep(pauses)
    return found


def test_slow_clients_time_out_and_slow_pages_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    async def slow(request: Request) -> Response:
        await asyncio.sleep(3 * SLOW)
        return Response("done")

    monkeypatch.setattr(serve, "SLOW_SECONDS", SLOW)
    with serving(Route("/slow", slow), Route("/large", lambda request: Response(b" " * LARGE))) as port:
        for unfinished in (b"", b"GET /slow HTTP/1.1\r\nHost: x\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /"):
            assert b"done" not in received(port, unfinished)
        large = b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n"
        assert len(received(port, large, pause=4 * SLOW)) < LARGE
        assert len(received(port, large, pauses=SLOW / 8)) > LARGE, "it takes longer, but is received all the time"
        assert received(port, b"GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").endswith(b"done")


def test_pages_whose_clients_have_gone_are_not_computed() -> None:
    may_end, computed = threading.Event(), []

    def page(request: Request) -> Response:
        computed.append(request.url.path)
        may_end.wait()
        return Response("done")

    with serving(Route("/free", lambda request: Response("done")), Route("/{name}", in_turn(page))) as port:
        clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(60)]  # more than there are threads
        for client in clients:
            client.sendall(b"GET /page HTTP/1.1\r\nHost: x\r\n\r\n")
        wait_until(lambda: len(computed) == 8)
        assert received(port, b"GET /free HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").endswith(b"done")
        for client in clients:
            client.close()
        assert received(port, b"GET /free HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").endswith(b"done")
        may_end.set()
        assert received(port, b"GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").endswith(b"done")
    assert computed == ["/page"] * 8 + ["/last"]
