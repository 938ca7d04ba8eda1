"""Items of the table as dataclasses: the one place where the command line parses them.

An item that this release cannot read becomes an `UnreadableRecord`, so that one odd item never stops the others.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from functions.domain.email_state import EmailState
from functions.domain.message_details import Delivery
from functions.domain.outcome import Outcome, Reason
from functions.domain.record import CampaignRole, Record, State
from functions.domain.severity import Severity
from functions.domain.times import read_time
from functions.ledger.email_item import read_email
from functions.ledger.item import read_record
from functions.ledger.keys import email_of
from ops.escalator.records.attribute import (
    InvalidAttribute,
    boolean,
    counts,
    epoch_time,
    integer,
    mapping,
    optional,
    required,
    text,
    texts,
    utc_time,
)

Item = dict[str, Any]
"""An item of the table as plain JSON values, exactly as recorded."""
Check = Callable[[Any], object]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Position:
    """A record's place in every result that contains it: the time of its decision, and its key."""

    decided_at: str
    pk: str
    sk: str


@dataclass(frozen=True, slots=True)
class RecordClaim:
    """The latest claim of a record. lease_until is None once the record is complete; count: claims so far."""

    at: datetime
    owner: str
    lease_until: datetime | None
    count: int


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record, with what only the table knows about it.

    alert_id:       the id of the claimed alert; None where no alert was claimed.
    sender_domain, sender_ip: the first of those that the record can be found by.
    subject:        the beginning of the subject, also where there are no message details.
    receipts:       SNS's message id by topic, of every topic that took the alert.
    expires_at:     when DynamoDB deletes the record.
    release, schema_version: of the function that decided.
    details_counts: length of each list of the message details before it was cut. The detection has its own counts.
    erasures:       when addresses were erased, and by which identity.
    dropped:        names of the lists that were cut to fit, and `texts` where a text was cut.
    item:           the item as recorded, for --json and jsonl only.
    """

    record: Record
    state: State
    position: Position
    alert_id: str | None
    sender_domain: str | None
    sender_ip: str | None
    subject: str | None
    claim: RecordClaim | None
    published_at: datetime | None
    sns_message_id: str | None
    receipts: Mapping[str, str]
    expires_at: datetime | None
    release: str | None
    schema_version: str | None
    details_counts: Mapping[str, int]
    dropped: tuple[str, ...]
    erasures: tuple[tuple[datetime, str], ...]
    item: Item = field(repr=False)

    @property
    def seconds_to_publish(self) -> float | None:
        """Seconds from the request's arrival to the alert; None where no alert was published."""
        return (self.published_at - self.record.queued_at).total_seconds() if self.published_at else None

    @property
    def seconds_from_scan(self) -> float | None:
        """Seconds from Cloudflare's scan to the alert; None where no alert was published, or the scan's time is unknown."""
        scanned_at = read_time(self.record.details.scanned_at) if self.record.details else None
        return (self.published_at - scanned_at).total_seconds() if self.published_at and scanned_at else None


@dataclass(frozen=True, slots=True)
class UnreadableRecord:
    """An item that this release cannot read, with the attribute at fault. The problem may quote hostile text."""

    position: Position
    attribute: str
    problem: str
    item: Item = field(repr=False)

    def __str__(self) -> str:
        return f"{self.position.pk} {self.position.sk}: attribute {self.attribute} {self.problem}"


@dataclass(frozen=True, slots=True)
class StoredEmail:
    """What is known of one email: its deliveries and its last alert. email: as in `EmailId.email`."""

    email: str
    account_id: str
    state: EmailState
    item: Item = field(repr=False)


AnyRecord = StoredRecord | UnreadableRecord


def read_stored_record(item: Item) -> AnyRecord:
    """Parse a record's item. Never raises."""
    return parsed(item, _stored_record)


def read_stored_email(item: Item) -> StoredEmail | UnreadableRecord:
    """Parse the item of an email. Never raises."""
    return parsed(item, _stored_email)


def position_of(item: Item) -> Position:
    """The position of a record, from its item or from an index entry."""
    return Position(str(item.get("decided_at", "")), str(item["pk"]), str(item["sk"]))


def parsed(item: Item, parse: Callable[[Item], T]) -> T | UnreadableRecord:
    """The item as a dataclass, or what it cannot be read for. Never raises."""
    try:
        return parse(item)
    except InvalidAttribute as exc:
        return UnreadableRecord(position_of(item), exc.attribute, exc.problem, item)


