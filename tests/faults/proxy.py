"""A proxy between the function and one server that injects faults, over plain HTTP.

For each request it gets a fault from `decide`. It can respond in place of the server, break the connection before or
after the server handles the request, send the response byte by byte, or kill the function at exactly that point.
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
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from tests.clock import HANG_SECONDS, wait_for

DRIP_SECONDS = 0.1
"""Pause between two bytes of a dripping response. No test depends on it, because the last byte is never sent."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request of the function. action: the service's name for the operation."""

    action: str
    path: str
    body: bytes


class Gate:
    """Holds one call until the test opens the gate. Meanwhile, the function's process is stopped.

    A stopped process cannot reach its own timeouts: it continues when the response is in its socket. So the test can
    take as long as it needs.
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
    """The fault of one call.

    kill_before, kill_after: the function is killed before the server gets the call, or after it handled it.
    lose_request, lose_answer: the connection breaks before the server gets the call, or after it handled it.
    answer: status, content type and body of a response in place of the server's.
    headers: more headers of that response.
    silent: the server handles the call, but there is no response until the function closes the connection.
    drip: the response is sent byte by byte, without its last byte, until the function closes the connection.
    half: only the first half of the server's response is sent.
    hold: the server gets the call when this gate is open.
    hold_answer: the server handles the call, and its response is sent when this gate is open.
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
        """Whether the server handles the call, but the function gets no response."""
        return self.lose_answer or self.kill_after or self.silent


NONE = Fault()
Decide = Callable[[Call], Fault]


@dataclass
class Script:
    """Faults by action and number of the call, from 1: `{(action, number): fault}`. All other calls pass."""

    faults: dict[tuple[str, int], Fault]
    counts: dict[str, int] = field(default_factory=dict)

    def __call__(self, call: Call) -> Fault:
        """Return the fault for a call."""
        self.counts[call.action] = number = self.counts.get(call.action, 0) + 1
        return self.faults.get((call.action, number), NONE)


class Proxy:
    """Serves during a `with` block, on a free port of loopback."""

    def __init__(
        self,
        upstream: str,
        decide: Decide,
        send_signal: Callable[[int], None] = lambda _: None,
        *,
        drops_attributes: bool = False,
    ) -> None:
        """Listen on a free port.

        upstream: origin of the server. decide: returns the fault for a call. send_signal: signals the function's process.
        drops_attributes: remove message attributes beside a message with a body for each protocol, as SNS documents.
        """
        self._drops_attributes = drops_attributes
        self._upstream = urlsplit(upstream)
        self._decide = decide
        self.send_signal = send_signal
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                with suppress(OSError):  # the function was killed, which closed its connection
                    proxy._serve(self)

            do_POST = do_GET

            def log_message(self, *_: object) -> None:
                pass

        self._server = _Server(("127.0.0.1", 0), Handler)

    @property
    def origin(self) -> str:
        """The origin that the function connects to."""
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
        if self._drops_attributes and b"Action=PublishBatch" in body:
            body = without_attributes(body)
        fault = self._decide(Call(_action(handler, body), handler.path, body))
        if fault.kill_before:
            self.send_signal(signal.SIGKILL)
        if fault.kill_before or fault.lose_request:
            _close(handler)
            return
        if fault.answer:
            status, kind, content = fault.answer
            self._answer(handler, status, [("content-type", kind), *fault.headers], content, fault)
            return
        with self._stopped() if fault.hold or fault.hold_answer else nullcontext():
            self._pass_on(handler, body, fault)

    @contextmanager
    def _stopped(self) -> Iterator[None]:
        """Stop the function's process during the block."""
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
            _close(handler)
            return
        if fault.silent:
            _wait_for_close(handler)
            return
        if fault.hold_answer:
            fault.hold_answer.hold()
        self._answer(handler, status, headers, content, fault)

    def _forward(self, handler: BaseHTTPRequestHandler, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        upstream = http.client.HTTPConnection(self._upstream.hostname or "", self._upstream.port, timeout=HANG_SECONDS)
        try:
            headers = {name: value for name, value in handler.headers.items() if name.lower() != "host"}
            headers |= {"Host": self._upstream.netloc} | ({"Content-Length": str(len(body))} if body else {})
            upstream.request(handler.command, handler.path, body or None, headers)
            response = upstream.getresponse()
            content = response.read()
            forwarded = [it for it in response.getheaders() if it[0].lower() not in _CONNECTION_HEADERS]
            return response.status, forwarded, content
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
            _close(handler)
        elif fault.drip:
            for position in range(len(content) - 1):
                handler.wfile.write(content[position : position + 1])
                if _is_closed(handler, DRIP_SECONDS):
                    return
            _wait_for_close(handler)
        else:
            handler.wfile.write(content)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self.failures: list[Exception] = []
        super().__init__(address, handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Store and print errors, except resets: a function that is killed resets its connections."""
        failure = sys.exception()
        if isinstance(failure, Exception) and not isinstance(failure, ConnectionError):
            self.failures.append(failure)
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # typeshed's own union of sockets


PEOPLE = " to people"
"""Ends the action of a publish to the people topic."""
_CONNECTION_HEADERS = frozenset({"content-length", "connection", "transfer-encoding", "keep-alive"})


def _action(handler: BaseHTTPRequestHandler, body: bytes) -> str:
    """Return the action of AWS (such as PublishBatch) or of Cloudflare (detections, details, search)."""
    target = handler.headers.get("x-amz-target")
    if target:
        return target.rpartition(".")[2]
    if handler.command == "POST":
        form = parse_qs(body.decode())
        people = "PeopleTopic" in form.get("TopicArn", [""])[0]
        return form["Action"][0] + (PEOPLE if people else "")
    if handler.path.endswith("/detections"):
        return "detections"
    return "search" if re.search(r"/investigate\?", handler.path) else "details"


def without_attributes(body: bytes) -> bytes:
    """A PublishBatch without the attributes of entries whose message structure is json."""
    form = parse_qsl(body.decode(), keep_blank_values=True)
    entries = {name.removesuffix(".MessageStructure") for name, value in form if name.endswith(".MessageStructure")}
    kept = [
        (name, value)
        for name, value in form
        if not any(name.startswith(f"{entry}.MessageAttributes.") for entry in entries)
    ]
    return urlencode(kept).encode()


def _close(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True
    with suppress(OSError):
        handler.connection.shutdown(socket.SHUT_RDWR)


def _is_closed(handler: BaseHTTPRequestHandler, seconds: float) -> bool:
    """Whether the function closes the connection within these seconds. It sends nothing else in this time."""
    return bool(select.select([handler.connection], [], [], seconds)[0])


def _wait_for_close(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True
    if not _is_closed(handler, HANG_SECONDS):
        raise AssertionError(f"The function still waits for a response after {HANG_SECONDS:.0f} s")
