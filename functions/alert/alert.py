"""Build one SNS message: a body for each protocol, and attributes.

SNS rejects a message over its size limit, so a large alert is reduced. Lists are cut first, each from its end, in this
order: headers, links, findings, attachments, threat categories, and the lists of the message details. Texts are cut
last. Ids, disposition, severity and counts always stay; `truncated` says that something is missing.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from functions.alert.chat import notification
from functions.alert.email_text import email_text
from functions.alert.guidance import headline
from functions.alert.mask import masked
from functions.alert.ocsf_finding import EMPTY, finding
from functions.domain.detection import read_detection
from functions.domain.recipients import recipients
from functions.domain.record import Record
from functions.domain.truncate import TEXT_LIMIT, truncate

ALERT_LIMIT: Final = 256 * 1024
"""Bytes of one SNS message with its attributes, and of all messages in one PublishBatch call."""
_BUDGETS = (
    (120, 20, TEXT_LIMIT),
    (60, 10, TEXT_LIMIT),
    (30, 5, TEXT_LIMIT),
    (12, 2, TEXT_LIMIT),
    (4, 1, 200),
    (0, 0, 50),
)
"""KB of JSON for the detection, KB for the message details, and characters of a text. They are tried in this order
until the alert fits. Quotes and backslashes grow when JSON is embedded in JSON, so the size is checked after
encoding."""
MAX_SUBJECT: Final = 99
"""Characters. SNS requires a subject of less than 100."""


@dataclass(frozen=True, slots=True)
class AlertOptions:
    """How this deployment publishes alerts.

    mask_recipients: mask recipients' addresses in everything that is published.
    chat: https subscribers are a chat, and receive a chat notification.
    """

    mask_recipients: bool = False
    chat: bool = False


@dataclass(frozen=True)
class Alert:
    """One SNS message. `bodies` holds a text for each protocol."""

    alert_id: str
    subject: str
    bodies: dict[str, str]
    attributes: dict[str, str]

    @cached_property
    def message(self) -> str:
        """Return the bodies as JSON, for MessageStructure `json`."""
        return _json(self.bodies)

    @cached_property
    def size(self) -> int:
        """Return the bytes that count against SNS's limit."""
        attributes = sum(len(name) + len("String") + len(value.encode()) for name, value in self.attributes.items())
        return len(self.message.encode()) + len(self.subject) + attributes


def describe(record: Record, options: AlertOptions = AlertOptions()) -> Alert:
    """Build the alert about a record with disposition and severity."""
    addresses = recipients(record.detection, record.details)
    if options.mask_recipients:
        record, addresses = masked(record, addresses)
    candidates = _candidates(record, addresses, options)
    alert = next(candidates)
    while alert.size > ALERT_LIMIT:
        alert = next(candidates)
    return alert


def _candidates(record: Record, addresses: Sequence[str], options: AlertOptions) -> Iterator[Alert]:
    """Yield the same alert, each time within a smaller budget."""
    detection = record.detection or read_detection({})
    line = subject(record)
    bodies = {"email": email_text(record, addresses), "sms": line}
    if options.chat:
        bodies["https"] = _json(notification(record, addresses))
    for detection_kb, details_kb, text_limit in _BUDGETS:
        kept = truncate(detection, detection_kb * 1024, text_limit)
        details = truncate(record.details, details_kb * 1024, text_limit) if record.details else EMPTY
        ocsf = _json(finding(record, kept, details))
        yield Alert(record.alert_id, line, {"default": ocsf} | bodies, _attributes(record))


def subject(record: Record) -> str:
    """Return the subject: one line of printable ASCII.

    It has at most `MAX_SUBJECT` characters, and none of them is from the email.
    """
    previous = record.previous.disposition if record.previous else record.disposition
    change = f", was {previous}" if record.escalates and previous != record.disposition else ""
    start, end = f"[{record.severity}] ", f": {record.id.postfix_id[:16]}"
    room = MAX_SUBJECT - len(start) - len(end)
    return f"{start}{f'{headline(record)}{change}'[:room]}{end}"


def _json(value: object) -> str:
    """Encode without spaces, because the size counts."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _attributes(record: Record) -> dict[str, str]:
    """Return the message attributes that a subscription's filter policy can match."""
    return {
        "alert_id": record.alert_id,
        "account_id": record.account_id,
        "activity": record.activity,
        "delivered": record.delivery.delivered,
        "disposition": record.disposition or "",
        "severity": record.severity or "",
    }
