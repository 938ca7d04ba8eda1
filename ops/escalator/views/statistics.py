"""Count records by day and by kind, and measure how fast alerts were published."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Self

from ops.escalator.records.record_summary import RecordSummary

TOP_SENDERS = 10


@dataclass(slots=True)
class Statistics:
    """Counts over record summaries.

    days: dispositions by day (UTC). A record without a disposition is counted by its outcome.
    seconds: from queued to published, of each published alert; sorted once all records are counted.
    """

    records: int = 0
    days: defaultdict[date, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    outcomes: Counter[str] = field(default_factory=Counter)
    severities: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    delivered: Counter[str] = field(default_factory=Counter)
    senders: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)

    @classmethod
    def of(cls, records: Iterable[RecordSummary]) -> Self:
        """Count these records."""
        statistics = cls()
        for record in records:
            statistics.add(record)
        statistics.seconds.sort()
        return statistics

    def add(self, record: RecordSummary) -> None:
        """Count one record."""
        self.records += 1
        self.days[record.decided_at.date()][record.disposition or record.outcome] += 1
        self.outcomes[record.outcome] += 1
        self.states[record.state] += 1
        for counter, value in (
            (self.severities, record.severity),
            (self.delivered, record.delivered),
            (self.senders, record.sender_domain),
        ):
            if value is not None:
                counter[value] += 1
        if record.seconds_to_publish is not None:
            self.seconds.append(record.seconds_to_publish)

    @property
    def dispositions(self) -> Counter[str]:
        """Counts over all days."""
        return sum(self.days.values(), Counter[str]())

    def named(self) -> dict[str, Any]:
        """All figures as plain JSON values: the highest count first, days in order.

        Half of the alerts were published within `median` seconds, 95 % within `p95`; None where there is no alert.
        """
        return {
            "records": self.records,
            "days": {str(day): dict(self.days[day].most_common()) for day in self._all_days()},
            "dispositions": dict(self.dispositions.most_common()),
            "outcomes": dict(self.outcomes.most_common()),
            "severities": dict(self.severities.most_common()),
            "states": dict(self.states.most_common()),
            "delivered": dict(self.delivered.most_common()),
            "sender_domains": dict(self.senders.most_common(TOP_SENDERS)),
            "queued_to_published": {
                "alerts": len(self.seconds),
                "median": percentile(self.seconds, 50) if self.seconds else None,
                "p95": percentile(self.seconds, 95) if self.seconds else None,
            },
        }

    def _all_days(self) -> list[date]:
        """Every day from the first record to the last, including days without records."""
        if not self.days:
            return []
        first = min(self.days)
        return [first + timedelta(days=n) for n in range((max(self.days) - first).days + 1)]


def percentile(ordered: Sequence[float], percent: int) -> float:
    """The nearest-rank percentile: the lowest value that at least `percent` % do not exceed. There must be a value."""
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]
