"""The search endpoint, `GET .../investigate`: newest email first, in pages with a cursor."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from ops.local.fake_cloudflare.mailbox import Mail, Mailbox
from ops.local.fake_cloudflare.responses import Response, error, success

MAX_PER_PAGE = 1000


def search(mailbox: Mailbox, parameters: Mapping[str, str]) -> Response:
    """Return one page of the emails that match all parameters.

    Supported parameters: `alert_id`, `query` (in the postfix id or the subject), `final_disposition`, `start` and `end`
    (ISO 8601, UTC), `detections_only` (default true), `per_page` (1 to 1000, default 20) and `cursor`. An invalid
    `per_page` or `cursor` returns 400. Without `start`, the search covers all emails, not 30 days as Cloudflare's does.
    """
    try:
        per_page = int(parameters.get("per_page", "20"))
        offset = _offset(parameters["cursor"]) if "cursor" in parameters else 0
    except ValueError:
        return error(400, 10400, "per_page or cursor is not valid")
    if not 1 <= per_page <= MAX_PER_PAGE:
        return error(400, 10400, f"per_page must be between 1 and {MAX_PER_PAGE}")
    hits = sorted((mail for mail in mailbox if _matches(mail, parameters)), key=_time, reverse=True)
    page = hits[offset : offset + per_page]
    info = {
        "count": len(page),
        "per_page": per_page,
        "next": _cursor(offset + per_page) if offset + per_page < len(hits) else None,
        "previous": _cursor(max(0, offset - per_page)) if offset else None,
    }
    return success([_entry(mail) for mail in page], info)


def _matches(mail: Mail, parameters: Mapping[str, str]) -> bool:
    entry = _entry(mail)
    words = f"{mail.postfix_id} {entry.get('subject', '')}".casefold()
    return (
        (mail.detected or parameters.get("detections_only", "true") == "false")
        and parameters.get("alert_id", mail.alert_id) == mail.alert_id
        and parameters.get("query", "").casefold() in words
        and ("final_disposition" not in parameters or parameters["final_disposition"] == entry.get("final_disposition"))
        and parameters.get("start", "")[: len("YYYY-MM-DDTHH:MM:SS")] <= _time(mail)
        and ("end" not in parameters or _time(mail) < parameters["end"])
    )


def _entry(mail: Mail) -> Mapping[str, Any]:
    """Return an email's entry; without message details, only the members that the contract requires."""
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
    """Decode a cursor. Raises ValueError if it is invalid."""
    try:
        text = base64.urlsafe_b64decode(cursor).decode()
    except (binascii.Error, UnicodeDecodeError) as exc:
        raise ValueError("not a cursor") from exc
    if not text.startswith("from:"):
        raise ValueError("not a cursor")
    return int(text.removeprefix("from:"))
