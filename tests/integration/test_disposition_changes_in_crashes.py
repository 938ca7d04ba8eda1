"""Changes of a disposition with crashes, faults of DynamoDB, and two workers at the same time: each has one alert."""

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
    NOTHING,
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
    """A changing deployment whose function talks to AWS through a proxy."""

    mailbox: ChangingMailbox

    def first_alert(self, disposition: str) -> str:
        """Publish the email's first alert without faults, and return its id."""
        self.set_disposition(disposition)
        self.deployment.send(MALICIOUS.investigate_id)
        self.deployment.poll()
        [alert] = self.deployment.alerts()
        return alert_id(alert)

    def set_disposition(self, disposition: str) -> None:
        """Change the email's disposition."""
        self.mailbox.change(with_disposition(disposition))

    def request(self) -> dict[str, Any]:
        """Send a request for the email's delivery, and receive it."""
        self.deployment.send(MALICIOUS.investigate_id)
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
    """Two dispositions, the change's outcome and activity, and the outcome of a repeated request."""

    before: str
    after: str
    outcome: tuple[str, str]
    activity: tuple[str, int, int]
    repeated: tuple[str, str]


CHANGES = {
    "update": Change("SUSPICIOUS", "MALICIOUS", ESCALATED, UPDATE, SENT_BEFORE),
    "close": Change("MALICIOUS", "NONE", CLOSED, CLOSE, NOTHING),
}


class Point(NamedTuple):
    """A crash, the states of both records and the alerts right after it, and the alerts in total."""

    fault: tuple[str, int, Fault]
    states: list[str]
    alerts: int
    total_alerts: int


POINTS = {
    "before the look up": Point(("BatchGetItem", 1, KILL_BEFORE), ["SENT"], 0, 1),
    "after the look up": Point(("BatchGetItem", 1, KILL_AFTER), ["SENT"], 0, 1),
    "before the claim": Point(("TransactWriteItems", 1, KILL_BEFORE), ["SENT"], 0, 1),
    "after the claim": Point(("TransactWriteItems", 1, KILL_AFTER), ["SENT", "PENDING"], 0, 1),
    "before the publish": Point(("PublishBatch", 1, KILL_BEFORE), ["SENT", "PENDING"], 0, 1),
    "after the publish": Point(("PublishBatch", 1, KILL_AFTER), ["SENT", "PENDING"], 1, 2),
    "before the mark": Point(("TransactWriteItems", 2, KILL_BEFORE), ["SENT", "PENDING"], 1, 2),
    "after the mark": Point(("TransactWriteItems", 2, KILL_AFTER), ["SENT", "SENT"], 1, 1),
    "before the index": Point(("TransactWriteItems", 3, KILL_BEFORE), ["SENT", "SENT"], 1, 1),
    "after the index": Point(("TransactWriteItems", 3, KILL_AFTER), ["SENT", "SENT"], 1, 1),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS)
def test_crash_loses_no_change(make_fragile: MakeFragile, point: Point, change: Change) -> None:
    """The alert is late, or repeated with the same `alert_id` and the same activity."""
    action, number, fault = point.fault
    fragile = make_fragile({(action, number): fault})
    first = fragile.first_alert(change.before)
    fragile.set_disposition(change.after)
    record = fragile.request()

    assert [] == fragile.invoke(record)
    assert point.states == fragile.states()
    alerts = fragile.deployment.alerts()
    assert point.alerts == len(alerts)

    expected = change.repeated if point.states == ["SENT", "SENT"] else change.outcome
    assert [expected] == fragile.redeliver(record)
    alerts += fragile.deployment.alerts()
    assert point.total_alerts == len(alerts)
    assert {(*change.activity, change.after, change.before)} == {change_of(it) for it in alerts}
    assert {first} == {it.facts["unmapped"]["previous"]["alert_id"] for it in alerts}
    assert 1 == len({alert_id(it) for it in alerts})
    assert ["SENT", "SENT"] == fragile.states()
    assert [] == fragile.not_indexed()


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_same_change_during_the_publish_is_retried(make_fragile: MakeFragile, change: Change) -> None:
    """While one worker publishes, the other sees an active lease. There is one alert."""
    published = Gate()
    fragile = make_fragile({("PublishBatch", 1): Fault(hold_answer=published)})
    fragile.first_alert(change.before)
    fragile.set_disposition(change.after)
    first, second = fragile.request(), fragile.request()

    with fragile.held_at(published, first) as slow:
        other = outcomes(fragile.deployment.invoke(second).outcomes)

    assert [("RETRY", "claimed-by-another")] == other
    assert [change.outcome] == outcomes(slow.result())
    assert [(*change.activity, change.after, change.before)] == [change_of(it) for it in fragile.deployment.alerts()]
    assert [change.repeated] == outcomes(fragile.deployment.invoke(second).outcomes)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_same_change_between_look_up_and_claim_has_one_alert(make_fragile: MakeFragile, change: Change) -> None:
    """The slow worker's claim is refused, because the email has a newer version. It uses that version."""
    claiming = Gate()
    fragile = make_fragile({("TransactWriteItems", 1): Fault(hold=claiming)})
    fragile.first_alert(change.before)
    fragile.set_disposition(change.after)
    first, second = fragile.request(), fragile.request()

    with fragile.held_at(claiming, first) as slow:
        other = outcomes(fragile.deployment.invoke(second).outcomes)

    assert ([change.outcome], [change.repeated]) == (other, outcomes(slow.result()))
    assert [(*change.activity, change.after, change.before)] == [change_of(it) for it in fragile.deployment.alerts()]
    assert ["SENT", "SENT"] == fragile.states()


