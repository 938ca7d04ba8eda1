"""One message of the dead-letter queue, parsed once."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from functions.domain.outcome import Reason
from functions.escalate.queues import EMPTY
from functions.escalate.sqs_message import FIRST_SEEN, read_messages
from ops.escalator.dead_letters.notification import Notification, read_notification

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageAttributeValueOutputTypeDef, MessageTypeDef

RETRIES_EXHAUSTED = "retries-exhausted"
"""Shown for a message that SQS moved itself, which has no `reason` attribute."""
UNDELIVERED = "undelivered"
"""Shown for a message that SNS could not deliver to a subscriber."""
_UNRETRYABLE = {Reason.MALFORMED_BODY, Reason.NOT_A_REQUEST, Reason.INVALID_ID, Reason.ACCOUNT_NOT_CONFIGURED}
"""The error is in the body of the message, so every retry ends in the same way."""
_FUNCTION_ATTRIBUTES = {"reason", "detail", "sqs_message_id", FIRST_SEEN}


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message.

    queued:        when the first copy was queued, if the message says so, else when this copy was.
    receive_count: how often SQS has delivered it from the dead-letter queue, including this time.
    attributes:    set by the senders of the message.
    notification:  of a message that SNS could not deliver; None for any other, and with raw message delivery.
    system:        set by SQS.
    """

    id: str
    body: str
    reason: str
    detail: str
    queued: datetime
    receive_count: int
    receipt_handle: str
    attributes: "Mapping[str, MessageAttributeValueOutputTypeDef]"
    system: Mapping[str, str]
    notification: Notification | None = None

    @property
    def is_unretryable(self) -> bool:
        """Whether the function would reject the message again."""
        return self.body == EMPTY or self.reason in _UNRETRYABLE

    @property
    def producer_attributes(self) -> "dict[str, MessageAttributeValueOutputTypeDef]":
        """The attributes that the producer set. A message is sent back without those of the function."""
        return {name: value for name, value in self.attributes.items() if name not in _FUNCTION_ATTRIBUTES}

    @property
    def size(self) -> int:
        """Bytes that count towards the limit of one SQS call."""
        return len(self.body.encode()) + sum(
            len(name.encode())
            + len(value["DataType"])
            + len(value.get("StringValue", "").encode())
            + len(value.get("BinaryValue", b""))
            for name, value in self.producer_attributes.items()
        )

    def as_json(self) -> dict[str, Any]:
        """All data of the message, for JSON."""
        return {
            "id": self.id,
            "reason": self.reason,
            "detail": self.detail,
            "queued": utc(self.queued),
            "receive_count": self.receive_count,
            "attributes": {name: _text(value) for name, value in sorted(self.attributes.items())},
            "system": {
                name: utc(datetime.fromtimestamp(int(value) / 1000, UTC)) if name.endswith("Timestamp") else value
                for name, value in sorted(self.system.items())
            },
            "body": self.body,
        }


def read_undelivered(received: "MessageTypeDef") -> DeadLetter:
    """Read a message of the queue of undelivered messages."""
    notification = read_notification(received["Body"])
    detail = notification.summary if notification else ""
    return replace(read_dead_letter(received), reason=UNDELIVERED, detail=detail, notification=notification)


def read_dead_letter(received: "MessageTypeDef") -> DeadLetter:
    """Read a message of the dead-letter queue, which SQS returned with all of its attributes."""
    attributes = received.get("MessageAttributes", {})
    [message] = read_messages(
        {
            "Records": [
                {
                    "messageId": received["MessageId"],
                    "receiptHandle": received["ReceiptHandle"],
                    "body": received["Body"],
                    "attributes": received["Attributes"],
                    "messageAttributes": {name: {"stringValue": _text(value)} for name, value in attributes.items()},
                }
            ]
        }
    )
    return DeadLetter(
        id=message.id,
        body=message.body,
        reason=_text(attributes.get("reason")) or RETRIES_EXHAUSTED,
        detail=_text(attributes.get("detail")),
        queued=message.first_seen,
        receive_count=message.receive_count,
        receipt_handle=message.receipt_handle,
        attributes=attributes,
        system=dict(received["Attributes"].items()),
    )


def utc(time: datetime) -> str:
    """A time as ISO 8601, in UTC, to the second."""
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _text(attribute: "MessageAttributeValueOutputTypeDef | None") -> str:
    if attribute is None:
        return ""
    binary = attribute.get("BinaryValue")
    return attribute.get("StringValue", "") if binary is None else base64.b64encode(binary).decode("ascii")
