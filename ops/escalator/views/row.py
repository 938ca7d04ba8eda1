"""A record as one flat row: for CSV, for a pipe, and for a terminal of any width."""

from collections.abc import Sequence
from typing import Any

from rich.cells import cell_len
from rich.text import Text

from functions.domain.header_fields import header_fields
from functions.domain.recipients import recipients
from functions.domain.record import moment
from ops.escalator.records.stored_record import AnyRecord, StoredRecord, UnreadableRecord
from ops.escalator.text.labels import UNREADABLE
from ops.escalator.text.sanitize import one_line

CSV_COLUMNS = (
    "decided_at",
    "outcome",
    "reason",
    "disposition",
    "severity",
    "state",
    "delivered",
    "delivery_status",
    "sender_domain",
    "sender_ip",
    "subject",
    "from",
    "to",
    "categories",
    "links",
    "attachments",
    "findings",
    "id",
    "postfix_id",
    "account_id",
    "alert_id",
    "sns_message_id",
    "previous_disposition",
    "detail",
    "drift",
    "queued_at",
    "fetched_at",
    "published_at",
    "release",
    "pk",
    "sk",
    "campaign",
    "notified",
)
"""New columns go to the end, because readers may use positions. links, attachments, findings: counts."""
PIPE_COLUMNS = (
    "decided_at",
    "severity",
    "disposition",
    "sender_domain",
    "delivered",
    "state",
    "id",
    "subject",
    "outcome",
)
"""New columns go to the end here, too."""
TABLE_COLUMNS = ("decided", "severity", "disposition", "sender_domain", "delivered", "state", "id", "subject")
STYLES = {
    "severity": {"Critical": "bold red", "High": "red", "Medium": "yellow"},
    "state": {"PENDING": "bold yellow"},
}

RECIPIENT_WIDTH = 140
"""Cells of a terminal that has room for the recipient."""
_DROPPED_FIRST = ("recipient", "delivered", "state")
_GAP = 3
"""Cells between columns. A table has one more on each side."""
_MIN_TEXT = len("sender domain")
_MAX_RECIPIENT = 36
"""Cells of the recipient: most addresses, and how many more there are."""


def flat_row(record: AnyRecord) -> dict[str, Any]:
    """A record with every CSV column: None where there is no value, lists joined as text.

    An unreadable record has its key, a marker as its disposition, and the problem as its subject and detail.
    """
    if isinstance(record, UnreadableRecord):
        problem = f"attribute {record.attribute} {record.problem}"
        known = {"decided_at": record.position.decided_at, "pk": record.position.pk, "sk": record.position.sk}
        known |= {"disposition": UNREADABLE, "subject": problem, "detail": problem, "id": record.position.pk}
        return dict.fromkeys(CSV_COLUMNS) | known
    return {name: _joined(value) for name, value in _values(record).items()}


def table_row(record: AnyRecord) -> dict[str, str]:
    """A record as one line of a terminal's table."""
    row = {name: one_line(value) for name, value in flat_row(record).items()}
    at = row["decided_at"]
    row |= {"disposition": row["disposition"] or row["outcome"], "decided": f"{at[:10]} {at[11:16]}"}
    return {name: row[name] for name in TABLE_COLUMNS} | {"recipient": one_line(_recipient(record))}


def fit_columns(rows: Sequence[dict[str, str]], width: int) -> tuple[list[str], list[dict[str, str]]]:
    """Columns and rows that fit a terminal of this width: drop the least important columns, and cut long texts."""
    names = [*TABLE_COLUMNS]
    if width >= RECIPIENT_WIDTH:
        names.insert(names.index("delivered"), "recipient")
        rows = [row | {"recipient": _cut(row["recipient"], _MAX_RECIPIENT)} for row in rows]
    widths = {name: max(map(cell_len, (name, *(row[name] for row in rows)))) + _GAP for name in names}
    columns = [name for name in names if name != "subject" and any(row[name] for row in rows)]

    def room(*excluded: str) -> int:
        return width + 1 - sum(widths[it] for it in columns if it not in excluded) - _GAP

    for name in _DROPPED_FIRST:
        if room() + _GAP < 0:
            columns = [it for it in columns if it != name]
    if room("sender_domain") < _MIN_TEXT:
        rows = [row | {"id": row["id"].partition("-")[0]} for row in rows]
        widths["id"] = max(map(cell_len, ("id", *(row["id"] for row in rows)))) + _GAP
    if "sender_domain" in columns and room() + _GAP < 0:
        free = room("sender_domain")
        columns = columns if free >= _MIN_TEXT else [it for it in columns if it != "sender_domain"]
        rows = [row | {"sender_domain": _cut(row["sender_domain"], free)} for row in rows]
        return columns, [*rows]
    if room() < _MIN_TEXT:
        return columns, [*rows]
    return [*columns, "subject"], [row | {"subject": _cut(row["subject"], room())} for row in rows]


def _values(stored: StoredRecord) -> dict[str, Any]:
    """The columns in their order. Times are as the ledger writes them."""
    record = stored.record
    fields = header_fields(record.detection, record.details)
    details, detection, previous = record.details, record.detection, record.previous
    counts = detection.counts if detection else {}
    categories = detection.threat_categories if detection else ()
    return {
        "decided_at": moment(record.decided_at),
        "outcome": record.outcome,
        "reason": record.reason,
        "disposition": record.disposition,
        "severity": record.severity,
        "state": stored.state,
        "delivered": record.delivery.delivered,
        "delivery_status": details.delivery_status if details else None,
        "sender_domain": stored.sender_domain,
        "sender_ip": stored.sender_ip,
        "subject": fields.subject or stored.subject,
        "from": fields.sender or None,
        "to": fields.recipients or None,
        "categories": [it.name or it.id for it in categories],
        "links": counts.get("links"),
        "attachments": counts.get("attachments"),
        "findings": counts.get("findings"),
        "id": record.id.value,
        "postfix_id": record.id.postfix_id,
        "account_id": record.account_id,
        "alert_id": stored.alert_id,
        "sns_message_id": stored.sns_message_id,
        "previous_disposition": previous.disposition if previous else None,
        "detail": record.detail or None,
        "drift": record.drift,
        "queued_at": moment(record.queued_at),
        "fetched_at": moment(record.fetched_at),
        "published_at": moment(stored.published_at) if stored.published_at else None,
        "release": stored.release,
        "pk": stored.position.pk,
        "sk": stored.position.sk,
        "campaign": record.campaign.id if record.campaign else None,
        "notified": str(record.notified).lower() if record.severity else None,
    }


def _recipient(record: AnyRecord) -> str:
    """The first recipient, and how many more there are."""
    if isinstance(record, UnreadableRecord):
        return ""
    found = recipients(record.record.detection, record.record.details)
    more = f" +{len(found) - 1}" if len(found) > 1 else ""
    return found[0] + more if found else ""


def _cut(text: str, cells: int) -> str:
    shortened = Text(text)
    shortened.truncate(max(cells, 1), overflow="ellipsis")
    return shortened.plain


def _joined(value: Any) -> Any:
    return "; ".join(map(str, value)) if isinstance(value, list | tuple) else value
