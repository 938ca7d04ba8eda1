"""An SQS record as Lambda hands it over, parsed once."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from aws_lambda_powertools.utilities.data_classes import SQSEvent
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

FIRST_SEEN = "first_seen"
"""Message attribute that travels along when a message is sent again: epoch milliseconds of its first arrival."""

_LONGEST_KEPT = timedelta(days=14)
"""SQS keeps no message for longer."""
_EPOCH_MS = re.compile(r"[0-9]{13}")


@dataclass(frozen=True, slots=True)
class Message:
    """One SQS message.

    receives:    how often SQS has delivered it, this time included.
    sent_at:     when this copy was put on the queue (UTC).
    first_seen:  when its first copy was (UTC); later than that only after a DEFERRED outcome.
    """

    id: str
    body: str
    receipt_handle: str
    receives: int
    sent_at: datetime
    first_seen: datetime


def read_messages(event: dict[str, object]) -> list[Message]:
    """The messages of an SQS event, in its order. An event that is not SQS's raises KeyError: the trigger is wrong."""
    return [_read(record) for record in SQSEvent(event).records]


def _read(record: SQSRecord) -> Message:
    sent_at = _moment(record.attributes.sent_timestamp)
    return Message(
        id=record.message_id,
        body=record.body,
        receipt_handle=record.receipt_handle,
        receives=int(record.attributes.approximate_receive_count),
        sent_at=sent_at,
        first_seen=_first_seen(record, sent_at) or sent_at,
    )


def _first_seen(record: SQSRecord, sent_at: datetime) -> datetime | None:
    """The attribute is also within a producer's reach: what is not a plausible time is as good as absent."""
    attribute = record.message_attributes[FIRST_SEEN]
    if attribute is None or not _EPOCH_MS.fullmatch(attribute.get("stringValue") or ""):
        return None
    first = _moment(attribute["stringValue"])
    return first if timedelta() <= sent_at - first <= _LONGEST_KEPT else None


def _moment(epoch_ms: str) -> datetime:
    return datetime.fromtimestamp(int(epoch_ms) / 1000, UTC)
