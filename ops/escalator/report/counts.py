"""Counts over all records of a report, in memory that does not grow with the words that senders invent."""

from array import array
from collections import Counter
from dataclasses import dataclass, field
from datetime import date

from functions.domain.outcome import Outcome
from functions.domain.record import State
from functions.domain.severity import Severity
from ops.escalator.records.stored_record import AnyRecord, StoredRecord, UnreadableRecord
from ops.escalator.report.period import Period
from ops.escalator.report.record_view import safe_categories, safe_disposition, safe_domain

OTHERS = "(others)"
"""One name for everything beyond the maximum number of names."""
UNKNOWN = "unknown"
MAX_DISPOSITIONS = 50
"""Three or four are usual, but any word that begins with MALICIOUS escalates."""
MAX_NAMES = 50_000
"""Sender domains or threat categories. So many take some megabytes."""


@dataclass(slots=True)
class Counts:
    """Counts of records. Charts and figures are about escalations: records with the outcome ESCALATED.

    listed:     records in the page's list. unreadable: records that this release cannot read.
    bars:       escalations by the first day of a bar and by disposition.
    delivered:  escalations by disposition and by `Delivery.delivered`.
    seconds:    from queued to alerted, of every published escalation (8 bytes each, for exact percentiles).
    from_scan:  seconds from Cloudflare's scan to the alert, where the record has the time of the scan.
    """

    period: Period
    listed: int = 0
    unreadable: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    severities: Counter[Severity] = field(default_factory=Counter)
    states: Counter[State] = field(default_factory=Counter)
    dispositions: Counter[str] = field(default_factory=Counter)
    bars: dict[date, Counter[str]] = field(init=False)
    delivered: dict[str, Counter[str]] = field(default_factory=dict)
    senders: Counter[str] = field(default_factory=Counter)
    categories: Counter[str] = field(default_factory=Counter)
    seconds: "array[float]" = field(default_factory=lambda: array("d"))
    from_scan: "array[float]" = field(default_factory=lambda: array("d"))

    def __post_init__(self) -> None:
        self.bars = {bar: Counter() for bar in self.period.bars()}

    @property
    def records(self) -> int:
        """All records."""
        return self.outcomes.total() + self.unreadable

    @property
    def escalations(self) -> int:
        """Records with the outcome ESCALATED."""
        return self.dispositions.total()

    @property
    def in_inbox(self) -> int:
        """Escalations whose email is in an inbox."""
        return sum(counts["true"] for counts in self.delivered.values())

    def add(self, stored: AnyRecord) -> None:
        """Count one record."""
        if isinstance(stored, UnreadableRecord):
            self.unreadable += 1
            return
        self.outcomes[stored.record.outcome] += 1
        if stored.record.outcome is Outcome.ESCALATED:
            self._add_escalation(stored)

    def _add_escalation(self, stored: StoredRecord) -> None:
        record = stored.record
        disposition = _bounded(self.dispositions, safe_disposition(record) or UNKNOWN, MAX_DISPOSITIONS)
        self.dispositions[disposition] += 1
        self.delivered.setdefault(disposition, Counter())[record.delivery.delivered] += 1
        if record.severity:
            self.severities[record.severity] += 1
        self.states[stored.state] += 1
        self.senders[_bounded(self.senders, safe_domain(stored) or UNKNOWN, MAX_NAMES)] += 1
        for name in safe_categories(record.detection):
            self.categories[_bounded(self.categories, name, MAX_NAMES)] += 1
        if stored.seconds_to_publish is not None:
            self.seconds.append(stored.seconds_to_publish)
        if stored.seconds_from_scan is not None:
            self.from_scan.append(stored.seconds_from_scan)
        bar = self.period.bar(record.decided_at.date())
        if bar in self.bars:
            self.bars[bar][disposition] += 1


def _bounded(counts: Counter[str], name: str, max_names: int) -> str:
    return name if name in counts or len(counts) < max_names else OTHERS
