"""One message of the dead-letter queue: what it asked for, and why it lies there."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from functions.escalate.message import FIRST_SEEN, read_messages
from functions.escalate.outcome import Reason
from functions.escalate.queue import EMPTY

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageAttributeValueOutputTypeDef, MessageTypeDef

RETRIES_EXHAUSTED = "retries-exhausted"
"""The reason of a message without one: SQS itself moved it here, after as many receives as the template allows."""
_WOULD_COME_BACK = {Reason.MALFORMED_BODY, Reason.INVALID_ID, Reason.ACCOUNT_NOT_CONFIGURED}
"""What is wrong with these is in their bodies, so that no later try ends otherwise."""
_FUNCTIONS_OWN = {"reason", "detail", "sqs_message_id", FIRST_SEEN}


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message.

    queued:      when it was first queued, as far as it says so itself; otherwise when it came to this queue.
    receives:    how often SQS has delivered it, this time included.
    attributes:  what its senders attached to it; system: what SQS did.
    """

    id: str
    body: str
    reason: str
    detail: str
    queued: datetime
    receives: int
    receipt_handle: str
    attributes: "Mapping[str, MessageAttributeValueOutputTypeDef]"
    system: Mapping[str, str]

    @property
    def would_come_back(self) -> bool:
        """Whether the function would only reject it again."""
        return self.body == EMPTY or self.reason in _WOULD_COME_BACK

    @property
    def senders_attributes(self) -> "dict[str, MessageAttributeValueOutputTypeDef]":
        """Its attributes without those of the function: sent back, it begins anew."""
        return {name: it for name, it in self.attributes.items() if name not in _FUNCTIONS_OWN}

    @property
    def size(self) -> int:
        """Bytes of it that count towards what SQS takes in one call."""
        return len(self.body.encode()) + sum(
            len(name.encode())
            + len(it["DataType"])
            + len(it.get("StringValue", "").encode())
            + len(it.get("BinaryValue", b""))
            for name, it in self.senders_attributes.items()
        )

    def whole(self) -> dict[str, Any]:
        """Everything about it, for JSON."""
        return {
            "id": self.id,
            "reason": self.reason,
            "detail": self.detail,
            "queued": utc(self.queued),
            "receives": self.receives,
            "attributes": {name: _text(it) for name, it in sorted(self.attributes.items())},
            "system": {
                name: utc(datetime.fromtimestamp(int(value) / 1000, UTC)) if name.endswith("Timestamp") else value
                for name, value in sorted(self.system.items())
            },
            "body": self.body,
        }


def read_dead_letter(received: "MessageTypeDef") -> DeadLetter:
    """A message as SQS gives it, with all of its attributes."""
    attributes = received.get("MessageAttributes", {})
    [message] = read_messages(
        {
            "Records": [
                {
                    "messageId": received["MessageId"],
                    "receiptHandle": received["ReceiptHandle"],
                    "body": received["Body"],
                    "attributes": received["Attributes"],
                    "messageAttributes": {name: {"stringValue": _text(it)} for name, it in attributes.items()},
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
        receives=message.receives,
        receipt_handle=message.receipt_handle,
        attributes=attributes,
        system=dict(received["Attributes"].items()),
    )


def utc(moment: datetime) -> str:
    """A moment as ISO 8601, in UTC, to the second."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _text(attribute: "MessageAttributeValueOutputTypeDef | None") -> str:
    if attribute is None:
        return ""
    binary = attribute.get("BinaryValue")
    return attribute.get("StringValue", "") if binary is None else base64.b64encode(binary).decode("ascii")
