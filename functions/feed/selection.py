"""Which rows are queued. Pure: the row, what is known of the delivery, and the function's own judgement."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum

from functions.domain.outcome import Outcome
from functions.domain.search_row import SearchRow
from functions.escalate.decision import UnknownDisposition, judge
from functions.feed.windows import Window
from functions.ledger.queue_entry import QueueAnswer, QueueEntry

RETRY_AFTER = (timedelta(hours=1), timedelta(hours=12), timedelta(hours=24))
"""The time after each try until the next one. After the last of them, the delivery is unresolved."""
MISSING_MARGIN = timedelta(hours=1)
"""The time in an id can differ from the time that the search filters by. Within it, a delivery may be absent from a list."""
RETRO_SCAN = "RETRO_SCAN"
LEFT_OUT = ("SIMULATION_SUBMISSION", "DMARC")
"""Beginnings of delivery modes that are no attacks: tests of users, and reports about DMARC."""
_ESCALATED = frozenset({Outcome.ESCALATED, Outcome.ALREADY_ESCALATED})


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a delivery."""

    entry: QueueEntry | None = None
    answer: QueueAnswer | None = None


UNKNOWN = Known()


class Choice(Enum):
    """What happens with a row."""

    QUEUE = "queued"
    SKIP = "known, or not escalated"
    LEFT_OUT = "of a delivery mode that is left out"
    UNRESOLVED = "queued three times, without an answer that fits"


@dataclass(frozen=True, slots=True)
class Selection:
    """The rules. escalate_on: dispositions in upper case. retro_scan: whether retro scans are queued."""

    escalate_on: frozenset[str]
    retro_scan: bool
    _verdicts: dict[str | None, tuple[str, bool | None]] = field(default_factory=dict, compare=False)

    def verdict(self, final_disposition: str | None) -> tuple[str, bool | None]:
        """The disposition in upper case, and whether it escalates: None if only the function can tell."""
        if final_disposition not in self._verdicts:
            self._verdicts[final_disposition] = self._judge(final_disposition)
            if len(self._verdicts) > 1000:
                self._verdicts.clear()
                return self._judge(final_disposition)
        return self._verdicts[final_disposition]

    def _judge(self, final_disposition: str | None) -> tuple[str, bool | None]:
        try:
            verdict = judge(final_disposition, self.escalate_on)
        except UnknownDisposition:
            return "", None
        if verdict.disposition in (None, "UNKNOWN", "UNSET"):
            return "", True if verdict.escalate else None
        return verdict.disposition or "", verdict.escalate

    def is_left_out(self, row: SearchRow) -> bool:
        """Whether the delivery mode of a row is left out."""
        mode = (row.delivery_mode or "").upper()
        return mode.startswith(LEFT_OUT) or (mode == RETRO_SCAN and not self.retro_scan)

    def choose(self, row: SearchRow, known: Known, now: datetime) -> Choice:
        """Whether to queue a row."""
        if self.is_left_out(row):
            return Choice.LEFT_OUT
        disposition, escalates = self.verdict(row.final_disposition)
        if _is_answered(known, disposition) or (escalates is False and not self._fell(known, disposition)):
            return Choice.SKIP
        entry = known.entry
        if entry is None or entry.disposition != disposition:
            return Choice.QUEUE
        if entry.unresolved or now - entry.queued_at < RETRY_AFTER[min(entry.tries, len(RETRY_AFTER)) - 1]:
            return Choice.SKIP
        return Choice.QUEUE if entry.tries < len(RETRY_AFTER) else Choice.UNRESOLVED

    def _fell(self, known: Known, disposition: str) -> bool:
        """Whether a delivery that does not escalate had an alert, or is queued for its Close already."""
        return bool(known.entry and (self._was_escalated(known) or known.entry.disposition == disposition))

    def _was_escalated(self, known: Known) -> bool:
        if known.answer and known.answer.disposition:
            return known.answer.outcome in _ESCALATED
        return bool(known.entry and self.verdict(known.entry.disposition)[1])

    def missing(self, known: Mapping[str, Known], listed: Collection[str], window: Window) -> Iterator[QueueEntry]:
        """The escalated deliveries that a complete list of a window lacks, each once."""
        for delivery, it in known.items():
            if it.entry is None or it.entry.missing or delivery in listed or not self._was_escalated(it):
                continue
            at = it.entry.id.time
            if at and window.start + MISSING_MARGIN <= at <= window.end - MISSING_MARGIN:
                yield it.entry


def _is_answered(known: Known, disposition: str) -> bool:
    """Whether the last answer has the disposition of the row. For a row without one, any answer will do."""
    return bool(
        known.answer
        and known.answer.outcome is not Outcome.NOT_FOUND
        and (not disposition or known.answer.disposition == disposition)
    )


def entry_for(row: SearchRow, disposition: str, loop: str, known: Known, now: datetime) -> QueueEntry:
    """The entry of a row that is queued now."""
    if known.entry is None:
        return QueueEntry(row.id, disposition, loop, now, now)
    tries = known.entry.tries + 1 if known.entry.disposition == disposition else 1
    return QueueEntry(row.id, disposition, loop, known.entry.first_queued_at, now, tries)


def missing_entry(entry: QueueEntry, loop: str, now: datetime) -> QueueEntry:
    """The entry of a delivery that is queued because a list lacked it."""
    return replace(entry, loop=loop, queued_at=now, missing=True)
