"""HTTP to one origin, bounded in time and in size: a GET and its answer, whatever the server does."""

import socket
import ssl
import time
from functools import partial
from http.client import HTTPException
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import SplitResult

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from functions.cloudflare.errors import InvalidAnswer, Unavailable
from functions.cloudflare.watchdog import Deadline, Watchdog

if TYPE_CHECKING:
    from urllib3._base_connection import BaseHTTPConnection

CONNECT_SECONDS = 3.0
BODY_LIMIT = 8 * 1024 * 1024
"""Bytes. The largest real detections are about 1.2 MB; of a body beyond this no more is held in memory."""
IDLE_SECONDS = 60.0
"""Connections that were not used for so long are not used again."""
_CHUNK = 64 * 1024
_WATCHDOG = Watchdog()


class Answer(NamedTuple):
    """What a server said; `headers` are by lower-case name."""

    status: int
    headers: dict[str, str]
    body: bytes


class Transport:
    """Connections to one origin, which are kept. Safe to share between threads."""

    def __init__(self, origin: SplitResult, connections: int, ca_file: str | None) -> None:
        """connections: how many are kept. ca_file: a bundle of certificate authorities; the system's where None."""
        # One context for all connections: loading the authorities costs about 28 ms of CPU, each time.
        context = ssl.create_default_context(cafile=ca_file) if origin.scheme == "https" else None
        self._new_pool = partial(_pool, origin.hostname or "", origin.port, connections, context)
        self._pool = self._new_pool()
        self._used_at = time.time()

    def wake(self) -> None:
        """Start with new connections where the last ones have lain idle: Lambda freezes, and their other end is gone."""
        now = time.time()  # not monotonic: that clock may stand still while Lambda has us frozen
        if now - self._used_at > IDLE_SECONDS:
            self._pool = self._new_pool()
        self._used_at = now

    def get(self, path: str, headers: dict[str, str], seconds: float) -> Answer:
        """GET a path; `seconds` is the total that it may take, to the last byte.

        A redirect is an answer like any other: it is not followed, so that credentials stay with this origin.
        Raises Unavailable, and InvalidAnswer for a body beyond the limit.
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
        # Taken now: with its last byte the connection is anybody's, who then has a deadline of his own on it.
        deadline = response.connection.deadline if isinstance(response.connection, _Bounded) else None
        complete = False
        try:
            body = _read(response)
            # After an interim answer (1xx) the real one is still to come: nobody else must read it.
            complete = response.status >= 200
        finally:
            if deadline is not None:
                deadline.cancel()
            if complete:
                response.release_conn()
            else:
                response.close()
        return Answer(response.status, {name.lower(): value for name, value in response.headers.items()}, body)


def _read(response: urllib3.BaseHTTPResponse) -> bytes:
    """The body, by the chunk, so that no more of an endless one is held than the limit."""
    chunks, size = [], 0
    while chunk := response.read1(_CHUNK):
        chunks.append(chunk)
        size += len(chunk)
        if size > BODY_LIMIT:
            # Not a passing fault: the mail is so large. A human is told, instead of its being tried for ever.
            raise InvalidAnswer(f"the answer is larger than {BODY_LIMIT} bytes")
    return b"".join(chunks)


class _Bounded(HTTPConnection):
    """Hangs up at the deadline, wherever the answer is by then: in its first line, a header, a chunk's size, the body.

    A socket's own timeout starts anew with each byte. The connection's `timeout` here is what is left in total.
    """

    deadline: Deadline | None = None

    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]  # urllib3 narrows it the same way
        # The plain socket's: an SSL socket's own shutdown drops the TLS state under the thread that reads from it.
        hang_up = partial(socket.socket.shutdown, self.sock, socket.SHUT_RDWR)
        self.deadline = _WATCHDOG.watch(float(self.timeout or 0), hang_up)
        try:
            return super().getresponse()
        except BaseException:
            self.deadline.cancel()
            raise


class _BoundedTLS(_Bounded, HTTPSConnection):
    pass


class _Pool(urllib3.HTTPConnectionPool):
    """Takes a connection back without its deadline, which would hang up on whoever has the connection next."""

    ConnectionCls = _Bounded

    def _put_conn(self, conn: "BaseHTTPConnection | None") -> None:
        # urllib3 comes here with an answer's last byte, before who reads the answer knows that it was the last.
        if isinstance(conn, _Bounded) and conn.deadline is not None:
            conn.deadline.cancel()
        super()._put_conn(conn)


class _PoolTLS(_Pool, urllib3.HTTPSConnectionPool):
    ConnectionCls = _BoundedTLS


def _pool(host: str, port: int | None, connections: int, context: ssl.SSLContext | None) -> _Pool:
    if context is None:
        return _Pool(host, port, maxsize=connections)
    return _PoolTLS(host, port, maxsize=connections, ssl_context=context)
