"""The whole story of a batch, in phases. Each takes what is still open and gives it back a step further, or settled.

The number of network calls is what a batch costs, so everything that can share a call does: ten questions to
Cloudflare at the same time, then one write that claims, one publish, and one write that marks. What is not to be
alerted on costs one read: was anybody told of it before?
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from functions.escalate.cases import Detected, Escalating, Request, advance
from functions.escalate.decision import Policy
from functions.escalate.lookup import Lookup
from functions.escalate.message import Message
from functions.escalate.outbox import Outbox
from functions.escalate.outcome import Outcome, Reason, Settled
from functions.escalate.request import InvalidRequest, read_request
from functions.escalate.settlement import Settlement


@dataclass(frozen=True, slots=True)
class Invocation:
    """owner: unlike any other invocation's. seconds_left: until Lambda ends it."""

    owner: str
    seconds_left: Callable[[], float]


@dataclass(frozen=True, slots=True)
class Escalation:
    """Everybody whom the work needs."""

    policy: Policy
    lookup: Lookup
    outbox: Outbox
    settlement: Settlement
    now: Callable[[], datetime]

    def run(self, messages: Sequence[Message], invocation: Invocation) -> list[Settled]:
        """One outcome for each message, in order. What could not be done is RETRY or DEFERRED, never lost."""
        owner, seconds_left = invocation.owner, invocation.seconds_left
        requests = self.read(messages)
        detected = advance(requests, lambda cases: self.lookup.detect(cases, seconds_left()))
        decided = advance(detected, self.decide)
        claimed = advance(decided, lambda cases: self.outbox.claim(cases, owner, seconds_left()))
        in_context = advance(claimed, self.lookup.contexts)
        published = advance(in_context, lambda cases: self.outbox.publish(cases, seconds_left))
        marked = advance(published, lambda cases: self.outbox.mark(cases, owner, seconds_left))
        return self.settlement.settle(marked, seconds_left)

    def decide(self, cases: list[Detected]) -> list[Escalating | Settled]:
        """Those that somebody is to be told of, by what Cloudflare found in each mail and what was told of it before."""
        return self.outbox.recall([self.policy.decide(case, self.now()) for case in cases])

    def read(self, messages: Sequence[Message]) -> list[Request | Settled]:
        """The requests, each mail once: another request for one in the same batch looks again after the first."""
        cases: list[Request | Settled] = []
        named = set()
        for message in messages:
            try:
                request = read_request(message, self.policy.account_id)
            except InvalidRequest as exc:
                cases.append(Settled(message, Outcome.REJECTED, exc.reason, str(exc)))
                continue
            if request.id in named:
                detail = "another message in this batch asks about the same mail; this one looks again after it"
                cases.append(Settled(message, Outcome.RETRY, Reason.TWICE_IN_ONE_BATCH, detail, request.id))
            else:
                named.add(request.id)
                cases.append(request)
        return cases
