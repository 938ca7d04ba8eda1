"""Message details in alerts and records, and alerts without them if they are not available in time."""

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

import pytest

from functions.domain.search_values import SearchKind
from functions.ledger.attribute_values import from_item
from functions.ledger.keys import pointed_at
from ops.local.fake_cloudflare.mailbox import Mail, Mailbox
from ops.local.lambda_runtime import Environment
from tests.clock import HANG_SECONDS
from tests.faults.answers import blocked
from tests.faults.proxy import NONE, Call, Fault, Proxy
from tests.integration.deployment import Deployment, MakeDeployment, outcomes
from tests.integration.fake_cloudflare_client import ACCOUNT, WITHOUT_FAULTS, ChangingMailbox, only
from tests.integration.test_escalation import MALICIOUS, SPAM

ESCALATED = ("ESCALATED", "disposition-listed")
MAX_SECONDS_TO_ALERT = 30.0
"""Seconds from a detection to its alert. The promise is 3 s at most for the details; ten times that allows for a loaded
machine. A function that waited without a limit would wait as long as the proxy is silent, which is twice as long."""


def with_details(**fields: object) -> Mail:
    """The malicious email, with these fields in its message details."""
    return replace(MALICIOUS, mail=dict(MALICIOUS.mail or {}) | fields)


DELIVERED = with_details(delivery_status=["delivered"], is_quarantined=False)


def requested_ids(deployment: Deployment) -> list[str]:
    """The ids in the requests for message details, in order."""
    paths = [urlsplit(call.path).path.rpartition("/investigate")[2] for call in deployment.cloudflare.calls]
    return [path.removeprefix("/").replace("%3A", ":") for path in paths if path and not path.endswith("/detections")]


# --- details in alert and record --------------------------------------------------------------------------------------


def test_email_in_an_inbox_is_critical_in_alert_and_record(make_deployment: MakeDeployment) -> None:
    """Alert, message attributes and record have the delivery, the recipients and the subject."""
    deployment = make_deployment(only(DELIVERED))
    deployment.send(MALICIOUS.postfix_id)

    assert [ESCALATED] == outcomes(deployment.poll())

    [alert], [record], source = deployment.alerts(), deployment.records(), DELIVERED.mail or {}
    assert ("true", "Critical") == (alert.attributes["delivered"], alert.attributes["severity"])
    assert ("Critical", 5) == (alert.facts["severity"], alert.facts["severity_id"])
    unmapped, mail = alert.facts["unmapped"], alert.facts["evidences"][0]["email"]
    assert ("true", ["delivered"]) == (unmapped["delivered"], unmapped["delivery_status"])
    assert (source["subject"], source["from"], source["to"]) == (mail["subject"], mail["from"], mail["to"])
    assert ("true", "Critical", ["delivered"]) == (record["delivered"], record["severity"], record["delivery_status"])
    assert source["subject"] == record["details"]["subject"]
    assert (MALICIOUS.alert_id, MALICIOUS.investigate_id) == (record["cloudflare_alert_id"], record["investigate_id"])
    assert "SENT" == record["state"]


def test_record_is_found_by_a_recipient_of_the_details(make_deployment: MakeDeployment) -> None:
    """The address is only in the message details, and the query ignores its case."""
    deployment = make_deployment(only(replace(with_details(client_recipients=["Kim@Larkfield.example"]))))
    deployment.send(MALICIOUS.postfix_id)
    deployment.poll()

    found = deployment.stack.dynamodb.query(
        TableName=deployment.stack.table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"{SearchKind.RECIPIENT}=kim@larkfield.example"}},
    )["Items"]

    [record] = deployment.records()
    assert [{name: record[name] for name in ("pk", "sk")}] == [pointed_at(from_item(item)["sk"]) for item in found]


DELIVERIES = {
    "quarantined": (["quarantined"], "false", "High"),
    "moved": (["moved"], "false", "High"),
    "delivered to one of two": (["quarantined", "delivered"], "true", "Critical"),
    "deferred": (["deferred"], "unknown", "High"),
    "an unknown status": (["teleported"], "unknown", "High"),
}


