"""Changes of an email's disposition under crashes, concurrent invocations and failed reads of the ledger."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest

from ops.local.lambda_runtime import Environment
from tests.faults.answers import aws_error
from tests.faults.proxy import Fault, Gate, Proxy, Script
from tests.faults.test_crash_points import INVOCATION_SECONDS, KILL_AFTER, KILL_BEFORE, Fragile
from tests.integration.deployment import MakeDeployment, outcomes
from tests.integration.disposition_changes import (
    CLOSE,
    CLOSED,
    ESCALATED,
    SENT_BEFORE,
    UPDATE,
    alert_id,
    change_of,
    changing_mailbox,
    with_disposition,
)
from tests.integration.fake_cloudflare_client import ChangingMailbox
from tests.integration.test_escalation import MALICIOUS


@dataclass
class FragileChangingDeployment(Fragile):
    """A deployment with one changing email, and a function that calls AWS through a proxy with faults."""

    mailbox: ChangingMailbox

    def send_first_alert(self, disposition: str) -> str:
        """Send an alert without faults, and return its id."""
        self.set_disposition(disposition)
        self.deployment.send(MALICIOUS.postfix_id)
        self.deployment.poll()
        [alert] = self.deployment.alerts()
        return alert_id(alert)

    def set_disposition(self, disposition: str) -> None:
        """Change the email's disposition."""
        self.mailbox.change(with_disposition(disposition))

    def request(self) -> dict[str, Any]:
        """Send a message with the email's id, and return its received record."""
        self.deployment.send(MALICIOUS.postfix_id)
        [record] = self.deployment.received_records()
        return record


MakeFragile = Callable[[dict[tuple[str, int], Fault]], FragileChangingDeployment]


@pytest.fixture
def make_fragile(make_deployment: MakeDeployment) -> Iterator[MakeFragile]:
    """Return a function that makes deployments with faults at chosen calls of AWS."""
    with ExitStack() as stack:

        def make(faults: dict[tuple[str, int], Fault]) -> FragileChangingDeployment:
            mailbox = changing_mailbox()
            deployment, script = make_deployment(mailbox), Script(faults)
            proxy = stack.enter_context(Proxy(deployment.stack.aws["AWS_ENDPOINT_URL"], script))
            variables = deployment.stack.environment | {"AWS_ENDPOINT_URL": proxy.origin}
            fragile = stack.enter_context(Environment(deployment.stack.template.handler, variables, INVOCATION_SECONDS))
            proxy.send_signal = fragile.send_signal
            return FragileChangingDeployment(deployment, fragile, script, mailbox)

        yield make


class Change(NamedTuple):
    """A change of disposition, its outcome, and the activity of its alert."""

    before: str
    after: str
    outcome: tuple[str, str]
    activity: tuple[str, int, int]


CHANGES = {
    "update": Change("SUSPICIOUS", "MALICIOUS", ESCALATED, UPDATE),
    "close": Change("MALICIOUS", "NONE", CLOSED, CLOSE),
}


class Point(NamedTuple):
    """A crash, the states and alerts right after it, and the number of alerts after the redelivery."""

    fault: tuple[str, int, Fault]
    states: list[str]
    alerts: int
    total_alerts: int


POINTS = {
    # The second transaction claims a change. DynamoDB rejects the first, and its response contains the last alert.
    "before the rejected claim": Point(("TransactWriteItems", 1, KILL_BEFORE), ["SENT"], 0, 1),
    "after the rejected claim": Point(("TransactWriteItems", 1, KILL_AFTER), ["SENT"], 0, 1),
    "before the claim": Point(("TransactWriteItems", 2, KILL_BEFORE), ["SENT"], 0, 1),
    "after the claim": Point(("TransactWriteItems", 2, KILL_AFTER), ["SENT", "PENDING"], 0, 1),
    "before the publish": Point(("PublishBatch", 1, KILL_BEFORE), ["SENT", "PENDING"], 0, 1),
    "after the publish": Point(("PublishBatch", 1, KILL_AFTER), ["SENT", "PENDING"], 1, 2),
    "before the mark": Point(("TransactWriteItems", 3, KILL_BEFORE), ["SENT", "PENDING"], 1, 2),
    "after the mark and before the delete": Point(("TransactWriteItems", 3, KILL_AFTER), ["SENT", "SENT"], 1, 1),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS)
