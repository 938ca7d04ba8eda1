"""Cloudflare over HTTPS: one GET at a time, bounded in time and in size, with credentials for one origin only."""

import socket
import ssl
import threading
import time
from functools import partial
from http.client import HTTPException
from urllib.parse import quote, urlencode, urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from functions.cloudflare.contract import gravity, require_decision
from functions.cloudflare.credentials import Credential, Credentials
from functions.cloudflare.envelope import read_result
from functions.cloudflare.errors import (
    CredentialsRefused,
    InvalidAnswer,
    NoDetection,
    Refused,
    StillSearching,
    Throttled,
    Unavailable,
)
from functions.cloudflare.message_id import Form, MessageId
from functions.cloudflare.pace import Pace

CALL_SECONDS = 10.0
"""What one request may take in all, from the connection to the last byte."""
CONNECT_SECONDS = 3.0
BODY_LIMIT = 8 * 1024 * 1024
"""Bytes. The largest real detections are about 1.2 MB; a body beyond this is never held in memory."""
IDLE_SECONDS = 60.0
"""Connections that were not used for so long are not used again."""
SEARCH_RESULTS = 100
SEARCH_PAUSE_SECONDS = 1.0
"""Between two looks at a search that Cloudflare answers later."""
_CHUNK = 64 * 1024


class Cloudflare:
    """The investigate endpoints of one account. Safe to share between threads."""

    def __init__(
        self,
        base_url: str,
        account_id: str,
        credentials: Credentials,
        pace: Pace,
        *,
        connections: int,
        ca_file: str | None = None,
    ) -> None:
        """base_url: such as https://api.cloudflare.com/client/v4. connections: how many are kept open.

        ca_file: a bundle of certificate authorities; the system's where None.
        """
        origin = urlsplit(base_url)
        self._investigate = (
            f"{origin.path.rstrip('/')}/accounts/{quote(account_id, safe='')}/email-security/investigate"
        )
        self._credentials = credentials
        self._pace = pace
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

    def detection(self, id: MessageId, seconds: float) -> dict[str, object]:
        """What Cloudflare detected in a mail: the `result` object, with what the decision needs in place.

        seconds: the total that this may take, with the wait for our turn, from now until the last byte.
        Source: GET /accounts/{account_id}/email-security/investigate/{id}/detections
        Raises a leaf of CloudflareError.
        """
        until = time.monotonic() + seconds
        try:
            return self._detection(id, until)
        except (NoDetection, Refused) as exc:
            # Since spring 2026 the path takes an investigate_id; whether it still takes the shorter forms is not
            # documented. So a refusal of one of them is believed only when the search knows no such mail either.
            if id.form is Form.INVESTIGATE or (isinstance(exc, NoDetection) and exc.known):
                raise
            found = self._search(id, until)
            if not found:
                raise
        return max((self._detection(it, until) for it in found), key=gravity)

    def _detection(self, id: MessageId, until: float) -> dict[str, object]:
        return require_decision(self._get(f"/{_segment(id.value)}/detections", until))

    def _search(self, id: MessageId, until: float) -> list[MessageId]:
        """The investigate_ids of the mails that a shorter form names: a bare id may stand for several deliveries."""
        query = {"alert_id": id.value} if id.form is Form.ALERT else {"query": id.postfix_id}
        path = f"?{urlencode(query | {'per_page': SEARCH_RESULTS})}"
        while True:
            try:
                found = self._get(path, until)
                break
            except NoDetection:
                return []
            except StillSearching as exc:
                path = self._same_search(exc.location)
                time.sleep(SEARCH_PAUSE_SECONDS)
        mails = (
            [it["id"] for it in found if isinstance(it, dict) and isinstance(it.get("id"), str)]
            if isinstance(found, list)
            else []
        )
        ids = filter(None, map(MessageId.read, mails))
        return [it for it in ids if it.form is Form.INVESTIGATE and it.value.startswith(f"{id.value}-")]

    def _same_search(self, location: str) -> str:
        """The query of an address that answers later, which is never another address than the search's own."""
        target = urlsplit(location)
        if not target.path.endswith("/investigate"):
            raise Unavailable("the search is put off to an address that is not the search's")
        return f"?{target.query}"

    def _get(self, path: str, until: float) -> object:
        credential = self._credentials.current()
        try:
            return self._request(path, credential, until)
        except CredentialsRefused:
            replacement = self._credentials.replacement(credential)
            if replacement is None:
                raise
            return self._request(path, replacement, until)

    def _request(self, path: str, credential: Credential, until: float) -> object:
        headers = {"accept": "application/json", "user-agent": "cloudflare-email-alerts"} | credential.headers
        self._pace.wait(until - time.monotonic() - CALL_SECONDS)
        until = min(until, time.monotonic() + CALL_SECONDS)
        if until <= time.monotonic():
            raise Unavailable("no time is left to ask Cloudflare")
        try:
            status, answered, body = self._exchange(path, headers, until)
        except (HTTPError, HTTPException, OSError) as exc:
            raise Unavailable(f"Cloudflare could not be reached: {type(exc).__name__}") from exc
        self._pace.obey(answered.get("ratelimit"))
        try:
            return read_result(status, answered, body)
        except Throttled as exc:
            self._pace.close(exc.retry_after)
            raise

    def _exchange(self, path: str, headers: dict[str, str], until: float) -> tuple[int, dict[str, str], bytes]:
        """Status, headers by lower-case name, and body. Raises what urllib3, http.client and sockets raise."""
        left = max(until - time.monotonic(), 0.001)
        response = self._pool.urlopen(
            "GET",
            self._investigate + path,
            headers=headers,
            # A redirect would carry the credentials to wherever it points; trying again is the queue's business.
            redirect=False,
            retries=False,
            timeout=urllib3.Timeout(connect=min(CONNECT_SECONDS, left), total=left),
            preload_content=False,
            decode_content=False,
        )
        connection = response.connection
        complete = False
        try:
            body = _read(response)
            # After an interim answer (1xx) the real one is still to come: nobody else must read it.
            complete = response.status >= 200
        finally:
            if isinstance(connection, _Bounded):
                connection.end()
            if complete:
                response.release_conn()
            else:
                response.close()
        return response.status, {name.lower(): value for name, value in response.headers.items()}, body


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

    _deadline: threading.Timer | None = None

    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]  # urllib3 narrows it the same way
        self._deadline = threading.Timer(float(self.timeout or 0), _hang_up, (self.sock,))
        self._deadline.daemon = True
        self._deadline.start()
        try:
            return super().getresponse()
        except BaseException:
            self.end()
            raise

    def end(self) -> None:
        """The answer is complete, or given up."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class _BoundedTLS(_Bounded, HTTPSConnection):
    pass


def _hang_up(sock: socket.socket) -> None:
    try:
        # The plain socket's: an SSL socket's own shutdown drops the TLS state under the thread that reads from it.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
    except OSError:
        return  # it was closed in the meantime: nobody waits on it any more


def _pool(host: str, port: int | None, connections: int, context: ssl.SSLContext | None) -> urllib3.HTTPConnectionPool:
    if context is None:
        plain = urllib3.HTTPConnectionPool(host, port, maxsize=connections)
        plain.ConnectionCls = _Bounded
        return plain
    pool = urllib3.HTTPSConnectionPool(host, port, maxsize=connections, ssl_context=context)
    pool.ConnectionCls = _BoundedTLS
    return pool


def _segment(id: str) -> str:
    """An id as one segment of a path. Cloudflare's own SDK sends the colon as it is."""
    return quote(id, safe=":")
