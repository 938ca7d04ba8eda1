"""Where a mail is and whom it was for: in the alert and in the record, or not, but the alert comes at once."""

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

import pytest

from functions.ledger.keys import Facet, pointed_at
from functions.ledger.wire import from_item
from ops.local.mailbox import Mail, Mailbox
from ops.local.runtime import Environment
from tests.clock import HANG_SECONDS
from tests.faults.answers import blocked
from tests.faults.proxy import NONE, Call, Fault, Proxy
from tests.integration.standin import ACCOUNT, AT_ONCE, ChangingMailbox, only
from tests.integration.test_escalation import MALICIOUS, SPAM
from tests.integration.world import MakeWorld, World, outcomes

ESCALATED = ("ESCALATED", "disposition-listed")
AT_MOST = 30.0
"""Seconds from a detection to its alert. The promise is 3 s at most for the context; ten times that allows for a loaded
machine. A function that waited without a limit would wait as long as the proxy is silent, which is twice as long."""


def with_context(**fields: object) -> Mail:
    """The malicious mail, of which Cloudflare says this beside its detection."""
    return replace(MALICIOUS, mail=dict(MALICIOUS.mail or {}) | fields)


DELIVERED = with_context(delivery_status=["delivered"], is_quarantined=False)


def context_calls(world: World) -> list[str]:
    """The ids under which contexts were asked for, in order."""
    paths = [urlsplit(call.path).path.rpartition("/investigate")[2] for call in world.cloudflare.calls]
    return [path.removeprefix("/").replace("%3A", ":") for path in paths if path and not path.endswith("/detections")]


# --- told and written down --------------------------------------------------------------------------------------------


def test_mail_in_an_inbox(make_world: MakeWorld) -> None:
    """It is as urgent as can be, and alert, filters and record all say where the mail is and whose."""
    world = make_world(only(DELIVERED))
    world.send(MALICIOUS.postfix_id)

    assert [ESCALATED] == outcomes(world.poll())

    [alert], [record], said = world.alerts(), world.records(), DELIVERED.mail or {}
    assert ("true", "Critical") == (alert.attributes["delivered"], alert.attributes["severity"])
    assert ("Critical", 5) == (alert.facts["severity"], alert.facts["severity_id"])
    unmapped, mail = alert.facts["unmapped"], alert.facts["evidences"][0]["email"]
    assert ("true", ["delivered"]) == (unmapped["delivered"], unmapped["delivery_status"])
    assert (said["subject"], said["from"], said["to"]) == (mail["subject"], mail["from"], mail["to"])
    assert ("true", "Critical", ["delivered"]) == (record["delivered"], record["severity"], record["delivery_status"])
    assert said["subject"] == record["context"]["subject"]
    assert (MALICIOUS.alert_id, MALICIOUS.investigate_id) == (record["cloudflare_alert_id"], record["investigate_id"])
    assert "SENT" == record["state"]


def test_recipient_who_is_looked_up(make_world: MakeWorld) -> None:
    """The record is found by an address that only the context has."""
    world = make_world(only(replace(with_context(client_recipients=["Kim@Larkfield.example"]))))
    world.send(MALICIOUS.postfix_id)
    world.poll()

    found = world.stack.dynamodb.query(
        TableName=world.stack.table,
        KeyConditionExpression="about = :about",
        ExpressionAttributeValues={":about": {"S": f"{Facet.RECIPIENT}=kim@larkfield.example"}},
    )["Items"]

    [record] = world.records()
    assert [{name: record[name] for name in ("about", "entry")}] == [pointed_at(from_item(it)["entry"]) for it in found]


PLACES = {
    "quarantined": (["quarantined"], "false", "High"),
    "moved": (["moved"], "false", "High"),
    "delivered to one of two": (["quarantined", "delivered"], "true", "Critical"),
    "under way": (["deferred"], "unknown", "High"),
    "a word that nobody knows": (["teleported"], "unknown", "High"),
}


