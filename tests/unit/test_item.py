"""The item of a record: its attributes, their size, and the record read back."""

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
from functions.domain.search_values import MAX_VALUES
from functions.domain.severity import Severity
from functions.ledger.attribute_values import from_item, to_item
from functions.ledger.item import SUBJECT_LIMIT, attributes, read_record
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

RETENTION = timedelta(days=400)
ITEM_LIMIT = 400 * 1024
"""Bytes that DynamoDB accepts in one item."""
DETAILS_NAMES = {"details", "details_counts", "details_dropped", "delivery_status"}
DETECTION_NAMES = {"detection", "detection_counts", "detection_dropped", "sender_domain", "sender_ip"}


def written(it: Record) -> dict[str, Any]:
    """The item of a claimed record, as it is read from the table."""
    return from_item(to_item(attributes(it, RETENTION) | {"activity": it.activity}))


def stored_size(value: dict[str, Any]) -> int:
    """The bytes that DynamoDB counts for a value."""
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


# --- attributes -------------------------------------------------------------------------------------------------------


def test_record_has_all_its_attributes() -> None:
    """An operator can read the item in the console."""
    it = record(
        id=EmailId(ALERT_ID),
        drift=("$.a: unknown",),
        detection=detection(sender_info={"ip": "192.0.2.1", "pld": "Evil.example"}),
        severity=Severity.HIGH,
    )
    assert attributes(it, RETENTION) == {
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
        "expires_at": int((NOON + RETENTION).timestamp()),
        "sender_domain": "evil.example",
        "sender_ip": "192.0.2.1",
        "detection": {name: value for name, value in RESULT.items() if value is not None}
        | {"findings": [], "validation": {}, "sender_info": {"ip": "192.0.2.1", "pld": "Evil.example"}},
        "detection_counts": dict.fromkeys(("attachments", "findings", "headers", "links", "threat_categories"), 0),
        "detection_dropped": [],
        "severity": "High",
        "delivered": "unknown",
        "delivery": "unknown",
        "email": POSTFIX_ID,
        "cloudflare_alert_id": ALERT_ID,
    }


def test_update_has_its_revision_and_previous_alert() -> None:
    known = attributes(record(revision=2, previous=PreviousAlert("SUSPICIOUS", "7" * 32)), RETENTION)
    assert (2, "SUSPICIOUS", "7" * 32) == (
        known["revision"],
        known["previous_disposition"],
        known["previous_alert_id"],
    )


def test_record_has_all_message_details_and_the_delivery_status_beside_them() -> None:
    """Queries can filter and count by the delivery status."""
    known = attributes(record(details=details(delivery_status=["quarantined", "delivered"])), RETENTION)
    assert DETAILS | {"delivery_status": ["quarantined", "delivered"]} == known["details"]
    assert (["quarantined", "delivered"], "true", []) == (
        known["delivery_status"],
        known["delivered"],
        known["details_dropped"],
    )


def test_unknown_values_are_absent() -> None:
    """No attribute is null or an empty text."""
    known = attributes(record(disposition=None, detection=None, details=None), RETENTION)
    assert (
        not (DETECTION_NAMES | DETAILS_NAMES | {"disposition", "severity", "detail", "previous_alert_id"})
        & known.keys()
    )
    assert not {None, ""} & {it for it in known.values() if it is None or isinstance(it, str)}


def test_ids_delivery_and_subject_are_written_with_the_claim() -> None:
    """A record whose worker died before the mark can still be found and read."""
    written = attributes(
        record(id=EmailId(POSTFIX_ID), resolved_id=EmailId(INVESTIGATE_ID), details=details()), RETENTION
    )
    expected = {
        "email": POSTFIX_ID,
        "cloudflare_alert_id": ALERT_ID,
        "investigate_id": INVESTIGATE_ID,
        "delivered": "false",
        "delivery": "held",
        "delivery_status": ["quarantined"],
        "subject": "Your invoice",
        "sender_domain": "evil.example",
    }
    assert expected == {name: written[name] for name in expected}


def test_subject_comes_from_the_header_without_details_and_is_cut() -> None:
    found = detection(headers=[{"name": "Subject", "value": "x" * 5_000}])
    assert "x" * SUBJECT_LIMIT == attributes(record(detection=found), RETENTION)["subject"]


def test_number_of_values_without_a_pointer_is_written() -> None:
    found = detection(links=[{"href": f"https://{n}.example/"} for n in range(MAX_VALUES + 7)])
    assert {"link_host": 7} == attributes(record(detection=found), RETENTION)["search_cut"]


