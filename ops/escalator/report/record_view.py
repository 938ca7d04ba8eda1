"""What the page shows of one record: a line of the list, and the details behind it.

All of it is text that is safe to show, under the names that page.js uses. Unknown values are left out.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from functions.domain.detection import Detection
from functions.domain.header_fields import HeaderFields, header_fields
from functions.domain.message_details import MessageDetails
from functions.domain.record import Record
from functions.domain.times import duration, read_time
from ops.escalator.records.stored_record import AnyRecord, StoredRecord, UnreadableRecord
from ops.escalator.report.formatting import (
    identifier,
    safe_text,
    safe_texts,
    size,
    version,
)
from ops.escalator.text.labels import UNREADABLE

MAX_SIZE = 16 * 1024
"""Characters of JSON for one record; 2,000 are usual. The record itself can have 150 KB of detection."""

_LIST_LENGTHS = (20, 8, 3, 0)
"""Items shown of each list: the first of these lengths that fits into MAX_SIZE. All other values are short."""
_WORD, _NAME, _PROSE, _URL = 40, 120, 300, 400
"""Characters of a disposition, a name, a sentence or subject, a link."""
_CATEGORY = {"name": _NAME, "description": _PROSE}
_LINK = {"text": _PROSE, "href": _URL}
_FINDING = {
    "reason": _PROSE,
    "detail": _PROSE,
    "name": _NAME,
    "detection": _WORD,
    "score": _WORD,
    "attachment": _NAME,
    "field": _NAME,
    "portion": _NAME,
    "value": _PROSE,
}
_ATTACHMENT = {
    "filename": _NAME,
    "name": _NAME,
    "content_type": _NAME,
    "size": _WORD,
    "encrypted": _WORD,
    "detection": _WORD,
    "sha256": _NAME,
    "sha1": _NAME,
    "md5": _NAME,
}


def record_view(record: AnyRecord) -> dict[str, Any]:
    """One record as plain JSON values of at most MAX_SIZE characters."""
    view: dict[str, Any] = {}
    for max_items in _LIST_LENGTHS:
        view = _unreadable(record) if isinstance(record, UnreadableRecord) else _view(record, max_items)
        view = {name: value for name, value in view.items() if value not in (None, "", [], {})}
        if len(json.dumps(view, ensure_ascii=False)) <= MAX_SIZE:
            break
    return view


def safe_disposition(record: Record) -> str:
    """The disposition, defanged."""
    return safe_text(record.disposition, _WORD)


def safe_domain(stored: StoredRecord) -> str:
    """The sender's domain, defanged."""
    return safe_text(stored.sender_domain, _NAME)


def safe_categories(detection: Detection | None) -> set[str]:
    """The names of the threat categories, defanged, each once."""
    names = (safe_text(it.name, _NAME) for it in (detection.threat_categories if detection else ()))
    return {name for name in names if name}


def _unreadable(record: UnreadableRecord) -> dict[str, Any]:
    """A line that names the record and the problem."""
    decided_at = read_time(record.position.decided_at)
    problem = f"attribute {safe_text(record.attribute, _WORD)} {safe_text(record.problem, _PROSE)}"
    return {
        "decided": decided_at.isoformat(timespec="milliseconds") if decided_at else None,
        "outcome": UNREADABLE,
        "subject": f"This record cannot be read: {problem}",
        "id": identifier(record.position.pk),
        "detail": problem,
    }


def _view(stored: StoredRecord, max_items: int) -> dict[str, Any]:
    return {
        **_line(stored),
        **_decision(stored, max_items),
        **_email(stored, max_items),
        **_found(stored, max_items),
    }


def _line(stored: StoredRecord) -> dict[str, Any]:
    """What the list shows and sorts by. decided: ISO 8601 in UTC. seconds: from queued to alerted."""
    record, seconds = stored.record, stored.seconds_to_publish
    return {
        "decided": record.decided_at.isoformat(timespec="milliseconds"),
        "outcome": record.outcome,
        "disposition": safe_disposition(record),
        "severity": record.severity,
        "delivery": record.delivery.label,
        "locations": record.locations,
        "state": stored.state,
        "domain": safe_domain(stored),
        "seconds": None if seconds is None else round(seconds, 3),
        "alerted_after": None if seconds is None else duration(seconds),
    }


def _decision(stored: StoredRecord, max_items: int) -> dict[str, Any]:
    """Why it was decided, what was published, and by which function."""
    record, claim, previous = stored.record, stored.claim, stored.record.previous
    names = {
        "schema_version": stored.schema_version,
        "previous_disposition": previous.disposition if previous else None,
        "previous_alert_id": previous.alert_id if previous else None,
        "alert_id": stored.alert_id,
        "account_id": record.account_id,
        "sns_message_id": stored.sns_message_id,
        "sqs_message_id": record.sqs_message_id,
        "owner": claim.owner if claim else None,
    }
    ids = {
        "id": record.id.value,
        "postfix_id": record.id.postfix_id,
        "cloudflare_alert_id": record.cloudflare_alert_id,
        "investigate_id": record.investigate_id,
    }
    return {
        **{name: safe_text(value, _NAME) for name, value in names.items()},
        **{name: identifier(value) for name, value in ids.items()},
        "reason": record.reason,
        "revision": safe_text(record.revision),
        "claims": safe_text(claim.count) if claim else None,
        "detail": safe_text(record.detail, _PROSE),
        "release": version(stored.release),
        "escalate_on": ", ".join(safe_texts(record.escalate_on, max_items, _WORD)),
        "drift": safe_texts(record.drift, max_items, _PROSE),
        "drift_more": _more(record.drift, max_items),
        "timeline": _timeline(stored),
        "kept_until": f"{stored.expires_at:%Y-%m-%d}" if stored.expires_at else None,
    }


