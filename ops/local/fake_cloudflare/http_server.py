"""The HTTP server of the fake Cloudflare, with keep-alive, slow responses and broken connections."""

import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ops.local.fake_cloudflare.responses import Delivery, Response


class HttpServer(ThreadingHTTPServer):
    """Serves the responses of `reply(target, headers)`, with a thread for each connection."""

    daemon_threads = True
    request_queue_size = 128  # with the default of 5, a burst of new connections waits a second or more

    def __init__(
        self,
        address: tuple[str, int],
        reply: Callable[[str, Message], Response],
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Listen on an address. sleep: called before a slow response. now: the time of the header `Date`."""
        self.now = now
        self.reply = reply
        self.sleep = sleep
        self._connections: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Store the connection, so that `server_close` can also close those that are kept alive."""
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close the connection."""
        self._connections.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        """Stop listening and close all connections."""
        super().server_close()
        for connection in tuple(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that close the connection, as tests do after a timeout. Print all other errors."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: HttpServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # send head and body in one packet
    server_version = "cloudflare"
    sys_version = ""

    def do_GET(self) -> None:
        response = self.server.reply(self.path, self.headers)
        if response.delay:
            self.server.sleep(response.delay)
        if response.delivery is Delivery.RESET:
            self.close_connection = True
            return
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(len(response.body)))
        for name, value in response.headers:
            self.send_header(name, value)
        self.end_headers()
        if response.delivery is Delivery.HALF:
            self.wfile.write(response.body[: len(response.body) // 2])
            self.close_connection = True
        else:
            self.wfile.write(response.body)

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Return the header `Date` by the clock of the server."""
        return super().date_time_string(timestamp or self.server.now().timestamp())

    def log_message(self, *_: object) -> None:
        """Log nothing, because `FakeCloudflare.calls` has all requests."""
