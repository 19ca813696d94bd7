"""The base of all test servers: faults on demand, a record of all requests, start and stop."""

import http
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Self
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Fault:
    """A fault of one request.

    Attributes:
        status: respond with this status and an HTML page, without doing any work.
        retry_after: the header of that name, in seconds or as a date.
        cut_after: send the headers and this many bytes of the body, then close the connection.
        loses_answer: do the work, then close the connection without a response.
        breaks_json: do the work, then send a body that is not JSON.
        wait_s: wait this many seconds before the response.
        pause_s: send half of the response, wait this many seconds, then send the rest.
        is_stale: respond with the data before its last change, if the server supports it.
        before: called before the response, for example to change the data.
    """

    status: int | None = None
    retry_after: str = ""
    cut_after: int | None = None
    loses_answer: bool = False
    breaks_json: bool = False
    wait_s: float = 0
    pause_s: float = 0
    is_stale: bool = False
    before: Callable[[], object] | None = None


NO_FAULT = Fault()


@dataclass
class Request:
    """One request and its outcome.

    Attributes:
        port: port of the client, which identifies the connection.
        at: time of arrival, in seconds of a monotonic clock.
        call: method of the API, if known.
    """

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    port: int
    body: bytes = b""
    status: int = 0
    call: str = ""
    at: float = field(default_factory=time.monotonic)


class FaultyServer(ThreadingHTTPServer):
    """A server on 127.0.0.1, at a free port.

    Attributes:
        requests: all requests so far.
        rule: the fault of a request that no `will` matches; its body is not read yet.
    """

    daemon_threads = False  # join them: freeing a DuckDB connection during Python's shutdown aborts the process
    handler: ClassVar[type["FaultyHandler"]]

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), self.handler)
        self.requests: list[Request] = []
        self._at_once = 0
        self._connections: set[socket.socket] = set()
        self._script: list[tuple[str, Fault]] = []
        self._lock = threading.Lock()
        self.stopping = threading.Event()
        self.rule: Callable[[Request], Fault] = lambda request: NO_FAULT

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def will(self, fault: Fault, on: str = "", times: int = 1, after: int = 0) -> None:
        """Make `times` requests with `on` in their path or query fail, after the first `after` of them."""
        self._script += [(on, NO_FAULT)] * after + [(on, fault)] * times

    def forget_faults(self) -> None:
        self._script.clear()
        self.rule = lambda request: NO_FAULT

    def wait_until_idle(self) -> None:
        """Wait until every request is handled, even if its client has given up."""
        while self._at_once:
            time.sleep(0.005)

    @contextmanager
    def answering(self) -> Iterator[Self]:
        thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.stopping.set()
            self.shutdown()
            thread.join()
            for connection in list(self._connections):  # which clients keep open
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    @contextmanager
    def recording(self, request: Request) -> Iterator[Fault]:
        with self._lock:
            self.requests.append(request)
            self._at_once += 1
            target = f"{request.path}?{request.query}"
            index = next((i for i, (on, _) in enumerate(self._script) if on in target), None)
            fault = self.rule(request) if index is None else self._script.pop(index)[1]
        try:
            yield fault
        finally:
            with self._lock:
                self._at_once -= 1

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that close the connection; any other error is a bug of the server that the test must show."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class FaultyHandler(BaseHTTPRequestHandler):
    """Reads a request, applies its fault, and calls `answer` otherwise."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Any
    received: Request
    fault: Fault

    def answer(self) -> None:
        """Answer `self.received` with one call of `reply`."""
        raise NotImplementedError

    def do_GET(self) -> None:
        url, port = urlsplit(self.path), self.client_address[1]
        self.received = Request(self.command, url.path, dict(parse_qsl(url.query)), dict(self.headers), port)
        length = int(self.headers.get("Content-Length") or 0)
        with self.server.recording(self.received) as self.fault:
            self.received.body = self.rfile.read(length)
            if self.fault.before:
                self.fault.before()
            self.server.stopping.wait(self.fault.wait_s)
            if self.fault.status:
                headers = {"Retry-After": self.fault.retry_after} if self.fault.retry_after else {}
                self.reply(self.fault.status, b"<html>Something is wrong</html>", headers)
            else:
                self.answer()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815

    def reply(self, status: int, body: bytes, headers: Mapping[str, str] = {}) -> None:
        """Send a response, or as much of it as the fault allows."""
        self.received.status = status
        if self.fault.loses_answer:
            self._hang_up()
            return
        if self.fault.breaks_json and status == 200:
            body = b"<html>Something is wrong</html>"
        self.send_response(status, http.HTTPStatus(status).phrase)
        for name, value in {"Content-Type": "text/html", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.fault.cut_after is not None and status < 300:
            self._send(body[: self.fault.cut_after])
            self._hang_up()
            return
        if self.fault.pause_s:
            first, body = body[: len(body) // 2], body[len(body) // 2 :]
            self._send(first)
            self.server.stopping.wait(self.fault.pause_s)
        self._send(body)

    def _send(self, content: bytes) -> None:
        self.wfile.write(content)
        self.wfile.flush()

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing, because `requests` records everything."""
