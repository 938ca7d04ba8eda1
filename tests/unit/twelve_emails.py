"""Twelve kinds of email, each with the facts that every view has to show."""

from dataclasses import dataclass, field
from typing import Any

from functions.domain.detection import read_detection
from functions.domain.message_details import read_message_details
from functions.domain.record import Record
from functions.escalate.decision import with_severity
from tests.unit.examples import DETAILS, RESULT, escalated

HEADERS_ONLY = None
VICTIM = "ann@corp.example"
_PLAIN = {
    "from": "help@evil.example",
    "from_name": "Help desk",
    "to": [VICTIM],
    "envelope_to": [],
    "client_recipients": [VICTIM],
}


@dataclass(frozen=True)
class Kind:
    """Cloudflare's answers about one email, and its facts.

    details: what replaces fields of the message details; None if there are none. location: where the email is, in words.
    """

    detection: dict[str, Any]
    details: dict[str, Any] | None
    location: str
    subject: str
    sender: str = "Help desk <help@evil.example>"
    recipients: tuple[str, ...] = (VICTIM,)
    hosts: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    disposition: str = "MALICIOUS"
    reply_to: str = ""
    categories: tuple[str, ...] = field(default=())

    @property
    def record(self) -> Record:
        """The record of an alert about the email."""
        detection = RESULT | self.detection | {"final_disposition": self.disposition}
        detection |= {"threat_categories": [{"name": it} for it in self.categories]}
        if self.details is not None:
            details = read_message_details(DETAILS | _PLAIN | {"subject": self.subject} | self.details)
        else:
            details = None
        record = escalated(disposition=self.disposition, detection=read_detection(detection), details=details)
        return with_severity(record)


def header(name: str, value: str) -> dict[str, str]:
    """A header of a detection."""
    return {"name": name, "value": value}


IN_INBOX = {"delivery_status": ["delivered"], "is_quarantined": False}
KINDS: dict[str, Kind] = {
    "credential phish": Kind(
        {"links": [{"href": "https://login.evil.example/a?u=1", "text": "Sign in"}]},
        IN_INBOX,
        "in an inbox",
        "Your mailbox is full",
        hosts=("login.evil.example",),
        categories=("Credential Harvesting",),
    ),
    "QR phish": Kind(
        {"attachments": [{"name": "qr.png", "size": 900, "content_type": "image/png"}]},
        IN_INBOX,
        "in an inbox",
        "Renew your two-factor login",
        files=("qr.png",),
        categories=("QR Code Phishing",),
    ),
    "malware": Kind(
        {"attachments": [{"name": "invoice.pdf.iso", "size": 7, "sha256": "a" * 64}]},
        {},
        "quarantined",
        "Overdue invoice",
        files=("invoice.pdf.iso",),
        categories=("Malware",),
    ),
    "business email compromise": Kind(
        {},
        IN_INBOX | {"replyto": "Boss <boss@other.example>"},
        "in an inbox",
        "New bank details",
        disposition="MALICIOUS-BEC",
        reply_to="Boss <boss@other.example>",
        categories=("Invoice Fraud",),
    ),
    "callback scam": Kind({}, IN_INBOX, "in an inbox", "Call +1 (800) 555-0100 to cancel", categories=("Vishing",)),
    "suspicion without a reason": Kind({}, IN_INBOX, "in an inbox", "Hello", disposition="SUSPICIOUS"),
    "eight recipients": Kind(
        {},
        {"delivery_status": ["quarantined"] * 6 + ["delivered", "move_failed"], "is_quarantined": False},
        "2 of 8 in an inbox",
        "Team lunch",
        categories=("Phish",),
    ),
    "encoded words and no details": Kind(
        {
            "headers": [
                header("From", "=?utf-8?B?0J/QvtC00LTQtdGA0LbQutCw?= <help@evil.example>"),
                header("To", "Ann <Ann@corp.example>"),
                header("Subject", "=?utf-8?B?0JLQsNGIINGB0YfRkdGC?="),
            ]
        },
        HEADERS_ONLY,
        "delivery unknown",
        "Ваш счёт",
        sender="Поддержка <help@evil.example>",
        categories=("Phish",),
    ),
    "two From headers": Kind(
        {
            "headers": [
                header("From", "CEO <ceo@corp.example>"),
                header("From", "x <x@evil.example>"),
                header("To", VICTIM),
                header("Subject", "hello"),
                header("Subject", "urgent wire transfer"),
            ]
        },
        HEADERS_ONLY,
        "delivery unknown",
        "hello; another Subject header: urgent wire transfer",
        sender="CEO <ceo@corp.example>; another From header: x <x@evil.example>",
        categories=("Phish",),
    ),
    "display names in the details": Kind(
        {},
        {
            "to": ["Ann Lee <ann@corp.example>"],
            "client_recipients": ["Ann Lee <ANN@corp.example>"],
            "from": "Bank <b@evil.example>",
        },
        "quarantined",
        "Statement",
        sender="Bank <b@evil.example>",
        categories=("Phish",),
    ),
    "retro scan": Kind(
        {"links": [{"href": f"https://evil.example/{n}"} for n in range(47)]},
        IN_INBOX | {"delivery_mode": "RETRO_SCAN"},
        "in an inbox",
        "Old news",
        hosts=("evil.example",),
        categories=("Phish",),
    ),
    "simulation": Kind(
        {"links": [{"href": "https://training.example/"}]},
        IN_INBOX | {"delivery_mode": "SIMULATION_SUBMISSION"},
        "in an inbox",
        "Security training",
        hosts=("training.example",),
        categories=("Phish",),
    ),
}
