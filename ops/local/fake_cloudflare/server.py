"""A fake Cloudflare: Email Security's `investigate` endpoints over real HTTP.

    with FakeCloudflare(Mailbox.load(), credentials=Credentials(api_token="...")) as cloudflare:
        ...  # pass cloudflare.base_url to a client, then read cloudflare.calls

It returns Cloudflare's own errors, and the faults of an email's script before the normal response. The local run and
the tests use it.
"""

import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.message import Message
from enum import Enum, auto
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, unquote

from ops.local.fake_cloudflare import responses
from ops.local.fake_cloudflare.auth import CredentialKind, Credentials, read_credentials
from ops.local.fake_cloudflare.http_server import HttpServer
from ops.local.fake_cloudflare.mailbox import Mail, Mailbox
from ops.local.fake_cloudflare.rate_limit import RateLimit
from ops.local.fake_cloudflare.responses import Response
from ops.local.fake_cloudflare.search import Behavior, Search

_ROUTE = re.compile(
    r"/client/v4/accounts/(?P<account>[0-9A-Za-z]{32})/email-security/investigate"
    r"(?:/(?P<id>[^/]+)(?P<detections>/detections)?)?"
)
_VERIFY = "/client/v4/user/tokens/verify"
"""Where Cloudflare says whether a token of a user is active. It needs no permission."""
_POLL = re.compile(r"(?P<account>/client/v4/accounts/[0-9A-Za-z]{32}/email-security)/searches/(?P<name>[0-9]+)")


class Endpoint(Enum):
    """What a request asks for."""

    DETECTION = auto()
    DETAILS = auto()
    SEARCH = auto()


@dataclass(frozen=True, slots=True)
class Call:
    """A request and the status of its response.

    path: as the client sent it, with its query. status: 0 if there was no response.
    """

    method: str
    path: str
    status: int
    credential_kind: CredentialKind


class FakeCloudflare:
    """Serves during a `with` block; by default on loopback, on a free port."""

    def __init__(
        self,
        mailbox: Mailbox,
        *,
        credentials: Credentials,
        host: str = "127.0.0.1",
        port: int = 0,
        slow_seconds: float = 2.0,
        bare_ids: bool = True,
        limit: tuple[int, float, float] | None = None,
        search: Behavior = Behavior(),  # noqa: B008  # frozen
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Listen, but do not respond yet.

        slow_seconds: the delay of a response whose script has `slow`.
        bare_ids: whether the path accepts postfix ids and alert ids. If not, it accepts investigate ids only.
        limit: (requests, seconds of the window, seconds of the block). A request over the limit starts the block, during
        which all calls get 429. None: only scripts throttle.
        search: how the search behaves. now: its clock.
        monotonic, sleep: the clock of the rate limit and of slow responses.
        """
        self._mailbox = mailbox
        self._credentials = credentials
        self._slow_seconds = slow_seconds
        self._bare_ids = bare_ids
        self._search = Search(mailbox, search, now)
        self._rate_limit = RateLimit(limit, monotonic)
        self._bodies: dict[Endpoint, bytes] = {}
        self._refusal: Response | None = None
        self._token: dict[str, str] = {"id": "0" * 32, "status": "active"}
        self._calls: list[Call] = []
        self._detection_calls: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._server = HttpServer((host, port), self._reply, sleep, now)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="cloudflare", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def base_url(self) -> str:
        """The base URL for clients: `http://host:port/client/v4`."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}/client/v4"

    @property
    def _origin(self) -> str:
        return self.base_url.removesuffix("/client/v4")

    @property
    def calls(self) -> tuple[Call, ...]:
        """All calls so far, in the order of their responses. A call is added before its response is sent."""
        with self._lock:
            return tuple(self._calls)

    def accept(self, credentials: Credentials) -> None:
        """Accept only these credentials from now on, as after a rotation."""
        self._credentials = credentials

    def serve(self, endpoint: Endpoint, body: bytes) -> None:
        """Answer all requests to an endpoint with status 200 and this body from now on, which can be invalid JSON."""
        self._bodies[endpoint] = body

    def refuse(self, response: Response | None) -> None:
        """Answer all requests to Email Security with this error from now on; None ends it. The token stays as it is."""
        self._refusal = response

    def set_token(self, **fields: str) -> None:
        """Change what is said of the token: its `status`, or `expires_on`."""
        self._token |= fields

    def _reply(self, target: str, headers: Message) -> Response:
        kind, credentials = read_credentials(headers)
        allowed, budget = self._rate_limit.take()
        blocked = responses.throttled(budget.resets_in, code=971)
        response = self._route(target, kind, credentials) if allowed else blocked
        if not any(name == "Ratelimit" for name, _ in response.headers):
            response = replace(response, headers=(*response.headers, *budget.headers))
        with self._lock:
            self._calls.append(Call("GET", target, response.status, kind))
        return response

    def _route(self, target: str, kind: CredentialKind, credentials: Credentials) -> Response:
        path, _, query = target.partition("?")
        route = _ROUTE.fullmatch(path)
        if kind in (CredentialKind.NONE, CredentialKind.MALFORMED):
            return _invalid_credentials(kind, credentials)
        if route is None and path != _VERIFY and _POLL.fullmatch(path) is None:
            return responses.no_route(path)
        if not self._credentials.accept(credentials):
            return responses.BAD_CREDENTIALS
        if path == _VERIFY:
            return responses.success(self._token)
        if f"/accounts/{self._mailbox.account_id}/" not in path:
            return responses.NO_PERMISSION
        return self._refusal or (self._endpoint_response(route, path, query) if route else self._poll(path))

    def _poll(self, path: str) -> Response:
        poll = _POLL.fullmatch(path)
        if poll is None:
            return responses.no_route(path)
        return self._search.poll(self._origin, f"{poll['account']}/investigate", poll["name"])

    def _endpoint_response(self, route: re.Match[str], path: str, query: str) -> Response:
        body = self._bodies.get(_endpoint(route))
        if body is not None:
            return Response(200, body)
        if route["id"]:
            return self._message(path, route)
        return self._search.respond(self._origin, path, dict(parse_qsl(query)))

    def _message(self, path: str, route: re.Match[str]) -> Response:
        name = unquote(route["id"])
        mail = self._mailbox.find(name)
        if mail is None or not (self._bare_ids or name == mail.investigate_id):
            return responses.NOT_FOUND
        if route["detections"]:
            return self._detection(mail, path)
        return responses.NOT_FOUND if mail.mail is None else responses.success(mail.mail)

    def _detection(self, mail: Mail, path: str) -> Response:
        with self._lock:
            call_number = self._detection_calls[mail.postfix_id]
            self._detection_calls[mail.postfix_id] += 1
        normal = responses.success(mail.result) if mail.detected else responses.NOT_FOUND
        if call_number >= len(mail.script):
            return normal
        return responses.faulty(mail.script[call_number], normal, path, self._slow_seconds)


def _endpoint(route: re.Match[str]) -> Endpoint:
    if route["id"]:
        return Endpoint.DETECTION if route["detections"] else Endpoint.DETAILS
    return Endpoint.SEARCH


def _invalid_credentials(kind: CredentialKind, credentials: Credentials) -> Response:
    if kind is CredentialKind.NONE:
        return responses.NO_CREDENTIALS
    return responses.bad_header("Authorization" if credentials.api_email is None else "X-Auth-Email")
