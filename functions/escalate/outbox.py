"""Decisions -> outcomes, for what somebody is to be told of: claim, publish, mark, in this order.

Publishing first would repeat the alert with every redelivery; marking first would lose it in a crash. With the claim
first and the mark last, a crash at any point leaves a PENDING record, whose lease runs out and is then taken over.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from functions.alert.alert import Style, describe
from functions.escalate.cases import Dismissed, Escalating, Published
from functions.escalate.decision import weighed
from functions.escalate.outcome import Outcome, Reason, Settled
from functions.escalate.publisher import Topic
from functions.ledger.ledger import Claim, Claimant, Hold, Ledger, LedgerUnavailable
from functions.ledger.record import Record

LEASE_MARGIN = timedelta(seconds=5)
"""A claim outlasts the invocation that made it by this much, so that only a dead worker's claim is taken over."""
MARK_PAUSES = (0.2, 0.5, 1.0, 2.0)
"""Seconds between the tries to mark."""
MARK_SECONDS = 10.0
"""What one more try needs of the invocation's time: 8 s at its slowest, and the pause before it."""


@dataclass(frozen=True, slots=True)
class Outbox:
    """The ledger and the topic. One of them may be missing: records only, or alerts only (then at least once)."""

    ledger: Ledger | None
    topic: Topic | None
    style: Style
    now: Callable[[], datetime]
    sleep: Callable[[float], None] = time.sleep

    def recall(self, cases: list[Escalating | Dismissed | Settled]) -> list[Escalating | Settled]:
        """The cases, without any below the line: each is settled, unless somebody was told of its mail before."""
        dismissed = [case for case in cases if isinstance(case, Dismissed)]
        told = self._recall(dismissed, self.ledger) if dismissed and self.ledger else [it.settled for it in dismissed]
        recalled = iter(told)
        return [next(recalled) if isinstance(case, Dismissed) else case for case in cases]

    def _recall(self, dismissed: list[Dismissed], ledger: Ledger) -> list[Escalating | Settled]:
        try:
            standings = ledger.standings([case.record for case in dismissed])
        except LedgerUnavailable as exc:
            outcome, reason = Outcome.RETRY, Reason.LEDGER_UNAVAILABLE
            return [
                replace(case.settled, outcome=outcome, reason=reason, detail=str(exc), record=None)
                for case in dismissed
            ]
        return [
            Escalating(case.request, weighed(replace(case.record, outcome=Outcome.CLOSED)))
            if standing and standing.concerns(case.record)
            else case.settled
            for case, standing in zip(dismissed, standings, strict=True)
        ]

    def claim(self, cases: list[Escalating], owner: str, seconds_left: float) -> list[Escalating | Settled]:
        """Those that are ours to publish: nobody has sent them, and nobody else can be sending them now.

        owner: unlike any other invocation's. seconds_left: of the invocation.
        """
        if self.ledger is None:
            return [*cases]
        lease = timedelta(seconds=seconds_left) + LEASE_MARGIN
        claimant = Claimant(owner, self.now(), lease, told=self.topic is not None)
        try:
            claims = self.ledger.claim([case.record for case in cases], claimant)
        except LedgerUnavailable as exc:
            return [_settled(case, Outcome.RETRY, Reason.LEDGER_UNAVAILABLE, str(exc)) for case in cases]
        return [_stand(case, claim) for case, claim in zip(cases, claims, strict=True)]

    def publish(self, cases: list[Escalating], seconds_left: Callable[[], float]) -> list[Published | Settled]:
        """Those whose alert SNS has taken. The others stay PENDING, and are tried again."""
        if self.topic is None:
            return [Published(case, None) for case in cases]
        alerts = [describe(case.record, self.style) for case in cases]
        receipts = self.topic.publish(alerts, seconds_left)
        return [
            Published(case, receipt.sns_message_id)
            if receipt.sns_message_id
            else self._unpublished(case, receipt.failure, seconds_left())
            for case, receipt in zip(cases, receipts, strict=True)
        ]

    def _unpublished(self, case: Escalating, failure: str, seconds_left: float) -> Settled:
        """Tried again when our own lease on it has run out: sooner would be in vain."""
        settled = _settled(case, Outcome.RETRY, Reason.PUBLISH_FAILED, f"SNS did not take the alert: {failure}")
        return replace(settled, delay=seconds_left + LEASE_MARGIN.total_seconds() if self.ledger else None)

    def mark(self, cases: list[Published], owner: str, seconds_left: Callable[[], float]) -> list[Settled]:
        """Complete the records. What cannot be marked is tried again, so that no record stays PENDING for ever."""
        failure = "the alert is out, but another worker has taken over its record"
        try:
            marked = self._mark([(case.escalating.record, case.sns_message_id) for case in cases], owner, seconds_left)
        except LedgerUnavailable as exc:
            marked, failure = [False] * len(cases), f"the alert is out, but its record is not marked: {exc}"
        return [
            replace(
                _settled(
                    case.escalating, Outcome(case.escalating.record.outcome), Reason(case.escalating.record.reason)
                )
                if done
                else _settled(case.escalating, Outcome.RETRY, Reason.LEDGER_UNAVAILABLE, failure),
                sns_message_id=case.sns_message_id,
            )
            for case, done in zip(cases, marked, strict=True)
        ]

    def _mark(self, sent: list[tuple[Record, str | None]], owner: str, seconds_left: Callable[[], float]) -> list[bool]:
        """Try for as long as there is time: without its mark an alert that is out would come again."""
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


def _stand(case: Escalating, claim: Claim) -> Escalating | Settled:
    escalating = replace(case, record=claim.record)
    match claim.hold:
        case Hold.CLAIMED:
            return escalating
        case Hold.SENT:
            return _settled(escalating, Outcome.ALREADY_ESCALATED, Reason.ALERT_SENT_BEFORE)
        case Hold.OVERTAKEN:
            detail = "Cloudflare's answer has changed since, and that has been told: the message is asked about again"
            return _settled(escalating, Outcome.RETRY, Reason.OVERTAKEN, detail)
        case Hold.HELD:
            held = _settled(escalating, Outcome.RETRY, Reason.CLAIMED_BY_ANOTHER, "another worker holds this alert")
            return replace(held, delay=claim.held_for)
        case Hold.UNKNOWN:
            return _settled(
                escalating, Outcome.RETRY, Reason.LEDGER_UNAVAILABLE, "the claim met a conflict or a throttle"
            )


def _settled(case: Escalating, outcome: Outcome, reason: Reason, detail: str = "") -> Settled:
    return Settled(
        message=case.request.message,
        outcome=outcome,
        reason=reason,
        detail=detail,
        id=case.request.id,
        disposition=case.record.disposition,
        alert_id=case.record.alert_id,
        drift=case.record.drift,
    )
