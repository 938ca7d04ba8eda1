"""Answers over real HTTP: keep-alive, small packets sent at once, and broken deliveries broken for real."""

import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ops.local.answers import Answer, Delivery


class Wire(ThreadingHTTPServer):
    """Serves what `reply(target, headers)` gives, a thread for each connection. Closing it ends them all."""

    daemon_threads = True
    request_queue_size = 128  # with the default of 5, a burst of new connections waits a second or more

    def __init__(
        self,
        address: tuple[str, int],
        reply: Callable[[str, Message], Answer],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """sleep: waits before an answer that is slow."""
        self.reply = reply
        self.sleep = sleep
        self._open: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection, so that closing the server also ends those that are kept alive."""
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget the connection and close it."""
        self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        """Stop listening and hang up on everybody."""
        super().server_close()
        for connection in tuple(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of callers that hang up, as after a timeout: they are part of the play. Show all else."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: Wire
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave together
    server_version = "cloudflare"
    sys_version = ""

    def do_GET(self) -> None:
        answer = self.server.reply(self.path, self.headers)
        if answer.wait:
            self.server.sleep(answer.wait)
        if answer.delivery is Delivery.RESET:
            self.close_connection = True
            return
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        for name, value in answer.headers:
            self.send_header(name, value)
        self.end_headers()
        if answer.delivery is Delivery.HALF:
            self.wfile.write(answer.body[: len(answer.body) // 2])
            self.close_connection = True
        else:
            self.wfile.write(answer.body)

    def log_message(self, *_: object) -> None:
        """Be quiet: what was asked is in the list of calls."""
