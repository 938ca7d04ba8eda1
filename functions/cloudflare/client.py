"""Cloudflare over HTTPS: one GET at a time, bounded in time and in size, with credentials for one origin only."""

import socket
import ssl
import threading
import time
from collections.abc import Mapping
from http.client import HTTPException
from urllib.parse import quote, urlencode, urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from functions.cloudflare.contract import require_decision
from functions.cloudflare.credentials import Credential, Credentials
from functions.cloudflare.envelope import read_result
from functions.cloudflare.errors import CredentialsRefused, NoDetection, Throttled, Unavailable
from functions.cloudflare.message_id import Form, MessageId
from functions.cloudflare.pace import Pace

CALL_SECONDS = 10.0
"""What one request may take in all, from the connection to the last byte."""
CONNECT_SECONDS = 3.0
BODY_LIMIT = 8 * 1024 * 1024
"""Bytes. The largest real detections are about 1.2 MB; a body beyond this is never held in memory."""
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
        self._pool = _pool(origin.scheme, origin.hostname or "", origin.port, connections, ca_file)

    def detection(self, id: MessageId, seconds: float) -> dict[str, object]:
        """What Cloudflare detected in a mail: the `result` object, with what the decision needs in place.

        seconds: the total that this may take, with the wait for our turn, from now until the last byte.
        Source: GET /accounts/{account_id}/email-security/investigate/{id}/detections
        Raises a leaf of CloudflareError.
        """
        until = time.monotonic() + seconds
        try:
            result = self._get(f"/{_segment(id.value)}/detections", until)
        except NoDetection as exc:
            # Since spring 2026 the path takes an investigate_id; whether it still takes the shorter forms is not
            # documented. So a 404 for one of them is believed only when the search knows no such detection either.
            full_id = None if exc.known or id.form is Form.INVESTIGATE else self._search(id, until)
            if full_id is None:
                raise
            result = self._get(f"/{_segment(full_id.value)}/detections", until)
        return require_decision(result)

    def _search(self, id: MessageId, until: float) -> MessageId | None:
        """The investigate_id of a mail that is named by a shorter form, or None."""
        query = {"alert_id": id.value} if id.form is Form.ALERT else {"query": id.postfix_id}
        try:
            found = self._get(f"?{urlencode(query)}", until)
        except NoDetection:
            return None
        for mail in found if isinstance(found, list) else ():
            match mail:
                case {"id": str(full_id), "postfix_id": id.postfix_id} if full_id != id.value:
                    return MessageId.read(full_id)
        return None

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
        left = until - time.monotonic()
        if left <= 0:
            raise Unavailable("no time is left to ask Cloudflare")
        try:
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
            try:
                body = _read(response, until)
            except BaseException:
                response.close()
                raise
            response.release_conn()
        except (HTTPError, HTTPException, OSError) as exc:
            raise Unavailable(f"Cloudflare could not be reached: {type(exc).__name__}") from exc
        answered = _lower(response.headers)
        self._pace.obey(answered.get("ratelimit"))
        try:
            return read_result(response.status, answered, body)
        except Throttled as exc:
            self._pace.close(exc.retry_after)
            raise


def _read(response: urllib3.BaseHTTPResponse, until: float) -> bytes:
    """The body, by the chunk, so that neither a slow nor an endless one can hold us."""
    chunks, size = [], 0
    while chunk := response.read1(_CHUNK):
        chunks.append(chunk)
        size += len(chunk)
        if size > BODY_LIMIT:
            raise Unavailable(f"the answer is larger than {BODY_LIMIT} bytes")
        left = until - time.monotonic()
        if left <= 0:
            raise Unavailable("the answer did not end in time")
        if isinstance(response.connection, HTTPConnection) and response.connection.sock is not None:
            response.connection.sock.settimeout(left)
    return b"".join(chunks)


class _Bounded(HTTPConnection):
    """Ends the wait for the status line and headers at the deadline, also when they arrive byte by byte.

    A socket's timeout starts anew with each byte; the connection's `timeout` here is what is left in total.
    """

    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]  # urllib3 narrows it the same way
        timer = threading.Timer(float(self.timeout or 0), _hang_up, (self.sock,))
        timer.daemon = True
        timer.start()
        try:
            return super().getresponse()
        finally:
            timer.cancel()


class _BoundedTLS(_Bounded, HTTPSConnection):
    pass


def _hang_up(sock: socket.socket) -> None:
    try:
        # The plain socket's: an SSL socket's own shutdown drops the TLS state under the thread that reads from it.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
    except OSError:
        return  # it was closed in the meantime: nobody waits on it any more


def _pool(
    scheme: str, host: str, port: int | None, connections: int, ca_file: str | None
) -> urllib3.HTTPConnectionPool:
    if scheme == "http":
        plain = urllib3.HTTPConnectionPool(host, port, maxsize=connections)
        plain.ConnectionCls = _Bounded
        return plain
    # One context for all connections: loading the authorities costs about 28 ms of CPU, each time.
    context = ssl.create_default_context(cafile=ca_file)
    pool = urllib3.HTTPSConnectionPool(host, port, maxsize=connections, ssl_context=context)
    pool.ConnectionCls = _BoundedTLS
    return pool


def _segment(id: str) -> str:
    """An id as one segment of a path. Cloudflare's own SDK sends the colon as it is."""
    return quote(id, safe=":")


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
