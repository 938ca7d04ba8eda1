"""Requests -> detections, and escalations -> their context: ask Cloudflare.

Here is decided what becomes of a request that it does not answer. A context that it does not give changes nothing.
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
from functions.escalate.cases import Detected, Escalating, Request
from functions.escalate.decision import Policy, weighed
from functions.escalate.outcome import Outcome, Reason, Settled

RESERVE_SECONDS = 38.0
"""What is kept of the invocation's time once Cloudflare has answered: on the worst day to recall 8, claim 8, context 3,
publish 10 and mark 8 s, 37 in all."""
CONTEXT_SECONDS = 3.0
"""By this much at most an alert may come later for its context."""
GRACE_SECONDS = 0.5
LOOKS = 3
"""A 404 at the third delivery is believed: a mail may be asked about before Cloudflare has its detection ready."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """Cloudflare, and the threads in which it is asked."""

    cloudflare: Cloudflare
    threads: Executor
    policy: Policy
    with_context: bool
    now: Callable[[], datetime]

    def detect(self, requests: list[Request], seconds_left: float) -> list[Detected | Settled]:
        """What Cloudflare found, asked for all requests at the same time.

        seconds_left: of the invocation.
        """
        seconds = seconds_left - RESERVE_SECONDS
        if seconds <= 0:
            return [_out_of_time(request) for request in requests]
        self.cloudflare.wake()
        asked = [self.threads.submit(self._ask, request, seconds) for request in requests]
        # Each call keeps its deadline by itself; this is for what has none, such as a resolver that does not answer.
        wait(asked, timeout=seconds + GRACE_SECONDS)
        # What has not begun by now must not begin later: its message is sent again, and asks for itself.
        return [
            _out_of_time(request) if call.cancel() or not call.done() else call.result()
            for request, call in zip(requests, asked, strict=True)
        ]

    def contexts(self, cases: list[Escalating]) -> list[Escalating]:
        """The same cases, with the context of those for which Cloudflare gives one in time."""
        if not self.with_context:
            return cases
        asked = [self.threads.submit(self._context, case) for case in cases]
        wait(asked, timeout=CONTEXT_SECONDS)
        return [
            case if call.cancel() or not call.done() else call.result() for case, call in zip(cases, asked, strict=True)
        ]

    def _context(self, case: Escalating) -> Escalating:
        try:
            context = self.cloudflare.context(case.record.found_as or case.record.id, CONTEXT_SECONDS - GRACE_SECONDS)
        except CloudflareError:
            return case
        return replace(case, record=weighed(replace(case.record, context=context)))

    def _ask(self, request: Request, seconds: float) -> Detected | Settled:
        try:
            return Detected(request, self.cloudflare.detection(request.id, seconds), self.now())
        except CloudflareError as exc:
            return self._fate(request, exc)

    def _fate(self, request: Request, error: CloudflareError) -> Settled:
        settled = Settled(request.message, Outcome.RETRY, Reason.CLOUDFLARE_UNAVAILABLE, str(error), request.id)
        match error:
            case NoDetection() if request.message.receives < LOOKS:
                settled = replace(settled, reason=Reason.NO_DETECTION)
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
                settled = replace(settled, outcome=Outcome.NOT_FOUND, reason=Reason.NO_DETECTION, record=record)
            case Throttled(retry_after=pause):
                settled = replace(settled, outcome=Outcome.DEFERRED, reason=Reason.THROTTLED, delay=pause)
            case CredentialsRefused(pause=pause):
                settled = replace(settled, outcome=Outcome.DEFERRED, reason=Reason.CREDENTIALS_REFUSED, delay=pause)
            case Refused():
                settled = replace(settled, outcome=Outcome.REJECTED, reason=Reason.REFUSED_BY_CLOUDFLARE)
            case InvalidAnswer():
                settled = replace(settled, outcome=Outcome.REJECTED, reason=Reason.INVALID_ANSWER)
        return settled


def _out_of_time(request: Request) -> Settled:
    detail = "Cloudflare could not be asked, or did not answer, in what was left of the invocation's time"
    return Settled(request.message, Outcome.DEFERRED, Reason.OUT_OF_TIME, detail, request.id)
