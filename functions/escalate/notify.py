"""Decisions -> results, for alerts that are due: claim, publish, mark, in this order.

A publish before the claim would repeat the alert with every redelivery. A mark before the publish would lose it in a crash. With the claim first and the mark
last, a crash at any point leaves a PENDING record, whose lease expires so that the redelivery takes it over.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from functions.alert.alert import AlertOptions, describe
from functions.domain.outcome import Outcome, Reason
from functions.domain.record import Record
from functions.escalate.decision import with_severity
from functions.escalate.stages import BelowThreshold, Escalating, MessageResult, Published
from functions.escalate.topic import Topic
from functions.ledger.ledger import Claim, ClaimOwner, ClaimStatus, Ledger, LedgerUnavailable

LEASE_MARGIN = timedelta(seconds=5)
"""A claim outlasts its invocation by this much, so that only the claim of a dead worker is taken over."""
MARK_PAUSES = (0.2, 0.5, 1.0, 2.0)
"""Seconds between the tries to mark."""
MARK_SECONDS = 10.0
"""The time that one more try needs: 8 s at its slowest, and the pause before it."""


@dataclass(frozen=True, slots=True)
class Notifier:
    """The ledger and the topic. One of them can be missing: records only, or alerts only (then at least once)."""

    ledger: Ledger | None
    topic: Topic | None
    options: AlertOptions
    now: Callable[[], datetime]
    sleep: Callable[[float], None] = time.sleep

    def check_previous_alerts(
        self, items: list[Escalating | BelowThreshold | MessageResult]
    ) -> list[Escalating | MessageResult]:
        """The items in order; each one that is not escalated is finished, or is a Close of a previous alert."""
        below = [item for item in items if isinstance(item, BelowThreshold)]
        checked = iter(self._closed(below, self.ledger) if below and self.ledger else [item.result for item in below])
        return [next(checked) if isinstance(item, BelowThreshold) else item for item in items]

    def _closed(self, below: list[BelowThreshold], ledger: Ledger) -> list[Escalating | MessageResult]:
        try:
            last_alerts = ledger.last_alerts([item.record for item in below])
        except LedgerUnavailable as exc:
            outcome, reason = Outcome.RETRY, Reason.LEDGER_UNAVAILABLE
            return [
                replace(item.result, outcome=outcome, reason=reason, detail=str(exc), record=None) for item in below
            ]
        return [
            Escalating(item.request, with_severity(replace(item.record, outcome=Outcome.CLOSED)))
            if last_alert and last_alert.needs_close(item.record)
            else item.result
            for item, last_alert in zip(below, last_alerts, strict=True)
        ]

    def claim(self, items: list[Escalating], owner: str, seconds_left: float) -> list[Escalating | MessageResult]:
        """The alerts that this worker is to publish: not sent before, and not held by another worker.

        owner: unlike that of any other invocation. seconds_left: of the invocation.
        """
        if self.ledger is None:
            return [*items]
        lease = timedelta(seconds=seconds_left) + LEASE_MARGIN
        claim_owner = ClaimOwner(owner, self.now(), lease, publishes=self.topic is not None)
        try:
            claims = self.ledger.claim([item.record for item in items], claim_owner)
        except LedgerUnavailable as exc:
            return [_result(item, Outcome.RETRY, Reason.LEDGER_UNAVAILABLE, str(exc)) for item in items]
        return [_claimed(item, claim) for item, claim in zip(items, claims, strict=True)]

    def publish(self, items: list[Escalating], seconds_left: Callable[[], float]) -> list[Published | MessageResult]:
        """The alerts that SNS has accepted. The others stay PENDING, and their messages are retried."""
        if self.topic is None:
            return [Published(item, None) for item in items]
        alerts = [describe(item.record, self.options) for item in items]
        receipts = self.topic.publish(alerts, seconds_left)
        return [
            Published(item, receipt.sns_message_id)
            if receipt.sns_message_id
            else self._unpublished(item, receipt.failure, seconds_left())
            for item, receipt in zip(items, receipts, strict=True)
        ]

    def _unpublished(self, item: Escalating, failure: str, seconds_left: float) -> MessageResult:
        """Retried when our own lease has expired; earlier the claim would refuse it."""
        result = _result(item, Outcome.RETRY, Reason.PUBLISH_FAILED, f"SNS did not take the alert: {failure}")
        return replace(result, delay=seconds_left + LEASE_MARGIN.total_seconds() if self.ledger else None)

    def mark(self, items: list[Published], owner: str, seconds_left: Callable[[], float]) -> list[MessageResult]:
        """Complete the records. A record that cannot be marked is retried, so that none stays PENDING."""
        failure = "the alert is sent, but another worker has taken over its record"
        try:
            marked = self._mark([(item.escalating.record, item.sns_message_id) for item in items], owner, seconds_left)
        except LedgerUnavailable as exc:
            marked, failure = [False] * len(items), f"the alert is sent, but its record is not marked: {exc}"
        return [
            replace(
                _result(item.escalating, item.escalating.record.outcome, item.escalating.record.reason)
                if done
                else _result(item.escalating, Outcome.RETRY, Reason.LEDGER_UNAVAILABLE, failure),
                sns_message_id=item.sns_message_id,
            )
            for item, done in zip(items, marked, strict=True)
        ]

    def _mark(self, sent: list[tuple[Record, str | None]], owner: str, seconds_left: Callable[[], float]) -> list[bool]:
        """Try for as long as there is time: without its mark, an alert that is sent would be sent again."""
        if self.ledger is None:
            return [True] * len(sent)
        for pause in MARK_PAUSES:
            try:
                return self.ledger.mark(sent, owner, self.now())
            except LedgerUnavailable:
                if seconds_left() < MARK_SECONDS:
                    raise
                self.sleep(pause)
        return self.ledger.mark(sent, owner, self.now())


def _claimed(item: Escalating, claim: Claim) -> Escalating | MessageResult:
    escalating = replace(item, record=claim.record)
    match claim.status:
        case ClaimStatus.CLAIMED:
            return escalating
        case ClaimStatus.SENT:
            return _result(escalating, Outcome.ALREADY_ESCALATED, Reason.ALERT_SENT_BEFORE)
        case ClaimStatus.SUPERSEDED:
            detail = "a later answer was used already; the message asks again"
            return _result(escalating, Outcome.RETRY, Reason.SUPERSEDED, detail)
        case ClaimStatus.HELD:
            held = _result(escalating, Outcome.RETRY, Reason.CLAIMED_BY_ANOTHER, "another worker holds this alert")
            return replace(held, delay=claim.lease_seconds_left)
        case ClaimStatus.UNKNOWN:
            return _result(
                escalating, Outcome.RETRY, Reason.LEDGER_UNAVAILABLE, "the claim met a conflict or a throttle"
            )


def _result(item: Escalating, outcome: Outcome, reason: Reason, detail: str = "") -> MessageResult:
    return MessageResult(
        message=item.request.message,
        outcome=outcome,
        reason=reason,
        detail=detail,
        id=item.request.id,
        disposition=item.record.disposition,
        alert_id=item.record.alert_id,
        drift=item.record.drift,
    )
