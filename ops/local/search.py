"""Cloudflare's search over the mailbox: `GET .../investigate`, newest first, in pages with a cursor."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from ops.local.answers import Answer, found, refused
from ops.local.mailbox import Mail, Mailbox

MOST_PER_PAGE = 1000


def search(mailbox: Mailbox, asked: Mapping[str, str]) -> Answer:
    """One page of the mail that every given parameter lets through.

    Read are `alert_id`, `query` (in the postfix id or the subject), `final_disposition`, `start` and `end`
    (ISO 8601, UTC), `detections_only` (default true), `per_page` (1 to 1000, default 20) and `cursor`. A
    wrong `per_page` or `cursor` is answered with 400. Without `start` the search goes back to the first mail, not
    30 days as Cloudflare's does.
    """
    try:
        per_page = int(asked.get("per_page", "20"))
        offset = _offset(asked["cursor"]) if "cursor" in asked else 0
    except ValueError:
        return refused(400, 10400, "per_page or cursor is not valid")
    if not 1 <= per_page <= MOST_PER_PAGE:
        return refused(400, 10400, f"per_page must be between 1 and {MOST_PER_PAGE}")
    hits = sorted((mail for mail in mailbox if _matches(mail, asked)), key=_time, reverse=True)
    page = hits[offset : offset + per_page]
    info = {
        "count": len(page),
        "per_page": per_page,
        "next": _cursor(offset + per_page) if offset + per_page < len(hits) else None,
        "previous": _cursor(max(0, offset - per_page)) if offset else None,
    }
    return found([_entry(mail) for mail in page], info)


def _matches(mail: Mail, asked: Mapping[str, str]) -> bool:
    entry = _entry(mail)
    words = f"{mail.postfix_id} {entry.get('subject', '')}".casefold()
    return (
        (mail.detected or asked.get("detections_only", "true") == "false")
        and asked.get("alert_id", mail.alert_id) == mail.alert_id
        and asked.get("query", "").casefold() in words
        and ("final_disposition" not in asked or asked["final_disposition"] == entry.get("final_disposition"))
        and asked.get("start", "")[: len("YYYY-MM-DDTHH:MM:SS")] <= _time(mail)
        and ("end" not in asked or _time(mail) < asked["end"])
    )


def _entry(mail: Mail) -> Mapping[str, Any]:
    """The search also lists mail that has no page of its own, by what the contract requires."""
    return mail.mail or {
        "id": mail.investigate_id,
        "postfix_id": mail.postfix_id,
        "alert_id": mail.alert_id,
        "client_recipients": [],
        "detection_reasons": [],
        "is_quarantined": False,
        "is_phish_submission": False,
        "properties": {},
    }


def _time(mail: Mail) -> str:
    return mail.alert_id.partition("-")[2]


def _cursor(offset: int) -> str:
    return base64.urlsafe_b64encode(f"from:{offset}".encode()).decode()


def _offset(cursor: str) -> int:
    """Raises ValueError for a cursor that is none of ours."""
    try:
        text = base64.urlsafe_b64decode(cursor).decode()
    except (binascii.Error, UnicodeDecodeError) as exc:
        raise ValueError("not a cursor") from exc
    if not text.startswith("from:"):
        raise ValueError("not a cursor")
    return int(text.removeprefix("from:"))
