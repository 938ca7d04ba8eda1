"""DynamoDB items of records: attributes, size limit and round trips."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer
from hypothesis import given
from hypothesis import strategies as st

from functions.cloudflare.contract import VERSION
from functions.domain.detection import read_detection
from functions.domain.email_id import EmailId
from functions.domain.message_details import read_message_details
from functions.domain.record import PreviousAlert, Record
from functions.domain.severity import Severity
from functions.ledger.attribute_values import from_item, to_item
from functions.ledger.item import attributes, late_attributes, read_record
from functions.ledger.keys import MAX_VALUE
from functions.release import RELEASE
from tests.strategies import Answer, answers, documented_details, json_values, wild_answers, wild_details
from tests.unit.examples import (
    ACCOUNT,
    ALERT_ID,
    DETAILS,
    FORMS,
    FULL,
    INVESTIGATE_ID,
    NOON,
    POSTFIX_ID,
    RESULT,
    details,
    detection,
    record,
)

KEEP = timedelta(days=400)
ITEM_LIMIT = 400 * 1024
"""The maximum size of a DynamoDB item, in bytes."""
DETAILS_NAMES = {"details", "details_counts", "details_dropped", "delivery_status"}
DETECTION_NAMES = {"detection", "detection_counts", "detection_dropped", "sender_domain", "sender_ip"}


def read_back(written: Record) -> dict[str, Any]:
    """Return a claimed record's attributes as read from the table."""
    return from_item(to_item(attributes(written, KEEP) | {"activity": written.activity}))


def stored_size(value: dict[str, Any]) -> int:
    """Return the bytes that DynamoDB counts for a value in wire format."""
    [(kind, content)] = value.items()
    match kind:
        case "M":
            return 3 + sum(len(name.encode()) + stored_size(each) + 1 for name, each in content.items())
        case "L":
            return 3 + sum(stored_size(each) + 1 for each in content)
        case "N":
            return 21
        case "S":
            return len(content.encode())
    return 1


# --- attributes -------------------------------------------------------------------------------------------------------


