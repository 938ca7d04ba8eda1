"""Effects of outcomes: records, dead-lettered, requeued and delayed messages, and effects that fail."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import cast

import pytest

from functions.domain.email_id import EmailId
from functions.domain.feed_facts import FeedFacts
from functions.domain.outcome import Outcome, Reason
from functions.domain.record import Record
from functions.escalate.decision import ESCALATE_BY_DEFAULT, Policy
from functions.escalate.finish import EFFECT_SECONDS, Finisher
from functions.escalate.queues import Queues
from functions.escalate.retries import MAX_BACKOFF_SECONDS, MAX_DEFERRAL
from functions.escalate.stages import MessageResult
from functions.ledger.ledger import Ledger
from functions.ledger.queue_entry import QueueAnswer
from functions.ledger.table import LedgerUnavailable
from tests.unit.examples import ACCOUNT, INVESTIGATE_ID, NOON, POSTFIX_ID, message, record

POLICY = Policy(ACCOUNT, ESCALATE_BY_DEFAULT, record_all=False)
MAX_RECEIVE_COUNT = 12
MILLISECOND = timedelta(milliseconds=1)


@dataclass
class FakeQueues:
    """Queues that keep results in lists.

    failing: names of the operations that keep nothing and return False for each result.
    """

    failing: frozenset[str] = frozenset()
    dead_lettered: list[MessageResult] = field(default_factory=list)
    requeued: list[MessageResult] = field(default_factory=list)
    delayed: list[MessageResult] = field(default_factory=list)

    def dead_letter(self, results: Sequence[MessageResult]) -> list[bool]:
        """Keep the results in `dead_lettered`."""
        return self._keep("dead_letter", self.dead_lettered, results)

    def requeue(self, results: Sequence[MessageResult]) -> list[bool]:
        """Keep the results in `requeued`."""
        return self._keep("requeue", self.requeued, results)

    def extend_visibility(self, results: Sequence[MessageResult]) -> list[bool]:
        """Keep the results in `delayed`."""
        return self._keep("extend_visibility", self.delayed, results)

    def _keep(self, operation: str, kept: list[MessageResult], results: Sequence[MessageResult]) -> list[bool]:
        if operation in self.failing:
            return [False] * len(results)
        kept += results
        return [True] * len(results)


@dataclass
class FakeLedger:
    """A ledger that keeps records in a list.

    written: the return value of `record`. None if DynamoDB is unavailable.
    """

    written: list[bool] | None = field(default_factory=lambda: [True])
    records: list[Record] = field(default_factory=list)
    answers: list[QueueAnswer] = field(default_factory=list)

    def answer_feed(self, account_id: str, answers: Sequence[QueueAnswer]) -> None:
        """Keep the answers, or raise LedgerUnavailable."""
        assert account_id == ACCOUNT
        if self.written is None:
            raise LedgerUnavailable("DynamoDB did not write the answers")
        self.answers += answers

    def record(self, records: Sequence[Record]) -> list[bool]:
        """Keep the records, or raise LedgerUnavailable."""
        if self.written is None:
            raise LedgerUnavailable("DynamoDB did not write the records")
        self.records += records
        return self.written


def finish(
    *results: MessageResult,
    ledger: FakeLedger | None = None,
    queues: FakeQueues | None = None,
    seconds_left: float = 60.0,
) -> list[MessageResult]:
    """Finish the results at noon."""
    finisher = Finisher(
        cast("Ledger | None", ledger), cast("Queues", queues or FakeQueues()), POLICY, MAX_RECEIVE_COUNT, lambda: NOON
    )
    return finisher.finish(results, lambda: seconds_left)


def make_result(
    outcome: Outcome, reason: Reason, *, receive_count: int = 1, waited: timedelta = timedelta(), **fields: object
) -> MessageResult:
    """Make the result of a message.

    waited: the time from the first receive of the message until noon.
    """
    delivered = replace(message(POSTFIX_ID), receive_count=receive_count, first_seen=NOON - waited)
    return replace(MessageResult(delivered, outcome, reason, id=EmailId(POSTFIX_ID)), **fields)  # type: ignore[arg-type]


RETRY = make_result(Outcome.RETRY, Reason.CLOUDFLARE_UNAVAILABLE)
DEFERRED = make_result(Outcome.DEFERRED, Reason.THROTTLED, delay=42.0, detail="the token is blocked")
REJECTED = make_result(Outcome.REJECTED, Reason.INVALID_ANSWER, detail="$.links: type", drift=("$.links: type",))
ESCALATED = make_result(Outcome.ESCALATED, Reason.DISPOSITION_LISTED)
RECORDED = make_result(Outcome.NOT_ESCALATED, Reason.DISPOSITION_NOT_ESCALATED, record=record(disposition="SPAM"))


def test_escalated_email_has_no_effect() -> None:
    ledger, queues = FakeLedger(), FakeQueues()
    assert [ESCALATED] == finish(ESCALATED, ledger=ledger, queues=queues)
    assert (FakeLedger(), FakeQueues()) == (ledger, queues)


def test_mixed_batch_keeps_its_order_and_each_result_has_its_own_effect() -> None:
    ledger, queues = FakeLedger([True, True]), FakeQueues()
    batch = [RETRY, RECORDED, DEFERRED, ESCALATED, REJECTED]
    finished = finish(*batch, ledger=ledger, queues=queues)
    assert [result.outcome for result in batch] == [result.outcome for result in finished]
    assert ([finished[0]], [finished[2]], [finished[4]]) == (queues.delayed, queues.requeued, queues.dead_lettered)
    assert [finished[1].record, finished[4].record] == ledger.records


# --- the last receive -------------------------------------------------------------------------------------------------


def test_retry_before_its_last_receive_is_delayed() -> None:
    queues, early = (
        FakeQueues(),
        make_result(Outcome.RETRY, Reason.CLOUDFLARE_UNAVAILABLE, receive_count=MAX_RECEIVE_COUNT - 1),
    )
    assert [early] == finish(early, queues=queues)
    assert ([early], []) == (queues.delayed, queues.requeued)


@pytest.mark.parametrize(
    "receive_count", [MAX_RECEIVE_COUNT, MAX_RECEIVE_COUNT + 1], ids=["last receive", "receive after the last"]
)
def test_retry_at_its_last_receive_is_requeued_with_the_maximum_backoff(receive_count: int) -> None:
    queues, last = FakeQueues(), make_result(Outcome.RETRY, Reason.CLOUDFLARE_UNAVAILABLE, receive_count=receive_count)
    [finished] = finish(last, queues=queues)
    assert (Outcome.DEFERRED, last.reason, MAX_BACKOFF_SECONDS) == (finished.outcome, finished.reason, finished.delay)
    assert ([], [finished]) == (queues.delayed, queues.requeued)


def test_escalated_email_at_its_last_receive_is_not_requeued() -> None:
    queues, last = FakeQueues(), replace(ESCALATED, message=replace(ESCALATED.message, receive_count=MAX_RECEIVE_COUNT))
    assert [last] == finish(last, queues=queues)
    assert FakeQueues() == queues


# --- the three-day limit ----------------------------------------------------------------------------------------------


def test_deferred_message_just_under_three_days_old_is_requeued() -> None:
    queues, young = (
        FakeQueues(),
        make_result(Outcome.DEFERRED, Reason.THROTTLED, waited=MAX_DEFERRAL - MILLISECOND, delay=42.0),
    )
    assert [young] == finish(young, queues=queues)
    assert ([young], []) == (queues.requeued, queues.dead_lettered)


def test_deferred_message_that_is_three_days_old_is_rejected_with_its_last_reason() -> None:
    queues = FakeQueues()
    old = make_result(Outcome.DEFERRED, Reason.THROTTLED, waited=MAX_DEFERRAL, detail="the token is blocked")
    [finished] = finish(old, queues=queues)
    assert (Outcome.REJECTED, Reason.DEFERRED_TOO_LONG) == (finished.outcome, finished.reason)
    assert "deferred for 3 days; last reason: throttled; the token is blocked" == finished.detail
    assert ([], [finished]) == (queues.requeued, queues.dead_lettered)


def test_retry_that_is_three_days_old_at_its_last_receive_is_rejected() -> None:
    old = make_result(Outcome.RETRY, Reason.LEDGER_UNAVAILABLE, receive_count=MAX_RECEIVE_COUNT, waited=MAX_DEFERRAL)
    [finished] = finish(old)
    assert (Outcome.REJECTED, Reason.DEFERRED_TOO_LONG) == (finished.outcome, finished.reason)


@pytest.mark.parametrize("result", [RETRY, ESCALATED], ids=["retry", "escalated"])
def test_old_message_that_is_not_deferred_is_not_rejected(result: MessageResult) -> None:
    old = replace(result, message=replace(result.message, first_seen=NOON - 2 * MAX_DEFERRAL))
    assert [old] == finish(old)


# --- the record of a rejection ----------------------------------------------------------------------------------------


def test_rejection_with_an_email_id_is_recorded_with_its_detail_and_drift() -> None:
    ledger = FakeLedger()
    finish(REJECTED, ledger=ledger)
    [recorded] = ledger.records
    assert (REJECTED.id, "REJECTED", Reason.INVALID_ANSWER) == (recorded.id, recorded.outcome, recorded.reason)
    assert (REJECTED.detail, REJECTED.drift, NOON) == (recorded.detail, recorded.drift, recorded.decided_at)


def test_rejection_without_an_email_id_is_dead_lettered_and_not_recorded() -> None:
    ledger, queues = FakeLedger(), FakeQueues()
    without_id = make_result(Outcome.REJECTED, Reason.MALFORMED_BODY, id=None)
    assert [without_id] == finish(without_id, ledger=ledger, queues=queues)
    assert ([], [without_id]) == (ledger.records, queues.dead_lettered)


@pytest.mark.parametrize("result", [RETRY, DEFERRED, ESCALATED], ids=lambda result: str(result.outcome))
def test_result_that_is_not_rejected_is_not_recorded(result: MessageResult) -> None:
    ledger = FakeLedger()
    finish(result, ledger=ledger)
    assert [] == ledger.records


def test_rejection_without_a_table_is_dead_lettered() -> None:
    queues = FakeQueues()
    [finished] = finish(REJECTED, ledger=None, queues=queues)
    assert (Outcome.REJECTED, [finished]) == (finished.outcome, queues.dead_lettered)


# --- effects that fail ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("written", [[False], None], ids=["record not written", "DynamoDB unavailable"])
@pytest.mark.parametrize("result", [REJECTED, RECORDED], ids=["rejection", "decision"])
def test_result_that_cannot_be_recorded_is_retried_and_not_dead_lettered(
    result: MessageResult, written: list[bool] | None
) -> None:
    queues = FakeQueues()
    [finished] = finish(result, ledger=FakeLedger(written), queues=queues)
    assert (Outcome.RETRY, Reason.LEDGER_UNAVAILABLE, None) == (finished.outcome, finished.reason, finished.record)
    assert f"the effect of {result.outcome} ({result.reason}) failed; the message is retried" == finished.detail
    assert ([finished], []) == (queues.delayed, queues.dead_lettered)


def test_record_that_is_not_written_retries_only_its_own_message() -> None:
    first, second = RECORDED, replace(RECORDED, id=EmailId(POSTFIX_ID + "2"))
    finished = finish(first, ESCALATED, second, ledger=FakeLedger([True, False]))
    assert [first, ESCALATED] == finished[:2]
    assert (Outcome.RETRY, second.id) == (finished[2].outcome, finished[2].id)


FAILING = {"dead_letter": REJECTED, "requeue": DEFERRED}


@pytest.mark.parametrize(("operation", "result"), FAILING.items(), ids=FAILING)
def test_message_is_retried_if_its_queue_operation_fails(operation: str, result: MessageResult) -> None:
    queues = FakeQueues(frozenset({operation}))
    [finished] = finish(result, queues=queues)
    assert (Outcome.RETRY, Reason.QUEUE_UNAVAILABLE) == (finished.outcome, finished.reason)
    assert [finished] == queues.delayed


def test_retry_that_cannot_be_delayed_is_still_a_retry() -> None:
    assert [RETRY] == finish(RETRY, queues=FakeQueues(frozenset({"extend_visibility"})))


# --- the remaining time -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds_left", [EFFECT_SECONDS, 0.0], ids=["too little time", "no time"])
def test_effects_do_not_start_without_enough_time_and_their_messages_are_retried(seconds_left: float) -> None:
    ledger, queues = FakeLedger(), FakeQueues()
    finished = finish(RECORDED, DEFERRED, REJECTED, RETRY, ledger=ledger, queues=queues, seconds_left=seconds_left)
    expected = [Reason.LEDGER_UNAVAILABLE, Reason.QUEUE_UNAVAILABLE, Reason.LEDGER_UNAVAILABLE, RETRY.reason]
    assert [(Outcome.RETRY, reason) for reason in expected] == [(result.outcome, result.reason) for result in finished]
    assert (FakeLedger(), FakeQueues()) == (ledger, queues)


def test_effects_are_applied_with_just_enough_time() -> None:
    queues = FakeQueues()
    assert [DEFERRED] == finish(DEFERRED, queues=queues, seconds_left=EFFECT_SECONDS + 0.001)
    assert [DEFERRED] == queues.requeued


# --- messages of the feed ---------------------------------------------------------------------------------------------


def of_feed(result: MessageResult, answered: str | None = None) -> MessageResult:
    return replace(
        result, message=replace(result.message, feed=FeedFacts()), id=EmailId(INVESTIGATE_ID), answered=answered
    )


def test_answers_about_messages_of_the_feed_are_written_in_one_call() -> None:
    """A message that is processed again has no answer yet."""
    ledger = FakeLedger([True])
    finish(
        of_feed(ESCALATED, "MALICIOUS"), ESCALATED, of_feed(RETRY), of_feed(DEFERRED), of_feed(REJECTED), ledger=ledger
    )
    escalated = QueueAnswer(EmailId(INVESTIGATE_ID), Outcome.ESCALATED, "MALICIOUS", NOON)
    assert [escalated, QueueAnswer(EmailId(INVESTIGATE_ID), Outcome.REJECTED, "", NOON)] == ledger.answers


def test_answer_that_is_not_written_changes_no_outcome() -> None:
    """The feed asks again, and the ledger knows the alert."""
    result = of_feed(ESCALATED, "MALICIOUS")
    assert [result] == finish(result, ledger=FakeLedger(None))
