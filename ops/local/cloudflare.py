"""The stand-in Cloudflare: Email Security's `investigate` addresses over real HTTP.

    with StandIn(Mailbox.load(), credentials=Credentials(api_token="...")) as cloudflare:
        ...  # give cloudflare.base_url to a client, read cloudflare.calls afterwards

It refuses what Cloudflare refuses, in Cloudflare's words, and lets a mail's script of faults come before its
answer. The local run and the tests use it alike.
"""

import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from email.message import Message
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, unquote

from ops.local import answers
from ops.local.admission import CredentialKind, Credentials, shown
from ops.local.answers import Answer
from ops.local.limiter import Limiter
from ops.local.mailbox import Mail, Mailbox
from ops.local.search import search
from ops.local.wire import Wire

_ROUTE = re.compile(
    r"/client/v4/accounts/(?P<account>[0-9A-Za-z]{32})/email-security/investigate"
    r"(?:/(?P<id>[^/]+)(?P<detections>/detections)?)?"
)


@dataclass(frozen=True, slots=True)
class Call:
    """A call and its answer.

    `path` is as it was sent, with its query; `status` is 0 where nothing was answered.
    """

    method: str
    path: str
    status: int
    credential_kind: CredentialKind


class StandIn:
    """Serves from `with` to the end of its block; by default on loopback, on a free port."""

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
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Listen, but do not answer yet.

        slow_seconds: the pause before an answer whose script says `slow`.
        bare_ids: whether postfix ids and alert ids are taken in the path; if not, only investigate ids are.
        limit: (requests, seconds of the window, seconds of the block): one request too many, and every call
        is answered with 429 until the block ends. None: nobody is throttled, except by a script.
        monotonic, sleep: its clock, by which the limit counts and an answer is slow.
        """
        self._mailbox = mailbox
        self._credentials = credentials
        self._slow_seconds = slow_seconds
        self._bare_ids = bare_ids
        self._limiter = Limiter(limit, monotonic)
        self._calls: list[Call] = []
        self._asked: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._wire = Wire((host, port), self._reply, sleep)
        self._thread = threading.Thread(target=self._wire.serve_forever, args=(0.02,), name="cloudflare", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._wire.shutdown()
        self._wire.server_close()
        self._thread.join()

    @property
    def base_url(self) -> str:
        """Where a client finds it: `http://host:port/client/v4`."""
        host, port = self._wire.server_address[:2]
        return f"http://{host!s}:{port}/client/v4"

    @property
    def calls(self) -> tuple[Call, ...]:
        """Every call so far, in the order of its answer. A call is in here before its answer is sent."""
        with self._lock:
            return tuple(self._calls)

    def accept(self, credentials: Credentials) -> None:
        """From now on let in these credentials and no others, as after a rotation."""
        self._credentials = credentials

    def _reply(self, target: str, headers: Message) -> Answer:
        kind, credentials = shown(headers)
        admitted, budget = self._limiter.take()
        blocked = answers.throttled(budget.resets_in, code=971)
        answer = self._answer(target, kind, credentials) if admitted else blocked
        if not any(name == "Ratelimit" for name, _ in answer.headers):
            answer = replace(answer, headers=(*answer.headers, *budget.headers))
        with self._lock:
            self._calls.append(Call("GET", target, answer.status, kind))
        return answer

    def _answer(self, target: str, kind: CredentialKind, credentials: Credentials) -> Answer:
        path, _, query = target.partition("?")
        route = _ROUTE.fullmatch(path)
        if kind in (CredentialKind.NONE, CredentialKind.MALFORMED):
            return _unreadable(kind, credentials)
        if route is None:
            return answers.no_route(path)
        if not self._credentials.admit(credentials):
            return answers.BAD_CREDENTIALS
        if route["account"] != self._mailbox.account_id:
            return answers.NO_PERMISSION
        return self._one(path, route) if route["id"] else search(self._mailbox, dict(parse_qsl(query)))

    def _one(self, path: str, route: re.Match[str]) -> Answer:
        name = unquote(route["id"])
        mail = self._mailbox.find(name)
        if mail is None or not (self._bare_ids or name == mail.investigate_id):
            return answers.NOT_FOUND
        if route["detections"]:
            return self._detection(mail, path)
        return answers.NOT_FOUND if mail.mail is None else answers.found(mail.mail)

    def _detection(self, mail: Mail, path: str) -> Answer:
        with self._lock:
            turn = self._asked[mail.postfix_id]
            self._asked[mail.postfix_id] += 1
        normal = answers.found(mail.result) if mail.detected else answers.NOT_FOUND
        if turn >= len(mail.script):
            return normal
        return answers.faulty(mail.script[turn], normal, path, self._slow_seconds)


def _unreadable(kind: CredentialKind, credentials: Credentials) -> Answer:
    if kind is CredentialKind.NONE:
        return answers.NO_CREDENTIALS
    return answers.bad_header("Authorization" if credentials.api_email is None else "X-Auth-Email")
