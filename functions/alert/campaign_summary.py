"""The summary of a campaign: how many emails, where they are, and one of them as an example."""

import hashlib
import json
import textwrap
from typing import Any

from functions.alert.alert import ALERT_LIMIT, MAX_NAME, MAX_SUBJECT, Alert, AlertOptions, describe
from functions.alert.campaign import size
from functions.alert.commands import campaign_command
from functions.alert.email_text import COLUMNS
from functions.domain.campaign import CopyCounts
from functions.domain.campaign_summary import SummaryReason
from functions.domain.record import Record

_FACTS = "\n\nEMAIL\n"
"""In the text of an alert, what comes before its facts is about that email alone."""
_ID_LENGTH = 12
"""Characters of a campaign's id in the subject."""
_ROOM = 8 * 1024
"""Bytes for what a summary says beside its example."""
ACTIVITY = "Summary"
"""The attribute `activity` of a summary."""
_WHY = {
    SummaryReason.LOST_PAGE: "The first alert about these emails was not published: the worker that had it stopped.",
    SummaryReason.ENDED: "The campaign has ended. This is its last summary.",
    SummaryReason.PASSED: "The campaign goes on.",
    SummaryReason.IN_INBOX: "The campaign goes on, and further emails have reached an inbox.",
}
_STEPS = (
    "Remove the emails from every inbox: search for sender and subject in Cloudflare.",
    "Find out whether a recipient opened, answered or paid: the list of the emails names them.",
    "Block sender and links, if that is not done yet.",
)


def summary_id(record: Record, number: int) -> str:
    """The alert id of a summary: 32 hexadecimal digits, the same for the same campaign and number."""
    if record.campaign is None:
        raise ValueError("a record without a campaign has no summary")
    identity = "\n".join((record.account_id, record.campaign.id, record.campaign.since.isoformat(), str(number)))
    return hashlib.sha256(identity.encode()).hexdigest()[:32]


def describe_summary(
    record: Record, counts: CopyCounts, reason: SummaryReason, alert_id: str, options: AlertOptions
) -> Alert:
    """Build the summary. record: the most severe copy, which is the example."""
    example = describe(record, options, limit=ALERT_LIMIT - _ROOM)
    campaign = record.campaign.id if record.campaign else ""
    headline = f"{record.disposition} campaign: {counts.copies:,} emails, {counts.in_inbox:,} in an inbox"
    start, end = f"[{record.severity}] {headline}", f": {campaign[:_ID_LENGTH]}"
    name = f" ({options.deployment[:MAX_NAME]})" if options.deployment else ""
    subject = f"{start}{name if len(start + name + end) <= MAX_SUBJECT else ''}{end}"
    whole = f"{size(counts)[0].upper()}{size(counts)[1:]}."
    commands = campaign_command(campaign, options.stack, COLUMNS - 2) if options.stack else []
    text = "\n".join(
        (
            headline,
            "=" * min(len(headline), COLUMNS),
            "",
            textwrap.fill(f"{whole} {_WHY[reason]}", COLUMNS),
            "",
            "WHAT TO DO",
            *(
                textwrap.fill(f"{n}. {step}", COLUMNS, initial_indent="  ", subsequent_indent="     ")
                for n, step in enumerate(_STEPS, 1)
            ),
            "",
            *(["LIST THE EMAILS", *(f"  {line}" for line in commands), ""] if commands else []),
            "THE MOST SEVERE EMAIL",
            example.bodies["email"].partition(_FACTS)[2],
        )
    )
    bodies = {"default": _finding(example.finding, headline, whole, alert_id, counts), "email": text, "sms": subject}
    if "https" in example.bodies:
        bodies["https"] = _chat(
            example.bodies["https"], f"{record.severity}: {headline}", f"{whole} {_WHY[reason]}", alert_id
        )
    attributes = example.attributes | {"alert_id": alert_id, "activity": ACTIVITY, "notify": "true"}
    return Alert(alert_id, subject, bodies, attributes)


def _finding(text: str, headline: str, whole: str, alert_id: str, counts: CopyCounts) -> str:
    """The finding of the example, as an update of the campaign that is no alert of its own."""
    finding: dict[str, Any] = json.loads(text)
    campaign = finding["unmapped"]["campaign"]
    finding |= {
        "activity_id": 2,
        "activity_name": "Update",
        "type_uid": 200402,
        "type_name": "Detection Finding: Update",
        "status_id": 2,
        "status": "In Progress",
        "is_alert": False,
        "message": headline,
        "count": counts.copies,
        "remediation": {"desc": " ".join(f"{n}. {step}" for n, step in enumerate(_STEPS, 1))},
    }
    finding["metadata"]["uid"] = f"{alert_id}-{counts.copies}"
    finding["finding_info"] |= {"uid": campaign["id"], "title": headline, "desc": whole}
    finding["unmapped"] |= {"alert_id": alert_id}
    campaign |= {
        "role": "summary",
        "new": [],
        "copies": counts.copies,
        "in_inbox": counts.in_inbox,
        "people": counts.people,
    }
    return json.dumps(finding, ensure_ascii=False, separators=(",", ":"))


def _chat(text: str, title: str, description: str, alert_id: str) -> str:
    """The notification of the example, with the summary before its facts."""
    notification: dict[str, Any] = json.loads(text)
    content, metadata = notification["content"], notification["metadata"]
    colour = content["title"].partition(" ")[0]
    facts = content["description"].partition("\n")[2]
    content |= {"title": f"{colour} {title}", "description": f"{description}\n{facts}", "nextSteps": [*_STEPS]}
    metadata |= {"summary": title, "eventType": "campaign-summary"}
    metadata["additionalContext"] |= {"alert_id": alert_id}
    notification["id"] = alert_id
    return json.dumps(notification, ensure_ascii=False, separators=(",", ":"))