def _email(stored: StoredRecord, max_items: int) -> dict[str, Any]:
    """What the email says it is."""
    details, fields = stored.record.details, header_fields(stored.record.detection, stored.record.details)
    view: dict[str, Any] = {
        "subject": safe_text(fields.subject, _PROSE),
        "from": safe_text(fields.sender, _PROSE),
        "reply_to": safe_text(", ".join(map(str, fields.other_reply_to)), _PROSE),
        "to": safe_texts(fields.to, max_items, _NAME),
        "to_more": _more(fields.to, max_items),
        "recipients": safe_texts(fields.recipients, max_items, _NAME),
        "recipients_more": _more(fields.recipients, max_items),
        "sender_ip": safe_text(stored.sender_ip, _NAME),
    }
    return view | (_details(details, fields, stored.details_counts, max_items) if details else {})


def _details(
    details: MessageDetails, fields: HeaderFields, counts: Mapping[str, int], max_items: int
) -> dict[str, Any]:
    """The message details. The envelope is left out where it equals the headers, as it usually does."""
    recipients = {"envelope_to": details.envelope_to, "client_recipients": details.client_recipients}
    shown = {name: it for name, it in recipients.items() if it != details.to}
    known = {it.address for it in fields.senders}
    return {
        "envelope_from": safe_text(details.envelope_from, _NAME) if fields.envelope_sender not in known else "",
        **{name: safe_texts(it, max_items, _NAME) for name, it in shown.items()},
        **{f"{name}_more": _more(it, max_items, counts.get(name, 0)) for name, it in shown.items()},
        "to_more": _more(fields.to, max_items, counts.get("to", 0)),
        "message_id": safe_text(details.message_id),
        "delivery_mode": safe_text(details.delivery_mode, _WORD),
        "delivery_status": safe_texts(details.delivery_status, max_items, _WORD),
        "quarantined": safe_text(details.is_quarantined),
        "reasons": safe_texts(details.detection_reasons, max_items, _PROSE),
    }


def _found(stored: StoredRecord, max_items: int) -> dict[str, Any]:
    """The detection. `..._more` is the number of items that Cloudflare gave beyond those shown."""
    detection = stored.record.detection
    if detection is None:
        return {}
    sender, checks, counts = detection.sender_info, detection.validation, detection.counts
    lists: dict[str, tuple[str, Sequence[object], Mapping[str, int]]] = {
        "categories": ("threat_categories", detection.threat_categories, _CATEGORY),
        "findings": ("findings", detection.findings, _FINDING),
        "links": ("links", detection.links, _LINK),
        "attachments": ("attachments", detection.attachments, _ATTACHMENT),
    }
    view: dict[str, Any] = {}
    for name, (source, things, limits) in lists.items():
        view[name] = [_thing(it, limits) for it in things[:max_items]]
        view[f"{name}_more"] = _more(things, max_items, counts.get(source, 0))
    return view | {
        "action": safe_text(detection.action, _NAME),
        "as_name": safe_text(sender.as_name, _NAME),
        "as_number": safe_text(sender.as_number),
        "geo": safe_text(sender.geo, _NAME),
        "spf": safe_text(checks.spf, _WORD),
        "dkim": safe_text(checks.dkim, _WORD),
        "dmarc": safe_text(checks.dmarc, _WORD),
        "comment": safe_text(checks.comment, _PROSE),
        "dropped": safe_texts(stored.dropped, max_items, _WORD),
    }


def _thing(thing: object, limits: Mapping[str, int]) -> dict[str, str]:
    """One link, attachment, finding or category."""
    values = {name: getattr(thing, name) for name in limits}
    texts = {name: size(it) if name == "size" else safe_text(it, limits[name]) for name, it in values.items()}
    return {name: text for name, text in texts.items() if text}


def _more(values: Sequence[object], max_items: int, total: int = 0) -> int | None:
    """How many items are not shown. total: how many Cloudflare gave, where the record has fewer."""
    return max(total, len(values)) - min(len(values), max_items) or None


def _timeline(stored: StoredRecord) -> list[dict[str, str]]:
    """Every known time as what, at and after, oldest first."""
    record, claim, details = stored.record, stored.claim, stored.record.details
    times = {
        "Email sent, according to its sender": read_time(details.sent_at) if details else None,
        "Email scanned by Cloudflare": read_time(details.scanned_at) if details else None,
        "Request queued": record.queued_at,
        "Cloudflare answered": record.fetched_at,
        "Decided": record.decided_at,
        "Claimed by a worker": claim.at if claim else None,
        "Alert published": stored.published_at,
        "Lease expires": claim.lease_until if claim else None,
    }
    known = sorted(((at, what) for what, at in times.items() if at), key=lambda it: it[0])
    gaps = ["", *(_gap(later - earlier) for (earlier, _), (later, _) in pairwise(known))]
    return [{"what": what, "at": _written(at), "after": gap} for (at, what), gap in zip(known, gaps, strict=True)]


def _gap(gap: timedelta) -> str:
    """The function's own steps take milliseconds, other steps seconds or days."""
    seconds = gap.total_seconds()
    return f"+{duration(seconds)}" if seconds >= 1 else f"+{round(1_000 * seconds)} ms"


def _written(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d}"