def _stored_record(item: Item) -> StoredRecord:
    for name, check in _RECORD_REQUIRED.items():
        required(item, name, check)
    for name, check in _RECORD_OPTIONAL.items():
        optional(item, name, check)
    record = _domain(item, read_record)
    claimed_at = optional(item, "claimed_at", utc_time)
    dropped = (*optional(item, "detection_dropped", texts, ()), *optional(item, "details_dropped", texts, ()))
    return StoredRecord(
        record=replace(
            record,
            queued_at=record.queued_at.astimezone(UTC),
            fetched_at=record.fetched_at.astimezone(UTC),
            decided_at=record.decided_at.astimezone(UTC),
            details_at=record.details_at.astimezone(UTC) if record.details_at else None,
        ),
        state=required(item, "state", State),
        position=position_of(item),
        alert_id=optional(item, "alert_id", text),
        sender_domain=optional(item, "sender_domain", text),
        sender_ip=optional(item, "sender_ip", text),
        subject=optional(item, "subject", text),
        claim=RecordClaim(
            at=claimed_at,
            owner=optional(item, "owner", text, "unknown"),
            lease_until=optional(item, "lease_until", utc_time),
            count=optional(item, "claim_count", integer, 1),
        )
        if claimed_at
        else None,
        published_at=optional(item, "published_at", utc_time),
        sns_message_id=optional(item, "sns_message_id", text),
        receipts=optional(item, "receipts", mapping, {}),
        expires_at=optional(item, "expires_at", epoch_time),
        release=optional(item, "release", text),
        schema_version=optional(item, "schema_version", text),
        details_counts=optional(item, "details_counts", counts, {}),
        dropped=tuple(dict.fromkeys(dropped)),
        erasures=optional(item, "erasures", _erasures, ()),
        item=item,
    )


def _erasures(value: Any) -> tuple[tuple[datetime, str], ...]:
    if not isinstance(value, list):
        raise TypeError
    return tuple((required(it, "at", utc_time), required(it, "by", text)) for it in map(mapping, value))


def _stored_email(item: Item) -> StoredEmail:
    for name, check in _EMAIL_REQUIRED.items():
        required(item, name, check)
    for name, check in _EMAIL_OPTIONAL.items():
        optional(item, name, check)
    for delivery in item["deliveries"].values():
        for name, check in _DELIVERY_REQUIRED.items():
            required(delivery, name, check)
    return StoredEmail(email_of(item["sk"]), item["sk"].partition("/")[0], _domain(item, read_email), item)


def _domain(item: Item, read: Callable[[Mapping[str, Any]], T]) -> T:
    """Parse an item with the ledger's own reader, after its types are checked."""
    try:
        return read(item)
    except KeyError as exc:
        raise InvalidAttribute(str(exc.args[0]), "is missing") from exc
    except (ValueError, TypeError, AttributeError) as exc:
        raise InvalidAttribute("(unknown)", "has a value that this release does not know") from exc


_RECORD_REQUIRED: Mapping[str, Check] = {
    "account_id": text,
    "id": text,
    "outcome": Outcome,
    "reason": Reason,
    "escalate_on": texts,
    "queued_at": utc_time,
    "fetched_at": utc_time,
    "decided_at": utc_time,
    "sqs_message_id": text,
    "drift": texts,
    "revision": integer,
}
_RECORD_OPTIONAL: Mapping[str, Check] = {
    "investigate_id": text,
    "cloudflare_alert_id": text,
    "disposition": text,
    "activity": text,
    "severity": Severity,
    "detail": text,
    "detection": mapping,
    "detection_counts": counts,
    "details": mapping,
    "details_at": utc_time,
    "details_pending": boolean,
    "feed": mapping,
    "delivery": Delivery,
    "previous_disposition": text,
    "previous_alert_id": text,
    "previous_notified": boolean,
    "campaign": text,
    "campaign_role": CampaignRole,
    "campaign_since": utc_time,
    "campaign_new": texts,
    "notified": boolean,
}
"""Types that `read_record` relies on. What is inside the detection and the details it reads leniently itself."""
_EMAIL_REQUIRED: Mapping[str, Check] = {
    "version": integer,
    "deliveries": lambda value: [mapping(it) for it in mapping(value).values()],
    "recipients": texts,
    "last_disposition": text,
    "last_severity": Severity,
    "alert_id": text,
    "revision": integer,
    "escalated": boolean,
    "alert_decided_at": utc_time,
}
_EMAIL_OPTIONAL: Mapping[str, Check] = {
    "previous_disposition": text,
    "previous_alert_id": text,
    "previous_notified": boolean,
    "notified": boolean,
    "complete_alert": text,
}
_DELIVERY_REQUIRED: Mapping[str, Check] = {
    "disposition": text,
    "escalates": boolean,
    "severity": Severity,
    "delivery": Delivery,
    "fetched_at": utc_time,
}
