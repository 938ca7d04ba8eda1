"""The search endpoint, `GET .../investigate`: pages with a cursor, and a switch for each thing that is not documented."""

import base64
import binascii
import hashlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, StrEnum
from typing import Any

from ops.local.fake_cloudflare.mailbox import Mail, Mailbox
from ops.local.fake_cloudflare.responses import Response, accepted, error, success, throttled

MAX_PER_PAGE = 1000
DEFAULT_PERIOD = timedelta(days=30)
"""Cloudflare's period without a `start`."""


class Order(Enum):
    """The order of the rows."""

    NEWEST_FIRST = "newest first"
    OLDEST_FIRST = "oldest first"
    NONE = "none"


class TimeField(StrEnum):
    """The time that `start` and `end` filter by."""

    SCANNED_AT = "scanned_at"
    SENT_AT = "sent_at"
    ALERT_ID = "alert_id"


class Slow(Enum):
    """The form of the `Location` of a search that answers 202."""

    ABSOLUTE = "absolute"
    RELATIVE = "relative"


@dataclass(frozen=True, slots=True)
class Behavior:
    """What Cloudflare does not document about its search.

    order:           of the rows.
    end_inclusive:   whether a row at the time `end` is in the result.
    time_field:      what `start` and `end` filter by. An email without this time has that of its alert id.
    index_lag:       how long after its time an email can be found.
    max_age:         a `start` before this is refused. None: any is accepted.
    cursor_lifetime: after it, a cursor is refused.
    repeats:         whether each cursor leads to the first page again.
    slow:            whether a search answers 202 at first, and how it says where to poll.
    slow_polls:      the polls that answer 202 again.
    throttled_page:  the number of a page that answers 429, from 1. 0: none.
    """

    order: Order = Order.NEWEST_FIRST
    end_inclusive: bool = False
    time_field: TimeField = TimeField.SCANNED_AT
    index_lag: Callable[[Mail], timedelta] = lambda _: timedelta(0)
    max_age: timedelta | None = None
    cursor_lifetime: timedelta = timedelta(minutes=10)
    repeats: bool = False
    slow: Slow | None = None
    slow_polls: int = 1
    throttled_page: int = 0


@dataclass(slots=True)
class _Job:
    """A slow search. polls: those that still answer 202."""

    parameters: Mapping[str, str]
    polls: int


