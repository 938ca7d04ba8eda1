"""The table of crashes: at each point the process is really killed, and what comes of it is looked at afterwards."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest

from ops.local.runtime import Environment, FunctionError
from tests.faults.proxy import Fault, Gate, Proxy, Script
from tests.integration.test_escalation import MALICIOUS
from tests.integration.world import MakeWorld, World, outcomes

INVOCATION_SECONDS = 600
"""More than any test holds a call: an invocation that is held does not run out of its own time."""
KILL_BEFORE, KILL_AFTER = Fault(kill_before=True), Fault(kill_after=True)


@dataclass
class Fragile:
    """A world whose function talks to AWS through a proxy, and a second function that does not."""

    world: World
    fragile: Environment
    script: Script

    def invoke(self, record: dict[str, Any]) -> list[dict[str, Any]]:
        """By the one that gets killed; the outcomes, or none where it died."""
        try:
            return self.fragile.invoke({"Records": [record]}).outcomes
        except FunctionError:
            return []

    def redeliver(self, record: dict[str, Any]) -> list[tuple[str, str]]:
        """By the sound one, once the lease has run out."""
        self.let_lease_run_out()
        return outcomes(self.world.invoke(record).outcomes)

    def let_lease_run_out(self) -> None:
        """What a minute of waiting does."""
        for record in self.world.records():
            if record["state"] == "PENDING":
                self.world.stack.dynamodb.update_item(
                    TableName=self.world.stack.table,
                    Key={name: {"S": record[name]} for name in ("about", "entry")},
                    UpdateExpression="SET lease_until = :past",
                    ExpressionAttributeValues={":past": {"S": "2020-01-01T00:00:00.000Z"}},
                )

    @contextmanager
    def held_at(self, gate: Gate, record: dict[str, Any]) -> "Iterator[Future[list[dict[str, Any]]]]":
        """Hand the record to the fragile function, and run the block while one of its calls is held at the gate.

        What it logged can be had after the block.
        """
        with ThreadPoolExecutor(1) as thread:
            invocation = thread.submit(self.invoke, record)
            try:
                gate.wait_until_reached()
                yield invocation
            finally:
                gate.open()

    def states(self) -> list[str]:
        """Of all records."""
        return [record["state"] for record in self.world.records()]


MakeFragile = Callable[[dict[tuple[str, int], Fault]], Fragile]


@pytest.fixture
def make_fragile(make_world: MakeWorld) -> Iterator[MakeFragile]:
    """Makes worlds whose function dies, or whose AWS fails, at a chosen call."""
    with ExitStack() as stack:

        def make(faults: dict[tuple[str, int], Fault]) -> Fragile:
            world, script = make_world(), Script(faults)
            proxy = stack.enter_context(Proxy(world.stack.aws["AWS_ENDPOINT_URL"], script))
            variables = world.stack.environment | {"AWS_ENDPOINT_URL": proxy.origin}
            fragile = stack.enter_context(Environment(world.stack.template.handler, variables, INVOCATION_SECONDS))
            proxy.send_signal = fragile.send_signal
            return Fragile(world, fragile, script)

        yield make


class Point(NamedTuple):
    """Where the process is killed, what is left then, and what comes of it."""

    fault: tuple[str, int, Fault]
    state: list[str]
    alerts: int
    redelivered: str
    alerts_in_all: int


POINTS = {
    "before-the-claim": Point(("TransactWriteItems", 1, KILL_BEFORE), [], 0, "ESCALATED", 1),
    "after-the-claim": Point(("TransactWriteItems", 1, KILL_AFTER), ["PENDING"], 0, "ESCALATED", 1),
    "before-publish": Point(("PublishBatch", 1, KILL_BEFORE), ["PENDING"], 0, "ESCALATED", 1),
    "after-publish": Point(("PublishBatch", 1, KILL_AFTER), ["PENDING"], 1, "ESCALATED", 2),
    "before-mark": Point(("TransactWriteItems", 2, KILL_BEFORE), ["PENDING"], 1, "ESCALATED", 2),
    "after-mark-before-the-delete": Point(("TransactWriteItems", 2, KILL_AFTER), ["SENT"], 1, "ALREADY_ESCALATED", 1),
}


@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS.keys())
def test_killed(make_fragile: MakeFragile, point: Point) -> None:
    """The alert comes: late, or once more under the same `alert_id`, but always; and the record ends as SENT."""
    action, number, fault = point.fault
    fragile = make_fragile({(action, number): fault})
    fragile.world.send(MALICIOUS.postfix_id)
    [record] = fragile.world.received_records()

    assert [] == fragile.invoke(record)
    assert point.state == fragile.states()
    alerts = fragile.world.alerts()
    assert point.alerts == len(alerts)

    assert [point.redelivered] == [outcome for outcome, _ in fragile.redeliver(record)]
    alerts += fragile.world.alerts()
    assert point.alerts_in_all == len(alerts)
    assert 1 == len({alert.attributes["alert_id"] for alert in alerts})
    assert ["SENT"] == fragile.states()


def test_redelivered_before_the_lease_has_run_out(make_fragile: MakeFragile) -> None:
    """A dead worker's claim cannot be told from a living one's until its lease ends: the message waits as long."""
    fragile = make_fragile({("PublishBatch", 1): KILL_BEFORE})
    fragile.world.send(MALICIOUS.postfix_id)
    [record] = fragile.world.received_records()
    fragile.invoke(record)

    early = outcomes(fragile.world.invoke(record).outcomes)

    assert [("RETRY", "claimed-by-another")] == early
    assert [] == fragile.world.alerts()
    assert [("ESCALATED", "disposition-listed")] == fragile.redeliver(record)


def test_same_mail_at_the_same_time(make_fragile: MakeFragile) -> None:
    """While one worker publishes, the other sees a live lease and tries again: one alert."""
    published = Gate()
    fragile = make_fragile({("PublishBatch", 1): Fault(hold_answer=published)})
    fragile.world.send(MALICIOUS.postfix_id, MALICIOUS.postfix_id)
    first, second = fragile.world.received_records()

    with fragile.held_at(published, first) as slow:
        other = outcomes(fragile.world.invoke(second).outcomes)

    assert [("RETRY", "claimed-by-another")] == other
    assert [("ESCALATED", "disposition-listed")] == outcomes(slow.result())
    assert 1 == len(fragile.world.alerts())


def test_late_zombie(make_fragile: MakeFragile) -> None:
    """A worker that was held up until its claim was taken over cannot mark it: the record stays the other's."""
    marking = Gate()
    fragile = make_fragile({("TransactWriteItems", 2): Fault(hold=marking)})
    fragile.world.send(MALICIOUS.postfix_id)
    [record] = fragile.world.received_records()

    with fragile.held_at(marking, record) as zombie:
        other = fragile.redeliver(record)
        [owner] = {it["owner"] for it in fragile.world.records()}

    assert [("ESCALATED", "disposition-listed")] == other
    assert [("RETRY", "ledger-unavailable")] == outcomes(zombie.result())
    assert [("SENT", owner)] == [(it["state"], it["owner"]) for it in fragile.world.records()]
    assert 2 == len(fragile.world.alerts())
