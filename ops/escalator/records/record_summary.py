"""Entries of the index by time: enough of each record to count it, without reading it."""

from dataclasses import dataclass
from datetime import datetime

from functions.domain.outcome import Outcome
from functions.domain.record import State
from functions.domain.severity import Severity
from ops.escalator.records.attribute import optional, required, text, utc_time
from ops.escalator.records.stored_record import Item, Position, UnreadableRecord, parsed, position_of


@dataclass(frozen=True, slots=True)
class RecordSummary:
    """What the index by time has of a record: enough to count it. delivered: `true`, `false` or `unknown`."""

    position: Position
    decided_at: datetime
    outcome: Outcome
    state: State
    disposition: str | None
    severity: Severity | None
    delivered: str | None
    sender_domain: str | None
    queued_at: datetime
    published_at: datetime | None

    @property
    def seconds_to_publish(self) -> float | None:
        """Seconds from the request's arrival to the alert; None where no alert was published."""
        return (self.published_at - self.queued_at).total_seconds() if self.published_at else None


def read_summary(item: Item) -> RecordSummary | UnreadableRecord:
    """Parse an entry of the index by time. Never raises."""
    return parsed(item, _summary)


def _summary(item: Item) -> RecordSummary:
    return RecordSummary(
        position=position_of(item),
        decided_at=required(item, "decided_at", utc_time),
        outcome=required(item, "outcome", Outcome),
        state=required(item, "state", State),
        disposition=optional(item, "disposition", text),
        severity=optional(item, "severity", Severity),
        delivered=optional(item, "delivered", text),
        sender_domain=optional(item, "sender_domain", text),
        queued_at=required(item, "queued_at", utc_time),
        published_at=optional(item, "published_at", utc_time),
    )
