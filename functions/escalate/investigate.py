"""Requests -> detections, and escalations -> their message details: the requests to Cloudflare.

An error decides how its message ends. Missing message details change nothing: the alert is published without them.
"""

import time
from collections.abc import Callable
from concurrent.futures import Executor, wait
from dataclasses import dataclass, replace
from datetime import datetime

from functions.cloudflare.client import Cloudflare
from functions.cloudflare.contract import DetectionResult
from functions.cloudflare.errors import (
    CloudflareError,
    CredentialsRefused,
    InvalidAnswer,
    NoDetection,
    Refused,
    Throttled,
)
from functions.domain.detection import Detection, read_detection
from functions.domain.email_id import EmailId
from functions.domain.email_state import EmailState
from functions.domain.message_details import MessageDetails
from functions.domain.outcome import Outcome, Reason
from functions.escalate.decision import Policy, with_severity
from functions.escalate.stages import Decision, Detected, MessageResult, Request

RESERVE_SECONDS = 38.0
"""Kept of the invocation's time for the stages after the detections. At their slowest: look up 8, message details 3, claim
8, publish 10 and mark 8 s, 37 in all. What is left over goes to pointers, which a redelivery can also write."""
DETAILS_SECONDS = 3.0
"""Message details delay an alert by at most this long."""
GRACE_SECONDS = 0.5
MAX_LOOKS = 3
"""A 404 at the third or a later receive is final: an id can arrive before Cloudflare has its detection ready."""

