"""record.py: one decision about one mail, what its alert is called, and under which key it stands."""

from datetime import UTC, datetime, timedelta

import pytest

from functions.cloudflare.context import Delivery
from functions.cloudflare.message_id import MessageId
from functions.ledger.record import Activity, Told, moment
from tests.unit.examples import ACCOUNT, FORMS, INVESTIGATE_ID, NOON, POSTFIX_ID, context, record

TOLD = Told("SUSPICIOUS", "7" * 32)

# --- the name of an alert ---------------------------------------------------------------------------------------------


def test_the_name_of_an_alert() -> None:
    """It is the same in every release: whoever stores it must find it again."""
    expected = "b919256a61f89654f72865c598798b34"
    actual = record(account_id=ACCOUNT, id=MessageId(INVESTIGATE_ID), disposition="MALICIOUS").alert_id
    assert expected == actual


def test_the_name_of_an_alert_after_a_change() -> None:
    """It too is the same in every release."""
    assert "ac3b55738a1e269aa7391e92ac7f88f2" == record(turn=1).alert_id


def test_the_name_of_an_alert_about_the_same() -> None:
    """When, why, by which message and after what it was decided makes no other alert of it, nor where the mail is."""
    later = record(
        decided_at=NOON + timedelta(days=1),
        reason="disposition-family",
        sqs_message_id="2",
        drift=("$.a: unknown",),
        severity="Critical",
        context=context(),
        found_as=MessageId(INVESTIGATE_ID),
        previous=TOLD,
    )
    assert record().alert_id == later.alert_id


OTHERS: dict[str, dict[str, object]] = {
    "account": {"account_id": "f" * 32},
    "id": {"id": MessageId(POSTFIX_ID)},
    "disposition": {"disposition": "MALICIOUS-BEC"},
    "no disposition": {"disposition": None},
    "turn": {"turn": 1},
    "a later turn": {"turn": 2},
}


@pytest.mark.parametrize("changes", OTHERS.values(), ids=OTHERS)
def test_the_name_of_another_alert(changes: dict[str, object]) -> None:
    """Account, id, disposition and turn each make another alert of it."""
    assert record().alert_id != record(**changes).alert_id


def test_all_names_of_alerts() -> None:
    """They differ from each other too."""
    names = {record(**changes).alert_id for changes in OTHERS.values()}
    assert len(OTHERS) == len(names)


# --- its keys ---------------------------------------------------------------------------------------------------------

ALERTS: dict[str, tuple[dict[str, object], str]] = {
    "the first": ({}, "MALICIOUS"),
    "asked for by another message": ({"sqs_message_id": "2"}, "MALICIOUS"),
    "after a change": ({"turn": 1, "previous": TOLD}, "MALICIOUS#1"),
    "come back after two": ({"turn": 2, "previous": TOLD}, "MALICIOUS#2"),
    "closed": ({"turn": 1, "previous": TOLD, "disposition": "NONE"}, "NONE#1"),
}


@pytest.mark.parametrize(("changes", "decision"), ALERTS.values(), ids=ALERTS)
def test_the_key_of_an_alert(changes: dict[str, object], decision: str) -> None:
    """One for each id as given, disposition and turn: a second alert cannot be claimed."""
    expected = {"about": POSTFIX_ID, "entry": f"{ACCOUNT}/{INVESTIGATE_ID}#{decision}"}
    assert expected == record(**changes).alert_key


OBSERVED = {
    "below the line": ("SPAM", "NOT_ESCALATED", "SPAM#7"),
    "no disposition": (None, "NOT_ESCALATED", "NOT_ESCALATED#7"),
    "no detection": (None, "NOT_FOUND", "NOT_FOUND#7"),
}


@pytest.mark.parametrize(("disposition", "outcome", "decision"), OBSERVED.values(), ids=OBSERVED)
def test_the_key_of_a_decision_not_to_alert(disposition: str | None, outcome: str, decision: str) -> None:
    """One for each request: a decision is never overwritten by another, and a redelivery adds none."""
    it = record(disposition=disposition, outcome=outcome, sqs_message_id="7")
    assert {"about": POSTFIX_ID, "entry": f"{ACCOUNT}/{INVESTIGATE_ID}#{decision}"} == it.observation_key


def test_the_key_of_what_was_told() -> None:
    """One for each id as given, whatever is told of it."""
    keys = [record(**changes).standing_key for changes in ({}, {"disposition": "NONE", "turn": 3, "previous": TOLD})]
    assert [{"about": POSTFIX_ID, "entry": f"{ACCOUNT}/{INVESTIGATE_ID}"}] * 2 == keys


@pytest.mark.parametrize("value", FORMS.values(), ids=FORMS)
def test_everything_about_one_mail(value: str) -> None:
    """It is under one partition key, whichever form of its id was given, and under an entry of its own."""
    it = record(id=MessageId(value))
    keys = [it.standing_key, it.alert_key, it.observation_key]
    assert [POSTFIX_ID] * 3 == [key["about"] for key in keys]
    assert 3 == len({key["entry"] for key in keys})


def test_forms_of_one_mail() -> None:
    """Each is told of by itself: no two share a key."""
    entries = {record(id=MessageId(value)).alert_key["entry"] for value in FORMS.values()}
    assert len(FORMS) == len(entries)


# --- what it is in the life of the mail -------------------------------------------------------------------------------

LIFE = {
    "nobody was told": (True, None, Activity.CREATE),
    "something else was told": (True, TOLD, Activity.UPDATE),
    "below the line after an alert": (False, TOLD, Activity.CLOSE),
    "below the line, and what was told is not known": (False, None, Activity.CLOSE),
}


@pytest.mark.parametrize(("escalates", "previous", "expected"), LIFE.values(), ids=LIFE)
def test_an_activity(escalates: bool, previous: Told | None, expected: Activity) -> None:
    """It follows from what was told before, and from whether this is one to alert on."""
    assert expected == record(escalates=escalates, previous=previous).activity


def test_where_the_mail_is() -> None:
    """Its context says so; without one nobody knows."""
    placed = [record(context=context(delivery_status=["delivered"])), record(context=None)]
    assert [Delivery.DELIVERED, Delivery.UNKNOWN] == [it.delivery for it in placed]


MOMENTS = {
    "a whole second": (NOON, "2026-11-23T12:00:00.000Z"),
    "microseconds are cut": (NOON.replace(microsecond=999_999), "2026-11-23T12:00:00.999Z"),
    "the first": (datetime.fromtimestamp(0, UTC), "1970-01-01T00:00:00.000Z"),
}


@pytest.mark.parametrize(("at", "expected"), MOMENTS.values(), ids=MOMENTS)
def test_a_moment(at: datetime, expected: str) -> None:
    """Text that sorts as time does."""
    assert expected == moment(at)
