"""item.py: a record as somebody reads it in the console months later, and the record that it was."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer
from hypothesis import given
from hypothesis import strategies as st

from functions.cloudflare.context import read_context
from functions.cloudflare.contract import VERSION
from functions.cloudflare.detection import read_detection
from functions.cloudflare.message_id import MessageId
from functions.escalate.severity import Severity
from functions.ledger.item import attributes, late_attributes, read_record
from functions.ledger.keys import LONGEST_VALUE
from functions.ledger.record import Record, Told
from functions.ledger.wire import from_item, to_item
from functions.release import RELEASE
from tests.strategies import Answer, answers, contexts, json_values, wild_answers, wild_contexts
from tests.unit.examples import (
    ACCOUNT,
    ALERT_ID,
    CONTEXT,
    FORMS,
    FULL,
    INVESTIGATE_ID,
    NOON,
    POSTFIX_ID,
    RESULT,
    context,
    detection,
    record,
)

KEEP = timedelta(days=400)
ITEM_LIMIT = 400 * 1024
"""Bytes that DynamoDB takes of one item."""
CONTEXT_NAMES = {"context", "context_counts", "context_dropped", "delivery_status"}
DETECTION_NAMES = {"detection", "detection_counts", "detection_dropped", "sender_domain", "sender_ip"}


def written(it: Record) -> dict[str, Any]:
    """What of a record is read again from the table, once its alert is claimed."""
    return from_item(to_item(attributes(it, KEEP) | {"activity": it.activity}))


def stored_size(value: dict[str, Any]) -> int:
    """Bytes that DynamoDB counts of a value as it is on the wire."""
    [(kind, it)] = value.items()
    match kind:
        case "M":
            return 3 + sum(len(name.encode()) + stored_size(each) + 1 for name, each in it.items())
        case "L":
            return 3 + sum(stored_size(each) + 1 for each in it)
        case "N":
            return 21
        case "S":
            return len(it.encode())
    return 1


# --- what is written --------------------------------------------------------------------------------------------------


def test_what_is_written_down() -> None:
    """A reader in the console understands it months later."""
    it = record(
        id=MessageId(ALERT_ID),
        drift=("$.a: unknown",),
        detection=detection(sender_info={"ip": "192.0.2.1", "pld": "Evil.example"}),
        severity=Severity.HIGH,
    )
    assert attributes(it, KEEP) == {
        "account_id": ACCOUNT,
        "id": ALERT_ID,
        "postfix_id": POSTFIX_ID,
        "outcome": "ESCALATED",
        "reason": "disposition-listed",
        "escalate_on": ["MALICIOUS"],
        "schema_version": VERSION,
        "release": RELEASE,
        "disposition": "MALICIOUS",
        "turn": 0,
        "queued_at": "2026-11-23T12:00:00.000Z",
        "fetched_at": "2026-11-23T12:00:00.000Z",
        "decided_at": "2026-11-23T12:00:00.000Z",
        "month": "2026-11",
        "sqs_message_id": "70a95218-f226-45e6-b742-9761b03b8bdc",
        "drift": ["$.a: unknown"],
        "expires_at": int((NOON + KEEP).timestamp()),
        "sender_domain": "evil.example",
        "sender_ip": "192.0.2.1",
        "detection": {name: value for name, value in RESULT.items() if value is not None}
        | {"findings": [], "validation": {}, "sender_info": {"ip": "192.0.2.1", "pld": "Evil.example"}},
        "detection_counts": dict.fromkeys(("attachments", "findings", "headers", "links", "threat_categories"), 0),
        "detection_dropped": [],
        "severity": "High",
        "delivered": "unknown",
        "cloudflare_alert_id": ALERT_ID,
    }


def test_what_is_written_down_of_a_change() -> None:
    """What was told before, and how often it has changed, is in the record itself."""
    known = attributes(record(turn=2, previous=Told("SUSPICIOUS", "7" * 32)), KEEP)
    assert (2, "SUSPICIOUS", "7" * 32) == (
        known["turn"],
        known["previous_disposition"],
        known["previous_alert_id"],
    )


def test_what_is_written_down_of_a_context() -> None:
    """All of it, and where the mail is also by itself, to be looked at and counted."""
    known = attributes(record(context=context(delivery_status=["quarantined", "delivered"])), KEEP)
    assert CONTEXT | {"delivery_status": ["quarantined", "delivered"]} == known["context"]
    assert (["quarantined", "delivered"], "true", []) == (
        known["delivery_status"],
        known["delivered"],
        known["context_dropped"],
    )


def test_a_decision_without_a_detection() -> None:
    """What is not known is absent, not null and not empty."""
    known = attributes(record(disposition=None, detection=None, context=None), KEEP)
    assert (
        not (DETECTION_NAMES | CONTEXT_NAMES | {"disposition", "severity", "detail", "previous_alert_id"})
        & known.keys()
    )
    assert not {None, ""} & {it for it in known.values() if it is None or isinstance(it, str)}


LATE: dict[str, tuple[dict[str, object], set[str]]] = {
    "without a context": ({}, {"delivered", "cloudflare_alert_id", "investigate_id"}),
    "with one": (
        {"context": context(), "severity": "High"},
        {"delivered", "severity", "cloudflare_alert_id", "investigate_id"} | CONTEXT_NAMES,
    ),
}


@pytest.mark.parametrize(("changes", "names"), LATE.values(), ids=LATE)
def test_what_comes_after_the_claim(changes: dict[str, object], names: set[str]) -> None:
    """The mark adds it; nothing of it is missing where a record is written at once."""
    it = record(**changes)
    late = late_attributes(it)
    assert names == late.keys()
    assert late.items() <= attributes(it, KEEP).items()


# --- the ids ----------------------------------------------------------------------------------------------------------

IDS = {
    "only the postfix id is known": (POSTFIX_ID, None, None, (None, None)),
    "the alert id was given": (ALERT_ID, None, None, (ALERT_ID, None)),
    "the investigate id was given": (INVESTIGATE_ID, INVESTIGATE_ID, None, (ALERT_ID, INVESTIGATE_ID)),
    "it was found by a search": (POSTFIX_ID, INVESTIGATE_ID, None, (ALERT_ID, INVESTIGATE_ID)),
    "its context says": (POSTFIX_ID, POSTFIX_ID, INVESTIGATE_ID, (ALERT_ID, INVESTIGATE_ID)),
    "its context says less": (POSTFIX_ID, INVESTIGATE_ID, POSTFIX_ID, (ALERT_ID, INVESTIGATE_ID)),
    "its context names none": (POSTFIX_ID, None, "no id", (None, None)),
}


@pytest.mark.parametrize(("given_id", "found_as", "said", "expected"), IDS.values(), ids=IDS)
def test_ids_in_cloudflares_forms(
    given_id: str, found_as: str | None, said: str | None, expected: tuple[str | None, str | None]
) -> None:
    """Every form that is known of a mail's id is written down, whoever named it."""
    it = record(
        id=MessageId(given_id),
        found_as=MessageId(found_as) if found_as else None,
        context=context(id=said) if said else None,
    )
    known = attributes(it, KEEP)
    assert expected == (known.get("cloudflare_alert_id"), known.get("investigate_id"))