@pytest.mark.parametrize(("statuses", "delivered", "severity"), PLACES.values(), ids=PLACES)
def test_mail_elsewhere(make_world: MakeWorld, statuses: list[str], delivered: str, severity: str) -> None:
    """Alert and record say where, and are as urgent as that is."""
    world = make_world(only(with_context(delivery_status=statuses, is_quarantined=None)))
    world.send(MALICIOUS.postfix_id)
    world.poll()

    [alert], [record] = world.alerts(), world.records()
    assert (delivered, severity) == (alert.attributes["delivered"], alert.attributes["severity"])
    assert (delivered, severity) == (record["delivered"], record["severity"])


def test_context_of_megabytes(make_world: MakeWorld) -> None:
    """Alert and record come, cut, and say so; where the mail is stays."""
    people = [f"{n}{'x' * 200}@larkfield.example" for n in range(20_000)]
    world = make_world(only(with_context(delivery_status=["delivered"], to=people, subject="é" * 1_000_000)))
    world.send(MALICIOUS.postfix_id)

    assert [ESCALATED] == outcomes(world.poll())
    [alert], [record] = world.alerts(), world.records()
    assert ("true", True) == (alert.attributes["delivered"], alert.facts["unmapped"]["truncated"])
    assert {"context.to", "context.texts"} <= {*alert.facts["unmapped"]["dropped"]}
    assert ["detection_reasons", "to", "texts"] == record["context_dropped"]
    assert "SENT" == record["state"]


HOSTILE = {
    "a comment within a comment": "(" * 5_000,
    "a group within a group": ":" * 5_000,
    "quotes": '"' * 5_001,
    "brackets": "<" * 5_000,
}


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("mask", ["false", "true"], ids=["as-they-are", "masked"])
@pytest.mark.parametrize("name", ["From", "To", "Received"])
def test_header_written_to_break_whoever_reads_it(make_world: MakeWorld, name: str, mask: str, value: str) -> None:
    """No sender can keep an alert about his mail from coming, nor have it come again and again."""
    result = dict(MALICIOUS.result or {}) | {"headers": [{"name": name, "value": value}], "sender_info": {}}
    world = make_world(only(replace(MALICIOUS, result=result)), MaskRecipients=mask)
    world.send(MALICIOUS.postfix_id)

    assert [ESCALATED] == outcomes(world.poll())
    assert (1, ["SENT"], 0) == (len(world.alerts()), [it["state"] for it in world.records()], world.waiting())


# --- who is asked about -----------------------------------------------------------------------------------------------


def test_who_is_asked_about(make_world: MakeWorld) -> None:
    """Only what somebody is told of: no mail below the line, and none that was told of before."""
    world = make_world(AT_ONCE)
    world.send(MALICIOUS.postfix_id, SPAM.postfix_id)
    assert {ESCALATED, ("NOT_ESCALATED", "disposition-below-the-line")} == {*outcomes(world.poll())}
    assert [MALICIOUS.postfix_id] == context_calls(world)

    world.send(MALICIOUS.postfix_id)
    assert [("ALREADY_ESCALATED", "alert-sent-before")] == outcomes(world.poll())
    assert [MALICIOUS.postfix_id] == context_calls(world)


def test_mail_that_is_told_to_be_over(make_world: MakeWorld) -> None:
    """It is asked about as well: where it is says what there is to give back."""
    mailbox = ChangingMailbox(ACCOUNT, (MALICIOUS,))
    world = make_world(mailbox)
    world.send(MALICIOUS.postfix_id)
    world.poll()
    mailbox.change(replace(DELIVERED, result=dict(MALICIOUS.result or {}) | {"final_disposition": "NONE"}))
    world.send(MALICIOUS.postfix_id)
    world.poll()

    _, closing = world.alerts()
    assert ("Close", "true", "Informational") == tuple(
        closing.attributes[it] for it in ("activity", "delivered", "severity")
    )


