"""record.py: what is written down about a decision, and under which key."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from boto3.dynamodb.types import TypeSerializer
from hypothesis import given

from functions.cloudflare.message_id import MessageId
from functions.ledger.record import DETECTION_LIMIT, attributes, escalation_key, moment, observation_key
from functions.release import RELEASE
from tests.strategies import Answer, answers
from tests.unit.examples import ACCOUNT, ALERT_ID, FORMS, INVESTIGATE_ID, NOON, POSTFIX_ID, RESULT, detection, record

KEEP = timedelta(days=400)


def test_the_name_of_an_alert() -> None:
    """It is the same in every release: whoever stores it must find it again."""
    expected = "b919256a61f89654f72865c598798b34"
    actual = record(account_id=ACCOUNT, id=MessageId(INVESTIGATE_ID), disposition="MALICIOUS").alert_id
    assert expected == actual


def test_the_name_of_an_alert_about_the_same() -> None:
    """When, why and by which message it was decided makes no other alert of it."""
    later = record(
        decided_at=NOON + timedelta(days=1), reason="disposition-family", sqs_message_id="2", drift=("$.a: unknown",)
    )
    assert record().alert_id == later.alert_id


OTHERS: dict[str, dict[str, object]] = {
    "account": {"account_id": "f" * 32},
    "id": {"id": MessageId(POSTFIX_ID)},
    "disposition": {"disposition": "MALICIOUS-BEC"},
    "no disposition": {"disposition": None},
}


@pytest.mark.parametrize("changes", OTHERS.values(), ids=OTHERS)
def test_the_name_of_another_alert(changes: dict[str, object]) -> None:
    """Account, id and disposition each make another alert of it."""
    assert record().alert_id != record(**changes).alert_id


def test_all_names_of_alerts() -> None:
    """They differ from each other too."""
    names = {record(**changes).alert_id for changes in OTHERS.values()}
    assert len(OTHERS) == len(names)


def test_the_key_of_an_escalation() -> None:
    """One for each id as given and disposition: a second alert cannot be claimed."""
    expected = {"message": f"{ACCOUNT}/{POSTFIX_ID}", "decision": f"{INVESTIGATE_ID}#MALICIOUS"}
    assert expected == escalation_key(record(sqs_message_id="2"))


OBSERVED = {
    "below the line": ("SPAM", "NOT_ESCALATED", f"{INVESTIGATE_ID}#SPAM#7"),
    "no disposition": (None, "NOT_ESCALATED", f"{INVESTIGATE_ID}#NOT_ESCALATED#7"),
    "no detection": (None, "NOT_FOUND", f"{INVESTIGATE_ID}#NOT_FOUND#7"),
}


@pytest.mark.parametrize(("disposition", "outcome", "decision"), OBSERVED.values(), ids=OBSERVED)
def test_the_key_of_a_decision_not_to_alert(disposition: str | None, outcome: str, decision: str) -> None:
    """One for each request: a decision is never overwritten by another, and a redelivery adds none."""
    it = record(disposition=disposition, outcome=outcome, sqs_message_id="7")
    assert observation_key(it) == {"message": f"{ACCOUNT}/{POSTFIX_ID}", "decision": decision}


@pytest.mark.parametrize("value", FORMS.values(), ids=FORMS)
def test_everything_about_one_mail(value: str) -> None:
    """It is under one partition key, whichever form of its id was given."""
    it = record(id=MessageId(value))
    assert {escalation_key(it)["message"], observation_key(it)["message"]} == {f"{ACCOUNT}/{POSTFIX_ID}"}


def test_what_is_written_down() -> None:
    """A reader in the console understands it months later."""
    known = attributes(record(id=MessageId(ALERT_ID), drift=("$.a: unknown",), detection=detection()), KEEP)
    assert known == {
        "account_id": ACCOUNT,
        "id": ALERT_ID,
        "postfix_id": POSTFIX_ID,
        "outcome": "ESCALATED",
        "reason": "disposition-listed",
        "escalate_on": ["MALICIOUS"],
        "queued_at": "2026-11-23T12:00:00.000Z",
        "fetched_at": "2026-11-23T12:00:00.000Z",
        "decided_at": "2026-11-23T12:00:00.000Z",
        "sqs_message_id": "70a95218-f226-45e6-b742-9761b03b8bdc",
        "release": RELEASE,
        "drift": ["$.a: unknown"],
        "expires_at": int((NOON + KEEP).timestamp()),
        "disposition": "MALICIOUS",
        "detection": {name: value for name, value in RESULT.items() if value is not None}
        | {"findings": [], "validation": {}},
        "detection_counts": dict.fromkeys(("attachments", "findings", "headers", "links", "threat_categories"), 0),
        "detection_dropped": [],
    }


def test_a_decision_without_a_detection() -> None:
    """What is not known is absent, not null."""
    known = attributes(record(disposition=None, detection=None), KEEP)
    assert not {"disposition", "detection", "detection_counts", "detection_dropped"} & known.keys()
    assert None not in known.values()


def test_a_detection_that_is_too_large() -> None:
    """It is cut to what DynamoDB takes, and the record says how."""
    links = [{"href": "https://example.com/" + "😀" * 900}] * 10_000
    known = attributes(record(detection=detection(links=links)), KEEP)
    wire = str(TypeSerializer().serialize(known["detection"]))
    assert (["links"], 10_000) == (known["detection_dropped"], detection_count(known, "links"))
    assert len(wire.encode()) < 1.1 * DETECTION_LIMIT


def detection_count(known: dict[str, object], name: str) -> object:
    counts = known["detection_counts"]
    assert isinstance(counts, dict)
    return counts[name]


def test_a_score() -> None:
    """It is a decimal: DynamoDB takes no floats."""
    known = attributes(record(detection=detection(findings=[{"score": 0.1}])), KEEP)["detection"]
    assert isinstance(known, dict)
    assert known["findings"] == [{"score": Decimal("0.1")}]


@given(answers)
def test_any_documented_answer(answer: Answer) -> None:
    """DynamoDB's serializer takes all of it."""
    for value in attributes(record(detection=detection(**answer)), KEEP).values():
        TypeSerializer().serialize(value)


MOMENTS = {
    "a whole second": (NOON, "2026-11-23T12:00:00.000Z"),
    "microseconds are cut": (NOON.replace(microsecond=999_999), "2026-11-23T12:00:00.999Z"),
    "the first": (datetime.fromtimestamp(0, UTC), "1970-01-01T00:00:00.000Z"),
}


@pytest.mark.parametrize(("at", "expected"), MOMENTS.values(), ids=MOMENTS)
def test_a_moment(at: datetime, expected: str) -> None:
    """Text that sorts as time does."""
    assert expected == moment(at)
