"""Outcomes -> their effects: what is still to be recorded, and what the queues have to be told.

An effect that fails turns its outcome into RETRY: the message stays on the queue, and nothing is lost.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from functions.escalate.decision import Policy
from functions.escalate.outcome import Outcome, Reason, Settled
from functions.escalate.queue import LONGEST_PAUSE, Queues
from functions.ledger.ledger import Ledger, LedgerUnavailable

DEFERRED_AT_MOST = timedelta(days=3)
"""What could not be done for this long is a human's to look at. The requests queue keeps a message for four days."""
EFFECT_SECONDS = 9.0
"""One call to AWS at its slowest (8 s), and the answer to Lambda."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """The ledger, for decisions that need no alert, and the queues.

    max_receives: the delivery at which a message is sent again as a fresh one, before SQS gives it up without a reason.
    """

    ledger: Ledger | None
    queues: Queues
    policy: Policy
    max_receives: int
    now: Callable[[], datetime]

    def settle(self, cases: Sequence[Settled], seconds_left: Callable[[], float]) -> list[Settled]:
        """The same cases, in order, with their effects done, or RETRY where an effect failed or had no time left.

        seconds_left: of the invocation. One that ends before it has answered brings back its whole batch.
        """

        def in_time(effect: Callable[[list[Settled]], list[bool]]) -> Callable[[list[Settled]], list[bool]]:
            return lambda those: effect(those) if seconds_left() > EFFECT_SECONDS else [False] * len(those)

        done = [self._explained(self._expired(self._renewed(case))) for case in cases]
        done = self._do(done, lambda case: case.record is not None, in_time(self._record), Reason.LEDGER_UNAVAILABLE)
        done = self._do(done, _is(Outcome.REJECTED), in_time(self.queues.reject), Reason.QUEUE_UNAVAILABLE)
        done = self._do(done, _is(Outcome.DEFERRED), in_time(self.queues.send_again), Reason.QUEUE_UNAVAILABLE)
        # Where this fails the message comes back all the same, after the queue's own visibility timeout.
        in_time(self.queues.postpone)([case for case in done if case.outcome is Outcome.RETRY])
        return done

    def _renewed(self, case: Settled) -> Settled:
        """At its last receive a message that would be tried again is sent again instead, as one with all its receives."""
        if case.outcome is not Outcome.RETRY or case.message.receives < self.max_receives:
            return case
        return replace(case, outcome=Outcome.DEFERRED, delay=LONGEST_PAUSE)

    def _expired(self, case: Settled) -> Settled:
        if case.outcome is not Outcome.DEFERRED or self.now() - case.message.first_seen < DEFERRED_AT_MOST:
            return case
        detail = f"deferred for {DEFERRED_AT_MOST.days} days, last because: {case.reason}; {case.detail}"
        return replace(case, outcome=Outcome.REJECTED, reason=Reason.DEFERRED_TOO_LONG, detail=detail)

    def _explained(self, case: Settled) -> Settled:
        """A rejection that names a mail is on record too: the dead-letter queue forgets after two weeks."""
        if case.outcome is not Outcome.REJECTED or case.id is None:
            return case
        now = self.now()
        record = self.policy.record(case.message, case.id, case.outcome, case.reason, fetched_at=now, decided_at=now)
        return replace(case, record=replace(record, detail=case.detail, drift=case.drift))

    def _do(
        self,
        cases: Sequence[Settled],
        concerns: Callable[[Settled], bool],
        effect: Callable[[list[Settled]], list[bool]],
        failure: Reason,
    ) -> list[Settled]:
        concerned = [case for case in cases if concerns(case)]
        results = iter(effect(concerned) if concerned else ())
        return [case if not concerns(case) or next(results) else _again(case, failure) for case in cases]

    def _record(self, cases: list[Settled]) -> list[bool]:
        if self.ledger is None:
            return [True] * len(cases)
        try:
            return self.ledger.record([case.record for case in cases if case.record is not None])
        except LedgerUnavailable:
            return [False] * len(cases)


def _again(case: Settled, failure: Reason) -> Settled:
    detail = f"{case.outcome} ({case.reason}), but its effect failed: it is done again"
    return replace(case, outcome=Outcome.RETRY, reason=failure, detail=detail, record=None)


def _is(outcome: Outcome) -> Callable[[Settled], bool]:
    return lambda case: case.outcome is outcome