@pytest.mark.parametrize("form", [0, 1, 2], ids=["postfix_id", "alert_id", "investigate_id"])
def test_id_that_is_asked_by(make_world: MakeWorld, form: int) -> None:
    """It is the one that Cloudflare has the mail under, whichever was given; one that it takes is taken as given."""
    for bare_ids in (True, False):
        world = make_world(only(DELIVERED), bare_ids=bare_ids)
        world.send(MALICIOUS.ids[form])
        world.poll()

        assert [MALICIOUS.ids[form] if bare_ids else MALICIOUS.investigate_id] == context_calls(world)
        assert ["true"] == [alert.attributes["delivered"] for alert in world.alerts()]


def test_contexts_turned_off(make_world: MakeWorld) -> None:
    """Cloudflare is not asked, and the alert says that nobody knows."""
    world = make_world(only(DELIVERED), FetchContext="false")
    world.send(MALICIOUS.postfix_id)

    assert [ESCALATED] == outcomes(world.poll())
    assert [] == context_calls(world)
    assert ["unknown"] == [alert.attributes["delivered"] for alert in world.alerts()]
    assert ["unknown"] == [record["delivered"] for record in world.records()]


# --- a context that is not given --------------------------------------------------------------------------------------


@dataclass
class Contexts:
    """What happens to the calls for a context; all others pass.

    together: how many calls have to arrive before any of them goes on.
    """

    fault: Fault
    together: int = 1
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Nobody has arrived yet."""
        self._arrived = threading.Barrier(self.together)

    def __call__(self, call: Call) -> Fault:
        """The fault for this call."""
        if call.action != "context":
            return NONE
        self.asked.append(call.path)
        self._arrived.wait(HANG_SECONDS)
        return self.fault


def seconds_to_alert(record: dict[str, Any]) -> float:
    """From the answer with the detection to the publish of the alert, by the function's own record."""
    fetched, published = (datetime.fromisoformat(record[name]) for name in ("fetched_at", "published_at"))
    return (published - fetched).total_seconds()


class MakeReticent(Protocol):
    """Makes a world in which contexts are not given."""

    def __call__(self, fault: Fault, mailbox: Mailbox | None = None, *, together: int = 1) -> tuple[World, Contexts]:
        """A world with this fault, of the mailbox with the delivered mail by default. together: see Contexts."""
        ...


@pytest.fixture
def make_reticent(make_world: MakeWorld) -> Iterator[MakeReticent]:
    """Makes worlds whose function talks to Cloudflare through a proxy that meddles with contexts."""
    with ExitStack() as stack:

        def make(fault: Fault, mailbox: Mailbox | None = None, *, together: int = 1) -> tuple[World, Contexts]:
            world, contexts = make_world(mailbox or only(DELIVERED)), Contexts(fault, together)
            base = urlsplit(world.cloudflare.base_url)
            proxy = stack.enter_context(Proxy(f"{base.scheme}://{base.netloc}", contexts))
            variables = world.stack.environment | {"CLOUDFLARE_BASE_URL": f"{proxy.origin}{base.path}"}
            template = world.stack.template
            function = stack.enter_context(Environment(template.handler, variables, template.timeout))
            return replace(world, function=function), contexts

        yield make


def _envelope(status: int, **members: Any) -> Fault:
    envelope = {"success": status == 200, "errors": [], "messages": [], "result": None} | members
    return Fault(answer=(status, "application/json", json.dumps(envelope).encode()))


WAYS_TO_FAIL = {
    "404": _envelope(404, errors=[{"code": 10404, "message": "Message not found"}]),
    "400": _envelope(400, errors=[{"code": 10400, "message": "no"}]),
    "401": _envelope(401, errors=[{"code": 10000, "message": "Authentication error"}]),
    "403": _envelope(403, errors=[{"code": 10403, "message": "not in the plan"}]),
    "500": _envelope(500),
    "throttled": blocked(300),
    "a page with status 502": Fault(answer=(502, "text/html", b"<html>Bad gateway</html>")),
    "a page with status 200": Fault(answer=(200, "text/html", b"<!doctype html><title>Just a moment...</title>")),
    "a redirect": Fault(answer=(302, "text/html", b""), headers=(("location", "https://evil.example/"),)),
    "no success": _envelope(200, success=False, result={"delivery_status": ["delivered"]}),
    "no result": _envelope(200),
    "a result that is empty": _envelope(200, result={}),
    "a result that is a list": _envelope(200, result=[{"delivery_status": ["delivered"]}]),
    "a result that is a text": _envelope(200, result="delivered"),
    "answered later": Fault(answer=(202, "application/json", b"{}"), headers=(("location", "/elsewhere"),)),
    "half an answer": Fault(half=True),
    "no answer": Fault(lose_request=True),
    "silence": Fault(silent=True),
    "by the byte": Fault(drip=True),
}


