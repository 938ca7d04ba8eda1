"""Detections -> decisions: pure. A decision comes with the record of it."""

from dataclasses import dataclass, replace
from datetime import datetime

from functions.cloudflare.contract import FAMILIES
from functions.cloudflare.detection import Detection
from functions.cloudflare.message_id import MessageId
from functions.escalate.cases import Detected, Dismissed, Escalating
from functions.escalate.message import Message
from functions.escalate.outcome import Outcome, Reason, Settled
from functions.escalate.severity import severity
from functions.escalate.verdict import UnknownDisposition, judge
from functions.ledger.record import Record


@dataclass(frozen=True, slots=True)
class Policy:
    """What this deployment decides by.

    account_id:  the one account that it may ask about.
    escalate_on: dispositions in upper case.
    record_all:  whether decisions not to alert are recorded too.
    """

    account_id: str
    escalate_on: frozenset[str]
    record_all: bool

    def decide(self, case: Detected, now: datetime) -> Escalating | Dismissed | Settled:
        """Whether to alert, by the disposition alone; drift elsewhere in the answer is noted and changes nothing."""
        request, detection, drift = case.request, case.found.detection, case.found.drift
        settle = Settled(request.message, Outcome.REJECTED, Reason.UNKNOWN_DISPOSITION, id=request.id, drift=drift)
        try:
            verdict = judge(detection.final_disposition, self.escalate_on)
        except UnknownDisposition as exc:
            return replace(settle, detail=str(exc))
        if case.found.unnamed:
            # It may well be there under another name: a human looks, rather than that nobody ever does.
            detail = f"$.final_disposition: not given, but there is {', '.join(case.found.unnamed)}, which the contract does not know"
            return replace(settle, reason=Reason.INVALID_ANSWER, detail=detail)
        outcome = Outcome.ESCALATED if verdict.escalate else Outcome.NOT_ESCALATED
        record = replace(
            self.record(
                request.message, request.id, outcome, verdict.reason, fetched_at=case.fetched_at, decided_at=now
            ),
            found_as=case.found.id,
            disposition=verdict.disposition,
            escalates=verdict.escalate,
            detection=detection,
            drift=drift,
        )
        if verdict.escalate:
            return Escalating(request, weighed(record))
        settled = replace(
            settle,
            outcome=outcome,
            reason=verdict.reason,
            disposition=verdict.disposition,
            record=record if self.record_all else None,
        )
        # An answer without a disposition is no opinion: it closes no alert.
        return Dismissed(request, record, settled) if verdict.disposition else settled

    def gravity(self, detection: Detection) -> tuple[int, int]:
        """How grave a detection is, to decide by the gravest of several: to escalate, then unheard-of, then the rest."""
        try:
            verdict = judge(detection.final_disposition, self.escalate_on)
        except UnknownDisposition:
            return 1, 0
        if not verdict.escalate:
            return 0, 0
        ranks = (rank for rank, family in enumerate(FAMILIES, 1) if (verdict.disposition or "").startswith(family))
        return 2, max(ranks, default=0)

    def record(
        self,
        message: Message,
        id: MessageId,
        outcome: Outcome,
        reason: Reason,
        *,
        fetched_at: datetime,
        decided_at: datetime,
    ) -> Record:
        """What can be written down about any decision; without a detection so far."""
        return Record(
            account_id=self.account_id,
            id=id,
            outcome=outcome,
            reason=reason,
            escalate_on=tuple(sorted(self.escalate_on)),
            queued_at=message.first_seen,
            fetched_at=fetched_at,
            decided_at=decided_at,
            sqs_message_id=message.id,
        )


def weighed(record: Record) -> Record:
    """The record with its severity, by what is known of it so far."""
    return replace(record, severity=severity(record.disposition or "", record.delivery, escalates=record.escalates))