def test_crash_loses_no_change(make_fragile: MakeFragile, point: Point, change: Change) -> None:
    """The alert is late or repeated with the same id and the same change, and both records end as SENT."""
    action, number, fault = point.fault
    fragile = make_fragile({(action, number): fault})
    first_alert_id = fragile.send_first_alert(change.before)
    fragile.set_disposition(change.after)
    record = fragile.request()

    assert [] == fragile.invoke(record)
    assert point.states == fragile.states()
    alerts = fragile.deployment.alerts()
    assert point.alerts == len(alerts)

    expected = SENT_BEFORE if point.states == ["SENT", "SENT"] else change.outcome
    assert [expected] == fragile.redeliver(record)
    alerts += fragile.deployment.alerts()
    assert point.total_alerts == len(alerts)
    assert {(*change.activity, change.after, change.before)} == {change_of(alert) for alert in alerts}
    assert {first_alert_id} == {alert.facts["unmapped"]["previous"]["alert_id"] for alert in alerts}
    assert 1 == len({alert_id(alert) for alert in alerts})
    assert ["SENT", "SENT"] == fragile.states()


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_same_change_in_two_invocations_gives_one_alert(make_fragile: MakeFragile, change: Change) -> None:
    """While the first invocation publishes, the second sees an active lease and retries."""
    published = Gate()
    fragile = make_fragile({("PublishBatch", 1): Fault(hold_answer=published)})
    fragile.send_first_alert(change.before)
    fragile.set_disposition(change.after)
    first, second = fragile.request(), fragile.request()

    with fragile.held_at(published, first) as slow:
        other = outcomes(fragile.deployment.invoke(second).outcomes)

    assert [("RETRY", "claimed-by-another")] == other
    assert [change.outcome] == outcomes(slow.result())
    assert [(*change.activity, change.after, change.before)] == [
        change_of(alert) for alert in fragile.deployment.alerts()
    ]
    assert [SENT_BEFORE] == outcomes(fragile.deployment.invoke(second).outcomes)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_change_alerted_by_another_invocation_before_the_claim_gives_one_alert(
    make_fragile: MakeFragile, change: Change
) -> None:
    """The first invocation has read the last alert. Its claim finds the newer alert of the second invocation."""
    claiming = Gate()
    fragile = make_fragile({("TransactWriteItems", 2): Fault(hold=claiming)})
    fragile.send_first_alert(change.before)
    fragile.set_disposition(change.after)
    first, second = fragile.request(), fragile.request()

    with fragile.held_at(claiming, first) as slow:
        other = outcomes(fragile.deployment.invoke(second).outcomes)

    assert ([change.outcome], [SENT_BEFORE]) == (other, outcomes(slow.result()))
    assert [(*change.activity, change.after, change.before)] == [
        change_of(alert) for alert in fragile.deployment.alerts()
    ]
    assert ["SENT", "SENT"] == fragile.states()


SUPERSEDED = {
    "alert after a newer close": ("MALICIOUS", "NONE", CLOSED),
    "close after a newer alert": ("NONE", "MALICIOUS", ESCALATED),
}


@pytest.mark.parametrize(("older", "newer", "outcome"), SUPERSEDED.values(), ids=SUPERSEDED)
def test_superseded_disposition_sends_no_alert_and_is_retried(
    make_fragile: MakeFragile, older: str, newer: str, outcome: tuple[str, str]
) -> None:
    """The retry fetches the email again, and finds that the newer disposition has its alert."""
    claiming = Gate()
    fragile = make_fragile({("TransactWriteItems", 1): Fault(hold=claiming)})
    fragile.send_first_alert("SUSPICIOUS")
    fragile.set_disposition(older)
    first = fragile.request()

    with fragile.held_at(claiming, first) as slow:
        fragile.set_disposition(newer)
        other = outcomes(fragile.deployment.invoke(fragile.request()).outcomes)

    assert ([outcome], [("RETRY", "superseded")]) == (other, outcomes(slow.result()))
    assert [(newer, "SUSPICIOUS")] == [change_of(alert)[3:] for alert in fragile.deployment.alerts()]
    assert [SENT_BEFORE] == outcomes(fragile.deployment.invoke(first).outcomes)
    assert [] == fragile.deployment.alerts()


def _unprocessed_keys(table: str) -> Fault:
    response: dict[str, Any] = {"Responses": {}, "UnprocessedKeys": {table: {"Keys": []}}}
    return Fault(answer=(200, "application/x-amz-json-1.0", json.dumps(response).encode()))


READ_FAULTS: dict[str, Callable[[str], Fault]] = {
    "DynamoDB returns 500": lambda _: aws_error("BatchGetItem", 500, "InternalServerError"),
    "DynamoDB denies access": lambda _: aws_error("BatchGetItem", 400, "AccessDeniedException"),
    "DynamoDB throttles": lambda _: aws_error("BatchGetItem", 400, "ProvisionedThroughputExceededException"),
    "DynamoDB closes the connection": lambda _: Fault(lose_request=True),
    "DynamoDB leaves keys unprocessed": _unprocessed_keys,
}


@pytest.mark.parametrize("fault", READ_FAULTS.values(), ids=READ_FAULTS)
def test_change_is_retried_if_the_last_alert_cannot_be_read(
    make_fragile: MakeFragile, fault: Callable[[str], Fault]
) -> None:
    """A failed read does not count as "no last alert". The retry sends the close."""
    fragile = make_fragile({})
    fragile.send_first_alert("MALICIOUS")
    # The client retries the call once, so both attempts fail.
    fragile.script.faults |= {("BatchGetItem", n): fault(fragile.deployment.stack.table) for n in (1, 2)}
    fragile.set_disposition("NONE")
    record = fragile.request()

    invocation = fragile.fragile.invoke({"Records": [record]})

    assert [("RETRY", "ledger-unavailable")] == outcomes(invocation.outcomes)
    assert {"batchItemFailures": [{"itemIdentifier": record["messageId"]}]} == invocation.response
    assert ([], ["SENT"]) == (fragile.deployment.alerts(), fragile.states())
    fragile.script.faults.clear()
    assert [CLOSED] == outcomes(fragile.invoke(record))
    assert [(*CLOSE, "NONE", "MALICIOUS")] == [change_of(alert) for alert in fragile.deployment.alerts()]