@pytest.mark.parametrize("fault", WAYS_TO_FAIL.values(), ids=WAYS_TO_FAIL)
def test_context_that_is_not_given(make_reticent: MakeReticent, fault: Fault) -> None:
    """The alert comes at once, and says that nobody knows; the record is complete, and nothing is tried again."""
    world, contexts = make_reticent(fault)
    world.send(MALICIOUS.postfix_id)

    logged = world.poll()

    [alert], [record] = world.alerts(), world.records()
    assert ([ESCALATED], 0) == (outcomes(logged), world.waiting())
    assert ("unknown", "High") == (alert.attributes["delivered"], alert.attributes["severity"])
    assert ("unknown", "High", "SENT") == (record["delivered"], record["severity"], record["state"])
    assert not {"context", "delivery_status"} & record.keys()
    assert len(contexts.asked) >= 1
    assert seconds_to_alert(record) < AT_MOST


RESULTS = {
    "of other types": ({"delivery_status": "delivered", "to": 7, "id": []}, "unknown"),
    "of other fields": ({"brand_new": 1}, "unknown"),
    "with half of it wrong": ({"delivery_status": ["delivered", 7], "subject": {}, "id": "../x"}, "true"),
}


@pytest.mark.parametrize(("result", "delivered"), RESULTS.values(), ids=RESULTS)
def test_context_that_has_drifted(make_reticent: MakeReticent, result: dict[str, object], delivered: str) -> None:
    """What of it can be read is told."""
    world, _ = make_reticent(_envelope(200, result=result))
    world.send(MALICIOUS.postfix_id)

    assert [ESCALATED] == outcomes(world.poll())
    assert [delivered] == [alert.attributes["delivered"] for alert in world.alerts()]


TEN = Mailbox(
    ACCOUNT,
    tuple(
        replace(DELIVERED, postfix_id=name, investigate_id=f"{name}-2026-01-01T00:00:00-1")
        for name in (f"4Zz9Yy8Xx7zWw6V{n}" for n in range(10))
    ),
)


def test_contexts_of_a_batch(make_reticent: MakeReticent) -> None:
    """They are asked for together, and not one after the other: none is given before all are asked for."""
    world, contexts = make_reticent(NONE, TEN, together=10)
    world.send(*(mail.postfix_id for mail in TEN))

    assert [ESCALATED] * 10 == outcomes(world.poll())
    assert ["true"] * 10 == [alert.attributes["delivered"] for alert in world.alerts()]
    assert len(contexts.asked) == 10


def test_contexts_of_a_batch_that_are_not_given(make_reticent: MakeReticent) -> None:
    """All alerts come, and say that nobody knows; no context is asked for twice."""
    world, contexts = make_reticent(Fault(silent=True), TEN)
    world.send(*(mail.postfix_id for mail in TEN))

    logged = world.poll()

    assert ([ESCALATED] * 10, 10) == (outcomes(logged), len(world.alerts()))
    assert ["SENT"] * 10 == [record["state"] for record in world.records()]
    assert len(contexts.asked) == 10
    assert max(map(seconds_to_alert, world.records())) < AT_MOST


def test_blocked_while_a_context_is_asked_for(make_reticent: MakeReticent) -> None:
    """The alert comes; and nobody is asked any more while the block lasts."""
    world, _ = make_reticent(blocked(300), AT_ONCE)
    world.send(MALICIOUS.postfix_id)
    assert [ESCALATED] == outcomes(world.poll())

    world.send(SPAM.postfix_id)
    assert [("DEFERRED", "throttled")] == outcomes(world.poll())
    assert 1 == len(world.cloudflare.calls)
