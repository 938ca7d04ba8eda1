"""What the page is told of one record: a line of the list, and what is shown when it is opened.

All of it is text that is safe to show, in the names that page.js knows; what is not known is left out.
"""

import json
from collections.abc import Mapping
from typing import Any

from ops.escalator.report.shown import duration, fields, identifier, items, mappings, moment, size, text, texts, version
from ops.escalator.report.timeline import timeline

LIMIT = 16 * 1024
"""Characters of JSON that no entry passes, 2,000 being usual: the record itself may have 150 KB of detection."""
_TRIED = (20, 8, 3, 0)
"""Items of a list that are shown: the first of these with which the entry is within its limit. All else is short."""
_DELIVERED = {"true": "delivered", "false": "held"}
_SHORT, _WORD, _NAME, _PROSE, _URL = 20, 40, 120, 300, 400
"""Characters. A severity, a disposition, a name, a sentence or subject, a link."""


def entry(record: Mapping[str, Any]) -> dict[str, Any]:
    """One record, whatever it has in it, as plain JSON values."""
    shown: dict[str, Any] = {}
    for most in _TRIED:
        shown = {name: value for name, value in _entry(record, most).items() if value not in (None, "", [], {})}
        if len(json.dumps(shown, ensure_ascii=False)) <= LIMIT:
            break
    return shown


def _entry(record: Mapping[str, Any], most: int) -> dict[str, Any]:
    return _line(record) | _told(record, most) | _mail(record, most) | _found(record, most)


def _line(record: Mapping[str, Any]) -> dict[str, Any]:
    """What the list shows and sorts by. `decided` is ISO 8601 in UTC; `seconds` from queued to alerted."""
    decided, queued, published = (moment(record.get(name)) for name in ("decided_at", "queued_at", "published_at"))
    seconds = round((published - queued).total_seconds(), 3) if queued and published else None
    return {
        "decided": decided.isoformat(timespec="milliseconds") if decided else None,
        "outcome": text(record.get("outcome"), _WORD),
        "disposition": text(record.get("disposition"), _WORD),
        "severity": text(record.get("severity"), _SHORT),
        "delivered": _DELIVERED.get(text(record.get("delivered")), "unknown"),
        "state": text(record.get("state"), _SHORT),
        "domain": text(record.get("sender_domain"), _NAME),
        "seconds": seconds,
        "alerted_after": None if seconds is None else duration(seconds),
    }


def _told(record: Mapping[str, Any], most: int) -> dict[str, Any]:
    """Why it was decided so, what was published, and who did it when."""
    names = ("reason", "schema_version", "turn", "previous_disposition", "previous_alert_id", "alert_id")
    ids = ("id", "postfix_id", "cloudflare_alert_id", "investigate_id")
    workings = ("account_id", "sns_message_id", "sqs_message_id", "owner", "claims")
    expires = moment(record.get("expires_at")) if record.get("expires_at") else None
    return {
        **{name: text(record.get(name), _NAME) for name in (*names, *workings)},
        **{name: identifier(record.get(name)) for name in ids},
        "detail": text(record.get("detail"), _PROSE),
        "release": version(record.get("release")),
        "escalate_on": ", ".join(texts(record.get("escalate_on"), most, _WORD)),
        "drift": texts(record.get("drift"), most, _PROSE),
        "drift_more": _more(record.get("drift"), most),
        "timeline": timeline(record),
        "kept_until": f"{expires:%Y-%m-%d}" if expires else None,
    }


def _mail(record: Mapping[str, Any], most: int) -> dict[str, Any]:
    """What the mail is, as Cloudflare's context says; its headers tell the subject and sender where that is missing.

    The envelope is left out where it says the same as the mail, as it mostly does.
    """
    context = fields(record.get("context"))
    headers = {
        text(it.get("name")).lower(): it.get("value") for it in mappings(fields(record.get("detection")).get("headers"))
    }
    sender, to = context.get("from") or headers.get("from"), context.get("to")
    others = {name: context.get(name) for name in ("envelope_to", "client_recipients")}
    return {
        "subject": text(context.get("subject") or headers.get("subject"), _PROSE),
        "from": text(sender, _NAME),
        "from_name": text(context.get("from_name"), _NAME),
        "envelope_from": text(it, _NAME) if (it := context.get("envelope_from")) != sender else "",
        "reply_to": text(context.get("replyto"), _NAME),
        "to": texts(to, most, _NAME),
        "to_more": _more(to, most),
        **{name: texts(it, most, _NAME) for name, it in others.items() if it != to},
        **{f"{name}_more": _more(it, most) for name, it in others.items() if it != to},
        "message_id": text(context.get("message_id")),
        "delivery_mode": text(context.get("delivery_mode"), _WORD),
        "delivery_status": texts(record.get("delivery_status") or context.get("delivery_status"), most, _WORD),
        "quarantined": text(context.get("is_quarantined"), _WORD),
        "reasons": texts(context.get("detection_reasons"), most, _PROSE),
        "sender_ip": text(record.get("sender_ip"), _NAME),
    }


def _found(record: Mapping[str, Any], most: int) -> dict[str, Any]:
    """The detection. For each list `..._more` says how many Cloudflare gave beyond those that are shown."""
    detection, counts = fields(record.get("detection")), fields(record.get("detection_counts"))
    sender, validation = fields(detection.get("sender_info")), fields(detection.get("validation"))
    lists = {
        "categories": ("threat_categories", {"name": _NAME, "description": _PROSE}),
        "findings": ("findings", _FINDING),
        "links": ("links", {"text": _PROSE, "href": _URL}),
        "attachments": ("attachments", _ATTACHMENT),
    }
    listed: dict[str, Any] = {}
    for name, (of, limits) in lists.items():
        listed[name] = [_item(it, limits) for it in mappings(items(detection.get(of))[:most])]
        listed[f"{name}_more"] = _more(detection.get(of), most, counts.get(of))
    return listed | {
        "action": text(detection.get("action"), _NAME),
        "as_name": text(sender.get("as_name"), _NAME),
        "as_number": text(sender.get("as_number"), _WORD),
        "geo": text(sender.get("geo"), _NAME),
        "spf": text(validation.get("spf"), _WORD),
        "dkim": text(validation.get("dkim"), _WORD),
        "dmarc": text(validation.get("dmarc"), _WORD),
        "comment": text(validation.get("comment"), _PROSE),
        "not_whole": texts(record.get("detection_dropped"), most, _WORD),
    }


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


def _item(it: Mapping[str, Any], limits: Mapping[str, int]) -> dict[str, str]:
    named = {
        name: size(it[name]) if name == "size" else text(it[name], most) for name, most in limits.items() if name in it
    }
    return {name: shown for name, shown in named.items() if shown}


def _more(value: Any, most: int, given: Any = None) -> int | None:
    """How many there are beyond those that are shown; `given`: how many Cloudflare gave, where the record kept fewer."""
    count = len(items(value))
    return max(given if isinstance(given, int) else 0, count) - min(count, most) or None
