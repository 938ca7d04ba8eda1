"""What is published about an escalation: JSON for machines, text for humans, attributes for subscription filters."""

import json
import textwrap
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from functions.cloudflare.detection import Detection
from functions.cloudflare.excerpt import Excerpt, excerpt
from functions.escalate.plain_text import defanged
from functions.ledger.record import Record, moment
from functions.release import RELEASE

ALERT_LIMIT: Final = 256 * 1024
"""Bytes of one SNS message with its attributes, and of all messages of one call together."""
_DETECTION_BUDGETS = (120 * 1024, 60 * 1024, 30 * 1024, 0)
"""Bytes of JSON for the detection, tried in turn: quotes and backslashes grow again when JSON is put into JSON."""
_COLUMNS = 72
_NAMES = 18
"""Columns of the text, and those of them that the names take."""
_SHOWN = 5
"""How many links, attachments and findings a human is shown."""

_SEVERITIES = {"MALICIOUS": "High", "SUSPICIOUS": "Medium"}


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
        return json.dumps(self.bodies, ensure_ascii=False)

    @cached_property
    def size(self) -> int:
        """Bytes that count against SNS's limit."""
        described = sum(len(name) + len("String") + len(value.encode()) for name, value in self.attributes.items())
        return len(self.message.encode()) + len(self.subject) + described


def severity(disposition: str) -> str:
    """How urgent a disposition is: High, Medium or Low."""
    return next((level for family, level in _SEVERITIES.items() if disposition.startswith(family)), "Low")


def describe(record: Record, detection: Detection) -> Alert:
    """The alert about a record whose disposition is one to escalate."""
    alerts = (_describe(record, detection, excerpt(detection, budget)) for budget in _DETECTION_BUDGETS)
    alert = next(alerts)
    while alert.size > ALERT_LIMIT:
        alert = next(alerts)
    return alert


def _describe(record: Record, detection: Detection, shown: Excerpt) -> Alert:
    disposition = record.disposition or ""
    return Alert(
        alert_id=record.alert_id,
        subject=f"[{severity(disposition)}] Cloudflare Email Security: {disposition} mail {record.id.postfix_id[:16]}",
        bodies={
            "default": json.dumps(_facts(record, shown), ensure_ascii=False),
            "email": _text(record, detection),
        },
        attributes={
            "alert_id": record.alert_id,
            "account_id": record.account_id,
            "disposition": disposition,
            "severity": severity(disposition),
        },
    )


def _facts(record: Record, shown: Excerpt) -> dict[str, object]:
    return {
        "alert_id": record.alert_id,
        "severity": severity(record.disposition or ""),
        "disposition": record.disposition,
        "reason": record.reason,
        "account_id": record.account_id,
        "id": record.id.value,
        "postfix_id": record.id.postfix_id,
        "queued_at": moment(record.queued_at),
        "fetched_at": moment(record.fetched_at),
        "decided_at": moment(record.decided_at),
        "release": RELEASE,
        "contract_drift": list(record.drift),
        "detection_counts": shown.counts,
        "truncated": list(shown.dropped),
        "detection": shown.fields,
    }


def _text(record: Record, detection: Detection) -> str:
    """At most 72 columns of plain text; everything that the mail's sender wrote is defanged."""
    sender, checks = detection.sender_info, detection.validation
    checks_in_order = (checks.spf, checks.dkim, checks.dmarc)
    rows = [
        ("Disposition", f"{record.disposition} (severity {severity(record.disposition or '')})"),
        ("Action taken", defanged(detection.action or "not given")),
        ("Mail", record.id.value),
        ("Sender", defanged(sender.pld or "unknown domain")),
        ("Sent from", defanged(sender.ip or "unknown address")),
        ("Network", f"{defanged(sender.as_name or 'unknown')} (AS{sender.as_number or ' unknown'})"),
        ("Located", defanged(sender.geo or "unknown")),
        ("SPF, DKIM, DMARC", ", ".join(defanged(it or "none given", 16) for it in checks_in_order)),
        ("Decided", moment(record.decided_at)),
        ("Alert", record.alert_id),
    ]
    lines = [line for name, value in rows for line in _row(name, value)]
    lines += _listed("Threat categories", [defanged(it.name or "unnamed", 60) for it in detection.threat_categories])
    lines += _listed(
        "Why", [defanged(it.reason or it.detail or it.name or "not given", 66) for it in detection.findings]
    )
    lines += _listed("Attachments", [defanged(it.filename or it.name or "unnamed", 66) for it in detection.attachments])
    lines += _listed("Links", [defanged(it.href or "", 66) for it in detection.links])
    if record.drift:
        lines += ["", "The answer did not match Cloudflare's contract; see contract_drift."]
    return "\n".join(lines) + "\n"


def _row(name: str, value: str) -> list[str]:
    """A name and its value, which goes on below itself where it is too long for the line."""
    first, *more = textwrap.wrap(value, _COLUMNS - _NAMES) or [""]
    return [f"{name + ':':<{_NAMES}}{first}", *(" " * _NAMES + it for it in more)]


def _listed(title: str, items: list[str]) -> list[str]:
    if not items:
        return []
    more = [f"  and {len(items) - _SHOWN} more"] if len(items) > _SHOWN else []
    return ["", f"{title} ({len(items)}):", *(f"  {it}" for it in items[:_SHOWN]), *more]