# --- size ----- ---------------------------------------------------------------------------------------------------------

HUGE: dict[str, tuple[Answer, list[str]]] = {
    "long texts": ({"links": [{"href": "https://example.com/" + "😀" * 900}] * 10_000}, ["links"]),
    "short texts": ({"headers": [{"name": "", "value": ""}] * 10_000, "links": [{"href": ""}] * 10_000}, ["headers"]),
    "numbers": ({"attachments": [{"size": 1}] * 10_000, "threat_categories": [{"id": 1}] * 10_000}, ["attachments"]),
    "control characters": ({"findings": [{"detail": "\x00" * 1_000}] * 10_000}, ["findings"]),
}


@pytest.mark.parametrize(("fields", "dropped"), HUGE.values(), ids=HUGE)
def test_large_detection_and_details_are_cut_to_fit_into_an_item(fields: Answer, dropped: list[str]) -> None:
    """The item names the lists that were cut, and has their original counts."""
    people = [f"{n}@larkfield.example" for n in range(10_000)]
    known = attributes(record(detection=detection(**fields), details=details(to=people)), RETENTION)
    assert stored_size({"M": to_item(known)}) < ITEM_LIMIT
    assert (dropped, ["to"]) == (known["detection_dropped"], known["details_dropped"])
    assert fields.keys() == {name for name, count in counts(known).items() if count == 10_000}


def counts(known: dict[str, object]) -> dict[str, int]:
    it = known["detection_counts"]
    assert isinstance(it, dict)
    return it


# --- read back --------------------------------------------------------------------------------------------------------

ids = st.sampled_from([EmailId(it) for it in FORMS.values()])
previous_alerts = st.builds(PreviousAlert, st.sampled_from(["NONE", "SUSPICIOUS"]), st.just("7" * 32))
moments = st.datetimes(min_value=NOON.replace(tzinfo=None)).map(
    lambda it: it.replace(microsecond=it.microsecond // 1000 * 1000, tzinfo=NOON.tzinfo)
)


@st.composite
def records(draw: st.DrawFn) -> Record:
    """Records of every kind, with documented detections and message details. Times are in milliseconds."""
    details_answer = draw(st.none() | documented_details)
    return record(
        id=draw(ids),
        resolved_id=draw(st.none() | ids),
        queued_at=draw(moments),
        fetched_at=draw(moments),
        disposition=draw(st.none() | st.sampled_from(["MALICIOUS", "NONE"])),
        escalates=draw(st.booleans()),
        severity=draw(st.none() | st.sampled_from(Severity)),
        detail=draw(st.text(max_size=20)),
        detection=draw(st.none() | answers.map(read_detection)),
        drift=tuple(draw(st.lists(st.text(max_size=20), max_size=3))),
        details=None
        if details_answer is None
        else read_message_details(details_answer | {"id": draw(st.none() | ids.map(str))}),
        revision=draw(st.integers(0, 3)),
        previous=draw(st.none() | previous_alerts),
    )


@given(records())
def test_any_record_is_read_back_as_it_was_written(it: Record) -> None:
    """Except for `resolved_id`, which becomes the longest known id, and the delivery, which is written by itself."""
    read = read_record(written(it))
    assert replace(it, resolved_id=read.resolved_id, worst_delivery=it.delivery) == read
    assert attributes(it, RETENTION) == attributes(read, RETENTION)


def test_record_with_every_field_is_read_back() -> None:
    it = record(
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
    assert replace(it, worst_delivery=it.delivery) == read_record(written(it))


@given(answers, documented_details)
def test_dynamodb_accepts_every_documented_answer(answer: Answer, details_answer: Answer) -> None:
    """Every number is within its range, and every value has a type of DynamoDB."""
    it = record(detection=read_detection(answer), details=read_message_details(details_answer))
    for value in to_item(attributes(it, RETENTION)).values():
        TypeDeserializer().deserialize(value)


@given(wild_answers(json_values(), json_values()), wild_details(json_values()))
def test_any_answer_fits_into_an_item_and_is_read_back(answer: Answer, details_answer: Answer) -> None:
    it = record(detection=read_detection(answer), details=read_message_details(details_answer))
    item = to_item(attributes(it, RETENTION))
    assert stored_size({"M": item}) < ITEM_LIMIT
    for value in item.values():
        TypeDeserializer().deserialize(value)
    read = read_record(from_item(item))
    assert (it.disposition, it.delivery) == (read.disposition, read.delivery)
