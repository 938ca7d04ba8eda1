"""settlement.py: what is recorded, rejected, sent again and postponed, and what happens when one of these fails."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import cast

import pytest

from functions.cloudflare.message_id import MessageId
from functions.escalate.decision import Policy
from functions.escalate.outcome import Outcome, Reason, Settled
from functions.escalate.queue import LONGEST_PAUSE, Queues
from functions.escalate.settlement import DEFERRED_AT_MOST, EFFECT_SECONDS, Settlement
from functions.escalate.verdict import ESCALATE_BY_DEFAULT
from functions.ledger.ledger import Ledger, LedgerUnavailable
from functions.ledger.record import Record
from tests.unit.examples import ACCOUNT, NOON, POSTFIX_ID, message, record

POLICY = Policy(ACCOUNT, ESCALATE_BY_DEFAULT, record_all=False)
MAX_RECEIVES = 12
MOMENT = timedelta(milliseconds=1)


@dataclass
class FakeQueues:
    """Keeps what it is given. failing: names of the operations that do nothing and say so."""

    failing: frozenset[str] = frozenset()
    rejected: list[Settled] = field(default_factory=list)
    sent_again: list[Settled] = field(default_factory=list)
    postponed: list[Settled] = field(default_factory=list)

    def reject(self, cases: Sequence[Settled]) -> list[bool]:
        """Keep rejections."""
        return self._keep("reject", self.rejected, cases)

    def send_again(self, cases: Sequence[Settled]) -> list[bool]:
        """Keep deferrals."""
        return self._keep("send_again", self.sent_again, cases)

    def postpone(self, cases: Sequence[Settled]) -> list[bool]:
        """Keep retries."""
        return self._keep("postpone", self.postponed, cases)

    def _keep(self, name: str, kept: list[Settled], cases: Sequence[Settled]) -> list[bool]:
        if name in self.failing:
            return [False] * len(cases)
        kept += cases
        return [True] * len(cases)


@dataclass
class FakeLedger:
    """Keeps records. taken: its answer about each of them; None where DynamoDB does not answer."""

    taken: list[bool] | None = field(default_factory=lambda: [True])
    records: list[Record] = field(default_factory=list)

    def record(self, records: Sequence[Record]) -> list[bool]:
        """Keep records, or raise LedgerUnavailable."""
        if self.taken is None:
            raise LedgerUnavailable("the table did not take the records")
        self.records += records
        return self.taken


def settle(
    *cases: Settled,
    ledger: FakeLedger | None = None,
    queues: FakeQueues | None = None,
    seconds_left: float = 60.0,
) -> list[Settled]:
    """The cases after settlement at noon."""
    settlement = Settlement(
        cast("Ledger | None", ledger), cast("Queues", queues or FakeQueues()), POLICY, MAX_RECEIVES, lambda: NOON
    )
    return settlement.settle(cases, lambda: seconds_left)


def case(
    outcome: Outcome, reason: Reason, *, receives: int = 1, waited: timedelta = timedelta(), **fields: object
) -> Settled:
    """A case whose message SQS has delivered so often, first so long before noon."""
    delivered = replace(message(POSTFIX_ID), receives=receives, first_seen=NOON - waited)
    return replace(Settled(delivered, outcome, reason, id=MessageId(POSTFIX_ID)), **fields)  # type: ignore[arg-type]


RETRY = case(Outcome.RETRY, Reason.CLOUDFLARE_UNAVAILABLE)
DEFERRED = case(Outcome.DEFERRED, Reason.THROTTLED, delay=42.0, detail="the token is blocked")
REJECTED = case(Outcome.REJECTED, Reason.INVALID_ANSWER, detail="$.links: type", drift=("$.links: type",))
ESCALATED = case(Outcome.ESCALATED, Reason.DISPOSITION_LISTED)
RECORDED = case(Outcome.NOT_ESCALATED, Reason.DISPOSITION_BELOW_THE_LINE, record=record(disposition="SPAM"))


def test_escalated_mail_changes_nothing() -> None:
    ledger, queues = FakeLedger(), FakeQueues()
    assert [ESCALATED] == settle(ESCALATED, ledger=ledger, queues=queues)
    assert (FakeLedger(), FakeQueues()) == (ledger, queues)


def test_mixed_batch_keeps_its_order_and_each_case_has_its_own_effect() -> None:
    ledger, queues = FakeLedger([True, True]), FakeQueues()
    batch = [RETRY, RECORDED, DEFERRED, ESCALATED, REJECTED]
    settled = settle(*batch, ledger=ledger, queues=queues)
    assert [it.outcome for it in batch] == [it.outcome for it in settled]
    assert ([settled[0]], [settled[2]], [settled[4]]) == (queues.postponed, queues.sent_again, queues.rejected)
    assert [settled[1].record, settled[4].record] == ledger.records


# --- the last receive -------------------------------------------------------------------------------------------------


def test_retry_before_its_last_receive_is_postponed() -> None:
    queues, early = FakeQueues(), case(Outcome.RETRY, Reason.CLOUDFLARE_UNAVAILABLE, receives=MAX_RECEIVES - 1)
    assert [early] == settle(early, queues=queues)
    assert ([early], []) == (queues.postponed, queues.sent_again)


@pytest.mark.parametrize("receives", [MAX_RECEIVES, MAX_RECEIVES + 1])
def test_retry_at_its_last_receive_is_sent_again_with_the_longest_pause(receives: int) -> None:
    queues, last = FakeQueues(), case(Outcome.RETRY, Reason.CLOUDFLARE_UNAVAILABLE, receives=receives)
    [settled] = settle(last, queues=queues)
    assert (Outcome.DEFERRED, last.reason, LONGEST_PAUSE) == (settled.outcome, settled.reason, settled.delay)
    assert ([], [settled]) == (queues.postponed, queues.sent_again)


def test_escalated_mail_at_its_last_receive_is_not_sent_again() -> None:
    queues, last = FakeQueues(), replace(ESCALATED, message=replace(ESCALATED.message, receives=MAX_RECEIVES))
    assert [last] == settle(last, queues=queues)
    assert FakeQueues() == queues


# --- the three-day limit ----------------------------------------------------------------------------------------------


def test_deferred_message_just_under_three_days_old_is_sent_again() -> None:
    queues, young = FakeQueues(), case(Outcome.DEFERRED, Reason.THROTTLED, waited=DEFERRED_AT_MOST - MOMENT, delay=42.0)
    assert [young] == settle(young, queues=queues)
    assert ([young], []) == (queues.sent_again, queues.rejected)


def test_deferred_message_of_three_days_is_rejected_with_its_last_reason() -> None:
    queues = FakeQueues()
    old = case(Outcome.DEFERRED, Reason.THROTTLED, waited=DEFERRED_AT_MOST, detail="the token is blocked")
    [settled] = settle(old, queues=queues)
    assert (Outcome.REJECTED, Reason.DEFERRED_TOO_LONG) == (settled.outcome, settled.reason)
    assert "deferred for 3 days, last because: throttled; the token is blocked" == settled.detail
    assert ([], [settled]) == (queues.sent_again, queues.rejected)


def test_retry_of_three_days_at_its_last_receive_is_rejected() -> None:
    old = case(Outcome.RETRY, Reason.LEDGER_UNAVAILABLE, receives=MAX_RECEIVES, waited=DEFERRED_AT_MOST)
    [settled] = settle(old)
    assert (Outcome.REJECTED, Reason.DEFERRED_TOO_LONG) == (settled.outcome, settled.reason)


@pytest.mark.parametrize("young", [RETRY, ESCALATED], ids=["retry", "escalated"])
def test_old_message_that_is_not_deferred_is_not_rejected(young: Settled) -> None:
    old = replace(young, message=replace(young.message, first_seen=NOON - 2 * DEFERRED_AT_MOST))
    assert [old] == settle(old)


# --- the record of a rejection ----------------------------------------------------------------------------------------


def test_rejection_that_names_a_mail_is_recorded_with_its_detail_and_drift() -> None:
    ledger = FakeLedger()
    settle(REJECTED, ledger=ledger)
    [written] = ledger.records
    assert (REJECTED.id, "REJECTED", Reason.INVALID_ANSWER) == (written.id, written.outcome, written.reason)
    assert (REJECTED.detail, REJECTED.drift, NOON) == (written.detail, written.drift, written.decided_at)


def test_rejection_without_an_id_is_not_recorded() -> None:
    ledger, queues = FakeLedger(), FakeQueues()
    nameless = case(Outcome.REJECTED, Reason.MALFORMED_BODY, id=None)
    assert [nameless] == settle(nameless, ledger=ledger, queues=queues)
    assert ([], [nameless]) == (ledger.records, queues.rejected)


@pytest.mark.parametrize("it", [RETRY, DEFERRED, ESCALATED], ids=lambda it: str(it.outcome))
def test_case_that_is_not_rejected_is_not_recorded(it: Settled) -> None:
    ledger = FakeLedger()
    settle(it, ledger=ledger)
    assert [] == ledger.records


def test_rejection_without_a_table_still_goes_to_the_dead_letter_queue() -> None:
    queues = FakeQueues()
    [settled] = settle(REJECTED, ledger=None, queues=queues)
    assert (Outcome.REJECTED, [settled]) == (settled.outcome, queues.rejected)


# --- effects that fail ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("taken", [[False], None], ids=["not taken", "no answer"])
@pytest.mark.parametrize("it", [REJECTED, RECORDED], ids=["rejection", "decision"])
def test_case_that_cannot_be_recorded_is_retried_and_not_rejected(it: Settled, taken: list[bool] | None) -> None:
    queues = FakeQueues()
    [settled] = settle(it, ledger=FakeLedger(taken), queues=queues)
    assert (Outcome.RETRY, Reason.LEDGER_UNAVAILABLE, None) == (settled.outcome, settled.reason, settled.record)
    assert f"{it.outcome} ({it.reason}), but its effect failed: it is done again" == settled.detail
    assert ([settled], []) == (queues.postponed, queues.rejected)


def test_one_record_that_is_not_taken_retries_its_own_case_only() -> None:
    first, second = RECORDED, replace(RECORDED, id=MessageId(POSTFIX_ID + "2"))
    settled = settle(first, ESCALATED, second, ledger=FakeLedger([True, False]))
    assert [first, ESCALATED] == settled[:2]
    assert (Outcome.RETRY, second.id) == (settled[2].outcome, settled[2].id)


FAILING = {"reject": REJECTED, "send_again": DEFERRED}


@pytest.mark.parametrize(("operation", "it"), FAILING.items(), ids=FAILING)
def test_message_that_a_queue_does_not_take_is_retried(operation: str, it: Settled) -> None:
    queues = FakeQueues(frozenset({operation}))
    [settled] = settle(it, queues=queues)
    assert (Outcome.RETRY, Reason.QUEUE_UNAVAILABLE) == (settled.outcome, settled.reason)
    assert [settled] == queues.postponed


def test_retry_that_cannot_be_postponed_is_still_a_retry() -> None:
    assert [RETRY] == settle(RETRY, queues=FakeQueues(frozenset({"postpone"})))


# --- the time that is left --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds_left", [EFFECT_SECONDS, 0.0])
def test_effects_are_not_begun_without_time_and_their_cases_are_retried(seconds_left: float) -> None:
    ledger, queues = FakeLedger(), FakeQueues()
    settled = settle(RECORDED, DEFERRED, REJECTED, RETRY, ledger=ledger, queues=queues, seconds_left=seconds_left)
    expected = [Reason.LEDGER_UNAVAILABLE, Reason.QUEUE_UNAVAILABLE, Reason.LEDGER_UNAVAILABLE, RETRY.reason]
    assert [(Outcome.RETRY, it) for it in expected] == [(it.outcome, it.reason) for it in settled]
    assert (FakeLedger(), FakeQueues()) == (ledger, queues)


def test_effects_are_done_with_just_enough_time() -> None:
    queues = FakeQueues()
    assert [DEFERRED] == settle(DEFERRED, queues=queues, seconds_left=EFFECT_SECONDS + 0.001)
    assert [DEFERRED] == queues.sent_again
