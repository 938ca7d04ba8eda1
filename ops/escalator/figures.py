"""How many, by day and by kind, and how fast: pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from math import ceil
from typing import Any, Self

TOP_SENDERS = 10


@dataclass(slots=True)
class Figures:
    """What was counted in records, each as the index by time has it.

    days: dispositions by day (UTC), a decision without one by its outcome.
    seconds: from queued to published, of each alert that is known to be out.
    """

    records: int = 0
    days: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    outcomes: Counter[str] = field(default_factory=Counter)
    severities: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    delivered: Counter[str] = field(default_factory=Counter)
    senders: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)

    @classmethod
    def of(cls, records: Iterable[Mapping[str, Any]]) -> Self:
        """The figures of these records."""
        figures = cls()
        for it in records:
            figures.add(it)
        figures.seconds.sort()
        return figures

    def add(self, it: Mapping[str, Any]) -> None:
        """Count a record."""
        self.records += 1
        self.days[it["decided_at"][:10]][it.get("disposition") or it["outcome"]] += 1
        self.outcomes[it["outcome"]] += 1
        self.states[it["state"]] += 1
        for counter, name in (
            (self.severities, "severity"),
            (self.delivered, "delivered"),
            (self.senders, "sender_domain"),
        ):
            if name in it:
                counter[it[name]] += 1
        if "published_at" in it and "queued_at" in it:
            took = datetime.fromisoformat(it["published_at"]) - datetime.fromisoformat(it["queued_at"])
            self.seconds.append(took.total_seconds())

    @property
    def dispositions(self) -> Counter[str]:
        """Over all days."""
        return sum(self.days.values(), Counter[str]())

    def _every_day(self) -> list[str]:
        """From the first with a record to the last; also those without, which say something too."""
        if not self.days:
            return []
        first, last = date.fromisoformat(min(self.days)), date.fromisoformat(max(self.days))
        return [str(first + timedelta(days=it)) for it in range((last - first).days + 1)]

    def named(self) -> dict[str, Any]:
        """All of it, most first, days in order; half of the alerts came within `median` seconds, 95 % within `p95`."""
        return {
            "records": self.records,
            "days": {day: dict(self.days[day].most_common()) for day in self._every_day()},
            "dispositions": dict(self.dispositions.most_common()),
            "outcomes": dict(self.outcomes.most_common()),
            "severities": dict(self.severities.most_common()),
            "states": dict(self.states.most_common()),
            "delivered": dict(self.delivered.most_common()),
            "sender_domains": dict(self.senders.most_common(TOP_SENDERS)),
            "queued_to_published": {
                "alerts": len(self.seconds),
                "median": percentile(self.seconds, 50),
                "p95": percentile(self.seconds, 95),
            },
        }


def percentile(ordered: Sequence[float], percent: int) -> float | None:
    """The least value that so many percent do not exceed; None where there is no value."""
    return ordered[ceil(len(ordered) * percent / 100) - 1] if ordered else None
