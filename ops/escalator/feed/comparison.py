"""Cloudflare's list against the ledger: which deliveries both have, and which only one of them."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from functions.domain.email_id import EmailId
from functions.domain.email_state import MAX_DELIVERIES, UNNAMED, EmailState
from functions.domain.outcome import Outcome
from functions.domain.record import moment
from functions.ledger.email_item import read_email
from functions.ledger.keys import email_of, queue_answer_key, queue_entry_key
from ops.escalator.feed.function import Row
from ops.escalator.records.reader import Key, RecordReader
from ops.escalator.records.record_summary import RecordSummary
from ops.escalator.records.time_range import TimeRange

WAITING = timedelta(minutes=15)
"""How long a delivery may be on its way to an alert. FeedAlarm and BacklogAlarm allow as much."""
MARGIN = timedelta(hours=1)
"""The time in an id can differ from the one that the search filters by. Within it, an email may be absent from a list."""


class Place(Enum):
    """Where a delivery is known. The values are the columns of the result."""

    BOTH = "both"
    WAITING = "waiting"
    ONLY_CLOUDFLARE = "only_cloudflare"
    LEFT_OUT = "left_out"


@dataclass(frozen=True, slots=True)
class Compared:
    """A row of the list, and what the ledger has of it.

    why:       of a delivery that the ledger lacks: what is known of it.
    has_alert: whether the email has an alert, perhaps with another disposition.
    not_closed: whether the delivery does not escalate any more, and its alert is not closed.
    """

    row: Row
    place: Place
    why: str = ""
    has_alert: bool = False
    not_closed: bool = False

    @property
    def is_missing(self) -> bool:
        """Whether the delivery should have an alert and has none."""
        return self.place is Place.ONLY_CLOUDFLARE and self.row.escalates is not False


@dataclass(slots=True)
class Totals:
    """What was found so far. counts: deliveries by disposition and place; only_here: emails. listed: postfix ids."""

    counts: dict[str, Counter[Place]] = field(default_factory=lambda: defaultdict(Counter))
    only_here: Counter[str] = field(default_factory=Counter)
    listed: set[str] = field(default_factory=set)
    not_closed: int = 0
    unreadable: int = 0

    def add(self, compared: Compared) -> None:
        """Count a row."""
        self.counts[compared.row.disposition or "(none)"][compared.place] += 1
        self.listed.add(compared.row.id.postfix_id)
        self.not_closed += compared.not_closed


@dataclass(frozen=True, slots=True)
class Comparison:
    """The ledger of one account."""

    reader: RecordReader
    account_id: str

    def compare(self, rows: Sequence[Row], now: datetime) -> list[Compared]:
        """What the ledger has of each row."""
        items = self.reader.items(key for row in rows for key in self._keys(row))
        return [self._compared(row, items, now) for row in rows]

    def only_here(self, listed: set[str], time_range: TimeRange) -> Iterator[tuple[str, str]]:
        """The emails with an open alert that a complete list of the period lacks: id and disposition."""
        last: dict[str, RecordSummary] = {}
        for summary in self.reader.summaries(TimeRange(time_range.since, time_range.until + MARGIN)):
            if not isinstance(summary, RecordSummary) or not summary.position.sk.startswith(f"{self.account_id}/"):
                continue
            if summary.outcome in (Outcome.ESCALATED, Outcome.CLOSED):
                last[email_of(summary.position.sk)] = summary
        for email, summary in last.items():
            postfix_id = email.partition("@")[0]
            at = EmailId(postfix_id).time or summary.decided_at
            is_inside = time_range.since + MARGIN <= at <= time_range.until - MARGIN
            if summary.outcome is Outcome.ESCALATED and is_inside and postfix_id not in listed:
                yield postfix_id, summary.disposition or ""

    def _email_keys(self, id: EmailId) -> list[Key]:
        """A short id that was sent without its date has none in its key."""
        return [(id.postfix_id, f"{self.account_id}/{email}") for email in dict.fromkeys((id.email, id.postfix_id))]

    def _keys(self, row: Row) -> Iterator[Key]:
        yield from self._email_keys(row.id)
        if row.escalates is not False:
            for key in (queue_entry_key(self.account_id, row.id), queue_answer_key(self.account_id, row.id)):
                yield key["pk"], key["sk"]

    def _compared(self, row: Row, items: Mapping[Key, dict[str, Any]], now: datetime) -> Compared:
        emails = [read_email(items[key]) for key in self._email_keys(row.id) if key in items]
        has_alert = any(it.alert for it in emails)
        if row.left_out:
            return Compared(row, Place.LEFT_OUT, has_alert=has_alert)
        if row.escalates is False:
            not_closed = any(_still_escalates(it, row.id) for it in emails)
            return Compared(row, Place.BOTH if emails else Place.ONLY_CLOUDFLARE, "", has_alert, not_closed)
        if any(_has(it, row) for it in emails):
            return Compared(row, Place.BOTH, has_alert=has_alert)
        entry, answer = (
            items.get((key["pk"], key["sk"]), {})
            for key in (queue_entry_key(self.account_id, row.id), queue_answer_key(self.account_id, row.id))
        )
        if row.escalates is None and answer and answer["answer"] != Outcome.NOT_FOUND:
            return Compared(row, Place.BOTH, has_alert=has_alert)  # only a request could tell, and it was answered
        since = datetime.fromisoformat(entry["queued_at"]) if entry else row.id.time
        answered = answer and (not entry or answer["answered_at"] >= entry["queued_at"])
        place = Place.WAITING if not answered and since and now - since < WAITING else Place.ONLY_CLOUDFLARE
        return Compared(row, place, _why(emails, entry, answer if answered else {}), has_alert)


def _has(email: EmailState, row: Row) -> bool:
    """Whether an alert covers a delivery with its disposition; any disposition that escalates for an unknown one."""
    if email.alert is None:
        return False
    known = [email.deliveries[key] for key in (row.id.value, UNNAMED) if key in email.deliveries]
    if len(email.deliveries) >= MAX_DELIVERIES and not known:
        known = [*email.deliveries.values()]  # the delivery may be one of those that were dropped
    return any(it.escalates and row.disposition in (it.disposition, "") for it in known)


def _still_escalates(email: EmailState, id: EmailId) -> bool:
    known = email.deliveries.get(id.value)
    return bool(email.alert and email.alert.escalated and known and known.escalates)


def _why(emails: Sequence[EmailState], entry: Mapping[str, Any], answer: Mapping[str, Any]) -> str:
    """What is known of a delivery that the ledger lacks."""
    others = sorted({it.alert.disposition for it in emails if it.alert})
    known = [f"the alert of its email says {', '.join(others)}"] if others else []
    if answer:
        known.append(f"answered {answer['answer']} {answer['disposition']}".rstrip() + f" at {answer['answered_at']}")
    elif entry:
        known.append(f"queued at {moment(datetime.fromisoformat(entry['queued_at']))}, without an answer")
    else:
        known.append("never queued by the feed")
    return "; ".join(known)