OLDER = {
    "an alert after a Close": ("MALICIOUS", "NONE", CLOSED, NOTHING),
    "a Close after an Update": ("NONE", "MALICIOUS", ESCALATED, SENT_BEFORE),
}


@pytest.mark.parametrize(("older", "newer", "outcome", "repeated"), OLDER.values(), ids=OLDER)
def test_older_answer_after_a_newer_one_is_retried(
    make_fragile: MakeFragile, older: str, newer: str, outcome: tuple[str, str], repeated: tuple[str, str]
) -> None:
    """It has no alert. Its message is retried, and gets the current answer."""
    claiming = Gate()
    fragile = make_fragile({("TransactWriteItems", 1): Fault(hold=claiming)})
    fragile.first_alert("SUSPICIOUS")
    fragile.set_disposition(older)
    first = fragile.request()

    with fragile.held_at(claiming, first) as slow:
        fragile.set_disposition(newer)
        other = outcomes(fragile.deployment.invoke(fragile.request()).outcomes)

    assert ([outcome], [("RETRY", "superseded")]) == (other, outcomes(slow.result()))
    assert [(newer, "SUSPICIOUS")] == [change_of(it)[3:] for it in fragile.deployment.alerts()]
    assert [repeated] == outcomes(fragile.deployment.invoke(first).outcomes)
    assert [] == fragile.deployment.alerts()


def _unprocessed(table: str) -> Fault:
    answer: dict[str, Any] = {"Responses": {}, "UnprocessedKeys": {table: {"Keys": []}}}
    return Fault(answer=(200, "application/x-amz-json-1.0", json.dumps(answer).encode()))


UNANSWERED: dict[str, Callable[[str], Fault]] = {
    "an internal error": lambda _: aws_error("BatchGetItem", 500, "InternalServerError"),
    "access denied": lambda _: aws_error("BatchGetItem", 400, "AccessDeniedException"),
    "a throttle": lambda _: aws_error("BatchGetItem", 400, "ProvisionedThroughputExceededException"),
    "a closed connection": lambda _: Fault(lose_request=True),
    "an unprocessed key": _unprocessed,
}


@pytest.mark.parametrize("fault", UNANSWERED.values(), ids=UNANSWERED)
def test_failed_look_up_is_retried_and_closes_later(make_fragile: MakeFragile, fault: Callable[[str], Fault]) -> None:
    """A failed look up is not taken for an unknown email, which would need no Close."""
    fragile = make_fragile({})
    fragile.first_alert("MALICIOUS")
    # For the call and its one retry.
    fragile.script.faults |= {("BatchGetItem", n): fault(fragile.deployment.stack.table) for n in (1, 2)}
    fragile.set_disposition("NONE")
    record = fragile.request()

    invocation = fragile.fragile.invoke({"Records": [record]})

    assert [("RETRY", "ledger-unavailable")] == outcomes(invocation.outcomes)
    assert {"batchItemFailures": [{"itemIdentifier": record["messageId"]}]} == invocation.response
    assert ([], ["SENT"]) == (fragile.deployment.alerts(), fragile.states())
    fragile.script.faults.clear()
    assert [CLOSED] == outcomes(fragile.invoke(record))
    assert [(*CLOSE, "NONE", "MALICIOUS")] == [change_of(it) for it in fragile.deployment.alerts()]
