"""The table of crashes: at each point the process is really killed, and what comes of it is looked at afterwards."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pytest

from ops.local.runtime import Environment, FunctionError
from tests.faults.proxy import NONE, Call, Fault, Proxy
from tests.integration.test_escalation import MALICIOUS
from tests.integration.world import MakeWorld, World, outcomes

KILL_BEFORE, KILL_AFTER = Fault(kill_before=True), Fault(kill_after=True)


@dataclass
class Script:
    """What happens to which call: `{(action, nth): fault}`, counted from 1; all others pass."""

    faults: dict[tuple[str, int], Fault]
    seen: dict[str, int] = field(default_factory=dict)

    def __call__(self, call: Call) -> Fault:
        """The fault for this call."""
        self.seen[call.action] = number = self.seen.get(call.action, 0) + 1
        return self.faults.get((call.action, number), NONE)


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

    def wait_for(self, action: str, number: int) -> None:
        """Until the fragile function has made this call."""
        patience = time.monotonic() + 30
        while self.script.seen.get(action, 0) < number:
            assert time.monotonic() < patience, f"{action} never came"
            time.sleep(0.01)

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
            template = world.stack.template
            fragile = stack.enter_context(Environment(template.handler, variables, template.timeout))
            proxy.kill = fragile.kill
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
    fragile = make_fragile({("PublishBatch", 1): Fault(late=1.0)})
    fragile.world.send(MALICIOUS.postfix_id, MALICIOUS.postfix_id)
    first, second = fragile.world.received_records()
    results: list[list[dict[str, Any]]] = []
    slow = threading.Thread(target=lambda: results.append(fragile.invoke(first)))
    slow.start()
    fragile.wait_for("PublishBatch", 1)

    other = outcomes(fragile.world.invoke(second).outcomes)
    slow.join()

    assert [("RETRY", "claimed-by-another")] == other
    assert [("ESCALATED", "disposition-listed")] == outcomes(results[0])
    assert 1 == len(fragile.world.alerts())


def test_late_zombie(make_fragile: MakeFragile) -> None:
    """A worker that was held up until its claim was taken over cannot mark it: the record stays the other's."""
    taken_over = threading.Event()
    fragile = make_fragile({("TransactWriteItems", 2): Fault(hold=taken_over)})
    fragile.world.send(MALICIOUS.postfix_id)
    [record] = fragile.world.received_records()
    results: list[list[dict[str, Any]]] = []
    zombie = threading.Thread(target=lambda: results.append(fragile.invoke(record)))
    zombie.start()
    fragile.wait_for("TransactWriteItems", 2)

    other = fragile.redeliver(record)
    [owner] = {it["owner"] for it in fragile.world.records()}
    taken_over.set()
    zombie.join()

    assert [("ESCALATED", "disposition-listed")] == other
    assert [("RETRY", "ledger-unavailable")] == outcomes(results[0])
    assert [("SENT", owner)] == [(it["state"], it["owner"]) for it in fragile.world.records()]
    assert 2 == len(fragile.world.alerts())
