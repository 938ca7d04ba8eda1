"""Cloudflare changes its mind about a mail: what is told of it, once for each change."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from ops.local.runtime import Environment
from tests.integration.fickle import (
    CLOSE,
    CLOSED,
    CREATE,
    ESCALATED,
    NOTHING,
    SENT_BEFORE,
    UPDATE,
    Fickle,
    fickle_mailbox,
    name,
    saying,
    told,
)
from tests.integration.standin import ACCOUNT, ChangingMailbox
from tests.integration.test_escalation import MALICIOUS
from tests.integration.world import MakeWorld, outcomes


@pytest.fixture
def make_fickle(make_world: MakeWorld) -> Callable[..., Fickle]:
    """Makes such worlds, with template parameters."""

    def make(**parameters: str) -> Fickle:
        mailbox = fickle_mailbox()
        return Fickle(make_world(mailbox, **parameters), mailbox)

    return make


@pytest.fixture
def fickle(make_fickle: Callable[..., Fickle]) -> Fickle:
    """An ordinary one."""
    return make_fickle()


# --- what is told -----------------------------------------------------------------------------------------------------


def test_suspicious_then_malicious(fickle: Fickle) -> None:
    """A second alert, under a name and a record of its own, that says what was told before, and by which name."""
    assert [[ESCALATED], [ESCALATED]] == [fickle.ask("SUSPICIOUS"), fickle.ask("MALICIOUS")]

    first, second = fickle.world.alerts()
    assert [(*CREATE, "SUSPICIOUS", None), (*UPDATE, "MALICIOUS", "SUSPICIOUS")] == [told(first), told(second)]
    assert {"disposition": "SUSPICIOUS", "alert_id": name(first)} == second.facts["unmapped"]["previous"]
    assert ("Update", "MALICIOUS") == (second.attributes["activity"], second.attributes["disposition"])
    assert "was SUSPICIOUS" in second.subject
    records = fickle.world.records()
    assert [name(first), name(second)] == [it["alert_id"] for it in records]
    assert ["SENT", "SENT"] == [it["state"] for it in records]
    assert ["SUSPICIOUS", "MALICIOUS#1"] == fickle.entries()
    assert (1, "SUSPICIOUS", name(first)) == (
        records[1]["turn"],
        records[1]["previous_disposition"],
        records[1]["previous_alert_id"],
    )
    assert name(first) != name(second)


def test_a_change_asked_about_again(fickle: Fickle) -> None:
    """It has been told, and is not told again."""
    fickle.ask("SUSPICIOUS")
    fickle.ask("MALICIOUS")
    fickle.world.alerts()

    assert [[SENT_BEFORE], [SENT_BEFORE]] == [fickle.ask("MALICIOUS"), fickle.ask("MALICIOUS")]
    assert ([], ["SUSPICIOUS", "MALICIOUS#1"]) == (fickle.world.alerts(), fickle.entries())


@pytest.mark.parametrize("record_all", ["false", "true"], ids=["records-of-alerts", "records-of-all"])
def test_malicious_then_none(make_fickle: Callable[..., Fickle], record_all: str) -> None:
    """Who was alerted is told that it is over, once, for information; the record says so, whatever else is recorded."""
    fickle = make_fickle(RecordAll=record_all)
    assert [[ESCALATED], [CLOSED]] == [fickle.ask("MALICIOUS"), fickle.ask("NONE")]

    first, second = fickle.world.alerts()
    assert (*CLOSE, "NONE", "MALICIOUS") == told(second)
    assert {"disposition": "MALICIOUS", "alert_id": name(first)} == second.facts["unmapped"]["previous"]
    assert ("Close", "Informational", "NONE") == tuple(
        second.attributes[it] for it in ("activity", "severity", "disposition")
    )
    assert (1, False) == (second.facts["severity_id"], second.facts["is_alert"])
    assert [("ESCALATED", "SENT"), ("CLOSED", "SENT")] == [
        (it["outcome"], it["state"]) for it in fickle.world.records()
    ]
    assert ["MALICIOUS", "NONE#1"] == fickle.entries()
    assert fickle.world.records()[1]["severity"] == "Informational"

    assert [[SENT_BEFORE], [SENT_BEFORE]] == [fickle.ask("NONE"), fickle.ask("NONE")]
    assert ([], ["MALICIOUS", "NONE#1"]) == (fickle.world.alerts(), fickle.entries())


def test_below_the_line_by_another_word(fickle: Fickle) -> None:
    """Once it is told that it is over, nothing more is to be told while it stays below the line."""
    fickle.ask("MALICIOUS")
    fickle.ask("NONE")
    fickle.world.alerts()

    assert ([NOTHING], []) == (fickle.ask("SPAM"), fickle.world.alerts())


def test_malicious_none_malicious(fickle: Fickle) -> None:
    """Three alerts under three names, each naming the one before; and none of them again."""
    assert [[ESCALATED], [CLOSED], [ESCALATED]] == [fickle.ask(it) for it in ("MALICIOUS", "NONE", "MALICIOUS")]

    alerts = fickle.world.alerts()
    assert [
        (*CREATE, "MALICIOUS", None),
        (*CLOSE, "NONE", "MALICIOUS"),
        (*UPDATE, "MALICIOUS", "NONE"),
    ] == [told(it) for it in alerts]
    names = [name(it) for it in alerts]
    assert 3 == len({*names})
    assert names[:2] == [it.facts["unmapped"]["previous"]["alert_id"] for it in alerts[1:]]
    assert names == [it["alert_id"] for it in fickle.world.records()]
    assert ["MALICIOUS", "NONE#1", "MALICIOUS#2"] == fickle.entries()

    assert ([SENT_BEFORE], []) == (fickle.ask("MALICIOUS"), fickle.world.alerts())


def test_malicious_then_none_given(fickle: Fickle) -> None:
    """An answer without a disposition is no opinion: nothing is told, and what was told stands."""
    fickle.ask("MALICIOUS")
    fickle.world.alerts()

    assert [("NOT_ESCALATED", "disposition-not-given")] == fickle.ask(None)
    assert ([], ["MALICIOUS"]) == (fickle.world.alerts(), fickle.entries())
    assert [SENT_BEFORE] == fickle.ask("MALICIOUS")
    assert [CLOSED] == fickle.ask("NONE")


def test_none_at_first(fickle: Fickle) -> None:
    """Nobody was alerted, so that nobody is told; and when it turns out worse, that is the first that anybody hears."""
    assert ([NOTHING], [], []) == (fickle.ask("NONE"), fickle.world.alerts(), fickle.world.records())

    assert [ESCALATED] == fickle.ask("MALICIOUS")
    assert [(*CREATE, "MALICIOUS", None)] == [told(it) for it in fickle.world.alerts()]


def test_another_form_of_its_id(fickle: Fickle) -> None:
    """What was told under one form of an id says nothing about another: whoever asks is answered for what he asks."""
    fickle.ask("MALICIOUS")
    fickle.world.alerts()
    fickle.now_says("NONE")
    fickle.world.send(MALICIOUS.investigate_id)

    assert ([NOTHING], []) == (outcomes(fickle.world.poll()), fickle.world.alerts())


def test_two_mails_in_one_batch(make_world: MakeWorld) -> None:
    """Each has its own standing: one is closed, the other was never alerted on."""
    other = replace(
        saying("NONE"), postfix_id="4Zz9Yy8Xx7zWw6Vv", investigate_id="4Zz9Yy8Xx7zWw6Vv-2026-01-01T00:00:00-1"
    )
    mailbox = ChangingMailbox(ACCOUNT, (MALICIOUS, other))
    world = make_world(mailbox)
    world.send(MALICIOUS.postfix_id)
    world.poll()
    mailbox.change(saying("NONE"))
    world.send(MALICIOUS.postfix_id, other.postfix_id)

    ended = {line["id"]: (line["outcome"], line["reason"]) for line in world.poll()}

    assert {MALICIOUS.postfix_id: CLOSED, other.postfix_id: NOTHING} == ended
    assert [(*CREATE, "MALICIOUS", None), (*CLOSE, "NONE", "MALICIOUS")] == [told(it) for it in world.alerts()]


def test_a_disposition_that_is_not_escalated_any_more(make_fickle: Callable[..., Fickle]) -> None:
    """The deployment has changed its mind, and Cloudflare has not: the alert was right, and nothing is told."""
    fickle = make_fickle()
    fickle.ask("SUSPICIOUS")
    fickle.world.alerts()
    stack = fickle.world.stack
    variables = stack.environment | {"ESCALATE_ON": "MALICIOUS"}

    with Environment(stack.template.handler, variables, stack.template.timeout) as function:
        ended = Fickle(replace(fickle.world, function=function), fickle.mailbox).ask("SUSPICIOUS")

    assert ([SENT_BEFORE], [], ["SUSPICIOUS"]) == (ended, fickle.world.alerts(), fickle.entries())


def test_a_disposition_that_is_escalated_by_now(make_fickle: Callable[..., Fickle]) -> None:
    """It was told that the mail is over, and the deployment has come to alert on just that: there is an alert, once."""
    fickle = make_fickle()
    fickle.ask("MALICIOUS")
    fickle.ask("SPAM")
    fickle.world.alerts()
    stack = fickle.world.stack
    variables = stack.environment | {"ESCALATE_ON": "MALICIOUS,SPAM"}

    with Environment(stack.template.handler, variables, stack.template.timeout) as function:
        later = Fickle(replace(fickle.world, function=function), fickle.mailbox)
        ended = [later.ask("SPAM"), later.ask("SPAM")]

    assert [[ESCALATED], [SENT_BEFORE]] == ended
    assert [(*UPDATE, "SPAM", "SPAM")] == [told(it) for it in fickle.world.alerts()]
    assert ["MALICIOUS", "SPAM#1", "SPAM#2"] == fickle.entries()


# --- with one sink ----------------------------------------------------------------------------------------------------


def test_records_only(make_fickle: Callable[..., Fickle]) -> None:
    """Each change is recorded, once."""
    fickle = make_fickle(Sinks="table")
    ended = [fickle.ask(it) for it in ("SUSPICIOUS", "MALICIOUS", "NONE", "NONE")]

    assert [[ESCALATED], [ESCALATED], [CLOSED], [SENT_BEFORE]] == ended
    assert ["SUSPICIOUS", "MALICIOUS#1", "NONE#2"] == fickle.entries()
    assert ["RECORDED"] * 3 == [it["state"] for it in fickle.world.records()]


def test_alerts_only(make_fickle: Callable[..., Fickle]) -> None:
    """Nobody knows what was told before: every alert is the first, and none is closed."""
    fickle = make_fickle(Sinks="topic")
    ended = [fickle.ask(it) for it in ("SUSPICIOUS", "MALICIOUS", "NONE")]

    assert [[ESCALATED], [ESCALATED], [NOTHING]] == ended
    assert [(*CREATE, "SUSPICIOUS", None), (*CREATE, "MALICIOUS", None)] == [told(it) for it in fickle.world.alerts()]