@pytest.mark.parametrize(("statuses", "delivered", "severity"), DELIVERIES.values(), ids=DELIVERIES)
def test_severity_depends_on_the_delivery(
    make_deployment: MakeDeployment, statuses: list[str], delivered: str, severity: str
) -> None:
    """Alert and record have the same delivery and severity."""
    deployment = make_deployment(only(with_details(delivery_status=statuses, is_quarantined=None)))
    deployment.send(MALICIOUS.postfix_id)
    deployment.poll()

    [alert], [record] = deployment.alerts(), deployment.records()
    assert (delivered, severity) == (alert.attributes["delivered"], alert.attributes["severity"])
    assert (delivered, severity) == (record["delivered"], record["severity"])


def test_details_of_megabytes_are_truncated_in_alert_and_record(make_deployment: MakeDeployment) -> None:
    """Alert and record name what was cut, and keep the delivery."""
    recipients = [f"{n}{'x' * 200}@larkfield.example" for n in range(20_000)]
    deployment = make_deployment(
        only(with_details(delivery_status=["delivered"], to=recipients, subject="é" * 1_000_000))
    )
    deployment.send(MALICIOUS.postfix_id)

    assert [ESCALATED] == outcomes(deployment.poll())
    [alert], [record] = deployment.alerts(), deployment.records()
    assert ("true", True) == (alert.attributes["delivered"], alert.facts["unmapped"]["truncated"])
    assert {"details.to", "details.texts"} <= {*alert.facts["unmapped"]["dropped"]}
    assert ["detection_reasons", "to", "texts"] == record["details_dropped"]
    assert "SENT" == record["state"]


HOSTILE = {
    "nested comments": "(" * 5_000,
    "nested groups": ":" * 5_000,
    "quotes": '"' * 5_001,
    "brackets": "<" * 5_000,
}


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("mask", ["false", "true"], ids=["not-masked", "masked"])
@pytest.mark.parametrize("name", ["From", "To", "Received"])
def test_hostile_header_does_not_stop_or_repeat_the_alert(
    make_deployment: MakeDeployment, name: str, mask: str, value: str
) -> None:
    """A sender cannot stop the alert for an email, nor cause repeated alerts, with a malformed header."""
    result = dict(MALICIOUS.result or {}) | {"headers": [{"name": name, "value": value}], "sender_info": {}}
    deployment = make_deployment(only(replace(MALICIOUS, result=result)), MaskRecipients=mask)
    deployment.send(MALICIOUS.postfix_id)

    assert [ESCALATED] == outcomes(deployment.poll())
    assert (1, ["SENT"], 0) == (
        len(deployment.alerts()),
        [it["state"] for it in deployment.records()],
        deployment.waiting(),
    )


# --- when details are requested ---------------------------------------------------------------------------------------


def test_details_are_requested_only_for_new_alerts(make_deployment: MakeDeployment) -> None:
    """An email that is not escalated, or has an alert and is in an inbox, needs no message details."""
    deployment = make_deployment(Mailbox(ACCOUNT, (DELIVERED, SPAM)))
    deployment.send(MALICIOUS.postfix_id, SPAM.postfix_id)
    assert {ESCALATED, ("NOT_ESCALATED", "disposition-not-escalated")} == {*outcomes(deployment.poll())}
    assert [MALICIOUS.postfix_id] == requested_ids(deployment)

    deployment.send(MALICIOUS.postfix_id)
    assert [("ALREADY_ESCALATED", "alert-sent-before")] == outcomes(deployment.poll())
    assert [MALICIOUS.postfix_id] == requested_ids(deployment)


def test_details_are_requested_for_a_closing_alert(make_deployment: MakeDeployment) -> None:
    """A closing alert has the delivery, which tells the operator whether to release the email."""
    mailbox = ChangingMailbox(ACCOUNT, (MALICIOUS,))
    deployment = make_deployment(mailbox)
    deployment.send(MALICIOUS.postfix_id)
    deployment.poll()
    mailbox.change(replace(DELIVERED, result=dict(MALICIOUS.result or {}) | {"final_disposition": "NONE"}))
    deployment.send(MALICIOUS.postfix_id)
    deployment.poll()

    _, closing = deployment.alerts()
    assert ("Close", "true", "Informational") == tuple(
        closing.attributes[it] for it in ("activity", "delivered", "severity")
    )


