"""Answers of Cloudflare with odd values: what can be understood is read, and named as drift."""

import json
from typing import Any

import pytest

from functions.cloudflare.contract import find_drift, read_detection_result
from functions.cloudflare.response import read_result
from functions.domain.detection import Detection
from functions.domain.email_id import EmailId
from functions.domain.message_details import Delivery, read_message_details
from functions.domain.truncate import truncate
from tests.unit.examples import DETAILS, INVESTIGATE_ID, RESULT, details

ODD: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "numbers as strings": (
        {"sender_info": {"as_number": "64500"}, "attachments": [{"size": "12345", "name": "a.pdf"}]},
        ("$.attachments[*].size: type", "$.sender_info.as_number: type"),
    ),
    "whole floats": (
        {"sender_info": {"as_number": 64500.0}, "attachments": [{"size": 12345.0, "name": "a.pdf"}]},
        (),
    ),
    "one attachment instead of a list": (
        {"sender_info": {"as_number": 64500}, "attachments": {"size": 12345, "name": "a.pdf"}},
        ("$.attachments: type",),
    ),
}


def shown(detection: Detection) -> tuple[int | None, list[tuple[int | None, str | None]]]:
    return detection.sender_info.as_number, [(it.size, it.name) for it in detection.attachments]


@pytest.mark.parametrize(("fields", "drift"), ODD.values(), ids=ODD)
def test_odd_numbers_are_read_and_named_as_drift(fields: dict[str, Any], drift: tuple[str, ...]) -> None:
    result = read_detection_result(EmailId(INVESTIGATE_ID), RESULT | fields)
    assert ((64500, [(12345, "a.pdf")]), drift) == (shown(result.detection), result.drift)


TEXTS: dict[str, tuple[str, object, str, list[str], str]] = {
    "categories as strings": (
        "threat_categories",
        ["CredentialHarvester", "Dropper"],
        "name",
        ["CredentialHarvester", "Dropper"],
        "$.threat_categories[*]: type",
    ),
    "one category as a string": ("threat_categories", "Dropper", "name", ["Dropper"], "$.threat_categories: type"),
    "links as strings": ("links", ["https://a.example"], "href", ["https://a.example"], "$.links[*]: type"),
    "attachments as strings": ("attachments", ["a.pdf"], "name", ["a.pdf"], "$.attachments[*]: type"),
    "findings as strings": ("findings", ["QR code"], "detail", ["QR code"], "$.findings[*]: type"),
    "strings among objects": (
        "links",
        [{"href": "https://a.example"}, "https://b.example", None, 7],
        "href",
        ["https://a.example", "https://b.example"],
        "$.links[*]: type",
    ),
}


@pytest.mark.parametrize(("name", "value", "member", "expected", "drift"), TEXTS.values(), ids=TEXTS)
def test_strings_instead_of_objects_are_read_and_named_as_drift(
    name: str, value: object, member: str, expected: list[str], drift: str
) -> None:
    result = read_detection_result(EmailId(INVESTIGATE_ID), RESULT | {name: value})
    assert expected == [getattr(item, member) for item in getattr(result.detection, name)]
    assert (drift,) == result.drift


NOT_READ: dict[str, tuple[str, str]] = {
    "score is NaN": ('"findings": [{"score": NaN}]', "$.findings[*].score: finite"),
    "score is infinite": ('"findings": [{"score": Infinity}]', "$.findings[*].score: exclusiveMaximum"),
    "score is negative infinity": ('"findings": [{"score": -Infinity}]', "$.findings[*].score: exclusiveMinimum"),
    "score is larger than a float": ('"findings": [{"score": 1e999}]', "$.findings[*].score: exclusiveMaximum"),
    "size is NaN": ('"attachments": [{"size": NaN}]', "$.attachments[*].size: type"),
    "size is above 64 bits": (f'"attachments": [{{"size": {2**63}}}]', "$.attachments[*].size: maximum"),
    "number has 5,000 digits": (f'"sender_info": {{"as_number": {"9" * 5_000}}}', "$.sender_info.as_number: type"),
    "category id is infinite": ('"threat_categories": [{"id": Infinity}]', "$.threat_categories[*].id: type"),
}


@pytest.mark.parametrize(("members", "drift"), NOT_READ.values(), ids=NOT_READ)
def test_number_that_is_not_read_is_dropped_and_named_as_drift(members: str, drift: str) -> None:
    rest = json.dumps({name: value for name, value in RESULT.items() if f'"{name}"' not in members})
    body = f'{{"success": true, "result": {{{members}, {rest[1:-1]}}}}}'
    result = read_detection_result(EmailId(INVESTIGATE_ID), read_result(200, {}, body.encode()))
    found = result.detection
    numbers = [
        *(it.score for it in found.findings),
        *(it.size for it in found.attachments),
        *(it.id for it in found.threat_categories),
        found.sender_info.as_number,
    ]
    assert [None] * len(numbers) == numbers
    assert drift in result.drift
    assert "MALICIOUS" == found.final_disposition


def test_invalid_utf_8_and_control_characters_leave_the_rest_of_a_detection() -> None:
    body = json.dumps({"success": True, "result": RESULT | {"headers": [{"name": "Subject", "value": "CANARY"}]}})
    result = read_result(200, {}, body.encode().replace(b"CANARY", b"\xff\xfe\x80\x01 invoice"))
    found = read_detection_result(EmailId(INVESTIGATE_ID), result)
    assert ("\ufffd\ufffd\ufffd\x01 invoice", ()) == (found.detection.header("subject"), found.drift)


DETAILS_DRIFT: dict[str, tuple[dict[str, object], tuple[str, ...]]] = {
    "none": ({}, ()),
    "nulls": (dict.fromkeys(DETAILS), ()),
    "a status as a string": ({"delivery_status": "delivered"}, ("details.$.delivery_status: type",)),
    "a recipient as a string": ({"client_recipients": "a@b.example"}, ("details.$.client_recipients: type",)),
    "a recipient that is null": ({"to": ["a@b.example", None]}, ("details.$.to[*]: type",)),
    "a subject that is a number": ({"subject": 7}, ("details.$.subject: type",)),
    "a disposition that is an object": ({"final_disposition": {}}, ("details.$.final_disposition: type",)),
    "a truth value as a string": ({"is_quarantined": "true"}, ("details.$.is_quarantined: type",)),
    "two fields": ({"to": 7, "from": []}, ("details.$.to: type", "details.$.from: type")),
    "an unknown field": ({"brand_new": 1}, ()),
}


@pytest.mark.parametrize(("fields", "drift"), DETAILS_DRIFT.values(), ids=DETAILS_DRIFT)
def test_drift_of_message_details_is_named(fields: dict[str, object], drift: tuple[str, ...]) -> None:
    assert drift == details(**fields).drift


STATUSES = {"lower case": "delivered", "upper case": "DELIVERED", "padded": " delivered ", "in a list": ["delivered "]}


@pytest.mark.parametrize("status", STATUSES.values(), ids=STATUSES)
def test_delivery_status_as_a_string_is_a_list_of_one(status: object) -> None:
    assert details(delivery_status=status).delivery is Delivery.DELIVERED


def test_drift_is_not_stored_among_the_details() -> None:
    """The record has it, and the details that are read back have none."""
    odd = details(delivery_status="delivered")
    stored = truncate(odd, 10_000).fields
    assert "drift" not in stored
    assert read_message_details(stored).drift == ()


def test_drift_report_of_an_ordinary_result_is_empty() -> None:
    assert find_drift(RESULT) == ()
