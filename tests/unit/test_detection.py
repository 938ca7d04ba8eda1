"""Parsing of detections, from any result."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer
from hypothesis import given

from functions.domain.detection import (
    Attachment,
    Detection,
    Finding,
    Header,
    Link,
    SenderInfo,
    ThreatCategory,
    Validation,
    read_detection,
)
from functions.ledger.attribute_values import to_item
from functions.ledger.item import attributes
from tests.strategies import Answer, answers, json_values, wild_answers
from tests.unit.examples import FULL, detection, record

deserialize = TypeDeserializer().deserialize
"""boto3's parser for DynamoDB values. It refuses the same numbers as DynamoDB."""


def texts(value: object) -> Iterator[str]:
    """Every text in a value, including member names."""
    if isinstance(value, str):
        yield value
    elif is_dataclass(value):
        for field in fields(value):
            yield from texts(getattr(value, field.name))
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from (name, *texts(member))
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from texts(item)


def test_every_documented_field_is_parsed() -> None:
    """Each field of the result is in the detection."""
    finding = {
        "attachment": "a.pdf",
        "detail": "d",
        "detection": "MALICIOUS",
        "field": "f",
        "name": "n",
        "portion": "BODY",
        "reason": "r",
        "score": 0.5,
        "value": "v",
    }
    attachment = {
        "size": 7,
        "content_type": "application/pdf",
        "detection": "MALICIOUS",
        "encrypted": True,
        "name": "a.pdf",
        "filename": "b.pdf",
        "md5": "1",
        "sha1": "2",
        "sha256": "3",
    }
    sender = {"as_name": "EXAMPLE", "as_number": 64500, "geo": "US/-/-", "ip": "192.0.2.1", "pld": "example.com"}
    checks = {"comment": "c", "dkim": "pass", "dmarc": "fail", "spf": "none"}
    expected = Detection(
        action="QUARANTINED",
        attachments=(Attachment(7, "application/pdf", "MALICIOUS", True, "a.pdf", "b.pdf", "1", "2", "3"),),
        findings=(Finding("a.pdf", "d", "MALICIOUS", "f", "n", "BODY", "r", 0.5, "v"),),
        headers=(Header("Subject", "hello"),),
        links=(Link("https://example.com", "click"),),
        sender_info=SenderInfo("EXAMPLE", 64500, "US/-/-", "192.0.2.1", "example.com"),
        threat_categories=(ThreatCategory(7, "Phish", "p"),),
        validation=Validation("c", "pass", "fail", "none"),
        final_disposition="MALICIOUS",
        counts={"attachments": 1, "findings": 1, "headers": 1, "links": 1, "threat_categories": 1},
    )
    assert expected == detection(
        attachments=[attachment],
        findings=[finding],
        headers=[{"name": "Subject", "value": "hello"}],
        links=[{"href": "https://example.com", "text": "click"}],
        sender_info=sender,
        threat_categories=[{"id": 7, "name": "Phish", "description": "p"}],
        validation=checks,
    )


ODD_NUMBERS: dict[str, tuple[Any, int | None]] = {
    "true": (True, None),
    "text": ("64500", 64500),
    "text below zero": ("-1", -1),
    "text with a fraction of zero": ("64500.0", 64500),
    "text with white space": (" 64500\n", 64500),
    "text of a word": ("many", None),
    "text in digits of another script": ("٦٤", None),
    "text of 5,000 digits": ("9" * 5_000, None),
    "a whole float": (64500.0, 64500),
    "a float with a fraction": (1.5, None),
    "not a number": (float("nan"), None),
    "infinite": (float("inf"), None),
    "null": (None, None),
    "zero": (0, 0),
    "negative": (-1, -1),
    "the largest 64-bit integer": (2**63 - 1, 2**63 - 1),
    "one more than 64 bits hold": (2**63, None),
    "401 digits": (10**400, None),
}


@pytest.mark.parametrize(("value", "expected"), ODD_NUMBERS.values(), ids=ODD_NUMBERS)
def test_integer_is_absent_if_dynamodb_cannot_store_it(value: Any, expected: int | None) -> None:
    """A value within DynamoDB's range is kept."""
    assert expected == detection(sender_info={"as_number": value}).sender_info.as_number


ODD_SCORES: dict[str, tuple[Any, float | None]] = {
    "true": (True, None),
    "text": ("0.5", 0.5),
    "text with an exponent": ("5e-1", 0.5),
    "text that is not a number": ("NaN", None),
    "an integer": (1, 1.0),
    "negative": (-0.5, -0.5),
    "infinite": (float("inf"), None),
    "not a number": (float("nan"), None),
    "larger than the DynamoDB maximum": (1e126, None),
    "smaller than the DynamoDB minimum": (5e-324, 0.0),
    "an integer beyond any float": (10**400, None),
}


@pytest.mark.parametrize(("value", "expected"), ODD_SCORES.values(), ids=ODD_SCORES)
def test_score_is_absent_if_dynamodb_cannot_store_it(value: Any, expected: float | None) -> None:
    """A value within DynamoDB's range is kept."""
    assert expected == detection(findings=[{"score": value}]).findings[0].score


def test_lone_surrogate_is_replaced() -> None:
    """The rest of the text stays, and can be encoded in UTF-8."""
    assert detection(action="a\ud83db").action == "a?b"


def test_items_that_are_not_objects_are_skipped() -> None:
    """The other items keep their order."""
    links = detection(links=[None, {"href": "a"}, 7, {"href": "c"}, []]).links
    assert ["a", "c"] == [link.href for link in links]


HEADERS = {
    "in another case": ("SUBJECT", "Your invoice"),
    "missing": ("cc", None),
    "an empty name": ("", None),
}


@pytest.mark.parametrize(("name", "expected"), HEADERS.values(), ids=HEADERS)
def test_header_is_found_in_any_case(name: str, expected: str | None) -> None:
    """Header names are not case-sensitive."""
    assert expected == read_detection(FULL).header(name)


def test_first_header_with_a_value_is_used() -> None:
    """Headers without a value are skipped."""
    headers = [
        {"name": "From"},
        {"name": "from", "value": ""},
        {"name": "FROM", "value": "a"},
        {"name": "From", "value": "b"},
    ]
    assert detection(headers=headers).header("From") == "a"


@given(answers)
def test_documented_answer_is_parsed_completely(answer: Answer) -> None:
    """Each list keeps its length, and each parsed text is in the answer."""
    parsed = read_detection(answer)
    lists = ("attachments", "findings", "headers", "links", "threat_categories")
    assert {name: len(answer.get(name) or ()) for name in lists} == {name: len(getattr(parsed, name)) for name in lists}
    answer_texts = {it for it in texts(list(answer.values())) if it}
    assert {it for it in texts(replace(parsed, counts={})) if it} <= answer_texts


@given(wild_answers(json_values(), json_values()))
def test_any_answer_can_be_parsed_and_stored(answer: Answer) -> None:
    """All texts are valid UTF-8, and DynamoDB accepts the record."""
    parsed = read_detection(answer)
    for text in texts(parsed):
        text.encode("utf-8")
    stored = to_item(attributes(record(detection=parsed), timedelta(days=400)))
    for text in texts(stored):
        text.encode("utf-8")
    for value in stored.values():
        deserialize(value)


@given(json_values())
def test_any_value_of_one_field_can_be_parsed_and_stored(value: Any) -> None:
    """Each field in turn has an arbitrary value."""
    for name in ("action", "attachments", "findings", "sender_info", "threat_categories", "validation"):
        stored = to_item(attributes(record(detection=read_detection({name: value})), timedelta(days=1)))
        deserialize(stored["detection"])
