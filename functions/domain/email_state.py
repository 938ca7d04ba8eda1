"""What is known about one email over time: its deliveries, its last alert, and what a new answer changes.

An email is (account, postfix id). It may have several deliveries, each with an investigate id of its own and perhaps
another disposition. The email's disposition is the most severe one of its deliveries:

    no alert so far         a delivery escalates                                   Create
    last alert escalated    the disposition is another one that escalates, or      Update
                            its severity is higher
                            no delivery escalates any more                         Close
    last alert closed       a delivery escalates again                             Update

A lower severity with the same disposition makes no alert due. A short postfix id without its date is another email
(EmailId.email), unless Cloudflare's answer contains a longer id.

An answer about an id that names no delivery is kept under UNNAMED. It can raise an alert and never closes one, because it
may be about any of the deliveries. It is dropped if a named delivery has the same disposition and no lower severity.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from functions.domain.message_details import Delivery
from functions.domain.outcome import Outcome, Reason
from functions.domain.recipients import recipients
from functions.domain.record import PreviousAlert, Record
from functions.domain.severity import FAMILIES, Severity

UNNAMED = "-"
"""The key of the answer about an id that names no delivery."""
MAX_DELIVERIES = 500
"""Deliveries kept per email, about 200 bytes each. Of more, those that do not escalate are dropped first, oldest first."""
MAX_RECIPIENTS = 100
"""Recipients kept per email; `recipient_count` counts all that the answers named."""

MAX_ADDRESS = 320
"""Characters (RFC 5321). A longer text is no address, and would not fit into the item."""


@dataclass(frozen=True, slots=True)
class DeliveryState:
    """The latest answer about one delivery."""

    disposition: str
    escalates: bool
    severity: Severity
    delivery: Delivery
    fetched_at: datetime

    @property
    def rank(self) -> tuple[bool, int, int, str]:
        """Orders deliveries by severity, most severe last. The word breaks ties, so that equal answers never alternate."""
        family = max((n for n, it in enumerate(FAMILIES, 1) if self.disposition.startswith(it)), default=0)
        return self.escalates, family, self.severity.rank, self.disposition


@dataclass(frozen=True, slots=True)
class LastAlert:
    """The last alert that was claimed for an email.

    revision:   how many alerts there were before it.
    escalated:  False for a Close.
    decided_at: the time of its record, which pointers to the record contain.
    previous:   the alert before it.
    notified:   whether people were notified of it.
    """

    disposition: str
    severity: Severity
    alert_id: str
    revision: int
    escalated: bool
    decided_at: datetime
    previous: PreviousAlert | None
    notified: bool = True

    @property
    def reference(self) -> PreviousAlert:
        """How the next alert refers to this one."""
        return PreviousAlert(self.disposition, self.alert_id, self.severity, self.notified)


@dataclass(frozen=True, slots=True)
class EmailState:
    """Everything that decides about the next alert of an email.

    version:  of the item in the table; 0 where there is none.
    complete: the last alert is sent and its record can be found by every indicator.
    """

    version: int = 0
    deliveries: Mapping[str, DeliveryState] = field(default_factory=dict)
    recipients: tuple[str, ...] = ()
    alert: LastAlert | None = None
    complete: bool = False

    def needs_details(self, record: Record) -> bool:
        """Whether message details can change what this answer means: its delivery, or where the email is.

        Of an escalated email that is not in an inbox they are requested again: a release from quarantine is an Update.
        """
        if not record.escalates:
            return bool(self.alert and self.alert.escalated)
        known = self.deliveries.get(delivery_key(record))
        if known is None and len(self.deliveries) == 1 and record.investigate_id is None:
            [known] = self.deliveries.values()
        return not (
            self.complete
            and known
            and known.escalates
            and known.disposition == record.disposition
            and known.delivery is Delivery.DELIVERED
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """What a group of answers about one email changes.

    state:      the email with these answers.
    alert:      the alert to claim, or None where none is due.
    superseded: positions of answers that a later answer about the same delivery has overtaken.
    """

    state: EmailState
    alert: Record | None
    superseded: frozenset[int]


def delivery_key(record: Record) -> str:
    """The investigate id of the delivery that a record is about, or UNNAMED."""
    return record.investigate_id or UNNAMED


def plan(state: EmailState, records: Sequence[Record]) -> Plan:
    """Apply answers about one email, each with a disposition and a severity, in the order in which they came.

    A disposition that is not escalated changes only an email that is known: state.version is 0 otherwise, and stays so.
    """
    superseded = frozenset(i for i, record in enumerate(records) if _is_superseded(state, record))
    current = [record for i, record in enumerate(records) if i not in superseded]
    if not current or (state.version == 0 and not any(record.escalates for record in current)):
        return Plan(state, None, superseded)
    # Of several answers about one delivery the most severe one counts. Without a delivery, none takes back another.
    answers = sorted(current, key=lambda record: _answer(record).rank)
    kept = {delivery_key(it): _answer(it) for it in answers if it.escalates or delivery_key(it) != UNNAMED}
    deliveries = {**state.deliveries, **kept}
    unnamed = deliveries.pop(UNNAMED, None)
    same = (it for it in deliveries.values() if unnamed and it.disposition == unnamed.disposition)
    if unnamed and all(it.rank < unnamed.rank for it in same):
        deliveries[UNNAMED] = unnamed
    addresses = (
        address[:MAX_ADDRESS]
        for record in current
        if record.escalates
        for address in recipients(record.detection, record.details)
    )
    changed = replace(
        state,
        deliveries=_bounded(deliveries),
        recipients=tuple(dict.fromkeys((*state.recipients, *addresses)))[:MAX_RECIPIENTS],
    )
    return Plan(changed, _alert(changed, current), superseded)


def _answer(record: Record) -> DeliveryState:
    if record.disposition is None or record.severity is None:
        raise ValueError("only a record with a disposition and a severity is an answer about a delivery")
    return DeliveryState(record.disposition, record.escalates, record.severity, record.delivery, record.fetched_at)


def _is_superseded(state: EmailState, record: Record) -> bool:
    known = state.deliveries.get(delivery_key(record))
    return bool(known and known.disposition != record.disposition and known.fetched_at > record.fetched_at)


def _bounded(deliveries: Mapping[str, DeliveryState]) -> Mapping[str, DeliveryState]:
    if len(deliveries) <= MAX_DELIVERIES:
        return deliveries
    by_weight = sorted(deliveries, key=lambda key: (deliveries[key].escalates, deliveries[key].fetched_at))
    kept = {*by_weight[-MAX_DELIVERIES:]}
    return {key: state for key, state in deliveries.items() if key in kept}


def _alert(state: EmailState, records: Sequence[Record]) -> Record | None:
    """The alert that is due in a state, told by the record that is closest to its reason."""
    worst_key = max(state.deliveries, key=lambda key: state.deliveries[key].rank)
    worst, last = state.deliveries[worst_key], state.alert
    told_by = next((record for record in records if delivery_key(record) == worst_key), records[0])
    if last is None:
        return _revised(told_by, worst, 0, None) if worst.escalates else None
    if worst.escalates:
        rises = worst.severity.rank > last.severity.rank
        if not last.escalated or worst.disposition != last.disposition or rises:
            return _revised(told_by, worst, last.revision + 1, last.reference)
        # A crash may have left the alert unsent. An answer that escalates takes it up again.
        return (
            None if state.complete or not told_by.escalates else _revised(told_by, worst, last.revision, last.previous)
        )
    if last.escalated:
        if worst.disposition == last.disposition:
            return None  # ESCALATE_ON has changed, and the email has not: the alert was right.
        # An id that names no delivery never closes an alert.
        named = next((record for record in records if delivery_key(record) != UNNAMED), None)
        return _revised(named, worst, last.revision + 1, last.reference) if named else None
    return None if state.complete else _revised(told_by, worst, last.revision, last.previous)


def _revised(record: Record, worst: DeliveryState, revision: int, previous: PreviousAlert | None) -> Record:
    """The record as an alert about the email: with the email's disposition, severity and revision."""
    severity = worst.severity if worst.escalates else Severity.INFORMATIONAL
    reason = record.reason
    if worst.escalates and not record.escalates:
        # The record is about a delivery that has fallen, and the alert about another one, which escalates.
        reason = Reason.DISPOSITION_LISTED
    return replace(
        record,
        outcome=Outcome.ESCALATED if worst.escalates else Outcome.CLOSED,
        reason=reason,
        disposition=worst.disposition,
        escalates=worst.escalates,
        severity=severity,
        worst_delivery=worst.delivery,
        revision=revision,
        previous=previous,
    )


def last_alert(record: Record) -> LastAlert:
    """The last alert of an email once this record is claimed."""
    if record.disposition is None or record.severity is None:
        raise ValueError("an alert has a disposition and a severity")
    return LastAlert(
        disposition=record.disposition,
        severity=record.severity,
        alert_id=record.alert_id,
        revision=record.revision,
        escalated=record.escalates,
        decided_at=record.decided_at,
        previous=record.previous,
        notified=record.notified,
    )


def most_severe(records: Iterable[Record]) -> Record:
    """Of several answers about one email the one to alert on."""
    return max(records, key=lambda record: _answer(record).rank)