def test_attributes_describe_the_decision_and_its_detection() -> None:
    """An operator can understand the record months later."""
    alerted = record(
        id=EmailId(ALERT_ID),
        drift=("$.a: unknown",),
        detection=detection(sender_info={"ip": "192.0.2.1", "pld": "Evil.example"}),
        severity=Severity.HIGH,
    )
    assert attributes(alerted, KEEP) == {
        "account_id": ACCOUNT,
        "id": ALERT_ID,
        "postfix_id": POSTFIX_ID,
        "outcome": "ESCALATED",
        "reason": "disposition-listed",
        "escalate_on": ["MALICIOUS"],
        "schema_version": VERSION,
        "release": RELEASE,
        "disposition": "MALICIOUS",
        "revision": 0,
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


def test_attributes_of_a_revision_include_the_previous_alert() -> None:
    item = attributes(record(revision=2, previous=PreviousAlert("SUSPICIOUS", "7" * 32)), KEEP)
    assert (2, "SUSPICIOUS", "7" * 32) == (
        item["revision"],
        item["previous_disposition"],
        item["previous_alert_id"],
    )


def test_attributes_include_the_details_and_the_delivery_status() -> None:
    """Delivery has attributes of its own, so that operators can read and count it."""
    item = attributes(record(details=details(delivery_status=["quarantined", "delivered"])), KEEP)
    assert DETAILS | {"delivery_status": ["quarantined", "delivered"]} == item["details"]
    assert (["quarantined", "delivered"], "true", []) == (
        item["delivery_status"],
        item["delivered"],
        item["details_dropped"],
    )


def test_unknown_attributes_are_absent() -> None:
    """They are neither null nor empty."""
    item = attributes(record(disposition=None, detection=None, details=None), KEEP)
    assert (
        not (DETECTION_NAMES | DETAILS_NAMES | {"disposition", "severity", "detail", "previous_alert_id"}) & item.keys()
    )
    assert not {None, ""} & {value for value in item.values() if value is None or isinstance(value, str)}


DETAILS_CASES: dict[str, tuple[dict[str, object], set[str]]] = {
    "a record without details": ({}, {"delivered", "cloudflare_alert_id", "investigate_id"}),
    "a record with details": (
        {"details": details(), "severity": "High"},
        {"delivered", "severity", "cloudflare_alert_id", "investigate_id", "drift"} | DETAILS_NAMES,
    ),
}


@pytest.mark.parametrize(("changes", "names"), DETAILS_CASES.values(), ids=DETAILS_CASES)
def test_late_attributes_are_part_of_all_attributes(changes: dict[str, object], names: set[str]) -> None:
    """A record written at once has every attribute that the mark adds after a claim."""
    decided = record(**changes)
    late = late_attributes(decided)
    assert names == late.keys()
    assert late.items() <= attributes(decided, KEEP).items()


# --- ids --------------------------------------------------------------------------------------------------------------

IDS = {
    "only a postfix id": (POSTFIX_ID, None, None, (None, None)),
    "an alert id as given": (ALERT_ID, None, None, (ALERT_ID, None)),
    "an investigate id as given": (INVESTIGATE_ID, INVESTIGATE_ID, None, (ALERT_ID, INVESTIGATE_ID)),
    "an investigate id found by search": (POSTFIX_ID, INVESTIGATE_ID, None, (ALERT_ID, INVESTIGATE_ID)),
    "an investigate id in the details": (POSTFIX_ID, POSTFIX_ID, INVESTIGATE_ID, (ALERT_ID, INVESTIGATE_ID)),
    "a shorter id in the details": (POSTFIX_ID, INVESTIGATE_ID, POSTFIX_ID, (ALERT_ID, INVESTIGATE_ID)),
    "an invalid id in the details": (POSTFIX_ID, None, "no id", (None, None)),
}


@pytest.mark.parametrize(("email_id", "resolved_id", "details_id", "expected"), IDS.values(), ids=IDS)
def test_attributes_include_every_known_kind_of_id(
    email_id: str, resolved_id: str | None, details_id: str | None, expected: tuple[str | None, str | None]
) -> None:
    decided = record(
        id=EmailId(email_id),
        resolved_id=EmailId(resolved_id) if resolved_id else None,
        details=details(id=details_id) if details_id else None,
    )
    item = attributes(decided, KEEP)
    assert expected == (item.get("cloudflare_alert_id"), item.get("investigate_id"))


# --- sender domain ----------------------------------------------------------------------------------------------------

SENDERS: dict[str, tuple[str | None, str | None, str | None]] = {
    "a domain that Cloudflare looked up": ("Evil.Example", "a@other.example", "evil.example"),
    "a domain only in the From header": (None, "Payroll <pay@Evil.example>", "evil.example"),
    "an address in the display name": (None, '"boss@larkfield.example" <x@evil.example>', "evil.example"),
    "a From header without a domain": (None, "Payroll", None),
    "no From header": (None, None, None),
    "a domain longer than the limit": ("x" * 5_000, None, "x" * MAX_VALUE),
    "comments nested 5,000 deep": (None, "(" * 5_000, None),
    "groups nested 5,000 deep": (None, ":" * 5_000, None),
}


@pytest.mark.parametrize(("pld", "header", "expected"), SENDERS.values(), ids=SENDERS)
def test_sender_domain_comes_from_the_lookup_or_the_from_header(
    pld: str | None, header: str | None, expected: str | None
) -> None:
    """Records are looked up by this domain, so it must cope with any text from the sender."""
    sent = detection(sender_info={"pld": pld}, headers=[{"name": "From", "value": header}] if header else [])
    assert expected == attributes(record(detection=sent), KEEP).get("sender_domain")


# --- size limit -------------------------------------------------------------------------------------------------------

TOO_LARGE: dict[str, tuple[Answer, list[str]]] = {
    "long texts": ({"links": [{"href": "https://example.com/" + "😀" * 900}] * 10_000}, ["links"]),
    "short texts": ({"headers": [{"name": "", "value": ""}] * 10_000, "links": [{"href": ""}] * 10_000}, ["headers"]),
    "numbers": ({"attachments": [{"size": 1}] * 10_000, "threat_categories": [{"id": 1}] * 10_000}, ["attachments"]),
    "control characters": ({"findings": [{"detail": "\x00" * 1_000}] * 10_000}, ["findings"]),
}


@pytest.mark.parametrize(("fields", "dropped"), TOO_LARGE.values(), ids=TOO_LARGE)
def test_too_large_detection_is_cut_to_the_item_limit(fields: Answer, dropped: list[str]) -> None:
    """The record names what was dropped. The longest details still fit beside the detection."""
    addresses = [f"{n}@larkfield.example" for n in range(10_000)]
    item = attributes(record(detection=detection(**fields), details=details(to=addresses)), KEEP)
    assert stored_size({"M": to_item(item)}) < ITEM_LIMIT
    assert (dropped, ["to"]) == (item["detection_dropped"], item["details_dropped"])
    assert fields.keys() == {name for name, count in detection_counts(item).items() if count == 10_000}


def detection_counts(item: dict[str, object]) -> dict[str, int]:
    counts = item["detection_counts"]
    assert isinstance(counts, dict)
    return counts


# --- round trips ------------------------------------------------------------------------------------------------------

ids = st.sampled_from([EmailId(it) for it in FORMS.values()])
previous_alerts = st.builds(PreviousAlert, st.sampled_from(["NONE", "SUSPICIOUS"]), st.just("7" * 32))
times = st.datetimes(min_value=NOON.replace(tzinfo=None)).map(
    lambda it: it.replace(microsecond=it.microsecond // 1000 * 1000, tzinfo=NOON.tzinfo)
)


@st.composite
def records(draw: st.DrawFn) -> Record:
    """Build records of every kind, with documented detections and details, to the millisecond."""
    answered = draw(st.none() | documented_details)
    return record(
        id=draw(ids),
        resolved_id=draw(st.none() | ids),
        queued_at=draw(times),
        fetched_at=draw(times),
        disposition=draw(st.none() | st.sampled_from(["MALICIOUS", "NONE"])),
        escalates=draw(st.booleans()),
        severity=draw(st.none() | st.sampled_from(Severity)),
        detail=draw(st.text(max_size=20)),
        detection=draw(st.none() | answers.map(read_detection)),
        drift=tuple(draw(st.lists(st.text(max_size=20), max_size=3))),
        details=None if answered is None else read_message_details(answered | {"id": draw(st.none() | ids.map(str))}),
        revision=draw(st.integers(0, 3)),
        previous=draw(st.none() | previous_alerts),
    )


@given(records())
def test_every_record_survives_a_round_trip(original: Record) -> None:
    """The id by which the email was found may be longer after the round trip."""
    read = read_record(read_back(original))
    assert replace(original, resolved_id=read.resolved_id) == read
    assert attributes(original, KEEP) == attributes(read, KEEP)


def test_record_with_every_field_survives_a_round_trip() -> None:
    original = record(
        resolved_id=EmailId(INVESTIGATE_ID),
        escalates=True,
        severity=Severity.CRITICAL,
        detail="d",
        detection=read_detection(FULL),
        drift=("$.a: unknown",),
        details=details(),
        revision=1,
        previous=PreviousAlert("SUSPICIOUS", "7" * 32),
    )
    assert original == read_record(read_back(original))


@given(answers, documented_details)
def test_dynamodb_accepts_every_documented_answer(answer: Answer, answered_details: Answer) -> None:
    """Every number is in range, and every value has a supported type."""
    decided = record(detection=read_detection(answer), details=read_message_details(answered_details))
    for value in to_item(attributes(decided, KEEP)).values():
        TypeDeserializer().deserialize(value)


@given(wild_answers(json_values(), json_values()), wild_details(json_values()))
def test_every_answer_fits_an_item_and_reads_back(answer: Answer, answered_details: Answer) -> None:
    decided = record(detection=read_detection(answer), details=read_message_details(answered_details))
    item = to_item(attributes(decided, KEEP))
    assert stored_size({"M": item}) < ITEM_LIMIT
    for value in item.values():
        TypeDeserializer().deserialize(value)
    read = read_record(from_item(item))
    assert (decided.disposition, decided.delivery) == (read.disposition, read.delivery)