@pytest.mark.parametrize("kind", [0, 1, 2], ids=["postfix_id", "alert_id", "investigate_id"])
def test_details_are_requested_by_the_id_that_cloudflare_uses(make_deployment: MakeDeployment, kind: int) -> None:
    """If Cloudflare accepts the given id, it is used; otherwise the investigate_id from the search is."""
    for bare_ids in (True, False):
        deployment = make_deployment(only(DELIVERED), bare_ids=bare_ids)
        deployment.send(MALICIOUS.ids[kind])
        deployment.poll()

        assert [MALICIOUS.ids[kind] if bare_ids else MALICIOUS.investigate_id] == requested_ids(deployment)
        assert ["true"] == [alert.attributes["delivered"] for alert in deployment.alerts()]


def test_no_details_are_requested_if_turned_off(make_deployment: MakeDeployment) -> None:
    """Alert and record say that the delivery is unknown."""
    deployment = make_deployment(only(DELIVERED), FetchDetails="false")
    deployment.send(MALICIOUS.postfix_id)

    assert [ESCALATED] == outcomes(deployment.poll())
    assert [] == requested_ids(deployment)
    assert ["unknown"] == [alert.attributes["delivered"] for alert in deployment.alerts()]
    assert ["unknown"] == [record["delivered"] for record in deployment.records()]


# --- details that are not available -----------------------------------------------------------------------------------


