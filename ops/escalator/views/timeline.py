"""The history of one email as events: a time, a word for what happened, and sentences.

The text is as recorded: sanitize it before showing it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from functions.domain.email_state import UNNAMED, DeliveryState, EmailState
from functions.domain.header_fields import header_fields
from functions.domain.outcome import Outcome
from functions.domain.record import CampaignRole, Record, State, moment
from functions.domain.times import duration
from ops.escalator.records.stored_record import (
    AnyRecord,
    RecordClaim,
    StoredEmail,
    StoredRecord,
    UnreadableRecord,
)
from ops.escalator.text.labels import LOOPS, OUTCOMES, REASONS, counted

_LISTS = {
    "links": ("link", "links"),
    "attachments": ("attachment", "attachments"),
    "findings": ("finding", "findings"),
    "threat_categories": ("threat category", "threat categories"),
    "headers": ("header", "headers"),
}
_MAX_LISTED = 5
"""Items of a list that a sentence names."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. at: None where the time is not known. urgent: whether an operator should act."""

    at: datetime | None
    what: str
    sentences: tuple[str, ...]
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class RecordTimeline:
    """One record: what was decided, and its events."""

    id: str
    title: str
    severity: str
    state: str
    events: tuple[Event, ...]


def record_timeline(record: AnyRecord, now: datetime) -> RecordTimeline:
    """The timeline of one record. now: decides whether a lease has expired."""
    if isinstance(record, UnreadableRecord):
        event = Event(None, "unreadable", (f"attribute {record.attribute} {record.problem}", record.position.sk), True)
        return RecordTimeline(record.position.pk, "unreadable record", "", "", (event,))
    return RecordTimeline(
        id=record.record.id.value,
        title=record.record.disposition or record.record.outcome,
        severity=record.record.severity or "",
        state=record.state,
        events=tuple(_events(record, now)),
    )


_ROLES = {
    CampaignRole.FIRST: "the first email of campaign",
    CampaignRole.RAISED: "notifies people again of campaign",
    CampaignRole.MEMBER: "a copy in campaign",
}


def email_events(stored: StoredEmail | UnreadableRecord) -> tuple[Event, ...]:
    """What is known of an email now: its last alert, and each of its deliveries."""
    if isinstance(stored, UnreadableRecord):
        return (Event(None, "unreadable", (str(stored),), urgent=True),)
    deliveries = stored.state.deliveries.items()
    known = (Event(it.fetched_at, "delivery", (_delivery_sentence(key, it),)) for key, it in deliveries)
    return (*_last_alert(stored.state), *known)


def _last_alert(state: EmailState) -> Iterator[Event]:
    if alert := state.alert:
        before = f", after {alert.previous.disposition}" if alert.previous else ""
        closed = "" if alert.escalated else ", not escalated"
        sentence = f"{alert.disposition}, severity {alert.severity}{before}{closed} (alert {alert.alert_id})"
        yield Event(alert.decided_at, "last alert", (sentence,))


def _delivery_sentence(key: str, delivery: DeliveryState) -> str:
    named = "not named by its request" if key == UNNAMED else key
    escalates = "" if delivery.escalates else ", not escalated"
    return f"{named}: {delivery.disposition}{escalates}; {delivery.delivery.label}"


def _events(stored: StoredRecord, now: datetime) -> Iterator[Event]:
    record = stored.record
    rejected = record.outcome is Outcome.REJECTED
    yield from _email(stored)
    if record.feed:
        found = "missing from" if record.feed.missing else "seen in"
        by = LOOPS.get(record.feed.loop, "the feed")
        yield Event(record.feed.seen_at, "feed", (f"{found} Cloudflare's search, queued by {by}",))
    yield Event(record.queued_at, "queued", (f"by SQS message {record.sqs_message_id}",))
    if not rejected:
        yield Event(record.fetched_at, "fetched", tuple(_fetched(stored)))
    if record.drift:
        mismatch = "the response differs from Cloudflare's contract, in fields that the decision does not need:"
        yield Event(None, "drift", (mismatch, *_first(record.drift)))
    yield Event(record.decided_at, "decided", tuple(_decided(stored)), urgent=rejected)
    if record.campaign:
        yield Event(None, "campaign", tuple(_campaign(record)))
    if stored.claim:
        yield Event(stored.claim.at, "claimed", tuple(_claimed(stored.claim, stored.alert_id)))
    yield _end(stored, now)
    if record.details_pending:
        yield Event(None, "details", ("message details did not come in time; the feed asks for them again",))
    if record.details and record.details_at:
        place = f"{record.details.delivery.label}{_status(record.details.delivery_status)}"
        yield Event(record.details_at, "details", (f"message details came after the alert: {place}",))
    for at, by in stored.erasures:
        yield Event(at, "erased", (f"a recipient's address, by {by}",))


