"""Client for Cloudflare's investigate endpoints: detections and message details by any kind of email id.

Requests are rate-limited. If Cloudflare refuses the credentials, the request is repeated once with rotated ones.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from functions.cloudflare.contract import DetectionResult, read_detection_result
from functions.cloudflare.credentials import Credential, Credentials
from functions.cloudflare.errors import (
    CredentialsRefused,
    InvalidAnswer,
    NoDetection,
    Refused,
    StillSearching,
    Throttled,
    Unavailable,
)
from functions.cloudflare.rate_limiter import RateLimiter
from functions.cloudflare.response import read_result
from functions.cloudflare.transport import Transport
from functions.domain.detection import Detection, read_detection
from functions.domain.email_id import EmailId, IdKind
from functions.domain.message_details import MessageDetails, read_message_details

T = TypeVar("T")

CALL_SECONDS = 10.0
"""The total timeout of one request, from the connection to the last byte."""
DETAILS_CALL_SECONDS = 1.5
"""The same for message details, which an alert must not wait for."""
SEARCH_RESULTS = 5
"""The maximum of deliveries that are checked for one shorter id."""
SEARCH_PAUSE_SECONDS = 1.0
"""The pause between two polls of a search that is not complete."""
_UNREADABLE = read_detection({"final_disposition": "UNREADABLE"})
"""Of several deliveries, one that cannot be read ranks as one with a disposition that the policy does not know."""


class Cloudflare:
    """The investigate endpoints of one account. Safe to share between threads."""

    def __init__(
        self,
        base_url: str,
        account_id: str,
        credentials: Credentials,
        rate_limiter: RateLimiter,
        *,
        severity_rank: Callable[[Detection], Any],
        connections: int,
        ca_file: str | None = None,
    ) -> None:
        """base_url: for example https://api.cloudflare.com/client/v4. connections: the maximum kept open.

        severity_rank: orders detections. If an id matches several emails, `detection` returns the highest.
        ca_file: a bundle of certificate authorities; by default the system's.
        """
        origin = urlsplit(base_url)
        self._investigate = (
            f"{origin.path.rstrip('/')}/accounts/{quote(account_id, safe='')}/email-security/investigate"
        )
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
            # the shorter kinds. So for these, a refusal counts only if the search finds no such email either.
            if id.kind is IdKind.INVESTIGATE or (isinstance(exc, NoDetection) and exc.id_exists):
                raise
            investigate_ids = self._search(id, deadline)
            if not investigate_ids:
                raise
            results = list(self._several(investigate_ids, deadline))
            if not results:
                raise NoDetection("Cloudflare has the email, but no detection for it", id_exists=True) from exc
        result = max(results, key=self._rank)
        if isinstance(result, InvalidAnswer):
            raise result
        return result

    def _rank(self, result: DetectionResult | InvalidAnswer) -> Any:
        return self._severity_rank(_UNREADABLE if isinstance(result, InvalidAnswer) else result.detection)

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
            found = [] if id.kind is IdKind.INVESTIGATE else self._search(id, deadline)
            if not found:
                raise
        details = [self._get(f"/{_segment(it.value)}", deadline, _read_details) for it in found]
        return max(
            details, key=lambda it: self._severity_rank(read_detection({"final_disposition": it.final_disposition}))
        )

    def _several(self, ids: list[EmailId], deadline: float) -> Iterator[DetectionResult | InvalidAnswer]:
        """The detections of several emails, without those that have none."""
        for investigate_id in ids:
            with suppress(NoDetection):
                try:
                    result: DetectionResult | InvalidAnswer = self._detection(investigate_id, deadline)
                except InvalidAnswer as exc:
                    result = exc
                yield result

    def _detection(self, id: EmailId, deadline: float) -> DetectionResult:
        path = f"/{_segment(id.value)}/detections"
        try:
            return self._get(path, deadline, lambda result: read_detection_result(id, result))
        except InvalidAnswer as exc:
            raise InvalidAnswer(str(exc), id, exc.detection) from exc

    def _search(self, id: EmailId, deadline: float) -> list[EmailId]:
        """Search the investigate_ids for a shorter id. A postfix_id can match several deliveries."""
        query = {"alert_id": id.value} if id.kind is IdKind.ALERT else {"query": id.postfix_id}
        path = f"?{urlencode(query | {'per_page': SEARCH_RESULTS})}"
        while True:
            try:
                return self._get(path, deadline, lambda result: _investigate_ids(id, result))
            except NoDetection:
                return []
            except StillSearching as exc:
                path = self._search_path(exc.location)
                time.sleep(SEARCH_PAUSE_SECONDS)

    @staticmethod
    def _search_path(location: str) -> str:
        """The query of the address to poll. The address itself must be the search endpoint."""
        path, _, query = location.partition("?")
        if not path.endswith("/investigate"):
            raise Unavailable("Cloudflare redirected the search to another endpoint")
        return f"?{query}"

    def _get(self, path: str, deadline: float, read: Callable[[object], T], call_seconds: float = CALL_SECONDS) -> T:
        """read: parses the `result` of the response."""
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
        self, path: str, credential: Credential, deadline: float, read: Callable[[object], T], call_seconds: float
    ) -> T:
        headers = {"accept": "application/json", "user-agent": "cloudflare-email-alerts"} | credential.headers
        self._rate_limiter.wait(deadline - time.monotonic() - call_seconds)
        deadline = min(deadline, time.monotonic() + call_seconds)
        seconds_left = deadline - time.monotonic()
        if seconds_left <= 0:
            raise Unavailable("no time is left for the request to Cloudflare")
        answer = self._transport.get(self._investigate + path, headers, seconds_left)
        self._rate_limiter.apply_ratelimit_header(answer.headers.get("ratelimit"))
        try:
            with self._parsing:
                return read(read_result(answer.status, answer.headers, answer.body))
        except Throttled as exc:
            self._rate_limiter.block_for(exc.retry_after)
            raise


def _read_details(result: object) -> MessageDetails:
    if not isinstance(result, dict):
        raise InvalidAnswer("Cloudflare's message details are not an object: $: type")
    return read_message_details(result)


def _investigate_ids(id: EmailId, result: object) -> list[EmailId]:
    """The investigate_ids in a search result that start with the given id."""
    rows = result if isinstance(result, list) else []
    texts = [row["id"] for row in rows if isinstance(row, dict) and isinstance(row.get("id"), str)]
    found_ids = filter(None, map(EmailId.read, texts))
    return [found for found in found_ids if found.kind is IdKind.INVESTIGATE and found.value.startswith(f"{id.value}-")]


def _segment(id: str) -> str:
    """An id as one segment of a URL path. Cloudflare's own SDK does not escape the colon."""
    return quote(id, safe=":")