@dataclass
class DetailsFaults:
    """The fault for requests for message details. Other requests pass unchanged.

    together: the number of requests that must arrive before any of them continues.
    """

    fault: Fault
    together: int = 1
    paths: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Start without arrived requests."""
        self._arrived = threading.Barrier(self.together)

    def __call__(self, call: Call) -> Fault:
        """Return the fault for this request."""
        if call.action != "details":
            return NONE
        self.paths.append(call.path)
        self._arrived.wait(HANG_SECONDS)
        return self.fault


def seconds_to_alert(record: dict[str, Any]) -> float:
    """The time from the detection to the publish of the alert, by the record."""
    fetched, published = (datetime.fromisoformat(record[name]) for name in ("fetched_at", "published_at"))
    return (published - fetched).total_seconds()


class MakeFailing(Protocol):
    """Makes a deployment in which requests for message details fail."""

    def __call__(
        self, fault: Fault, mailbox: Mailbox | None = None, *, together: int = 1
    ) -> tuple[Deployment, DetailsFaults]:
        """A deployment with this fault, of by default with the delivered email only. together: see DetailsFaults."""
        ...


@pytest.fixture
def make_failing(make_deployment: MakeDeployment) -> Iterator[MakeFailing]:
    """Makes deployments with a proxy to Cloudflare that applies a fault to requests for message details."""
    with ExitStack() as stack:

        def make(
            fault: Fault, mailbox: Mailbox | None = None, *, together: int = 1
        ) -> tuple[Deployment, DetailsFaults]:
            deployment, details_faults = make_deployment(mailbox or only(DELIVERED)), DetailsFaults(fault, together)
            base = urlsplit(deployment.cloudflare.base_url)
            proxy = stack.enter_context(Proxy(f"{base.scheme}://{base.netloc}", details_faults))
            variables = deployment.stack.environment | {"CLOUDFLARE_BASE_URL": f"{proxy.origin}{base.path}"}
            template = deployment.stack.template
            function = stack.enter_context(Environment(template.handler, variables, template.timeout))
            return replace(deployment, function=function), details_faults

        yield make


def _answer_with(status: int, **members: Any) -> Fault:
    envelope = {"success": status == 200, "errors": [], "messages": [], "result": None} | members
    return Fault(answer=(status, "application/json", json.dumps(envelope).encode()))


FAULTS = {
    "404": _answer_with(404, errors=[{"code": 10404, "message": "Message not found"}]),
    "400": _answer_with(400, errors=[{"code": 10400, "message": "no"}]),
    "401": _answer_with(401, errors=[{"code": 10000, "message": "Authentication error"}]),
    "403": _answer_with(403, errors=[{"code": 10403, "message": "not in the plan"}]),
    "500": _answer_with(500),
    "throttled": blocked(300),
    "a page with status 502": Fault(answer=(502, "text/html", b"<html>Bad gateway</html>")),
    "a page with status 200": Fault(answer=(200, "text/html", b"<!doctype html><title>Just a moment...</title>")),
    "a redirect": Fault(answer=(302, "text/html", b""), headers=(("location", "https://evil.example/"),)),
    "no success": _answer_with(200, success=False, result={"delivery_status": ["delivered"]}),
    "no result": _answer_with(200),
    "a result that is empty": _answer_with(200, result={}),
    "a result that is a list": _answer_with(200, result=[{"delivery_status": ["delivered"]}]),
    "a result that is a text": _answer_with(200, result="delivered"),
    "a search that is not complete": Fault(
        answer=(202, "application/json", b"{}"), headers=(("location", "/elsewhere"),)
    ),
    "half an answer": Fault(half=True),
    "no answer": Fault(lose_request=True),
    "silence": Fault(silent=True),
    "by the byte": Fault(drip=True),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_alert_without_details_comes_at_once_and_is_not_repeated(make_failing: MakeFailing, fault: Fault) -> None:
    """The delivery is unknown, the record is marked as sent, and the message is not retried."""
    deployment, details_faults = make_failing(fault)
    deployment.send(MALICIOUS.postfix_id)

    logged = deployment.poll()

    [alert], [record] = deployment.alerts(), deployment.records()
    assert ([ESCALATED], 0) == (outcomes(logged), deployment.waiting())
    assert ("unknown", "High") == (alert.attributes["delivered"], alert.attributes["severity"])
    assert ("unknown", "High", "SENT") == (record["delivered"], record["severity"], record["state"])
    assert not {"details", "delivery_status"} & record.keys()
    assert len(details_faults.paths) >= 1
    assert seconds_to_alert(record) < MAX_SECONDS_TO_ALERT


RESULTS = {
    "fields of other types": ({"delivery_status": 7, "to": 7, "id": []}, "unknown"),
    "a delivery status that is a text": ({"delivery_status": "delivered"}, "true"),
    "unknown fields": ({"brand_new": 1}, "unknown"),
    "some valid fields": ({"delivery_status": ["delivered", 7], "subject": {}, "id": "../x"}, "true"),
}


@pytest.mark.parametrize(("result", "delivered"), RESULTS.values(), ids=RESULTS)
def test_valid_fields_of_drifted_details_are_used(
    make_failing: MakeFailing, result: dict[str, object], delivered: str
) -> None:
    """A field of the wrong type does not hide a valid one."""
    deployment, _ = make_failing(_answer_with(200, result=result))
    deployment.send(MALICIOUS.postfix_id)

    assert [ESCALATED] == outcomes(deployment.poll())
    assert [delivered] == [alert.attributes["delivered"] for alert in deployment.alerts()]


TEN = Mailbox(
    ACCOUNT,
    tuple(
        replace(DELIVERED, postfix_id=name, investigate_id=f"{name}-2026-01-01T00:00:00-1")
        for name in (f"4Zz9Yy8Xx7zWw6V{n}" for n in range(10))
    ),
)


def test_details_of_a_batch_are_requested_together(make_failing: MakeFailing) -> None:
    """None of the ten answers is sent before all ten requests have arrived."""
    deployment, details_faults = make_failing(NONE, TEN, together=10)
    deployment.send(*(mail.postfix_id for mail in TEN))

    assert [ESCALATED] * 10 == outcomes(deployment.poll())
    assert ["true"] * 10 == [alert.attributes["delivered"] for alert in deployment.alerts()]
    assert len(details_faults.paths) == 10


def test_batch_without_details_alerts_on_every_email(make_failing: MakeFailing) -> None:
    """All alerts are sent in time, and no details are requested twice."""
    deployment, details_faults = make_failing(Fault(silent=True), TEN)
    deployment.send(*(mail.postfix_id for mail in TEN))

    logged = deployment.poll()

    assert ([ESCALATED] * 10, 10) == (outcomes(logged), len(deployment.alerts()))
    assert ["SENT"] * 10 == [record["state"] for record in deployment.records()]
    assert len(details_faults.paths) == 10
    assert max(map(seconds_to_alert, deployment.records())) < MAX_SECONDS_TO_ALERT


def test_block_during_the_details_request_stops_later_requests(make_failing: MakeFailing) -> None:
    """The alert is sent, and the next message is requeued without a request."""
    deployment, _ = make_failing(blocked(300), WITHOUT_FAULTS)
    deployment.send(MALICIOUS.postfix_id)
    assert [ESCALATED] == outcomes(deployment.poll())

    deployment.send(SPAM.postfix_id)
    assert [("DEFERRED", "throttled")] == outcomes(deployment.poll())
    assert 1 == len(deployment.cloudflare.calls)