# --- the sender -------------------------------------------------------------------------------------------------------

FROM: dict[str, tuple[str | None, str | None, str | None]] = {
    "looked up by Cloudflare": ("Evil.Example", "a@other.example", "evil.example"),
    "only in the header": (None, "Payroll <pay@Evil.example>", "evil.example"),
    "an address in the display name": (None, '"boss@larkfield.example" <x@evil.example>', "evil.example"),
    "a header without a domain": (None, "Payroll", None),
    "no header": (None, None, None),
    "an endless domain": ("x" * 5_000, None, "x" * LONGEST_VALUE),
    "a comment within a comment, without end": (None, "(" * 5_000, None),
    "a group within a group, without end": (None, ":" * 5_000, None),
}


@pytest.mark.parametrize(("pld", "header", "expected"), FROM.values(), ids=FROM)
def test_the_domain_of_the_sender(pld: str | None, header: str | None, expected: str | None) -> None:
    """It is looked up by, whatever the sender has written there."""
    found = detection(sender_info={"pld": pld}, headers=[{"name": "From", "value": header}] if header else [])
    assert expected == attributes(record(detection=found), KEEP).get("sender_domain")


# --- its size ---------------------------------------------------------------------------------------------------------

HUGE: dict[str, tuple[Answer, list[str]]] = {
    "long texts": ({"links": [{"href": "https://example.com/" + "😀" * 900}] * 10_000}, ["links"]),
    "short texts": ({"headers": [{"name": "", "value": ""}] * 10_000, "links": [{"href": ""}] * 10_000}, ["headers"]),
    "numbers": ({"attachments": [{"size": 1}] * 10_000, "threat_categories": [{"id": 1}] * 10_000}, ["attachments"]),
    "control characters": ({"findings": [{"detail": "\x00" * 1_000}] * 10_000}, ["findings"]),
}


