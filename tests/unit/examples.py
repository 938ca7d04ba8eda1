"""Example values, for what a test does not vary."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from functions.domain.detection import Detection, read_detection
from functions.domain.email_id import EmailId
from functions.domain.message_details import MessageDetails, read_message_details
from functions.domain.outcome import Outcome, Reason
from functions.domain.record import Record
from functions.escalate.decision import with_severity
from functions.escalate.sqs_message import Message
from functions.escalate.stages import Decision, MessageResult, Request

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
"""The smallest result that matches the contract."""

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
"""An ordinary result, with an item in every list."""

DETAILS: dict[str, Any] = {
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
    "post_delivery_operations": [],
}

_RECORD = Record(
    account_id=ACCOUNT,
    id=EmailId(INVESTIGATE_ID),
    outcome=Outcome.ESCALATED,
    reason=Reason.DISPOSITION_LISTED,
    escalate_on=("MALICIOUS",),
    queued_at=NOON,
    fetched_at=NOON,
    decided_at=NOON,
    sqs_message_id="70a95218-f226-45e6-b742-9761b03b8bdc",
    disposition="MALICIOUS",
)


def message(body: str) -> Message:
    """Build a message with this body, at its first delivery."""
    return Message("70a95218-f226-45e6-b742-9761b03b8bdc", body, "receipt", 1, NOON, NOON)


def detection(**fields: object) -> Detection:
    """Build a detection in which these fields replace the defaults."""
    return read_detection(RESULT | fields)


def details(**fields: object) -> MessageDetails:
    """Build message details in which these fields replace the defaults."""
    return read_message_details(DETAILS | fields)


def escalated(**fields: Any) -> Record:
    """Build an escalated record in which these fields replace the defaults."""
    return with_severity(record(**{"detection": detection(), "escalates": True} | fields))


def parsed_record(result: dict[str, Any], details_result: dict[str, Any], base: Record = _RECORD) -> Record:
    """Build a record from Cloudflare's answers as they are."""
    return replace(base, detection=read_detection(result), details=read_message_details(details_result))


def record(**fields: Any) -> Record:
    """Build a record in which these fields replace the defaults."""
    return replace(_RECORD, **fields)


def decision(decided: Record) -> Decision:
    """Build the decision of a message that has the id and the SQS message id of this record."""
    request = Request(replace(message(decided.id.value), id=decided.sqs_message_id), decided.id)
    result = MessageResult(request.message, decided.outcome, decided.reason, id=decided.id)
    return Decision(request, decided, replace(result, disposition=decided.disposition))
