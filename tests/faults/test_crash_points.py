"""Crashes at each point between two side effects: the process is killed, and the results are checked."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest

from ops.local.lambda_runtime import Environment, FunctionError
from tests.faults.answers import aws_error
from tests.faults.proxy import Fault, Gate, Proxy, Script
from tests.integration.deployment import Deployment, MakeDeployment, outcomes
from tests.integration.test_escalation import MALICIOUS

INVOCATION_SECONDS = 600
"""Longer than any test holds a call, so that a held invocation does not time out."""
KILL_BEFORE, KILL_AFTER = Fault(kill_before=True), Fault(kill_after=True)


@dataclass
class Fragile:
    """A deployment with two functions: one calls AWS through a proxy with faults, the other directly."""

    deployment: Deployment
    fragile: Environment
    script: Script

    def invoke(self, record: dict[str, Any]) -> list[dict[str, Any]]:
        """Invoke the function with faults. Returns its outcomes, or none if it was killed."""
        try:
            return self.fragile.invoke({"Records": [record]}).outcomes
        except FunctionError:
            return []

    def redeliver(self, record: dict[str, Any]) -> list[tuple[str, str]]:
        """Invoke the function without faults, after the lease has expired."""
        self.expire_lease()
        return outcomes(self.deployment.invoke(record).outcomes)

    def expire_lease(self) -> None:
        """Expire all leases, as a minute of waiting does."""
        for record in self.deployment.records():
            if record["state"] == "PENDING":
                self.deployment.stack.dynamodb.update_item(
                    TableName=self.deployment.stack.table,
                    Key={name: {"S": record[name]} for name in ("pk", "sk")},
                    UpdateExpression="SET lease_until = :past",
                    ExpressionAttributeValues={":past": {"S": "2020-01-01T00:00:00.000Z"}},
                )

    @contextmanager
    def held_at(self, gate: Gate, record: dict[str, Any]) -> "Iterator[Future[list[dict[str, Any]]]]":
        """Invoke the function with faults, and run the block while one of its calls is held at the gate.

        The future has the outcomes after the block.
        """
        with ThreadPoolExecutor(1) as thread:
            invocation = thread.submit(self.invoke, record)
            try:
                gate.wait_until_reached()
                yield invocation
            finally:
                gate.open()

    def states(self) -> list[str]:
        """Return the states of all records."""
        return [record["state"] for record in self.deployment.records()]

    def not_indexed(self) -> list[str]:
        """Return the sort keys of the emails whose last alert is not complete: its pointers are still to be written."""
        emails = [item for item in self.deployment.items() if "deliveries" in item]
        return [item["sk"] for item in emails if item.get("complete_alert") != item["alert_id"]]


MakeFragile = Callable[[dict[tuple[str, int], Fault]], Fragile]


@pytest.fixture
def make_fragile(make_deployment: MakeDeployment) -> Iterator[MakeFragile]:
    """Return a function that makes deployments with faults at chosen calls of AWS."""
    with ExitStack() as stack:

        def make(faults: dict[tuple[str, int], Fault]) -> Fragile:
            deployment, script = make_deployment(), Script(faults)
            proxy = stack.enter_context(Proxy(deployment.stack.aws["AWS_ENDPOINT_URL"], script))
            variables = deployment.stack.environment | {"AWS_ENDPOINT_URL": proxy.origin}
            fragile = stack.enter_context(Environment(deployment.stack.template.handler, variables, INVOCATION_SECONDS))
            proxy.send_signal = fragile.send_signal
            return Fragile(deployment, fragile, script)

        yield make


class Point(NamedTuple):
    """A crash, the state and alerts right after it, and the results of the redelivery."""

    fault: tuple[str, int, Fault]
    state: list[str]
    alerts: int
    redelivery_outcome: str
    total_alerts: int


POINTS = {
    "before the claim": Point(("TransactWriteItems", 1, KILL_BEFORE), [], 0, "ESCALATED", 1),
    "after the claim": Point(("TransactWriteItems", 1, KILL_AFTER), ["PENDING"], 0, "ESCALATED", 1),
    "before a count": Point(("Query", 1, KILL_BEFORE), ["PENDING"], 0, "ESCALATED", 1),
    "after a count": Point(("Query", 1, KILL_AFTER), ["PENDING"], 0, "ESCALATED", 1),
    "before the publish": Point(("PublishBatch", 1, KILL_BEFORE), ["PENDING"], 0, "ESCALATED", 1),
    "after the publish": Point(("PublishBatch", 1, KILL_AFTER), ["PENDING"], 1, "ESCALATED", 2),
    "before the mark": Point(("TransactWriteItems", 2, KILL_BEFORE), ["PENDING"], 1, "ESCALATED", 2),
    "after the mark": Point(("TransactWriteItems", 2, KILL_AFTER), ["SENT"], 1, "ALREADY_ESCALATED", 1),
    "before the index": Point(("TransactWriteItems", 3, KILL_BEFORE), ["SENT"], 1, "ALREADY_ESCALATED", 1),
    "after the index": Point(("TransactWriteItems", 3, KILL_AFTER), ["SENT"], 1, "ALREADY_ESCALATED", 1),
}


@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS.keys())
def test_crash_loses_no_alert(make_fragile: MakeFragile, point: Point) -> None:
    """The alert is late or repeated with the same `alert_id`. The record ends as SENT, with its pointers."""
    action, number, fault = point.fault
    fragile = make_fragile({(action, number): fault})
    fragile.deployment.send(MALICIOUS.postfix_id)
    [record] = fragile.deployment.received_records()

    assert [] == fragile.invoke(record)
    assert point.state == fragile.states()
    alerts = fragile.deployment.alerts()
    assert point.alerts == len(alerts)

    assert [point.redelivery_outcome] == [outcome for outcome, _ in fragile.redeliver(record)]
    alerts += fragile.deployment.alerts()
    assert point.total_alerts == len(alerts)
    assert 1 == len({alert.attributes["alert_id"] for alert in alerts})
    assert ["SENT"] == fragile.states()
    assert [] == fragile.not_indexed()
    assert fragile.deployment.pointers()


ONE_TOPIC = {
    "findings only": ("PublishBatch to people", 1, 0),
    "people only": ("PublishBatch", 0, 1),
}


@pytest.mark.parametrize(("refused", "findings", "people"), ONE_TOPIC.values(), ids=ONE_TOPIC)
def test_alert_that_one_topic_has_taken_is_repeated_to_the_other_one_only(
    make_fragile: MakeFragile, refused: str, findings: int, people: int
) -> None:
    """SNS refuses one of the two calls. The record has a receipt for each topic in the end."""
    fragile = make_fragile({(refused, 1): aws_error(refused, 400, "InvalidParameter")})
    fragile.deployment.send(MALICIOUS.postfix_id)
    [record] = fragile.deployment.received_records()

    assert [("RETRY", "publish-failed")] == outcomes(fragile.invoke(record))
    [pending] = fragile.deployment.records()
    assert ("PENDING", ["findings"] if findings else ["people"]) == (pending["state"], [*pending["receipts"]])
    assert (findings, people) == (len(fragile.deployment.alerts()), len(fragile.deployment.people()))

    assert [("ESCALATED", "disposition-listed")] == fragile.redeliver(record)
    assert (1 - findings, 1) == (len(fragile.deployment.alerts()), len(fragile.deployment.people()))
    [sent] = fragile.deployment.records()
    assert ("SENT", {"findings", "people"}) == (sent["state"], {*sent["receipts"]})


KILLED_AT_ONE = [KILL_BEFORE, KILL_AFTER]


@pytest.mark.parametrize("fault", KILLED_AT_ONE, ids=["before the people topic", "after the people topic"])
def test_crash_between_the_topics_loses_no_alert(make_fragile: MakeFragile, fault: Fault) -> None:
    """Each topic has the alert, at most twice."""
    fragile = make_fragile({("PublishBatch to people", 1): fault})
    fragile.deployment.send(MALICIOUS.postfix_id)
    [record] = fragile.deployment.received_records()
    fragile.invoke(record)

    assert [("ESCALATED", "disposition-listed")] == fragile.redeliver(record)
    assert (len(fragile.deployment.alerts()) in (1, 2), len(fragile.deployment.people()) in (1, 2)) == (True, True)
    assert ["SENT"] == fragile.states()


def test_alert_reaches_both_topics_where_sns_drops_attributes_beside_json(make_deployment: MakeDeployment) -> None:
    """The finding keeps its attributes, because it has one body for all protocols."""
    deployment = make_deployment()
    with (
        Proxy(deployment.stack.aws["AWS_ENDPOINT_URL"], Script({}), drops_attributes=True) as proxy,
        Environment(
            deployment.stack.template.handler,
            deployment.stack.environment | {"AWS_ENDPOINT_URL": proxy.origin},
            INVOCATION_SECONDS,
        ) as function,
    ):
        deployment.send(MALICIOUS.postfix_id)
        function.invoke({"Records": deployment.received_records()})
    [alert] = deployment.alerts()
    assert ("High", "true", 1) == (
        alert.attributes["severity"],
        alert.attributes["notify"],
        len(deployment.people()),
    )
    assert alert.email.startswith("MALICIOUS email")


INDEX_FAULTS: dict[str, Callable[[], Fault]] = {
    "an internal error": lambda: aws_error("TransactWriteItems", 500, "InternalServerError"),
    "access denied": lambda: aws_error("TransactWriteItems", 400, "AccessDeniedException"),
    "a lost request": lambda: Fault(lose_request=True),
}


@pytest.mark.parametrize("fault", INDEX_FAULTS.values(), ids=INDEX_FAULTS)
def test_failed_index_is_retried_and_repeats_no_alert(make_fragile: MakeFragile, fault: Callable[[], Fault]) -> None:
    """The record is SENT before its pointers are written. The redelivery writes them."""
    # For the call and its one retry.
    fragile = make_fragile({("TransactWriteItems", number): fault() for number in (3, 4)})
    fragile.deployment.send(MALICIOUS.postfix_id)
    [record] = fragile.deployment.received_records()

    assert [("RETRY", "ledger-unavailable")] == outcomes(fragile.invoke(record))
    assert (["SENT"], 1) == (fragile.states(), len(fragile.deployment.alerts()))
    assert (1, []) == (len(fragile.not_indexed()), fragile.deployment.pointers())

    assert [("ALREADY_ESCALATED", "alert-sent-before")] == fragile.redeliver(record)
    assert ([], []) == (fragile.deployment.alerts(), fragile.not_indexed())
    assert fragile.deployment.pointers()


def test_redelivery_before_the_lease_expires_is_retried(make_fragile: MakeFragile) -> None:
    """Until the lease expires, the claim of a killed owner looks like that of a running one."""
    fragile = make_fragile({("PublishBatch", 1): KILL_BEFORE})
    fragile.deployment.send(MALICIOUS.postfix_id)
    [record] = fragile.deployment.received_records()
    fragile.invoke(record)

    early = outcomes(fragile.deployment.invoke(record).outcomes)

    assert [("RETRY", "claimed-by-another")] == early
    assert [] == fragile.deployment.alerts()
    assert [("ESCALATED", "disposition-listed")] == fragile.redeliver(record)


def test_same_email_in_two_invocations_gives_one_alert(make_fragile: MakeFragile) -> None:
    """While the first invocation publishes, the second sees an active lease and retries."""
    published = Gate()
    fragile = make_fragile({("PublishBatch", 1): Fault(hold_answer=published)})
    fragile.deployment.send(MALICIOUS.postfix_id, MALICIOUS.postfix_id)
    first, second = fragile.deployment.received_records()

    with fragile.held_at(published, first) as slow:
        other = outcomes(fragile.deployment.invoke(second).outcomes)

    assert [("RETRY", "claimed-by-another")] == other
    assert [("ESCALATED", "disposition-listed")] == outcomes(slow.result())
    assert 1 == len(fragile.deployment.alerts())


def test_owner_that_lost_its_claim_cannot_mark_the_record(make_fragile: MakeFragile) -> None:
    """The record keeps the owner that took over the claim."""
    marking = Gate()
    fragile = make_fragile({("TransactWriteItems", 2): Fault(hold=marking)})
    fragile.deployment.send(MALICIOUS.postfix_id)
    [record] = fragile.deployment.received_records()

    with fragile.held_at(marking, record) as late:
        other = fragile.redeliver(record)
        [owner] = {record["owner"] for record in fragile.deployment.records()}

    assert [("ESCALATED", "disposition-listed")] == other
    assert [("RETRY", "ledger-unavailable")] == outcomes(late.result())
    assert [("SENT", owner)] == [(record["state"], record["owner"]) for record in fragile.deployment.records()]
    assert 2 == len(fragile.deployment.alerts())
