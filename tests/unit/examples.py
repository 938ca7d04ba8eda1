"""One message, one mail, one record: for what a test needs and does not care about."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from functions.cloudflare.detection import Detection, read_detection
from functions.cloudflare.message_id import MessageId
from functions.escalate.message import Message
from functions.ledger.record import Record

ACCOUNT = "0123456789abcdef0123456789abcdef"
POSTFIX_ID = "4Njp3P0STMz2c02Q"
ALERT_ID = "4Njp3P0STMz2c02Q-2024-01-05T10:00:00"
INVESTIGATE_ID = "4Njp3P0STMz2c02Q-2024-01-05T10:00:00-12345678"
FORMS = {"postfix_id": POSTFIX_ID, "alert_id": ALERT_ID, "investigate_id": INVESTIGATE_ID}
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

RESULT: dict[str, Any] = {
    "action": "QUARANTINED",
    "attachments": [],
    "findings": None,
    "headers": [],
    "links": [],
    "sender_info": {},
    "threat_categories": [],
    "validation": None,
    "final_disposition": "MALICIOUS",
}
"""The least that matches the contract."""

_RECORD = Record(
    account_id=ACCOUNT,
    id=MessageId(INVESTIGATE_ID),
    outcome="ESCALATED",
    reason="disposition-listed",
    escalate_on=("MALICIOUS",),
    queued_at=NOON,
    fetched_at=NOON,
    decided_at=NOON,
    sqs_message_id="70a95218-f226-45e6-b742-9761b03b8bdc",
    disposition="MALICIOUS",
)


def message(body: str) -> Message:
    """A message that says this, delivered for the first time."""
    return Message("70a95218-f226-45e6-b742-9761b03b8bdc", body, "receipt", 1, NOON, NOON)


def detection(**fields: object) -> Detection:
    """A detection with these fields in place of the ordinary ones."""
    return read_detection(RESULT | fields)


def record(**fields: Any) -> Record:
    """A record with these fields in place of the ordinary ones."""
    return replace(_RECORD, **fields)
