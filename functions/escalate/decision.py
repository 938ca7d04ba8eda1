"""Detections -> decisions: which dispositions raise an alert. Pure; every decision has its record."""

import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime

from functions.cloudflare.contract import DISPOSITIONS, DetectionResult
from functions.domain.detection import Detection
from functions.domain.email_id import EmailId
from functions.domain.outcome import Outcome, Reason
from functions.domain.record import Record
from functions.domain.severity import FAMILIES, severity
from functions.escalate.sqs_message import Message
from functions.escalate.stages import Decision, Detected, MessageResult


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings of a deployment that decide.

    account_id:  the account that it may ask about.
    escalate_on: dispositions in upper case.
    record_all:  whether decisions not to alert are recorded too.
    """

    account_id: str
    escalate_on: frozenset[str]
    record_all: bool

    def decide(self, detected: Detected, now: datetime) -> Decision | MessageResult:
        """Whether to alert, by the disposition alone. Contract drift elsewhere is noted and changes nothing."""
        request, answer = detected.request, detected.answer
        result = MessageResult(
            request.message,
            Outcome.REJECTED,
            Reason.UNKNOWN_DISPOSITION,
            detected.detail,
            request.id,
            drift=answer.drift,
        )
        try:
            verdict = judge(answer.detection.final_disposition, self.escalate_on)
        except UnknownDisposition as exc:
            return replace(result, detail=str(exc))
        if answer.unknown_fields:
            return replace(result, reason=Reason.INVALID_ANSWER, detail=_renamed(answer))
        outcome = Outcome.ESCALATED if verdict.escalate else Outcome.NOT_ESCALATED
        record = replace(
            self.record(
                request.message, request.id, outcome, verdict.reason, fetched_at=detected.fetched_at, decided_at=now
            ),
            resolved_id=answer.id,
            disposition=verdict.disposition,
            escalates=verdict.escalate,
            detail=detected.detail,
            detection=answer.detection,
            drift=answer.drift,
            details=detected.details,
        )
        record = with_severity(record) if verdict.disposition else record
        recorded = record if self.record_all and not verdict.escalate else None
        result = replace(
            result,
            outcome=outcome,
            reason=verdict.reason,
            disposition=verdict.disposition,
            record=recorded,
            answered=verdict.disposition,
        )
        # An answer without a disposition changes nothing about an email: it closes no alert.
        return Decision(request, record, result) if verdict.disposition else result

    def problem(self, answer: DetectionResult) -> str:
        """Why the detection cannot be used for a decision; empty if it can."""
        try:
            judge(answer.detection.final_disposition, self.escalate_on)
        except UnknownDisposition as exc:
            return str(exc)
        return _renamed(answer) if answer.unknown_fields else ""

    def known_to_escalate(self, final_disposition: str | None) -> bool | None:
        """Whether a disposition raises an alert. None if that is unknown."""
        try:
            verdict = judge(final_disposition, self.escalate_on)
        except UnknownDisposition:
            return None
        return verdict.escalate if verdict.disposition else None

    def severity_rank(self, detection: Detection) -> tuple[int, int]:
        """Order several detections of one id: escalated ones last, before them unknown dispositions, then the rest."""
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
        id: EmailId,
        outcome: Outcome,
        reason: Reason,
        *,
        fetched_at: datetime,
        decided_at: datetime,
    ) -> Record:
        """The part of a record that every decision has; without a detection."""
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
            feed=message.feed,
        )


def _renamed(answer: DetectionResult) -> str:
    """One of the unknown fields may be the renamed disposition."""
    return f"$.final_disposition is missing, and the contract does not know {', '.join(answer.unknown_fields)}"


def with_severity(record: Record) -> Record:
    """The record with its severity, by its disposition, delivery and kind."""
    found = severity(record.disposition or "", record.delivery, escalates=record.escalates, kind=record.kind)
    return replace(record, severity=found)


ESCALATE_BY_DEFAULT = frozenset({"MALICIOUS", "MALICIOUS-BEC", "SUSPICIOUS"})

_PADDING = re.compile(
    r"^[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2060\ufeff]+|[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2060\ufeff]+$"
)
"""White space, control characters and invisible characters."""
_UNSAFE = re.compile(r"[^A-Z0-9-]")
_LONGEST = 40
"""Characters of a disposition: it becomes part of a subject line and of a message attribute."""


class UnknownDisposition(Exception):
    """A disposition that is neither documented nor of a known family. A human has to look at it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision about a disposition.

    escalate:    whether to alert.
    disposition: in upper case; None if Cloudflare gave none.
    reason:      the rule.
    """

    escalate: bool
    disposition: str | None
    reason: Reason


def judge(final_disposition: str | None, escalate_on: AbstractSet[str]) -> Verdict:
    """Decide by the final disposition, without regard to case and to white space around it.

    escalate_on: dispositions in upper case, out of DISPOSITIONS.
    Raises UnknownDisposition; its text has the JSON path and not the value.
    """
    if final_disposition is None:
        return Verdict(False, None, Reason.DISPOSITION_NOT_GIVEN)
    disposition = _PADDING.sub("", final_disposition).upper()
    if disposition in escalate_on:
        return Verdict(True, disposition, Reason.DISPOSITION_LISTED)
    if disposition in DISPOSITIONS:
        return Verdict(False, disposition, Reason.DISPOSITION_NOT_ESCALATED)
    if disposition.startswith(FAMILIES):  # MALICIOUS-BEC was a new word once, too
        return Verdict(True, _UNSAFE.sub("-", disposition)[:_LONGEST], Reason.DISPOSITION_FAMILY)
    raise UnknownDisposition("$.final_disposition: not a known value, and of no known family")
