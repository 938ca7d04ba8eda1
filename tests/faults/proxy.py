"""A fault-injecting layer: it stands between the function and one real server, and speaks plain HTTP to both.

For each request it asks what is to happen. It can answer in the server's place, break the connection before or after
the server has acted, let the answer drip, or kill the function at exactly that point.
"""

import http.client
import re
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True, slots=True)
class Call:
    """One request of the function. `action`: what it asks for, in the service's own word."""

    action: str
    path: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to a call.

    kill_before, kill_after: the function dies before the server sees the call, or after it has acted.
    lose_request, lose_answer: the connection breaks before, or after the server has acted.
    answer: status, content type and body that are given in the server's place.
    headers: more headers of that answer.
    late: seconds after which the real answer is given.
    drip: the answer comes byte by byte, this many seconds apart.
    half: only the first half of the real answer is given.
    hold: the server sees the call only once this is set.
    """

    kill_before: bool = False
    kill_after: bool = False
    lose_request: bool = False
    lose_answer: bool = False
    answer: tuple[int, str, bytes] | None = None
    headers: tuple[tuple[str, str], ...] = ()
    late: float = 0.0
    drip: float = 0.0
    half: bool = False
    hold: threading.Event | None = None

    @property
    def unanswered(self) -> bool:
        """Whether the server acts, and the function does not get to know."""
        return self.lose_answer or self.kill_after or self.late > 0


NONE = Fault()
Decide = Callable[[Call], Fault]


class Proxy:
    """Serves from `with` to the end of its block, on a free port of loopback."""

    def __init__(
        self,
        upstream: str,
        decide: Decide,
        kill: Callable[[], None] = lambda: None,
        one_at_a_time: "Lock | None" = None,
    ) -> None:
        """upstream: origin of the real server. decide: what happens to a call. kill: ends the function's process.

        one_at_a_time: held while DynamoDB is called. Its transactions are serializable; the emulator's are not.
        """
        self._one_at_a_time = one_at_a_time or Lock()
        self._upstream = urlsplit(upstream)
        self._decide = decide
        self.kill = kill
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                with suppress(OSError):  # the function's side of the connection went away: it was killed
                    proxy._serve(self)

            do_POST = do_GET

            def log_message(self, *_: object) -> None:
                pass

        self._server = _Server(("127.0.0.1", 0), Handler)

    @property
    def origin(self) -> str:
        """Where the function finds it."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("content-length") or 0))
        fault = self._decide(Call(_action(handler, body), handler.path, body))
        if fault.kill_before:
            self.kill()
        if fault.kill_before or fault.lose_request:
            _hang_up(handler)
            return
        if fault.answer:
            status, kind, content = fault.answer
            self._answer(handler, status, [("content-type", kind), *fault.headers], content, fault)
            return
        if fault.hold is not None:
            fault.hold.wait(30)
        status, headers, content = self._forward(handler, body)
        if fault.kill_after:
            self.kill()
        if fault.kill_after or fault.lose_answer:
            _hang_up(handler)
            return
        time.sleep(fault.late)
        self._answer(handler, status, headers, content, fault)

    def _forward(self, handler: BaseHTTPRequestHandler, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        upstream = http.client.HTTPConnection(self._upstream.hostname or "", self._upstream.port, timeout=30)
        try:
            headers = {name: value for name, value in handler.headers.items() if name.lower() != "host"}
            headers["Host"] = self._upstream.netloc
            with self._one_at_a_time if "DynamoDB" in handler.headers.get("x-amz-target", "") else nullcontext():
                upstream.request(handler.command, handler.path, body or None, headers)
                response = upstream.getresponse()
                content = response.read()
            kept = [it for it in response.getheaders() if it[0].lower() not in _OF_THE_CONNECTION]
            return response.status, kept, content
        finally:
            upstream.close()

    def _answer(
        self,
        handler: BaseHTTPRequestHandler,
        status: int,
        headers: list[tuple[str, str]],
        content: bytes,
        fault: Fault,
    ) -> None:
        handler.send_response_only(status)
        for name, value in headers:
            handler.send_header(name, value)
        handler.send_header("content-length", str(len(content)))
        handler.end_headers()
        if fault.half:
            handler.wfile.write(content[: len(content) // 2])
            _hang_up(handler)
        elif fault.drip:
            for position in range(len(content)):
                handler.wfile.write(content[position : position + 1])
                time.sleep(fault.drip)
        else:
            handler.wfile.write(content)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """A function that is killed resets its connections; anything else is a fault of ours and is told."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # typeshed's own union of sockets


_OF_THE_CONNECTION = frozenset({"content-length", "connection", "transfer-encoding", "keep-alive"})


def _action(handler: BaseHTTPRequestHandler, body: bytes) -> str:
    """PublishBatch, TransactWriteItems, ... of AWS; detections, context or search of Cloudflare."""
    target = handler.headers.get("x-amz-target")
    if target:
        return target.rpartition(".")[2]
    if handler.command == "POST":
        return parse_qs(body.decode())["Action"][0]
    if handler.path.endswith("/detections"):
        return "detections"
    return "search" if re.search(r"/investigate\?", handler.path) else "context"


def _hang_up(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True
    with suppress(OSError):
        handler.connection.shutdown(socket.SHUT_RDWR)
