"""HTTP to one origin, bounded in time and in size: a GET and its answer, whatever the server does."""

import io
import socket
import ssl
import time
from collections.abc import Callable
from functools import partial
from http.client import HTTPException, HTTPResponse
from typing import Any, NamedTuple
from urllib.parse import SplitResult

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from functions.cloudflare.errors import TooLarge, Unavailable

CONNECT_SECONDS = 3.0
BODY_LIMIT = 8 * 1024 * 1024
"""Bytes. The largest real detections are about 1.2 MB; of a body beyond this no more is held in memory."""
IDLE_SECONDS = 60.0
"""Connections that were not used for so long are not used again."""
_CHUNK = 64 * 1024


class Answer(NamedTuple):
    """What a server said; `headers` are by lower-case name."""

    status: int
    headers: dict[str, str]
    body: bytes


class Transport:
    """A pool of connections to one origin. Safe to share between threads."""

    def __init__(self, origin: SplitResult, connections: int, ca_file: str | None) -> None:
        """connections: the number to keep open. ca_file: a bundle of certificate authorities; None for the system's."""
        # One context for all connections: loading the authorities costs about 28 ms of CPU, each time.
        context = ssl.create_default_context(cafile=ca_file) if origin.scheme == "https" else None
        self._new_pool = partial(_pool, origin.hostname or "", origin.port, connections, context)
        self._pool = self._new_pool()
        self._used_at = time.time()

    def drop_idle_connections(self) -> None:
        """Use new connections after an idle time: Lambda freezes the process, and the server closes its end."""
        now = time.time()  # not monotonic: that clock can stop while Lambda freezes the process
        if now - self._used_at > IDLE_SECONDS:
            self._pool = self._new_pool()
        self._used_at = now

    def get(self, path: str, headers: dict[str, str], seconds: float) -> Answer:
        """GET a path; `seconds` is the total that it may take, to the last byte.

        Redirects are not followed, so that credentials go to this origin only.
        Raises Unavailable, and TooLarge for a body beyond the limit.
        """
        try:
            return self._exchange(path, headers, seconds)
        except (HTTPError, HTTPException, OSError) as exc:
            raise Unavailable(f"Cloudflare could not be reached: {type(exc).__name__}") from exc

    def _exchange(self, path: str, headers: dict[str, str], seconds: float) -> Answer:
        response = self._pool.urlopen(
            "GET",
            path,
            headers=headers,
            redirect=False,
            retries=False,
            timeout=urllib3.Timeout(connect=min(CONNECT_SECONDS, seconds), total=seconds),
            preload_content=False,
            decode_content=False,
        )
        try:
            # After an interim answer (1xx) the final answer is still to come. The connection is closed, so that the next
            # request does not read it.
            body = _read(response) if response.status >= 200 else b""
        finally:
            # At the last byte of the body urllib3 has returned the connection to the pool; this does not close it.
            response.close()
        return Answer(response.status, {name.lower(): value for name, value in response.headers.items()}, body)


def _read(response: urllib3.BaseHTTPResponse) -> bytes:
    """The body, read in chunks, so that no more than the limit is held in memory."""
    chunks, size = [], 0
    while chunk := response.read1(_CHUNK):
        chunks.append(chunk)
        size += len(chunk)
        if size > BODY_LIMIT:
            # Not a temporary failure: a retry would get the same body.
            raise TooLarge(f"the answer is larger than {BODY_LIMIT} bytes")
    return b"".join(chunks)


class DeadlineReader(io.RawIOBase):
    """Read a socket until a total deadline.

    A socket's own timeout restarts with each byte. Here each read waits for the remaining total time.
    """

    def __init__(
        self, raw: io.RawIOBase, sock: socket.socket, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Read from `raw`, which is the socket as an unbuffered file.

        Lambda freezes the process between invocations, and the clock can run on or stop meanwhile. If it runs on, the
        next read fails at once: the caller has given up, and the server has closed. If it stops, the deadline counts
        only the time in which a caller could wait. Both are correct.
        """
        self._raw, self._socket, self._clock = raw, sock, clock
        self._deadline = clock() + seconds

    def readable(self) -> bool:
        """Return True, as BufferedReader requires."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Read available bytes, or wait for them. Raises TimeoutError at the deadline."""
        left = self._deadline - self._clock()
        if left <= 0:
            raise TimeoutError("the total time for the answer has passed")
        self._socket.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        """Close the file, so that the socket can close too."""
        self._raw.close()
        super().close()


class _Response(HTTPResponse):
    """A response with a total deadline for status line, headers, chunk sizes, body and trailers."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        # urllib3 has just set the socket's timeout to the rest of the total time.
        seconds = sock.gettimeout() or 0.0
        self.fp = io.BufferedReader(DeadlineReader(self.fp.detach(), sock, seconds))


class _Connection(HTTPConnection):
    response_class = _Response


class _TLSConnection(HTTPSConnection):
    response_class = _Response


def _pool(host: str, port: int | None, connections: int, context: ssl.SSLContext | None) -> urllib3.HTTPConnectionPool:
    if context is None:
        pool = urllib3.HTTPConnectionPool(host, port, maxsize=connections)
        pool.ConnectionCls = _Connection
    else:
        pool = urllib3.HTTPSConnectionPool(host, port, maxsize=connections, ssl_context=context)
        pool.ConnectionCls = _TLSConnection
    return pool
