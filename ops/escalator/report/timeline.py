"""The times of one record, in their order: what happened, when, and how long after the one before."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from ops.escalator.report.shown import duration, fields, moment

_OF_THE_RECORD = {
    "queued_at": "Request queued",
    "fetched_at": "Cloudflare answered",
    "decided_at": "Decided",
    "claimed_at": "Claimed by a worker",
    "published_at": "Alert published",
    "lease_until": "The worker's claim ends",
}
_OF_THE_MAIL = {"sent_at": "Mail sent, says its sender", "scanned_at": "Mail scanned by Cloudflare"}


def timeline(record: Mapping[str, Any]) -> list[dict[str, str]]:
    """Every known time as what, at and after, oldest first."""
    context = fields(record.get("context"))
    named = [(what, moment(record.get(name))) for name, what in _OF_THE_RECORD.items()]
    named += [(what, moment(context.get(name))) for name, what in _OF_THE_MAIL.items() if context.get(name)]
    known = sorted(((at, what) for what, at in named if at), key=lambda it: it[0])
    before = [None, *(at for at, _ in known)]
    return [
        {"what": what, "at": _written(at), "after": _gap(at - last) if last else ""}
        for (at, what), last in zip(known, before, strict=False)
    ]


def _gap(time: timedelta) -> str:
    """Steps of ours take milliseconds, those of others seconds or days."""
    seconds = time.total_seconds()
    return f"+{duration(seconds)}" if seconds >= 1 else f"+{round(1_000 * seconds)} ms"


def _written(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d}"
