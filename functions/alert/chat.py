"""The notification that Amazon Q Developer shows in Slack and Teams.

The format is schema 1.0 of its custom notifications. Each chat turns some text into links, mentions and formatting. So every text from the email is defanged and shown as
inline code, which no chat formats.
"""

from collections.abc import Sequence

from functions.alert import campaign
from functions.alert.guidance import headline, next_steps, summary
from functions.alert.links import by_host, shown_link
from functions.alert.notice import Notice, prefix
from functions.alert.sanitize import defanged
from functions.domain.campaign import CopyCounts
from functions.domain.detection import Link
from functions.domain.header_fields import HeaderFields
from functions.domain.message_details import Delivery
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


def notification(
    record: Record,
    fields: HeaderFields,
    deployment: str = "",
    notice: Notice | None = None,
    copies: CopyCounts | None = None,
) -> dict[str, object]:
    """Build the notification about a record with disposition and severity.

    notice: marks a test or a repeat. copies: the emails of its campaign before it.
    """
    severity, postfix_id = record.severity or "", record.id.postfix_id
    sentences = [*([notice.sentence] if notice else []), *summary(record, fields)]
    return {
        "version": "1.0",
        "source": "custom",
        "id": record.alert_id,
        "content": {
            "textType": "client-markdown",
            "title": f"{prefix(notice)}{_COLOURS[severity]} {severity}: {headline(record)}",
            "description": "\n".join([" ".join(sentences), *_facts(record, fields, deployment, copies)]),
            "nextSteps": list(next_steps(record, fields)),
            "keywords": [severity, record.disposition],
        },
        "metadata": {
            # Later alerts about the same campaign or email appear in the thread of the first one.
            "threadId": record.campaign.id if record.campaign else postfix_id,
            "summary": f"{prefix(notice)}{headline(record)}",
            "eventType": f"email-{record.activity.lower()}",
            "relatedResources": [record.id.value],
            "additionalContext": {"alert_id": record.alert_id, "account_id": record.account_id},
        },
    }


def _facts(record: Record, fields: HeaderFields, deployment: str, copies: CopyCounts | None) -> list[str]:
    detection = record.detection
    facts = {
        "Recipients": _first(fields.recipients, len(fields.recipients)),
        "From": _code(fields.sender),
        "Reply-To": _code(", ".join(map(str, fields.other_reply_to))),
        "Subject": _code(fields.subject),
        "Delivery": record.locations if record.details or record.delivery is not Delivery.UNKNOWN else "",
        "Copies": campaign.copies(record, copies),
    }
    if detection:
        sender, checks, counts = detection.sender_info, detection.validation, detection.counts
        links = ordered_links(detection)
        results = (("SPF", checks.spf), ("DKIM", checks.dkim), ("DMARC", checks.dmarc))
        facts |= {
            "Origin": _code(" ".join(filter(None, (sender.pld, sender.ip, sender.as_name)))),
            "Checks": _code(", ".join(f"{name} {result}" for name, result in results if result)),
            "Threats": _first([it.name or "" for it in detection.threat_categories], counts["threat_categories"]),
            "Reason": next(
                (_code(it.reason or it.detail or "") for it in detection.findings if it.reason or it.detail), ""
            ),
            "Links": _links(links, counts["links"] + len(links) - len(detection.links)),
            "Attachments": _first(
                [it.filename or it.name or "" for it in detection.attachments], counts["attachments"]
            ),
        }
    ids = {"Postfix ID": record.id.postfix_id, "Email ID": record.id.value}
    if record.id.value == record.id.postfix_id:
        del ids["Email ID"]
    rows = ids | facts | {"Deployment": deployment}
    return [f"*{name}:* `{text}`" for name, text in rows.items() if text]


def _links(links: Sequence[Link], count: int) -> str:
    """One link for each of the first hosts, and how many more links there are."""
    groups = by_host(links)[:_MAX_ITEMS]
    texts = [shown_link((it[0].href or "").translate(_MARKUP), _MAX_TEXT) for it in groups]
    hidden = count - len(texts)
    shown = ", ".join(filter(None, texts))
    return f"{shown} and {hidden} more" if hidden > 0 and shown else shown


def _first(texts: Sequence[str], count: int) -> str:
    """Join the first texts, each defanged, and say how many more there are."""
    joined = ", ".join(_code(text) for text in texts[:_MAX_ITEMS] if text)
    return f"{joined} and {count - _MAX_ITEMS} more" if count > _MAX_ITEMS else joined


def _code(text: str) -> str:
    return defanged(visible(text).translate(_MARKUP), _MAX_TEXT)
