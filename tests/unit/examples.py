"""One message, one mail, one record: for what a test needs and does not care about."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from functions.cloudflare.context import Context, read_context
from functions.cloudflare.detection import Detection, read_detection
from functions.cloudflare.message_id import MessageId
from functions.escalate.decision import weighed
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

FULL: dict[str, Any] = RESULT | {
    "attachments": [{"size": 7, "name": "invoice.pdf.exe", "sha256": "0" * 64}],
    "findings": [{"name": "look", "reason": "Credential harvester", "score": 0.5}],
    "headers": [
        {"name": "From", "value": "Payroll <pay@evil.example>"},
        {"name": "To", "value": "Gareth <gareth@larkfield.example>"},
        {"name": "Subject", "value": "Your invoice"},
    ],
    "links": [{"href": "https://login.evil.example/a", "text": "click"}],
    "sender_info": {
        "as_name": "EXAMPLE-NET",
        "as_number": 64500,
        "geo": "US/-/-",
        "ip": "192.0.2.1",
        "pld": "evil.example",
    },
    "threat_categories": [{"id": 1, "name": "Phish"}],
    "validation": {"spf": "fail", "dkim": "none", "dmarc": "fail"},
}
"""An ordinary one, with something in every list."""

CONTEXT: dict[str, Any] = {
    "id": INVESTIGATE_ID,
    "subject": "Your invoice",
    "from": "pay@evil.example",
    "from_name": "Payroll",
    "envelope_from": "bounce@evil.example",
    "to": ["gareth@larkfield.example"],
    "envelope_to": ["gareth@larkfield.example"],
    "client_recipients": ["gareth@larkfield.example"],
    "message_id": "<1@evil.example>",
    "delivery_mode": "DIRECT",
    "delivery_status": ["quarantined"],
    "is_quarantined": True,
    "scanned_at": "2024-01-05T10:00:02Z",
    "sent_at": "2024-01-05T10:00:00Z",
    "detection_reasons": [],
}

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


def context(**fields: object) -> Context:
    """A context with these fields in place of the ordinary ones."""
    return read_context(CONTEXT | fields)


def escalated(**fields: Any) -> Record:
    """A record of what somebody is to be told of, as the decision leaves it, with these fields in place of others."""
    return weighed(record(**{"detection": detection(), "escalates": True} | fields))


def record(**fields: Any) -> Record:
    """A record with these fields in place of the ordinary ones."""
    return replace(_RECORD, **fields)