Known = tuple[Decision, EmailState]
"""A decision, and what the ledger knows of its email."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """Cloudflare's answer about one id. details, detail: see Detected."""

    result: DetectionResult | CloudflareError
    at: datetime
    details: MessageDetails | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Investigator:
    """Cloudflare, and the threads that send the requests.

    asks_again: whether the feed queues an email again whose message details do not come in time.
    """

    cloudflare: Cloudflare
    threads: Executor
    policy: Policy
    with_details: bool
    now: Callable[[], datetime]
    asks_again: bool = False

    def detect(self, requests: list[Request], seconds_left: float) -> list[Detected | MessageResult]:
        """The detection of each request, all at the same time; requests with the same id share one.

        seconds_left: of the invocation.
        """
        seconds = seconds_left - RESERVE_SECONDS
        if seconds <= 0:
            return [_out_of_time(request) for request in requests]
        self.cloudflare.drop_idle_connections()
        unique = dict.fromkeys(request.id for request in requests)
        calls = {mail: self.threads.submit(self._ask, mail, seconds) for mail in unique}
        # Each call keeps its own deadline. This wait covers what has none, such as a resolver that does not answer.
        wait(calls.values(), timeout=seconds + GRACE_SECONDS)
        # A call that has not started must not start in a later invocation: its message is sent again.
        answers = {mail: None if call.cancel() or not call.done() else call.result() for mail, call in calls.items()}
        return [self._detected(request, answers[request.id]) for request in requests]

    def add_details(self, known: list[Known]) -> list[Known]:
        """Message details for the emails that need them, where Cloudflare answers in time."""
        if not self.with_details:
            return known
        needed = [
            decision.record.details is None and (state.needs_details(decision.record) or bool(details_of(decision)))
            for decision, state in known
        ]
        calls = [
            self.threads.submit(self._with_details, decision) if need else None
            for (decision, _), need in zip(known, needed, strict=True)
        ]
        wait([call for call in calls if call], timeout=DETAILS_SECONDS)
        answered = [
            call.result() if call and not call.cancel() and call.done() else decision
            for (decision, _), call in zip(known, calls, strict=True)
        ]
        return [
            _with_state(self._pending(answer) if need else answer, decision, state)
            for answer, need, (decision, state) in zip(answered, needed, known, strict=True)
        ]

    def _pending(self, decision: Decision) -> Decision:
        """The decision, with a note for the feed if the message details of an alert have not come."""
        record = decision.record
        if not self.asks_again or record.details or not record.escalates:
            return decision
        return replace(decision, record=replace(record, details_pending=True))

    def _with_details(self, decision: Decision) -> Decision:
        record = decision.record
        try:
            details = self.cloudflare.message_details(record.resolved_id or record.id, DETAILS_SECONDS - GRACE_SECONDS)
        except CloudflareError:
            return decision
        if details_of(decision) and replace(record, details=details).email != record.email:
            # A short id gets its date from the details, and would be another email than the one that waits for them.
            details = replace(details, id=None)
        drift = (*record.drift, *details.drift)
        record = with_severity(replace(record, details=details, drift=drift))
        return replace(decision, record=record, result=replace(decision.result, drift=drift))

    def _ask(self, id: EmailId, seconds: float) -> _Answer:
        deadline = time.monotonic() + seconds
        try:
            result = self.cloudflare.detection(id, seconds)
        except InvalidAnswer as exc:
            return self._fall_back(exc, str(exc), exc.id or id, exc.detection, deadline)
        except CloudflareError as exc:
            return _Answer(exc, self.now())
        problem = self.policy.problem(result)
        if problem:
            return self._fall_back(result, problem, result.id, result.detection, deadline)
        return _Answer(result, self.now(), detail=result.detail)

    def _fall_back(
        self,
        unusable: DetectionResult | InvalidAnswer,
        problem: str,
        id: EmailId,
        detection: Detection | None,
        deadline: float,
    ) -> _Answer:
        """Use the disposition of the message details, if it escalates: no sender may choose a dead letter.

        detection: what is known of it. A failure that may pass leads to a retry, because the details may escalate.
        """
        try:
            details = self.cloudflare.search_details(id, deadline - time.monotonic())
        except (NoDetection, Refused, InvalidAnswer):
            return _Answer(unusable, self.now())
        except CloudflareError as exc:
            return _Answer(exc, self.now())
        if not self.policy.known_to_escalate(details.final_disposition):
            return _Answer(unusable, self.now())
        known = replace(detection or read_detection({}), final_disposition=details.final_disposition)
        drift = unusable.drift if isinstance(unusable, DetectionResult) else ()
        detail = f"the detection could not be read, so the disposition is that of the message details: {problem}"
        result = DetectionResult(details.id or id, known, (*drift, *details.drift), ())
        return _Answer(result, self.now(), details, detail)

    def _detected(self, request: Request, answer: _Answer | None) -> Detected | MessageResult:
        if answer is None:
            return _out_of_time(request)
        if isinstance(answer.result, CloudflareError):
            return self._failed(request, answer.result, answer.at)
        return Detected(request, answer.result, answer.at, answer.details, answer.detail)

    def _failed(self, request: Request, error: CloudflareError, at: datetime) -> MessageResult:
        """How a message ends whose request failed."""
        result = MessageResult(request.message, Outcome.RETRY, Reason.CLOUDFLARE_UNAVAILABLE, str(error), request.id)
        match error:
            case NoDetection() if request.message.receive_count < MAX_LOOKS:
                result = replace(result, reason=Reason.NO_DETECTION)
            case NoDetection():
                record = self.policy.record(
                    request.message,
                    request.id,
                    Outcome.NOT_FOUND,
                    Reason.NO_DETECTION,
                    fetched_at=at,
                    decided_at=at,
                )
                result = replace(result, outcome=Outcome.NOT_FOUND, reason=Reason.NO_DETECTION, record=record)
            case Throttled(retry_after=pause):
                result = replace(result, outcome=Outcome.DEFERRED, reason=Reason.THROTTLED, delay=pause)
            case CredentialsRefused(pause=pause):
                result = replace(result, outcome=Outcome.DEFERRED, reason=Reason.CREDENTIALS_REFUSED, delay=pause)
            case Refused():
                result = replace(result, outcome=Outcome.REJECTED, reason=Reason.REFUSED_BY_CLOUDFLARE)
            case InvalidAnswer():
                result = replace(result, outcome=Outcome.REJECTED, reason=Reason.INVALID_ANSWER)
        return result


def details_of(decision: Decision) -> str:
    """The request of the record whose message details the feed asks for; empty for any other message."""
    feed = decision.request.message.feed
    return feed.details_of if feed else ""


def _with_state(detailed: Decision, decision: Decision, state: EmailState) -> Known:
    """The details of a short id add its date: then it is another email, of which nothing has been looked up."""
    return detailed, state if detailed.record.email == decision.record.email else EmailState()


def _out_of_time(request: Request) -> MessageResult:
    detail = "Cloudflare did not answer in the remaining time of the invocation"
    return MessageResult(request.message, Outcome.DEFERRED, Reason.OUT_OF_TIME, detail, request.id)
