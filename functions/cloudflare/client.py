"""Cloudflare's investigate endpoints: paced, with credentials that may be rotated, by whichever form of a mail's id."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from functions.cloudflare.context import Context, read_context
from functions.cloudflare.credentials import Credential, Credentials
from functions.cloudflare.detection import Detection
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
from functions.cloudflare.found import Found, read_found
from functions.cloudflare.message_id import Form, MessageId
from functions.cloudflare.pace import Pace
from functions.cloudflare.transport import Transport

T = TypeVar("T")

CALL_SECONDS = 10.0
"""What one request may take in all, from the connection to the last byte."""
CONTEXT_CALL_SECONDS = 1.5
"""The same for a context, which nobody waits for longer."""
SEARCH_RESULTS = 5
"""Deliveries of one mail that are looked at, at the most."""
SEARCH_PAUSE_SECONDS = 1.0
"""Between two looks at a search that Cloudflare answers later."""


class Cloudflare:
    """The investigate endpoints of one account. Safe to share between threads."""

    def __init__(
        self,
        base_url: str,
        account_id: str,
        credentials: Credentials,
        pace: Pace,
        *,
        gravity: Callable[[Detection], Any],
        connections: int,
        ca_file: str | None = None,
    ) -> None:
        """base_url: such as https://api.cloudflare.com/client/v4. connections: how many are kept open.

        gravity: orders detections, for an id that stands for several mails: the gravest of them is given.
        ca_file: a bundle of certificate authorities; the system's where None.
        """
        origin = urlsplit(base_url)
        self._investigate = (
            f"{origin.path.rstrip('/')}/accounts/{quote(account_id, safe='')}/email-security/investigate"
        )
        self._credentials = credentials
        self._pace = pace
        self._gravity = gravity
        self._transport = Transport(origin, connections, ca_file)
        # One answer at a time becomes objects, which may take thirty times its bytes until they are read.
        self._reading = threading.Lock()

    def wake(self) -> None:
        """To be called before a batch: see Transport."""
        self._transport.wake()

    def detection(self, id: MessageId, seconds: float) -> Found:
        """What Cloudflare detected in a mail, with what the decision needs in place.

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
            mails = self._search(id, until)
            if not mails:
                raise
            results = list(self._several(mails, until))
            if not results:
                raise NoDetection("Cloudflare knows the mail, but has no detection for it", known=True) from exc
        return max(results, key=lambda found: self._gravity(found.detection))

    def context(self, id: MessageId, seconds: float) -> Context:
        """What Cloudflare says about a mail beside its detection, asked once.

        seconds: the total that this may take, with the wait for our turn.
        Source: GET /accounts/{account_id}/email-security/investigate/{id}
        Raises a leaf of CloudflareError.
        """
        until = time.monotonic() + seconds
        return self._get(f"/{_segment(id.value)}", until, _context, CONTEXT_CALL_SECONDS)

    def _several(self, ids: list[MessageId], until: float) -> Iterator[Found]:
        """The detections of those mails that have one."""
        for mail in ids:
            with suppress(NoDetection):
                yield self._detection(mail, until)

    def _detection(self, id: MessageId, until: float) -> Found:
        return self._get(f"/{_segment(id.value)}/detections", until, lambda result: read_found(id, result))

    def _search(self, id: MessageId, until: float) -> list[MessageId]:
        """The investigate_ids of the mails that a shorter form names: a bare id may stand for several deliveries."""
        query = {"alert_id": id.value} if id.form is Form.ALERT else {"query": id.postfix_id}
        path = f"?{urlencode(query | {'per_page': SEARCH_RESULTS})}"
        while True:
            try:
                return self._get(path, until, lambda found: _longer_ids(id, found))
            except NoDetection:
                return []
            except StillSearching as exc:
                path = self._same_search(exc.location)
                time.sleep(SEARCH_PAUSE_SECONDS)

    @staticmethod
    def _same_search(location: str) -> str:
        """The query of an address that answers later, which is never another address than the search's own."""
        path, _, query = location.partition("?")
        if not path.endswith("/investigate"):
            raise Unavailable("the search is put off to an address that is not the search's")
        return f"?{query}"

    def _get(self, path: str, until: float, read: Callable[[object], T], call_seconds: float = CALL_SECONDS) -> T:
        """read: makes of a result what is kept of it."""
        credential = self._credentials.current()
        try:
            return self._request(path, credential, until, read, call_seconds)
        except CredentialsRefused:
            replacement = self._credentials.replacement(credential)
            if replacement is None:
                raise
            return self._request(path, replacement, until, read, call_seconds)

    def _request(
        self, path: str, credential: Credential, until: float, read: Callable[[object], T], call_seconds: float
    ) -> T:
        headers = {"accept": "application/json", "user-agent": "cloudflare-email-alerts"} | credential.headers
        self._pace.wait(until - time.monotonic() - call_seconds)
        until = min(until, time.monotonic() + call_seconds)
        left = until - time.monotonic()
        if left <= 0:
            raise Unavailable("no time is left to ask Cloudflare")
        answer = self._transport.get(self._investigate + path, headers, left)
        self._pace.obey(answer.headers.get("ratelimit"))
        try:
            with self._reading:
                return read(read_result(answer.status, answer.headers, answer.body))
        except Throttled as exc:
            self._pace.close(exc.retry_after)
            raise


def _context(result: object) -> Context:
    if not isinstance(result, dict):
        raise InvalidAnswer("the answer is no object: $: type")
    return read_context(result)


def _longer_ids(id: MessageId, found: object) -> list[MessageId]:
    """The investigate_ids in what a search has found that begin with the id it was for."""
    rows = found if isinstance(found, list) else []
    texts = [row["id"] for row in rows if isinstance(row, dict) and isinstance(row.get("id"), str)]
    ids = filter(None, map(MessageId.read, texts))
    return [it for it in ids if it.form is Form.INVESTIGATE and it.value.startswith(f"{id.value}-")]


def _segment(id: str) -> str:
    """An id as one segment of a path. Cloudflare's own SDK sends the colon as it is."""
    return quote(id, safe=":")
