"""Outcomes -> their effects on ledger and queues.

Rejections and recorded decisions are written to the ledger. Then messages are dead-lettered, requeued or delayed.
An effect that fails turns its outcome into RETRY. The message stays on the queue, so no message is lost.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from functions.domain.outcome import Outcome, Reason
from functions.escalate.decision import Policy
from functions.escalate.queues import Queues
from functions.escalate.retries import limit_retries
from functions.escalate.sqs_message import Message
from functions.escalate.stages import MessageResult
from functions.ledger.ledger import Ledger
from functions.ledger.queue_entry import QueueAnswer
from functions.ledger.table import LedgerUnavailable

EFFECT_SECONDS = 9.0
"""One AWS call at its slowest (8 s), and 1 s for the response to Lambda."""

Effect = Callable[[list[MessageResult]], list[bool]]
"""Does something for each result, and returns for each whether it succeeded."""


@dataclass(frozen=True, slots=True)
class Finisher:
    """Applies the effects of outcomes to the ledger and the queues.

    ledger:            receives the decisions that need no alert. None without a table.
    max_receive_count: at this receive a message is requeued as a new one, before SQS dead-letters it without a reason.
    """

    ledger: Ledger | None
    queues: Queues
    policy: Policy
    max_receive_count: int
    now: Callable[[], datetime]

    def finish(self, results: Sequence[MessageResult], seconds_left: Callable[[], float]) -> list[MessageResult]:
        """Apply the effects of all results. Returns RETRY for each result whose effect failed.

        seconds_left: of the invocation. If an invocation times out, SQS delivers its whole batch again. So no effect
                      starts that might not end in time.
        """

        def in_time(effect: Effect) -> Effect:
            return lambda batch: effect(batch) if seconds_left() > EFFECT_SECONDS else [False] * len(batch)

        limited = (limit_retries(result, self.max_receive_count, self.now()) for result in results)
        finished = [self._with_rejection_record(result) for result in limited]
        finished = _apply(
            finished, lambda result: result.record is not None, in_time(self._record), Reason.LEDGER_UNAVAILABLE
        )
        finished = _apply(
            finished, _has_outcome(Outcome.REJECTED), in_time(self.queues.dead_letter), Reason.QUEUE_UNAVAILABLE
        )
        finished = _apply(
            finished, _has_outcome(Outcome.DEFERRED), in_time(self.queues.requeue), Reason.QUEUE_UNAVAILABLE
        )
        # If this call fails, the message still comes back, after the visibility timeout of the queue.
        in_time(self.queues.extend_visibility)([result for result in finished if result.outcome is Outcome.RETRY])
        in_time(self._answer_feed)(finished)
        return finished

    def _answer_feed(self, results: list[MessageResult]) -> list[bool]:
        """Note what came of the feed's messages. If that fails, the feed asks again, and the ledger knows the alert."""
        now = self.now()
        answers = [
            QueueAnswer(result.id, result.outcome, result.answered or "", now)
            for result in results
            if _asks_for_disposition(result.message)
            and result.id
            and result.outcome not in (Outcome.RETRY, Outcome.DEFERRED)
        ]
        if self.ledger is None or not answers:
            return [True] * len(results)
        try:
            self.ledger.answer_feed(self.policy.account_id, answers)
        except LedgerUnavailable:
            return [False] * len(results)
        return [True] * len(results)

    def _with_rejection_record(self, result: MessageResult) -> MessageResult:
        """Add a record to a rejection that names an email. The dead-letter queue keeps messages for 14 days only."""
        if result.outcome is not Outcome.REJECTED or result.id is None:
            return result
        now = self.now()
        record = self.policy.record(
            result.message, result.id, result.outcome, result.reason, fetched_at=now, decided_at=now
        )
        return replace(result, record=replace(record, detail=result.detail, drift=result.drift))

    def _record(self, results: list[MessageResult]) -> list[bool]:
        if self.ledger is None:
            return [True] * len(results)
        try:
            return self.ledger.record([result.record for result in results if result.record is not None])
        except LedgerUnavailable:
            return [False] * len(results)


def _asks_for_disposition(message: Message) -> bool:
    """Whether the feed waits for the answer: not if it asks for the message details of a record."""
    return message.feed is not None and not message.feed.details_of


def _apply(
    results: Sequence[MessageResult], is_affected: Callable[[MessageResult], bool], effect: Effect, failure: Reason
) -> list[MessageResult]:
    """Apply an effect to the affected results in one call. Returns all results, in order."""
    affected = [result for result in results if is_affected(result)]
    succeeded = iter(effect(affected) if affected else ())
    return [
        result if not is_affected(result) or next(succeeded) else _retry_effect(result, failure) for result in results
    ]


def _retry_effect(result: MessageResult, failure: Reason) -> MessageResult:
    detail = f"the effect of {result.outcome} ({result.reason}) failed; the message is retried"
    return replace(result, outcome=Outcome.RETRY, reason=failure, detail=detail, record=None)


def _has_outcome(outcome: Outcome) -> Callable[[MessageResult], bool]:
    return lambda result: result.outcome is outcome
