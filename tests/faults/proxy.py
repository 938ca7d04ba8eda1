"""A fault-injecting layer: it stands between the function and one real server, and speaks plain HTTP to both.

For each request it asks what is to happen. It can answer in the server's place, break the connection before or after
the server has acted, let the answer drip, or kill the function at exactly that point.
"""

import http.client
import re
import select
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

from tests.clock import HANG_SECONDS, wait_for

DRIP_SECONDS = 0.1
"""Between two bytes of an answer that drips. No test depends on it: the last byte never comes."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request of the function. `action`: what it asks for, in the service's own word."""

    action: str
    path: str
    body: bytes


class Gate:
    """Holds one call until the test opens the gate. The function's process is stopped in the meantime.

    A stopped process does not run into its own timeouts: it continues once the answer is in its socket. So the test
    may take as long as it needs.
    """

    def __init__(self) -> None:
        self._reached = threading.Event()
        self._opened = threading.Event()

    def wait_until_reached(self) -> None:
        """Wait until a call is held."""
        wait_for(self._reached, "a call arrives at the gate")

    def open(self) -> None:
        """Let the call pass."""
        self._opened.set()

    def hold(self) -> None:
        """Hold the call of this thread."""
        self._reached.set()
        wait_for(self._opened, "the test opens the gate")


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to a call.

    kill_before, kill_after: the function dies before the server sees the call, or after it has acted.
    lose_request, lose_answer: the connection breaks before, or after the server has acted.
    answer: status, content type and body that are given in the server's place.
    headers: more headers of that answer.
    silent: the server acts, and no answer is given; the connection stays open until the function closes it.
    drip: the answer comes byte by byte, and its last byte never comes; see silent.
    half: only the first half of the real answer is given.
    hold: the server sees the call only once this gate is open.
    hold_answer: the server acts, and its answer is given only once this gate is open.
    """

    kill_before: bool = False
    kill_after: bool = False
    lose_request: bool = False
    lose_answer: bool = False
    answer: tuple[int, str, bytes] | None = None
    headers: tuple[tuple[str, str], ...] = ()
    silent: bool = False
    drip: bool = False
    half: bool = False
    hold: Gate | None = None
    hold_answer: Gate | None = None

    @property
    def unanswered(self) -> bool:
        """Whether the server acts, and the function does not get to know."""
        return self.lose_answer or self.kill_after or self.silent


NONE = Fault()
Decide = Callable[[Call], Fault]


@dataclass
class Script:
    """What happens to which call: `{(action, nth): fault}`, counted from 1; all others pass."""

    faults: dict[tuple[str, int], Fault]
    seen: dict[str, int] = field(default_factory=dict)

    def __call__(self, call: Call) -> Fault:
        """The fault for this call."""
        self.seen[call.action] = number = self.seen.get(call.action, 0) + 1
        return self.faults.get((call.action, number), NONE)


class Proxy:
    """Serves from `with` to the end of its block, on a free port of loopback."""

    def __init__(
        self,
        upstream: str,
        decide: Decide,
        send_signal: Callable[[int], None] = lambda _: None,
        one_at_a_time: "Lock | None" = None,
    ) -> None:
        """upstream: origin of the real server. decide: what happens to a call. send_signal: to the function's process.

        one_at_a_time: held while DynamoDB is called. Its transactions are serializable; the emulator's are not.
        """
        self._one_at_a_time = one_at_a_time or Lock()
        self._upstream = urlsplit(upstream)
        self._decide = decide
        self.send_signal = send_signal
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
        if kind is None and self._server.failures:
            raise ExceptionGroup("The proxy failed", self._server.failures)

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("content-length") or 0))
        fault = self._decide(Call(_action(handler, body), handler.path, body))
        if fault.kill_before:
            self.send_signal(signal.SIGKILL)
        if fault.kill_before or fault.lose_request:
            _hang_up(handler)
            return
        if fault.answer:
            status, kind, content = fault.answer
            self._answer(handler, status, [("content-type", kind), *fault.headers], content, fault)
            return
        with self._stopped() if fault.hold or fault.hold_answer else nullcontext():
            self._pass_on(handler, body, fault)

    @contextmanager
    def _stopped(self) -> Iterator[None]:
        """Stop the function's process for the time of the block."""
        self.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.send_signal(signal.SIGCONT)

    def _pass_on(self, handler: BaseHTTPRequestHandler, body: bytes, fault: Fault) -> None:
        if fault.hold:
            fault.hold.hold()
        status, headers, content = self._forward(handler, body)
        if fault.kill_after:
            self.send_signal(signal.SIGKILL)
        if fault.kill_after or fault.lose_answer:
            _hang_up(handler)
            return
        if fault.silent:
            _wait_for_hang_up(handler)
            return
        if fault.hold_answer:
            fault.hold_answer.hold()
        self._answer(handler, status, headers, content, fault)

    def _forward(self, handler: BaseHTTPRequestHandler, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        upstream = http.client.HTTPConnection(self._upstream.hostname or "", self._upstream.port, timeout=HANG_SECONDS)
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
            for position in range(len(content) - 1):
                handler.wfile.write(content[position : position + 1])
                if _hung_up(handler, DRIP_SECONDS):
                    return
            _wait_for_hang_up(handler)
        else:
            handler.wfile.write(content)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self.failures: list[Exception] = []
        super().__init__(address, handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Keep and print what fails. A function that is killed resets its connections: that is no failure."""
        failure = sys.exception()
        if isinstance(failure, Exception) and not isinstance(failure, ConnectionError):
            self.failures.append(failure)
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


def _hung_up(handler: BaseHTTPRequestHandler, seconds: float) -> bool:
    """Whether the function closes its end of the connection within these seconds. It sends nothing in the meantime."""
    return bool(select.select([handler.connection], [], [], seconds)[0])


def _wait_for_hang_up(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True
    if not _hung_up(handler, HANG_SECONDS):
        raise AssertionError(f"The function still waits for an answer after {HANG_SECONDS:.0f} s")
