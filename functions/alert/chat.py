"""The notification that Amazon Q Developer shows in Slack and Teams.

The format is schema 1.0 of its custom notifications. Each chat turns some text into links, mentions and formatting. So every text from the email is defanged and shown as
inline code, which no chat formats.
"""

from collections.abc import Sequence

from functions.alert.guidance import headline, next_steps, summary
from functions.alert.sanitize import defanged
from functions.domain.ordered_links import ordered_links
from functions.domain.record import Record
from functions.domain.spelling import visible

_COLOURS = {"Critical": "🔴", "High": "🟠", "Medium": "🟡", "Low": "🔵", "Informational": "⚪"}
_MARKUP = str.maketrans({"`": "'", "<": "(", ">": ")", "|": "/", "&": "+"})
"""Characters that end inline code, or begin a link or a mention in Slack."""
_MAX_TEXT = 150
"""Characters of one text."""
_MAX_ITEMS = 3
"""Items shown of one list."""


def notification(record: Record, recipients: Sequence[str]) -> dict[str, object]:
    """Build the notification about a record with disposition and severity."""
    severity, postfix_id = record.severity or "", record.id.postfix_id
    return {
        "version": "1.0",
        "source": "custom",
        "id": record.alert_id,
        "content": {
            "textType": "client-markdown",
            "title": f"{_COLOURS[severity]} {severity}: {headline(record)}",
            "description": "\n".join([" ".join(summary(record)), *_facts(record, recipients)]),
            "nextSteps": list(next_steps(record)),
            "keywords": [severity, record.disposition],
        },
        "metadata": {
            # Later alerts about the same email appear in the thread of the first one.
            "threadId": postfix_id,
            "summary": headline(record),
            "eventType": f"email-{record.activity.lower()}",
            "relatedResources": [record.id.value],
            "additionalContext": {"alert_id": record.alert_id, "account_id": record.account_id},
        },
    }


def _facts(record: Record, recipients: Sequence[str]) -> list[str]:
    detection, details = record.detection, record.details
    facts = {"Recipients": _first(recipients, len(recipients))}
    if details:
        facts |= {"From": details.from_ or details.envelope_from or "", "Subject": details.subject or ""}
    if detection:
        sender, counts, links = detection.sender_info, detection.counts, ordered_links(detection)
        facts |= {
            "Origin": " ".join(filter(None, (sender.pld, sender.ip, sender.as_name))),
            "Threats": _first([it.name or "" for it in detection.threat_categories], counts["threat_categories"]),
            "Links": _first([it.href or "" for it in links], counts["links"] + len(links) - len(detection.links)),
            "Attachments": _first(
                [it.filename or it.name or "" for it in detection.attachments], counts["attachments"]
            ),
        }
    rows = {"Email ID": record.id.value} | {name: _code(text) for name, text in facts.items()}
    return [f"*{name}:* `{text}`" for name, text in rows.items() if text]


def _first(texts: Sequence[str], count: int) -> str:
    """Join the first texts, and say how many more there are."""
    joined = ", ".join(text[:_MAX_TEXT] for text in texts[:_MAX_ITEMS] if text)
    return f"{joined} and {count - _MAX_ITEMS} more" if count > _MAX_ITEMS else joined


def _code(text: str) -> str:
    return defanged(visible(text).translate(_MARKUP), _MAX_TEXT)
