"""Requests -> detections: ask Cloudflare, and decide what becomes of a request that it does not answer."""

from collections.abc import Callable
from concurrent.futures import Executor
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
    Unavailable,
)
from functions.escalate.cases import Detected, Request
from functions.escalate.decision import Policy
from functions.escalate.outcome import Outcome, Reason, Settled

RESERVE_SECONDS = 30.0
"""What is kept of the invocation's time once Cloudflare has answered: three calls to AWS at their slowest (8 s each)."""
CREDENTIALS_PAUSE = 300.0
"""Seconds. A human has to mend the secret: looking more often than every five minutes only costs."""
LOOKS = 3
"""With the third 404 we believe that there is no detection: a mail may be asked about before Cloudflare has it ready."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """Cloudflare, and the threads in which it is asked."""

    cloudflare: Cloudflare
    threads: Executor
    policy: Policy
    now: Callable[[], datetime]

    def detect(self, requests: list[Request], seconds_left: float) -> list[Detected | Settled]:
        """What Cloudflare found, asked for all requests at the same time.

        seconds_left: of the invocation.
        """
        seconds = seconds_left - RESERVE_SECONDS
        if seconds <= 0:
            detail = "too little of the invocation's time was left to ask Cloudflare"
            return [Settled(it.message, Outcome.DEFERRED, Reason.OUT_OF_TIME, detail, it.id) for it in requests]
        return list(self.threads.map(lambda request: self._ask(request, seconds), requests))

    def _ask(self, request: Request, seconds: float) -> Detected | Settled:
        try:
            return Detected(request, self.cloudflare.detection(request.id, seconds), self.now())
        except CloudflareError as exc:
            return self._fate(request, exc)

    def _fate(self, request: Request, error: CloudflareError) -> Settled:
        settled = Settled(request.message, Outcome.RETRY, Reason.CLOUDFLARE_UNAVAILABLE, str(error), request.id)
        match error:
            case Unavailable():
                pass
            case NoDetection() if request.message.receives < LOOKS:
                settled = replace(settled, reason=Reason.NO_DETECTION)
            case NoDetection():
                record = self.policy.record(request, Outcome.NOT_FOUND, Reason.NO_DETECTION, self.now(), self.now())
                settled = replace(settled, outcome=Outcome.NOT_FOUND, reason=Reason.NO_DETECTION, record=record)
            case Throttled(retry_after=pause):
                settled = replace(settled, outcome=Outcome.DEFERRED, reason=Reason.THROTTLED, delay=pause)
            case CredentialsRefused():
                settled = replace(
                    settled, outcome=Outcome.DEFERRED, reason=Reason.CREDENTIALS_REFUSED, delay=CREDENTIALS_PAUSE
                )
            case Refused():
                settled = replace(settled, outcome=Outcome.REJECTED, reason=Reason.REFUSED_BY_CLOUDFLARE)
            case InvalidAnswer():
                settled = replace(settled, outcome=Outcome.REJECTED, reason=Reason.INVALID_ANSWER)
            case _:
                raise AssertionError(f"{type(error).__name__} is a leaf of CloudflareError without a fate")
        return settled