def _email(stored: StoredRecord) -> Iterator[Event]:
    detection = stored.record.detection
    facts: dict[str, list[str | None]] = {}
    fields = header_fields(detection, stored.record.details)
    facts["subject"] = [fields.subject]
    facts["from"] = [fields.sender]
    facts["reply to"] = [", ".join(map(str, fields.other_reply_to))]
    facts["to"] = [*_first(fields.recipients)]
    if detection:
        sender, checks = detection.sender_info, detection.validation
        network = None if sender.as_number is None else f"AS{sender.as_number}"
        facts["sent by"] = [stored.sender_domain, stored.sender_ip, sender.as_name, network, sender.geo]
        results = {"SPF": checks.spf, "DKIM": checks.dkim, "DMARC": checks.dmarc}
        facts["checks"] = [f"{name} {result}" for name, result in results.items() if result]
    for what, parts in facts.items():
        if text := ", ".join(part for part in parts if part):
            yield Event(None, what, (text,))


def _fetched(stored: StoredRecord) -> Iterator[str]:
    detection = stored.record.detection
    if detection is None:
        yield "Cloudflare had no detection"
        return
    action = f"; its action: {detection.action}" if detection.action else ""
    yield f"Cloudflare's disposition: {stored.record.disposition or 'none'}{action}"
    found = [counted(detection.counts[name], *words) for name, words in _LISTS.items() if detection.counts.get(name)]
    yield f"found {', '.join(found) if found else 'no links, attachments or findings'}"
    if names := [it.name for it in detection.threat_categories if it.name]:
        yield f"threat: {', '.join(_first(names))}"
    if stored.dropped:
        yield f"cut to fit into the record: {', '.join(stored.dropped)}"


def _decided(stored: StoredRecord) -> Iterator[str]:
    record = stored.record
    reason = f"{REASONS[record.reason]} ({record.reason})" if record.reason in REASONS else record.reason
    yield f"{OUTCOMES.get(record.outcome, record.outcome)}: {reason}"
    if record.detail:
        yield record.detail
    if record.severity:
        yield f"severity {record.severity}; {_delivery(record)}"
    if record.previous:
        yield f"previous alert: {record.previous.disposition} (alert {record.previous.alert_id})"
    yield f"EscalateOn at that time: {', '.join(record.escalate_on) or 'empty'}"
    yield f"by release {stored.release or 'unknown'}, with contract {stored.schema_version or 'unknown'}"


def _campaign(record: Record) -> Iterator[str]:
    place = record.campaign
    if place is None:
        return
    yield f"{_ROLES[place.role]} {place.id}, which began at {moment(place.since)}"
    if place.new:
        yield f"it brings a new {', '.join(place.new)}"
    yield "people are notified" if record.notified else "people are not notified"


def _delivery(record: Record) -> str:
    source = record.feed if record.details is None or record.details_at else record.details
    return record.locations + _status(source.delivery_status if source else ())


def _status(statuses: Sequence[str]) -> str:
    return f" (Cloudflare's status: {', '.join(statuses)})" if statuses else ""


def _claimed(claim: RecordClaim, alert_id: str | None) -> Iterator[str]:
    yield f"by invocation {claim.owner}, to publish alert {alert_id or 'unknown'}"
    if claim.count > 1:
        yield f"claim number {claim.count}: the previous owner did not finish, or its result was lost"


def _end(stored: StoredRecord, now: datetime) -> Event:
    """The last event: how far the record came."""
    outcome = stored.record.outcome
    match stored.state:
        case State.SENT:
            return Event(stored.published_at, "published", tuple(_published(stored)))
        case State.PENDING:
            return Event(None, "pending", tuple(_pending(stored.claim, now)), urgent=True)
        case State.REPLACED:
            lines = "the worker ended before it recorded whether the alert was sent", "the next alert took its place"
            return Event(None, "replaced", lines)
        case State.RECORDED if outcome is Outcome.REJECTED:
            return Event(None, "recorded", ("no alert: no decision was possible. Check this email yourself.",), True)
        case State.RECORDED if outcome in (Outcome.ESCALATED, Outcome.CLOSED):
            return Event(None, "recorded", ("complete without an alert: the deployment has no alert topic",))
        case State.RECORDED:
            return Event(None, "recorded", ("no alert was needed",))


def _published(stored: StoredRecord) -> Iterator[str]:
    yield f"alert {stored.alert_id or 'unknown'}"
    receipts = stored.receipts or {"": stored.sns_message_id or "unknown"}
    for topic, message_id in receipts.items():
        yield f"as SNS message {message_id}{f' to the {topic} topic' if topic else ''}"
    if stored.seconds_to_publish is not None:
        yield f"{duration(stored.seconds_to_publish)} after it was queued"
    if stored.seconds_from_scan is not None:
        yield f"{duration(stored.seconds_from_scan)} after Cloudflare scanned it"


def _pending(claim: RecordClaim | None, now: datetime) -> Iterator[str]:
    until = claim.lease_until if claim else None
    if until and until > now:
        yield f"in progress: the lease expires in {duration((until - now).total_seconds())}"
        yield "run this command again after that"
        return
    since = f" {duration((now - until).total_seconds())} ago" if until else ""
    yield f"the lease expired{since} and the alert is not confirmed: it may have been sent, or not"
    yield "the next receive of the request claims the record again and sends the alert, with the same alert_id"
    yield "if that does not happen: run `escalator redrive list`, or send the id again; inform your team meanwhile"


def _first(texts: Sequence[str]) -> list[str]:
    """The first items of a list, and how many more there are."""
    more = len(texts) - _MAX_LISTED
    return [*texts[:_MAX_LISTED], *([f"and {more:,} more"] if more > 0 else [])]
