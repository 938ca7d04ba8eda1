"""What is counted over all records of a report, in memory that does not grow with what attackers invent."""

from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from ops.escalator.report.period import Period

OTHERS = "(others)"
"""What is counted together, because there are too many different ones."""
UNKNOWN = "unknown"
MOST_DISPOSITIONS = 50
"""There are three or four; a word that begins with MALICIOUS escalates, whatever follows."""
MOST_NAMES = 50_000
"""Sender domains or threat categories: some megabytes."""


@dataclass(slots=True)
class Tally:
    """Counts of what `entry` gives. Charts and figures are about escalations: the records whose outcome is ESCALATED.

    bars:     escalations by the first day of a bar and by disposition; delivery: by disposition and delivered.
    seconds:  from queued to alerted, of every escalation that was published (8 bytes each, for exact percentiles).
    listed:   how many of the records stand in the page's list.
    """

    period: Period
    listed: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    severities: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    dispositions: Counter[str] = field(default_factory=Counter)
    bars: dict[date, Counter[str]] = field(init=False)
    delivery: dict[str, Counter[str]] = field(default_factory=dict)
    senders: Counter[str] = field(default_factory=Counter)
    categories: Counter[str] = field(default_factory=Counter)
    seconds: "array[float]" = field(default_factory=lambda: array("d"))

    def __post_init__(self) -> None:
        self.bars = {bar: Counter() for bar in self.period.bars()}

    @property
    def records(self) -> int:
        """All of them."""
        return self.outcomes.total()

    @property
    def escalations(self) -> int:
        """Those that were told about for the first time, or with a new disposition."""
        return self.dispositions.total()

    @property
    def delivered(self) -> int:
        """Escalations whose mail is in an inbox."""
        return sum(counts["delivered"] for counts in self.delivery.values())

    def add(self, entry: Mapping[str, Any]) -> None:
        """Count one record."""
        self.outcomes[_within(self.outcomes, entry.get("outcome", UNKNOWN), MOST_DISPOSITIONS)] += 1
        if entry.get("outcome") != "ESCALATED":
            return
        disposition = _within(self.dispositions, entry.get("disposition", UNKNOWN), MOST_DISPOSITIONS)
        self.dispositions[disposition] += 1
        self.delivery.setdefault(disposition, Counter())[entry.get("delivered", UNKNOWN)] += 1
        self.severities[_within(self.severities, entry.get("severity", UNKNOWN), MOST_DISPOSITIONS)] += 1
        self.states[_within(self.states, entry.get("state", UNKNOWN), MOST_DISPOSITIONS)] += 1
        self.senders[_within(self.senders, entry.get("domain", UNKNOWN), MOST_NAMES)] += 1
        for name in {it["name"] for it in entry.get("categories", ()) if "name" in it}:
            self.categories[_within(self.categories, name, MOST_NAMES)] += 1
        if "seconds" in entry:
            self.seconds.append(entry["seconds"])
        if "decided" in entry:
            bar = self.period.bar(date.fromisoformat(entry["decided"][:10]))
            if bar in self.bars:
                self.bars[bar][disposition] += 1


def _within(counts: Counter[str], name: str, most: int) -> str:
    return name if name in counts or len(counts) < most else OTHERS


def percentile(ordered: Sequence[float], percent: int) -> float:
    """The least value that at least so many percent do not pass (nearest rank); there must be one."""
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]
