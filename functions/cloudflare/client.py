"""Client for Cloudflare's investigate endpoints: detections and message details by any kind of email id.

Requests are rate-limited. If Cloudflare refuses the credentials, the request is repeated once with rotated ones.
"""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from functions.cloudflare.contract import DetectionResult, read_detection_result
from functions.cloudflare.credentials import Credential, Credentials
from functions.cloudflare.deliveries import UNREADABLE, Deliveries, find_deliveries, most_severe
from functions.cloudflare.errors import (
    CredentialsRefused,
    InvalidAnswer,
    NoDetection,
    Refused,
    StillSearching,
    Throttled,
    Unavailable,
)
from functions.cloudflare.rate_limiter import Limiter
from functions.cloudflare.response import read_envelope, read_result
from functions.cloudflare.search import Page, Query, pages, read_page
from functions.cloudflare.transport import Answer, Transport
from functions.domain.detection import Detection, read_detection
from functions.domain.email_id import EmailId, IdKind
from functions.domain.message_details import MessageDetails, read_message_details

T = TypeVar("T")

CALL_SECONDS = 10.0
"""The total timeout of one request, from the connection to the last byte."""
DETAILS_CALL_SECONDS = 1.5
"""The same for message details, which an alert must not wait for."""


class Cloudflare:
    """The investigate endpoints of one account. Safe to share between threads."""

    def __init__(
        self,
        base_url: str,
        account_id: str,
        credentials: Credentials,
        rate_limiter: Limiter,
        *,
        severity_rank: Callable[[Detection], Any],
        connections: int,
        ca_file: str | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """base_url: for example https://api.cloudflare.com/client/v4. connections: the maximum kept open.

        severity_rank: orders detections. If an id matches several emails, `detection` returns the highest.
        ca_file: a bundle of certificate authorities; by default the system's.
        sleep: waits between two polls of a search.
        """
        origin = urlsplit(base_url)
        self._account = f"{origin.path.rstrip('/')}/accounts/{quote(account_id, safe='')}/"
        self._investigate = f"{self._account}email-security/investigate"
        self._origin = origin
        self._sleep = sleep
        self._credentials = credentials
        self._rate_limiter = rate_limiter
        self._severity_rank = severity_rank
        self._transport = Transport(origin, connections, ca_file)
        # Parsed JSON can take thirty times the memory of its bytes, so only one body is parsed at a time.
        self._parsing = threading.Lock()

    def drop_idle_connections(self) -> None:
        """Replace connections that were idle for long. Call it before each batch; see Transport."""
        self._transport.drop_idle_connections()

    def detection(self, id: EmailId, seconds: float) -> DetectionResult:
        """Get the detection for an email. It has the fields that the decision needs.

        seconds: the total timeout, including the wait for the rate limit.
        Source: GET /accounts/{account_id}/email-security/investigate/{id}/detections
        Raises a leaf of CloudflareError.
        """
        deadline = time.monotonic() + seconds
        try:
            return self._detection(id, deadline)
        except (NoDetection, Refused) as exc:
            # Since spring 2026 the path takes an investigate_id. Cloudflare does not document whether it still takes
            # the shorter forms. So for these, a refusal counts only if the search finds no such email either.
            if id.kind is IdKind.INVESTIGATE or (isinstance(exc, NoDetection) and exc.id_exists):
                raise
            found = self._deliveries(id, deadline)
            if not found.rows:
                raise
        result, cut = most_severe(
            found, lambda it: self._detection_or_error(it, deadline), self._rank, self._severity_rank
        )
        if isinstance(result, InvalidAnswer):
            raise result
        return replace(result, detail=cut)

    def search(self, query: Query, seconds: float) -> Iterator[Page]:
        """Yield the pages of a search; an empty page is a result.

        seconds: the total timeout of all pages, including the waits for the rate limit and for a slow search.
        Source: GET /accounts/{account_id}/email-security/investigate
        Raises a leaf of CloudflareError; SearchIncomplete if the pages repeat or do not end.
        """
        return self._search(query, time.monotonic() + seconds)

    def accepts(self, id: EmailId, seconds: float) -> str:
        """What Cloudflare answers to this form of an id in the path, in words. No search by a shorter id follows.

        seconds: the total timeout. Raises a leaf of CloudflareError, except for an id that is not found or refused.
        """
        try:
            self._detection(id, time.monotonic() + seconds)
        except InvalidAnswer:
            return "accepted, with an answer that does not match the contract"
        except (NoDetection, Refused) as exc:
            return f"refused: {exc}"
        return "accepted"

    def _search(self, query: Query, deadline: float) -> Iterator[Page]:
        def fetch(path: str) -> Page:
            try:
                return self._get_envelope(path, deadline, read_page)
            except StillSearching as exc:
                form = "a whole URL" if urlsplit(exc.location).scheme else "a path"
                raise StillSearching(str(exc), self._poll_path(path, exc.location), form) from exc

        def sleep(seconds: float) -> None:
            if time.monotonic() + seconds > deadline:
                raise Unavailable("Cloudflare's search takes longer than the time left")
            self._sleep(seconds)

        return pages(fetch, query, sleep)

    def _poll_path(self, path: str, location: str) -> str:
        """The path to poll. It can be any of this account, at this origin only: the credentials go there."""
        base = path if path.startswith("/") else self._investigate + path
        target = urlsplit(urljoin(f"{self._origin.scheme}://{self._origin.netloc}{base}", location))
        if _origin(target) != _origin(self._origin) or not target.path.startswith(self._account):
            raise Unavailable("Cloudflare redirected the search to another origin or account")
        return target._replace(scheme="", netloc="", fragment="").geturl()

    def _deliveries(self, id: EmailId, deadline: float) -> Deliveries:
        return find_deliveries(id, lambda query: self._search(query, deadline), datetime.now(UTC))

    def _rank(self, result: DetectionResult | InvalidAnswer) -> Any:
        return self._severity_rank(UNREADABLE if isinstance(result, InvalidAnswer) else result.detection)

    def message_details(self, id: EmailId, seconds: float) -> MessageDetails:
        """Get the message details of an email, without a search by a shorter id.

        seconds: the total timeout, including the wait for the rate limit.
        Source: GET /accounts/{account_id}/email-security/investigate/{id}
        Raises a leaf of CloudflareError.
        """
        deadline = time.monotonic() + seconds
        return self._get(f"/{_segment(id.value)}", deadline, _read_details, DETAILS_CALL_SECONDS)

    def search_details(self, id: EmailId, seconds: float) -> MessageDetails:
        """Get the message details of an email, with a search by a shorter id: those of the most severe delivery.

        seconds: the total timeout, including the wait for the rate limit.
        Raises a leaf of CloudflareError.
        """
        deadline = time.monotonic() + seconds
        try:
            return self._get(f"/{_segment(id.value)}", deadline, _read_details)
        except (NoDetection, Refused):
            found = Deliveries() if id.kind is IdKind.INVESTIGATE else self._deliveries(id, deadline)
            if not found.rows:
                raise
        details, _ = most_severe(
            found,
            lambda it: self._get(f"/{_segment(it.value)}", deadline, _read_details),
            lambda it: self._severity_rank(read_detection({"final_disposition": it.final_disposition})),
            self._severity_rank,
        )
        return details

    def _detection_or_error(self, id: EmailId, deadline: float) -> DetectionResult | InvalidAnswer:
        try:
            return self._detection(id, deadline)
        except InvalidAnswer as exc:
            return exc

    def _detection(self, id: EmailId, deadline: float) -> DetectionResult:
        path = f"/{_segment(id.value)}/detections"
        try:
            return self._get(path, deadline, lambda result: read_detection_result(id, result))
        except InvalidAnswer as exc:
            raise InvalidAnswer(str(exc), id, exc.detection) from exc

    def _get(self, path: str, deadline: float, read: Callable[[object], T], call_seconds: float = CALL_SECONDS) -> T:
        """read: parses the `result` of the response."""
        return self._send(path, deadline, lambda answer: read(read_result(*answer)), call_seconds)

    def _get_envelope(self, path: str, deadline: float, read: Callable[[dict[str, object]], T]) -> T:
        """read: parses the whole body of the response."""
        return self._send(path, deadline, lambda answer: read(read_envelope(*answer)), CALL_SECONDS)

    def _send(self, path: str, deadline: float, read: Callable[[Answer], T], call_seconds: float) -> T:
        """path: below the investigate endpoint, or absolute."""
        credential = self._credentials.current()
        try:
            return self._request(path, credential, deadline, read, call_seconds)
        except CredentialsRefused as exc:
            replacement = self._credentials.replacement(credential)
            if replacement is None and (problem := self._credentials.problem):
                raise CredentialsRefused(f"{exc}; the secret is not usable any more: {problem}", exc.pause) from exc
            if replacement is None:
                raise
            return self._request(path, replacement, deadline, read, call_seconds)

    def _request(
        self, path: str, credential: Credential, deadline: float, read: Callable[[Answer], T], call_seconds: float
    ) -> T:
        headers = {"accept": "application/json", "user-agent": "cloudflare-email-alerts"} | credential.headers
        self._rate_limiter.wait(deadline - time.monotonic() - call_seconds)
        deadline = min(deadline, time.monotonic() + call_seconds)
        seconds_left = deadline - time.monotonic()
        if seconds_left <= 0:
            raise Unavailable("no time is left for the request to Cloudflare")
        absolute = path.startswith(self._account)
        answer = self._transport.get(path if absolute else self._investigate + path, headers, seconds_left)
        self._rate_limiter.apply_ratelimit_header(answer.headers.get("ratelimit"))
        try:
            with self._parsing:
                return read(answer)
        except Throttled as exc:
            self._rate_limiter.block_for(exc.retry_after)
            raise


def _read_details(result: object) -> MessageDetails:
    if not isinstance(result, dict):
        raise InvalidAnswer("Cloudflare's message details are not an object: $: type")
    return read_message_details(result)


def _origin(url: SplitResult) -> tuple[str, str | None, int | None]:
    """Scheme, host and port. Raises Unavailable for a malformed port."""
    try:
        return url.scheme, url.hostname, url.port or {"https": 443, "http": 80}.get(url.scheme)
    except ValueError as exc:
        raise Unavailable("Cloudflare redirected the search to a malformed address") from exc


def _segment(id: str) -> str:
    """An id as one segment of a URL path. Cloudflare's own SDK does not escape the colon."""
    return quote(id, safe=":")
