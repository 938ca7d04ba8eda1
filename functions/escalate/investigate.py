"""Requests -> detections, and escalations -> their message details: the requests to Cloudflare.

An error decides how its message ends. Missing message details change nothing: the alert is published without them.
"""

from collections.abc import Callable
from concurrent.futures import Executor, wait
from dataclasses import dataclass, replace
from datetime import datetime

from functions.cloudflare.client import Cloudflare
from functions.cloudflare.errors import (
    CloudflareError,
    CredentialsRefused,
    InvalidAnswer,
    NoDetection,
    Refused,
    Throttled,
)
from functions.domain.outcome import Outcome, Reason
from functions.escalate.decision import Policy, with_severity
from functions.escalate.stages import Detected, Escalating, MessageResult, Request

RESERVE_SECONDS = 38.0
"""Kept of the invocation's time for the stages after the detections. At their slowest: previous alerts 8, claim 8, message
details 3, publish 10 and mark 8 s, 37 in all."""
DETAILS_SECONDS = 3.0
"""Message details delay an alert by at most this long."""
GRACE_SECONDS = 0.5
MAX_LOOKS = 3
"""A 404 at the third delivery is final: an id can arrive before Cloudflare has its detection ready."""


@dataclass(frozen=True, slots=True)
class Investigator:
    """Cloudflare, and the threads that send the requests."""

    cloudflare: Cloudflare
    threads: Executor
    policy: Policy
    with_details: bool
    now: Callable[[], datetime]

    def detect(self, requests: list[Request], seconds_left: float) -> list[Detected | MessageResult]:
        """The detection of each request, all at the same time.

        seconds_left: of the invocation.
        """
        seconds = seconds_left - RESERVE_SECONDS
        if seconds <= 0:
            return [_out_of_time(request) for request in requests]
        self.cloudflare.drop_idle_connections()
        calls = [self.threads.submit(self._ask, request, seconds) for request in requests]
        # Each call keeps its own deadline. This wait covers what has none, such as a resolver that does not answer.
        wait(calls, timeout=seconds + GRACE_SECONDS)
        # A call that has not started must not start in a later invocation: its message is sent again.
        return [
            _out_of_time(request) if call.cancel() or not call.done() else call.result()
            for request, call in zip(requests, calls, strict=True)
        ]

    def add_details(self, cases: list[Escalating]) -> list[Escalating]:
        """The same items, with message details where Cloudflare answers in time."""
        if not self.with_details:
            return cases
        calls = [self.threads.submit(self._with_details, case) for case in cases]
        wait(calls, timeout=DETAILS_SECONDS)
        return [
            case if call.cancel() or not call.done() else call.result() for case, call in zip(cases, calls, strict=True)
        ]

    def _with_details(self, case: Escalating) -> Escalating:
        try:
            details = self.cloudflare.message_details(
                case.record.resolved_id or case.record.id, DETAILS_SECONDS - GRACE_SECONDS
            )
        except CloudflareError:
            return case
        drift = (*case.record.drift, *details.drift)
        return replace(case, record=with_severity(replace(case.record, details=details, drift=drift)))

    def _ask(self, request: Request, seconds: float) -> Detected | MessageResult:
        try:
            return Detected(request, self.cloudflare.detection(request.id, seconds), self.now())
        except CloudflareError as exc:
            return self._failed(request, exc)

    def _failed(self, request: Request, error: CloudflareError) -> MessageResult:
        result = MessageResult(request.message, Outcome.RETRY, Reason.CLOUDFLARE_UNAVAILABLE, str(error), request.id)
        match error:
            case NoDetection() if request.message.receive_count < MAX_LOOKS:
                result = replace(result, reason=Reason.NO_DETECTION)
            case NoDetection():
                now = self.now()
                record = self.policy.record(
                    request.message,
                    request.id,
                    Outcome.NOT_FOUND,
                    Reason.NO_DETECTION,
                    fetched_at=now,
                    decided_at=now,
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


def _out_of_time(request: Request) -> MessageResult:
    detail = "Cloudflare did not answer in the remaining time of the invocation"
    return MessageResult(request.message, Outcome.DEFERRED, Reason.OUT_OF_TIME, detail, request.id)
