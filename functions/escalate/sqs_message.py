"""SQS record -> message. Parsed once, at the boundary."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from aws_lambda_powertools.utilities.data_classes import SQSEvent
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from functions.domain.feed_facts import FeedFacts, read_feed_text

FIRST_SEEN = "first_seen"
"""Message attribute that requeued copies keep: epoch milliseconds of the first arrival."""
FROM_FEED = "from_feed"
"""Message attribute with what the feed says about the delivery (functions/domain/feed_facts.py). Requeued copies keep it."""

_MAX_RETENTION = timedelta(days=14)
"""SQS keeps no message for longer."""
_EPOCH_MS = re.compile(r"[0-9]{13}")


@dataclass(frozen=True, slots=True)
class Message:
    """One SQS message.

    receive_count: how often SQS has delivered it, including this time.
    sent_at:       when this copy was sent to the queue (UTC).
    first_seen:    when the first copy was sent (UTC). Differs from sent_at only after a DEFERRED outcome.
    feed:          what the feed says, if it sent the first copy. It reads what comes of the message.
    """

    id: str
    body: str
    receipt_handle: str
    receive_count: int
    sent_at: datetime
    first_seen: datetime
    feed: FeedFacts | None = None


def read_messages(
    event: dict[str, object], role_id: str | None = None, feed_role_id: str | None = None
) -> list[Message]:
    """The messages of an SQS event, in order.

    role_id: of the function's role. Its attributes are believed only from this role, or from every sender if it is None.
    feed_role_id: of the feed's role; None without a feed.
    Raises KeyError for an event of another source: the trigger is wrong.
    """
    return [_read(record, role_id, feed_role_id) for record in SQSEvent(event).records]


def _read(record: SQSRecord, role_id: str | None, feed_role_id: str | None) -> Message:
    sent_at = _time(record.attributes.sent_timestamp)
    is_ours = _is_sent_by(role_id, record)
    return Message(
        id=record.message_id,
        body=record.body,
        receipt_handle=record.receipt_handle,
        receive_count=int(record.attributes.approximate_receive_count),
        sent_at=sent_at,
        first_seen=(_first_seen(record, sent_at) if is_ours else None) or sent_at,
        feed=_feed_facts(record, role_id, feed_role_id),
    )


def _is_sent_by(role_id: str | None, record: SQSRecord) -> bool:
    """Whether a role sent the message. SQS sets SenderId, for a role to `RoleId:session`; no producer can choose it."""
    return role_id is None or str(record.attributes.get("SenderId")).startswith(f"{role_id}:")


def _feed_facts(record: SQSRecord, role_id: str | None, feed_role_id: str | None) -> FeedFacts | None:
    """What the feed says; None unless its role sent the message, or the function's role a copy of it.

    A body, and an attribute of any other sender, never counts: it would change the severity of an alert.
    """
    if feed_role_id is None:
        return None
    attribute = record.message_attributes[FROM_FEED]
    is_copy = attribute is not None and role_id is not None and _is_sent_by(role_id, record)
    if not (is_copy or _is_sent_by(feed_role_id, record)):
        return None
    return read_feed_text(attribute.get("stringValue") or "" if attribute else "")


def _first_seen(record: SQSRecord, sent_at: datetime) -> datetime | None:
    """The time of the first arrival, or None. Implausible times are ignored."""
    attribute = record.message_attributes[FIRST_SEEN]
    if attribute is None or not _EPOCH_MS.fullmatch(attribute.get("stringValue") or ""):
        return None
    first_seen = _time(attribute["stringValue"])
    return first_seen if timedelta() <= sent_at - first_seen <= _MAX_RETENTION else None


def _time(epoch_ms: str) -> datetime:
    return datetime.fromtimestamp(int(epoch_ms) / 1000, UTC)