@pytest.mark.parametrize(("fields", "dropped"), HUGE.values(), ids=HUGE)
def test_a_detection_that_is_too_large(fields: Answer, dropped: list[str]) -> None:
    """It is cut to what DynamoDB takes, and the record says how; with the longest context there is room for both."""
    people = [f"{n}@larkfield.example" for n in range(10_000)]
    known = attributes(record(detection=detection(**fields), context=context(to=people)), KEEP)
    assert stored_size({"M": to_item(known)}) < ITEM_LIMIT
    assert (dropped, ["to"]) == (known["detection_dropped"], known["context_dropped"])
    assert fields.keys() == {name for name, count in counts(known).items() if count == 10_000}


def counts(known: dict[str, object]) -> dict[str, int]:
    it = known["detection_counts"]
    assert isinstance(it, dict)
    return it


# --- and back ---------------------------------------------------------------------------------------------------------

ids = st.sampled_from([MessageId(it) for it in FORMS.values()])
told = st.builds(Told, st.sampled_from(["NONE", "SUSPICIOUS"]), st.just("7" * 32))
moments = st.datetimes(min_value=NOON.replace(tzinfo=None)).map(
    lambda it: it.replace(microsecond=it.microsecond // 1000 * 1000, tzinfo=NOON.tzinfo)
)


@st.composite
def records(draw: st.DrawFn) -> Record:
    """Records of every kind, with documented detections and contexts, to the millisecond."""
    said = draw(st.none() | contexts)
    return record(
        id=draw(ids),
        found_as=draw(st.none() | ids),
        queued_at=draw(moments),
        fetched_at=draw(moments),
        disposition=draw(st.none() | st.sampled_from(["MALICIOUS", "NONE"])),
        escalates=draw(st.booleans()),
        severity=draw(st.none() | st.sampled_from(Severity)),
        detail=draw(st.text(max_size=20)),
        detection=draw(st.none() | answers.map(read_detection)),
        drift=tuple(draw(st.lists(st.text(max_size=20), max_size=3))),
        context=None if said is None else read_context(said | {"id": draw(st.none() | ids.map(str))}),
        turn=draw(st.integers(0, 3)),
        previous=draw(st.none() | told),
    )


@given(records())
def test_any_record_and_back(it: Record) -> None:
    """What was written is read again, and would be written the same; but the id by which the mail was found may be longer."""
    read = read_record(written(it))
    assert replace(it, found_as=read.found_as) == read
    assert attributes(it, KEEP) == attributes(read, KEEP)


def test_a_full_record_and_back() -> None:
    """With something in every field."""
    it = record(
        found_as=MessageId(INVESTIGATE_ID),
        escalates=True,
        severity=Severity.CRITICAL,
        detail="d",
        detection=read_detection(FULL),
        drift=("$.a: unknown",),
        context=context(),
        turn=1,
        previous=Told("SUSPICIOUS", "7" * 32),
    )
    assert it == read_record(written(it))


@given(answers, contexts)
def test_any_documented_answer(answer: Answer, said: Answer) -> None:
    """DynamoDB takes all of it: every number is within its range, and every value of a kind that it has."""
    it = record(detection=read_detection(answer), context=read_context(said))
    for value in to_item(attributes(it, KEEP)).values():
        TypeDeserializer().deserialize(value)


@given(wild_answers(json_values(), json_values()), wild_contexts(json_values()))
def test_any_answer(answer: Answer, said: Answer) -> None:
    """It is written, within what DynamoDB takes, and what was written can be read."""
    it = record(detection=read_detection(answer), context=read_context(said))
    item = to_item(attributes(it, KEEP))
    assert stored_size({"M": item}) < ITEM_LIMIT
    for value in item.values():
        TypeDeserializer().deserialize(value)
    read = read_record(from_item(item))
    assert (it.disposition, it.delivery) == (read.disposition, read.delivery)
