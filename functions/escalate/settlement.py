"""Outcomes -> their effects: what is still to be recorded, and what the queues have to be told.

An effect that fails turns its outcome into RETRY: the message stays on the queue, and nothing is lost.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from functions.escalate.outcome import Outcome, Reason, Settled
from functions.escalate.queue import Queues
from functions.ledger.ledger import Ledger, LedgerUnavailable

DEFERRED_AT_MOST = timedelta(days=3)
"""What could not be done for this long is a human's to look at. The requests queue keeps a message for four days."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """The ledger, for decisions that need no alert, and the queues."""

    ledger: Ledger | None
    queues: Queues
    now: Callable[[], datetime]

    def settle(self, cases: Sequence[Settled]) -> list[Settled]:
        """The same cases, in order, with their effects done, or RETRY where an effect failed."""
        done = self._do(cases, lambda case: case.record is not None, self._record, Reason.LEDGER_UNAVAILABLE)
        done = [self._expire(case) for case in done]
        done = self._do(done, _is(Outcome.REJECTED), self.queues.reject, Reason.QUEUE_UNAVAILABLE)
        done = self._do(done, _is(Outcome.DEFERRED), self.queues.send_again, Reason.QUEUE_UNAVAILABLE)
        # Where this fails the message comes back all the same, after the queue's own visibility timeout.
        self.queues.postpone([case for case in done if case.outcome is Outcome.RETRY])
        return done

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

    def _expire(self, case: Settled) -> Settled:
        if case.outcome is not Outcome.DEFERRED or self.now() - case.message.first_seen < DEFERRED_AT_MOST:
            return case
        detail = f"deferred for {DEFERRED_AT_MOST.days} days, last because: {case.reason}; {case.detail}"
        return replace(case, outcome=Outcome.REJECTED, reason=Reason.DEFERRED_TOO_LONG, detail=detail)


def _again(case: Settled, failure: Reason) -> Settled:
    detail = f"{case.outcome} ({case.reason}), but its effect failed: it is done again"
    return replace(case, outcome=Outcome.RETRY, reason=failure, detail=detail, record=None)


def _is(outcome: Outcome) -> Callable[[Settled], bool]:
    return lambda case: case.outcome is outcome
