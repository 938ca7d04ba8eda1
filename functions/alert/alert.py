"""Build the two SNS messages of an alert: one for machines, one for people.

SNS documents that attributes are not sent beside a message with a body for each protocol. So a filter by attribute may see
none there. The finding has attributes and one body; the message for people has a body for each protocol and no filter.

SNS rejects a message over its size limit, so a large alert is reduced. Lists are cut first, each from its end, in this
order: headers, links, findings, attachments, threat categories, and the lists of the message details. Texts are cut
last. Ids, disposition, severity and counts always stay; `truncated` says that something is missing.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Final

from functions.alert.chat import notification
from functions.alert.commands import NOTHING, Earlier
from functions.alert.email_text import email_text
from functions.alert.guidance import headline
from functions.alert.mask import masked
from functions.alert.notice import TEST_ACTIVITY, Notice, paragraph, prefix
from functions.alert.ocsf_finding import EMPTY, finding
from functions.domain.detection import read_detection
from functions.domain.header_fields import HeaderFields, header_fields
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
MAX_NAME = 24
"""Characters of the deployment's name in the subject."""
MAX_SUBJECT: Final = 99
"""Characters. SNS requires a subject of less than 100."""


class Audience(StrEnum):
    """Who subscribes to a topic. Its value names the topic in a record's receipts."""

    FINDINGS = "findings"
    """Machines: SIEM, case systems, pagers. Every alert, as an OCSF finding."""
    PEOPLE = "people"
    """E-mail, SMS, chat: what a human should see now."""


@dataclass(frozen=True, slots=True)
class AlertOptions:
    """How this deployment publishes alerts.

    deployment: the name of this deployment, in printable ASCII. stack: that of its stack, for commands.
    mask_recipients: mask recipients' addresses in everything that is published.
    chat: https subscribers are a chat, and receive a chat notification.
    """

    mask_recipients: bool = False
    chat: bool = False
    deployment: str = ""
    stack: str = ""


@dataclass(frozen=True)
class Alert:
    """One alert. `bodies` holds the finding as `default`, and a text for each protocol of people."""

    alert_id: str
    subject: str
    bodies: dict[str, str]
    attributes: dict[str, str]

    @property
    def notify(self) -> bool:
        """Return whether people are notified."""
        return self.attributes["notify"] == "true"

    @property
    def finding(self) -> str:
        """Return the message for machines."""
        return self.bodies["default"]

    @cached_property
    def message(self) -> str:
        """Return the message for people, for MessageStructure `json`. SNS requires a `default`."""
        return _json(self.bodies | {"default": self.bodies["sms"]})

    @cached_property
    def size(self) -> int:
        """Return the bytes of the larger message, as they count against SNS's limit."""
        return max(self.size_for(audience) for audience in Audience)

    def size_for(self, audience: Audience) -> int:
        """Return the bytes of one message, with its subject and attributes."""
        if audience is Audience.PEOPLE:
            return len(self.message.encode()) + len(self.subject)
        attributes = sum(len(name) + len("String") + len(value.encode()) for name, value in self.attributes.items())
        return len(self.finding.encode()) + len(self.subject) + attributes


def describe(
    record: Record,
    options: AlertOptions = AlertOptions(),
    earlier: Earlier = NOTHING,
    notice: Notice | None = None,
    *,
    limit: int = ALERT_LIMIT,
) -> Alert:
    """Build the alert about a record with disposition and severity.

    notice: marks a test or a repeat. limit: bytes.
    """
    fields = header_fields(record.detection, record.details)
    if options.mask_recipients:
        record, fields = masked(record, fields)
    candidates = _candidates(record, fields, options, earlier, notice)
    alert = next(candidates)
    while alert.size > limit:
        alert = next(candidates)
    return alert


def _candidates(
    record: Record,
    fields: HeaderFields,
    options: AlertOptions,
    earlier: Earlier,
    notice: Notice | None,
) -> Iterator[Alert]:
    """Yield the same alert, each time within a smaller budget."""
    detection = record.detection or read_detection({})
    line = subject(record, options.deployment, notice)
    text = email_text(record, fields, options.deployment, options.stack, earlier)
    bodies = {"email": f"{paragraph(notice)}{text}", "sms": line}
    if options.chat:
        bodies["https"] = _json(notification(record, fields, options.deployment, notice, earlier.copies))
    for detection_kb, details_kb, text_limit in _BUDGETS:
        kept = truncate(detection, detection_kb * 1024, text_limit)
        details = truncate(record.details, details_kb * 1024, text_limit) if record.details else EMPTY
        ocsf = _json(finding(record, fields, kept, details, notice=notice, copies=earlier.copies))
        yield Alert(record.alert_id, line, {"default": ocsf} | bodies, _attributes(record, notice))


def subject(record: Record, deployment: str = "", notice: Notice | None = None) -> str:
    """Return the subject: one line of printable ASCII.

    It has at most `MAX_SUBJECT` characters, and none of them is from the email.
    """
    previous = record.previous.disposition if record.previous else record.disposition
    change = f", was {previous}" if record.escalates and previous != record.disposition else ""
    name = f" ({deployment[:MAX_NAME]})" if deployment else ""
    start, end = f"{prefix(notice)}[{record.severity}] ", f"{name}: {record.id.postfix_id[:16]}"
    room = MAX_SUBJECT - len(start) - len(end)
    return f"{start}{f'{headline(record)}{change}'[:room]}{end}"


def _json(value: object) -> str:
    """Encode without spaces, because the size counts."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _attributes(record: Record, notice: Notice | None) -> dict[str, str]:
    """Return the attributes of the finding, which a subscription's filter policy can match.

    There are 7, and 8 of a repeat. SNS discards a message with more than 10 for a queue with raw delivery.
    """
    attributes = {
        "alert_id": record.alert_id,
        "account_id": record.account_id,
        "activity": TEST_ACTIVITY if notice is Notice.TEST else record.activity,
        "delivered": record.delivery.delivered,
        "disposition": record.disposition or "",
        "notify": str(record.notified).lower(),
        "severity": record.severity or "",
    }
    return attributes | ({"repeat": "true"} if notice is Notice.REPEAT else {})
