"""Alerts of the last hour and day, by the ledger's index by time, and alerts that are not confirmed as sent."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from functions.domain.outcome import Outcome
from functions.domain.record import State
from functions.domain.severity import Severity
from functions.ledger.keys import YES, Index
from ops.escalator.options import whole_retention
from ops.escalator.records.query import RecordQuery
from ops.escalator.records.reader import RecordReader
from ops.escalator.records.record_summary import RecordSummary
from ops.escalator.records.stored_record import StoredRecord
from ops.escalator.records.time_range import TimeRange

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MAX_RECORDS = 50_000
"""Entries of the index that are read."""
MAX_PENDING = 100
CONFIRMED_WITHIN = timedelta(minutes=15)
"""The longest time between two receives of a request, and so between two tries to send an alert."""
_ALERTS = frozenset({Outcome.ESCALATED, Outcome.CLOSED})
_COMPLETE = frozenset({State.SENT, State.RECORDED})
"""RECORDED: complete without a topic."""


@dataclass(frozen=True, slots=True)
class AlertCounts:
    """Alerts. severities: of the last day. is_cut: whether there are more than were counted.

    unconfirmed: alerts that are PENDING for longer than CONFIRMED_WITHIN, at most MAX_PENDING; since: of the oldest one.
    """

    hour: int
    day: int
    severities: Mapping[Severity, int]
    is_cut: bool = False
    unconfirmed: int = 0
    since: datetime | None = None


def count_alerts(reader: RecordReader, now: datetime) -> AlertCounts:
    """Count alerts. Raises CommandFailed."""
    entries = [*islice(reader.summaries(TimeRange(now - DAY, now)), MAX_RECORDS)]
    alerts = [it for it in entries if isinstance(it, RecordSummary) and it.outcome in _ALERTS and it.state in _COMPLETE]
    counts = Counter(it.severity for it in alerts if it.severity)
    pending = sorted(at for at in _pending(reader) if at < now - CONFIRMED_WITHIN)
    return AlertCounts(
        hour=sum((it.published_at or it.decided_at) >= now - HOUR for it in alerts),
        day=len(alerts),
        severities={it: counts[it] for it in Severity if counts[it]},
        is_cut=len(entries) >= MAX_RECORDS,
        unconfirmed=len(pending),
        since=pending[0] if pending else None,
    )


def _pending(reader: RecordReader) -> list[datetime]:
    query = RecordQuery(whole_retention(), {Index.PENDING.partitioned_by: YES})
    pages = reader.pages(query, limit=MAX_PENDING, newest_first=False)
    return [it.record.decided_at for page in pages for it in page.records if isinstance(it, StoredRecord)]