class Search:
    """The search of one mailbox."""

    def __init__(self, mailbox: Mailbox, behavior: Behavior, now: Callable[[], datetime]) -> None:
        self.behavior = behavior
        self._mailbox = mailbox
        self._now = now
        self._jobs: dict[str, _Job] = {}
        self._lock = threading.Lock()

    def respond(self, base_url: str, path: str, parameters: Mapping[str, str]) -> Response:
        """Return one page of the emails that match all parameters, or 202 with the address to poll.

        Supported parameters: `alert_id`, `query` (in the postfix id or the subject), `final_disposition`, `start` (by
        default 30 days ago) and `end` (ISO 8601, UTC), `detections_only` (default true), `per_page` (1 to 1000, default
        20) and `cursor`. An invalid one, or a `start` in the future, returns 400.

        base_url: the origin. path: of the search endpoint.
        """
        if self.behavior.slow is None:
            return self._page(parameters)
        with self._lock:
            name = str(len(self._jobs) + 1)
            self._jobs[name] = _Job(parameters, self.behavior.slow_polls)
        return accepted(self._location(base_url, path, name))

    def poll(self, base_url: str, path: str, name: str) -> Response:
        """Return the page of a slow search, 202 while it is not complete, or 404 for an unknown one."""
        with self._lock:
            job = self._jobs.get(name)
            if job is None:
                return error(404, 10404, "Search not found")
            job.polls -= 1
            is_complete = job.polls < 0
        return self._page(job.parameters) if is_complete else accepted(self._location(base_url, path, name))

    def _location(self, base_url: str, path: str, name: str) -> str:
        location = f"{path.removesuffix('/investigate')}/searches/{name}"
        return f"{base_url}{location}" if self.behavior.slow is Slow.ABSOLUTE else location

    def _page(self, parameters: Mapping[str, str]) -> Response:
        now = self._now()
        try:
            per_page = int(parameters.get("per_page", "20"))
            offset = self._offset(parameters["cursor"], now) if "cursor" in parameters else 0
            start = _time(parameters["start"]) if "start" in parameters else now - DEFAULT_PERIOD
            end = _time(parameters["end"]) if "end" in parameters else now
        except ValueError:
            return error(400, 10400, "per_page, cursor, start or end is not valid")
        if not 1 <= per_page <= MAX_PER_PAGE:
            return error(400, 10400, f"per_page must be between 1 and {MAX_PER_PAGE}")
        if start > now or (self.behavior.max_age and start < now - self.behavior.max_age):
            return error(400, 10400, "start must not be in the future, nor too long ago")
        if offset and offset == per_page * (self.behavior.throttled_page - 1):
            return throttled(300, code=971)
        hits = [mail for mail in self._mailbox if self._matches(mail, parameters, start, end, now)]
        hits = self._sorted(hits)
        first = 0 if self.behavior.repeats else offset
        page = hits[first : first + per_page]
        info = {
            "count": len(page),
            "per_page": per_page,
            "next": _cursor(offset + per_page, now) if first + per_page < len(hits) else None,
            "previous": _cursor(max(0, offset - per_page), now) if offset else None,
        }
        return success([_entry(mail) for mail in page], info)

    def _sorted(self, hits: list[Mail]) -> list[Mail]:
        if self.behavior.order is Order.NONE:
            return sorted(hits, key=lambda mail: hashlib.sha256(mail.investigate_id.encode()).digest())
        return sorted(hits, key=self._at, reverse=self.behavior.order is Order.NEWEST_FIRST)

    def _matches(
        self, mail: Mail, parameters: Mapping[str, str], start: datetime, end: datetime, now: datetime
    ) -> bool:
        entry, at = _entry(mail), self._at(mail)
        words = f"{mail.postfix_id} {entry.get('subject', '')}".casefold()
        return (
            (mail.detected or parameters.get("detections_only", "true") == "false")
            and parameters.get("alert_id", mail.alert_id) == mail.alert_id
            and parameters.get("query", "").casefold() in words
            and parameters.get("final_disposition", entry.get("final_disposition")) == entry.get("final_disposition")
            and (start <= at < end or (at == end and self.behavior.end_inclusive))
            and at + self.behavior.index_lag(mail) <= now
        )

    def _at(self, mail: Mail) -> datetime:
        field = self.behavior.time_field
        text = None if field is TimeField.ALERT_ID else _entry(mail).get(field)
        return _time(text) if isinstance(text, str) else mail.scanned_at

    def _offset(self, cursor: str, now: datetime) -> int:
        """Decode a cursor. Raises ValueError if it is invalid or has expired."""
        try:
            name, offset, issued = base64.urlsafe_b64decode(cursor).decode().split(":")
        except (binascii.Error, UnicodeDecodeError) as exc:
            raise ValueError("not a cursor") from exc
        if name != "from" or now.timestamp() - float(issued) > self.behavior.cursor_lifetime.total_seconds():
            raise ValueError("not a cursor, or an expired one")
        return int(offset)


def _entry(mail: Mail) -> Mapping[str, Any]:
    """Return an email's entry; without message details, only the members that the contract requires."""
    return mail.mail or {
        "id": mail.investigate_id,
        "postfix_id": mail.postfix_id,
        "alert_id": mail.alert_id,
        "client_recipients": [],
        "detection_reasons": [],
        "is_quarantined": False,
        "is_phish_submission": False,
        "properties": {},
    }


def _time(text: str) -> datetime:
    """Parse a time. Raises ValueError if it is invalid."""
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _cursor(offset: int, now: datetime) -> str:
    return base64.urlsafe_b64encode(f"from:{offset}:{now.timestamp():.3f}".encode()).decode()
