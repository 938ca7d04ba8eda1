"""A record as one flat row: for a spreadsheet, for a pipe, and for a terminal of whatever width."""

from collections.abc import Sequence
from typing import Any

from rich.cells import cell_len
from rich.text import Text

from ops.escalator.output import Row
from ops.escalator.text import one_line
from ops.escalator.trail import Item

FLAT = (
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
    "about",
    "entry",
)
"""Of a CSV. New ones go to the end: somebody counts them. links, attachments, findings: how many there were."""
PIPED = ("decided_at", "severity", "disposition", "sender_domain", "delivered", "state", "id", "subject")
SHOWN = ("decided", "severity", "disposition", "sender_domain", "delivered", "state", "id", "subject")
STYLES = {
    "severity": {"Critical": "bold red", "High": "red", "Medium": "yellow"},
    "state": {"PENDING": "bold yellow"},
}

_FIRST_TO_GO = ("delivered", "state")
_GAP = 3
"""Between columns; a table has one more on each side."""
_LEAST_TEXT = len("sender domain")


def flat(record: Item) -> dict[str, Any]:
    """A record with every column, None where it has nothing to say; lists as text."""
    context, detection = record.get("context", {}), record.get("detection", {})
    counts = record.get("detection_counts", {})
    names = [it.get("name") or it.get("id") for it in detection.get("threat_categories", ())]
    known = record | {
        "subject": context.get("subject"),
        "from": context.get("from"),
        "to": context.get("to"),
        "categories": names,
        "links": counts.get("links"),
        "attachments": counts.get("attachments"),
        "findings": counts.get("findings"),
    }
    return {name: _joined(known.get(name)) for name in FLAT}


def shown(record: Item) -> dict[str, str]:
    """A record as a person looks over it."""
    row = {name: one_line(value) for name, value in flat(record).items()}
    at = row["decided_at"]
    words = {"disposition": row["disposition"] or row["outcome"], "decided": f"{at[:10]} {at[11:16]}"}
    return {name: (row | words)[name] for name in SHOWN}


def fitting(rows: Sequence[dict[str, str]], width: int) -> tuple[list[str], list[Row]]:
    """Columns and rows for a table on a terminal of this width: texts are cut, and what matters least is left out."""
    widths = {name: max(map(cell_len, (name, *(row[name] for row in rows)))) + _GAP for name in SHOWN}
    columns = [name for name in SHOWN if name != "subject" and any(row[name] for row in rows)]

    def room(*but: str) -> int:
        return width + 1 - sum(widths[it] for it in columns if it not in but) - _GAP

    for name in _FIRST_TO_GO:
        if room() + _GAP < 0:
            columns = [it for it in columns if it != name]
    if room("sender_domain") < _LEAST_TEXT:
        rows = [row | {"id": row["id"].partition("-")[0]} for row in rows]
        widths["id"] = max(map(cell_len, ("id", *(row["id"] for row in rows)))) + _GAP
    if "sender_domain" in columns and room() + _GAP < 0:
        left = room("sender_domain")
        columns = columns if left >= _LEAST_TEXT else [it for it in columns if it != "sender_domain"]
        rows = [row | {"sender_domain": _cut(row["sender_domain"], left)} for row in rows]
        return columns, [*rows]
    if room() < _LEAST_TEXT:
        return columns, [*rows]
    return [*columns, "subject"], [row | {"subject": _cut(row["subject"], room())} for row in rows]


def _cut(text: str, room: int) -> str:
    shown = Text(text)
    shown.truncate(max(room, 1), overflow="ellipsis")
    return shown.plain


def _joined(value: Any) -> Any:
    return "; ".join(map(str, value)) if isinstance(value, list) else value
