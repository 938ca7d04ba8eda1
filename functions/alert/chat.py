"""What Amazon Q Developer in chat applications shows in Slack and Teams: its schema for custom notifications, 1.0.

A chat makes links, mentions and formatting of what it is given, each in its own way: everything from the mail is
defanged, and stands as code, in which nothing is formatted.
"""

from collections.abc import Sequence

from functions.alert.plain_text import defanged
from functions.alert.words import found, headline, next_steps
from functions.ledger.record import Record

_COLOURS = {"Critical": "🔴", "High": "🟠", "Medium": "🟡", "Low": "🔵", "Informational": "⚪"}
_MARKUP = str.maketrans({"`": "'", "<": "(", ">": ")", "|": "/", "&": "+"})
"""What ends a piece of code, or begins a link or a mention in Slack."""
_LONGEST = 150
"""Characters of one text."""
_SHOWN = 3
"""How many of a list are shown."""


def notification(record: Record, people: Sequence[str]) -> dict[str, object]:
    """The notification about a record that has a disposition and a severity. people: whom the mail was for."""
    severity, postfix_id = record.severity or "", record.id.postfix_id
    return {
        "version": "1.0",
        "source": "custom",
        "id": record.alert_id,
        "content": {
            "textType": "client-markdown",
            "title": f"{_COLOURS[severity]} {severity}: {headline(record)}",
            "description": "\n".join([" ".join(found(record)), *_facts(record, people)]),
            "nextSteps": list(next_steps(record)),
            "keywords": [severity, record.disposition],
        },
        "metadata": {
            # What is told later about the same mail stands under the first alert.
            "threadId": postfix_id,
            "summary": headline(record),
            "eventType": f"mail-{record.activity.lower()}",
            "relatedResources": [record.id.value],
            "additionalContext": {"alert_id": record.alert_id, "account_id": record.account_id},
        },
    }


def _facts(record: Record, people: Sequence[str]) -> list[str]:
    detection, context = record.detection, record.context
    facts = {"For": _several(people, len(people))}
    if context:
        facts |= {"From": context.from_ or context.envelope_from or "", "Subject": context.subject or ""}
    if detection:
        sender, counts = detection.sender_info, detection.counts
        facts |= {
            "Sent by": " ".join(filter(None, (sender.pld, sender.ip, sender.as_name))),
            "Threats": _several([it.name or "" for it in detection.threat_categories], counts["threat_categories"]),
            "Links": _several([it.href or "" for it in detection.links], counts["links"]),
            "Files": _several([it.filename or it.name or "" for it in detection.attachments], counts["attachments"]),
        }
    shown = {"Mail": record.id.value} | {name: _code(text) for name, text in facts.items()}
    return [f"*{name}:* `{text}`" for name, text in shown.items() if text]


def _several(texts: Sequence[str], count: int) -> str:
    named = ", ".join(text[:_LONGEST] for text in texts[:_SHOWN] if text)
    return f"{named} and {count - _SHOWN} more" if count > _SHOWN else named


def _code(text: str) -> str:
    return defanged(text.translate(_MARKUP), _LONGEST)
