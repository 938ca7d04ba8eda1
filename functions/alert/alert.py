"""One SNS message about a record, which SNS is sure to take: a body for each kind of subscriber, and attributes.

What is left out where it would be too large goes in this order: headers, links, findings, attachments, threat
categories, each from its end, and the context's lists with them; then the length of every text. Ids, disposition,
severity and counts stay, and `truncated` says that something went.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from functions.alert.chat import notification
from functions.alert.email_text import email_text
from functions.alert.finding import NOTHING, finding
from functions.alert.mask import masked
from functions.alert.words import headline
from functions.cloudflare.detection import read_detection
from functions.cloudflare.excerpt import TEXT_LIMIT, excerpt
from functions.cloudflare.recipients import recipients
from functions.ledger.record import Record

ALERT_LIMIT: Final = 256 * 1024
"""Bytes of one SNS message with its attributes, and of all messages of one call together."""
_BUDGETS = (
    (120, 20, TEXT_LIMIT),
    (60, 10, TEXT_LIMIT),
    (30, 5, TEXT_LIMIT),
    (12, 2, TEXT_LIMIT),
    (4, 1, 200),
    (0, 0, 50),
)
"""KB of JSON for the detection and for the context, and characters of a text: tried in turn, because quotes and
backslashes grow again when JSON is put into JSON."""
LONGEST_SUBJECT: Final = 99
"""Characters; SNS takes no more."""


@dataclass(frozen=True, slots=True)
class Style:
    """How this deployment publishes.

    mask_recipients: recipients' addresses are not to be read in what is published.
    chat: subscribers by https are a chat, and get what it shows.
    """

    mask_recipients: bool = False
    chat: bool = False


@dataclass(frozen=True)
class Alert:
    """One SNS message. `message` is JSON with a body for each kind of subscriber."""

    alert_id: str
    subject: str
    bodies: dict[str, str]
    attributes: dict[str, str]

    @cached_property
    def message(self) -> str:
        """As SNS takes it with MessageStructure json."""
        return _json(self.bodies)

    @cached_property
    def size(self) -> int:
        """Bytes that count against SNS's limit."""
        described = sum(len(name) + len("String") + len(value.encode()) for name, value in self.attributes.items())
        return len(self.message.encode()) + len(self.subject) + described


def describe(record: Record, style: Style = Style()) -> Alert:
    """The alert about a record that has a disposition and a severity."""
    people = recipients(record.detection, record.context)
    shown, people = masked(record, people) if style.mask_recipients else (record, people)
    alerts = _alerts(shown, people, style)
    alert = next(alerts)
    while alert.size > ALERT_LIMIT:
        alert = next(alerts)
    return alert


def _alerts(record: Record, people: Sequence[str], style: Style) -> Iterator[Alert]:
    """The alert, smaller each time."""
    detection = record.detection or read_detection({})
    line = subject(record)
    bodies = {"email": email_text(record, people), "sms": line}
    if style.chat:
        bodies["https"] = _json(notification(record, people))
    for kb, context_kb, text_limit in _BUDGETS:
        kept = excerpt(detection, kb * 1024, text_limit)
        context = excerpt(record.context, context_kb * 1024, text_limit) if record.context else NOTHING
        facts = _json(finding(record, kept, context))
        yield Alert(record.alert_id, line, {"default": facts} | bodies, _attributes(record))


def subject(record: Record) -> str:
    """A line of printable ASCII in which nothing was written by the mail's sender, with as much as there is room for."""
    before = record.previous.disposition if record.previous else record.disposition
    changed = f", was {before}" if record.escalates and before != record.disposition else ""
    start, end = f"[{record.severity}] ", f": {record.id.postfix_id[:16]}"
    room = LONGEST_SUBJECT - len(start) - len(end)
    return f"{start}{f'{headline(record)}{changed}'[:room]}{end}"


def _json(value: object) -> str:
    """Without blanks: every one of them would be encoded twice on its way to SNS."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _attributes(record: Record) -> dict[str, str]:
    """What a subscription's filter policy can ask for."""
    return {
        "alert_id": record.alert_id,
        "account_id": record.account_id,
        "activity": record.activity,
        "delivered": record.delivery.delivered,
        "disposition": record.disposition or "",
        "severity": record.severity or "",
    }
