"""A change of Cloudflare's mind is told once, whatever dies in between, and whoever comes at the same time."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest

from ops.local.runtime import Environment
from tests.faults.answers import aws_error
from tests.faults.proxy import Fault, Gate, Proxy, Script
from tests.faults.test_crash_points import INVOCATION_SECONDS, KILL_AFTER, KILL_BEFORE, Fragile
from tests.integration.fickle import CLOSE, CLOSED, ESCALATED, SENT_BEFORE, UPDATE, fickle_mailbox, name, saying, told
from tests.integration.standin import ChangingMailbox
from tests.integration.test_escalation import MALICIOUS
from tests.integration.world import MakeWorld, outcomes


@dataclass
class FragileFickle(Fragile):
    """A fickle world whose function talks to AWS through a proxy."""

    mailbox: ChangingMailbox

    def first_alert(self, disposition: str) -> str:
        """An alert that went well; its name."""
        self.says(disposition)
        self.world.send(MALICIOUS.postfix_id)
        self.world.poll()
        [alert] = self.world.alerts()
        return name(alert)

    def says(self, disposition: str) -> None:
        """Cloudflare, from now on."""
        self.mailbox.change(saying(disposition))

    def request(self) -> dict[str, Any]:
        """A message that asks about the mail, received."""
        self.world.send(MALICIOUS.postfix_id)
        [record] = self.world.received_records()
        return record


MakeFragile = Callable[[dict[tuple[str, int], Fault]], FragileFickle]


@pytest.fixture
def make_fragile(make_world: MakeWorld) -> Iterator[MakeFragile]:
    """Makes such worlds, whose function dies, or whose AWS fails, at a chosen call."""
    with ExitStack() as stack:

        def make(faults: dict[tuple[str, int], Fault]) -> FragileFickle:
            mailbox = fickle_mailbox()
            world, script = make_world(mailbox), Script(faults)
            proxy = stack.enter_context(Proxy(world.stack.aws["AWS_ENDPOINT_URL"], script))
            variables = world.stack.environment | {"AWS_ENDPOINT_URL": proxy.origin}
            fragile = stack.enter_context(Environment(world.stack.template.handler, variables, INVOCATION_SECONDS))
            proxy.send_signal = fragile.send_signal
            return FragileFickle(world, fragile, script, mailbox)

        yield make


class Change(NamedTuple):
    """From what to what, and how that is told."""

    before: str
    after: str
    outcome: tuple[str, str]
    activity: tuple[str, int, int]


CHANGES = {
    "update": Change("SUSPICIOUS", "MALICIOUS", ESCALATED, UPDATE),
    "close": Change("MALICIOUS", "NONE", CLOSED, CLOSE),
}


class Point(NamedTuple):
    """Where the process is killed, the states of both records then, the alerts by then, and in all."""

    fault: tuple[str, int, Fault]
    states: list[str]
    alerts: int
    alerts_in_all: int


POINTS = {
    # A change is claimed by the second transaction: the refusal of the first says what was told before.
    "before-the-refusal": Point(("TransactWriteItems", 1, KILL_BEFORE), ["SENT"], 0, 1),
    "after-the-refusal": Point(("TransactWriteItems", 1, KILL_AFTER), ["SENT"], 0, 1),
    "before-the-claim": Point(("TransactWriteItems", 2, KILL_BEFORE), ["SENT"], 0, 1),
    "after-the-claim": Point(("TransactWriteItems", 2, KILL_AFTER), ["SENT", "PENDING"], 0, 1),
    "before-publish": Point(("PublishBatch", 1, KILL_BEFORE), ["SENT", "PENDING"], 0, 1),
    "after-publish": Point(("PublishBatch", 1, KILL_AFTER), ["SENT", "PENDING"], 1, 2),
    "before-mark": Point(("TransactWriteItems", 3, KILL_BEFORE), ["SENT", "PENDING"], 1, 2),
    "after-mark-before-the-delete": Point(("TransactWriteItems", 3, KILL_AFTER), ["SENT", "SENT"], 1, 1),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS)
def test_killed(make_fragile: MakeFragile, point: Point, change: Change) -> None:
    """The change is told: late, or once more under the same name and as the same change, but always."""
    action, number, fault = point.fault
    fragile = make_fragile({(action, number): fault})
    first = fragile.first_alert(change.before)
    fragile.says(change.after)
    record = fragile.request()

    assert [] == fragile.invoke(record)
    assert point.states == fragile.states()
    alerts = fragile.world.alerts()
    assert point.alerts == len(alerts)

    expected = SENT_BEFORE if point.states == ["SENT", "SENT"] else change.outcome
    assert [expected] == fragile.redeliver(record)
    alerts += fragile.world.alerts()
    assert point.alerts_in_all == len(alerts)
    assert {(*change.activity, change.after, change.before)} == {told(it) for it in alerts}
    assert {first} == {it.facts["unmapped"]["previous"]["alert_id"] for it in alerts}
    assert 1 == len({name(it) for it in alerts})
    assert ["SENT", "SENT"] == fragile.states()


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_same_change_while_it_is_being_told(make_fragile: MakeFragile, change: Change) -> None:
    """While one worker publishes, the other sees a live lease and tries again: one alert."""
    published = Gate()
    fragile = make_fragile({("PublishBatch", 1): Fault(hold_answer=published)})
    fragile.first_alert(change.before)
    fragile.says(change.after)
    first, second = fragile.request(), fragile.request()

    with fragile.held_at(published, first) as slow:
        other = outcomes(fragile.world.invoke(second).outcomes)

    assert [("RETRY", "claimed-by-another")] == other
    assert [change.outcome] == outcomes(slow.result())
    assert [(*change.activity, change.after, change.before)] == [told(it) for it in fragile.world.alerts()]
    assert [SENT_BEFORE] == outcomes(fragile.world.invoke(second).outcomes)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_same_change_between_refusal_and_claim(make_fragile: MakeFragile, change: Change) -> None:
    """Who has learnt what was told before, and finds that it was told on by another, follows on that: one alert."""
    claiming = Gate()
    fragile = make_fragile({("TransactWriteItems", 2): Fault(hold=claiming)})
    fragile.first_alert(change.before)
    fragile.says(change.after)
    first, second = fragile.request(), fragile.request()

    with fragile.held_at(claiming, first) as slow:
        other = outcomes(fragile.world.invoke(second).outcomes)

    assert ([change.outcome], [SENT_BEFORE]) == (other, outcomes(slow.result()))
    assert [(*change.activity, change.after, change.before)] == [told(it) for it in fragile.world.alerts()]
    assert ["SENT", "SENT"] == fragile.states()


OLDER = {
    "an alert, after it was closed": ("MALICIOUS", "NONE", CLOSED),
    "the end, after a graver alert": ("NONE", "MALICIOUS", ESCALATED),
}


@pytest.mark.parametrize(("older", "newer", "outcome"), OLDER.values(), ids=OLDER)
def test_older_answer_that_comes_late(
    make_fragile: MakeFragile, older: str, newer: str, outcome: tuple[str, str]
) -> None:
    """It is not told after the newer one: the message is asked about again, and finds what is true by now."""
    claiming = Gate()
    fragile = make_fragile({("TransactWriteItems", 1): Fault(hold=claiming)})
    fragile.first_alert("SUSPICIOUS")
    fragile.says(older)
    first = fragile.request()

    with fragile.held_at(claiming, first) as slow:
        fragile.says(newer)
        other = outcomes(fragile.world.invoke(fragile.request()).outcomes)

    assert ([outcome], [("RETRY", "overtaken-by-a-later-answer")]) == (other, outcomes(slow.result()))
    assert [(newer, "SUSPICIOUS")] == [told(it)[3:] for it in fragile.world.alerts()]
    assert [SENT_BEFORE] == outcomes(fragile.world.invoke(first).outcomes)
    assert [] == fragile.world.alerts()


def _nothing_looked_up(table: str) -> Fault:
    answer: dict[str, Any] = {"Responses": {}, "UnprocessedKeys": {table: {"Keys": []}}}
    return Fault(answer=(200, "application/x-amz-json-1.0", json.dumps(answer).encode()))


UNANSWERED: dict[str, Callable[[str], Fault]] = {
    "it fails": lambda _: aws_error("BatchGetItem", 500, "InternalServerError"),
    "it refuses": lambda _: aws_error("BatchGetItem", 400, "AccessDeniedException"),
    "it throttles": lambda _: aws_error("BatchGetItem", 400, "ProvisionedThroughputExceededException"),
    "it hangs up": lambda _: Fault(lose_request=True),
    "it leaves some undone": _nothing_looked_up,
}


@pytest.mark.parametrize("fault", UNANSWERED.values(), ids=UNANSWERED)
def test_ledger_that_does_not_say_what_was_told(make_fragile: MakeFragile, fault: Callable[[str], Fault]) -> None:
    """Nobody takes that for nothing: the message is tried again, and the end is told then."""
    fragile = make_fragile({})
    fragile.first_alert("MALICIOUS")
    # For the call and its one retry.
    fragile.script.faults |= {("BatchGetItem", n): fault(fragile.world.stack.table) for n in (1, 2)}
    fragile.says("NONE")
    record = fragile.request()

    invocation = fragile.fragile.invoke({"Records": [record]})

    assert [("RETRY", "ledger-unavailable")] == outcomes(invocation.outcomes)
    assert {"batchItemFailures": [{"itemIdentifier": record["messageId"]}]} == invocation.response
    assert ([], ["SENT"]) == (fragile.world.alerts(), fragile.states())
    fragile.script.faults.clear()
    assert [CLOSED] == outcomes(fragile.invoke(record))
    assert [(*CLOSE, "NONE", "MALICIOUS")] == [told(it) for it in fragile.world.alerts()]
