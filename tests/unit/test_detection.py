"""detection.py: a result as data, whatever the result is."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer
from hypothesis import given

from functions.cloudflare.detection import (
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
from functions.ledger.item import attributes
from functions.ledger.wire import to_item
from tests.strategies import Answer, answers, json_values, wild_answers
from tests.unit.examples import FULL, detection, record

deserialize = TypeDeserializer().deserialize
"""boto3's own reader of what DynamoDB holds: it refuses numbers that DynamoDB does."""


def texts(value: object) -> Iterator[str]:
    """Every text in a value, names of members included."""
    if isinstance(value, str):
        yield value
    elif is_dataclass(value):
        for field in fields(value):
            yield from texts(getattr(value, field.name))
    elif isinstance(value, dict):
        for name, it in value.items():
            yield from (name, *texts(it))
    elif isinstance(value, (list, tuple)):
        for it in value:
            yield from texts(it)


def test_every_field_that_is_documented() -> None:
    """All of them are read, none is lost on the way."""
    it = {
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
    file = {
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
        attachments=[file],
        findings=[it],
        headers=[{"name": "Subject", "value": "hello"}],
        links=[{"href": "https://example.com", "text": "click"}],
        sender_info=sender,
        threat_categories=[{"id": 7, "name": "Phish", "description": "p"}],
        validation=checks,
    )


ODD_NUMBERS: dict[str, tuple[Any, int | None]] = {
    "true": (True, None),
    "text": ("64500", None),
    "a float": (1.0, None),
    "null": (None, None),
    "zero": (0, 0),
    "negative": (-1, -1),
    "largest of 64 bits": (2**63 - 1, 2**63 - 1),
    "beyond 64 bits": (2**63, None),
    "far beyond": (10**400, None),
}


@pytest.mark.parametrize(("value", "expected"), ODD_NUMBERS.values(), ids=ODD_NUMBERS)
def test_an_integer_that_is_odd(value: Any, expected: int | None) -> None:
    """It is read where DynamoDB can hold it, and is absent otherwise."""
    assert expected == detection(sender_info={"as_number": value}).sender_info.as_number


ODD_SCORES: dict[str, tuple[Any, float | None]] = {
    "true": (True, None),
    "text": ("0.5", None),
    "an integer": (1, 1.0),
    "negative": (-0.5, -0.5),
    "infinite": (float("inf"), None),
    "not a number": (float("nan"), None),
    "larger than DynamoDB takes": (1e126, None),
    "smaller than DynamoDB takes": (5e-324, 0.0),
    "an integer beyond any float": (10**400, None),
}


@pytest.mark.parametrize(("value", "expected"), ODD_SCORES.values(), ids=ODD_SCORES)
def test_a_score_that_is_odd(value: Any, expected: float | None) -> None:
    """It is read where DynamoDB can hold it, and is absent otherwise."""
    assert expected == detection(findings=[{"score": value}]).findings[0].score


def test_half_a_surrogate_pair() -> None:
    """The text that holds it can be written down all the same."""
    assert detection(action="a\ud83db").action == "a?b"


def test_items_that_are_no_objects() -> None:
    """They are passed over; the others stay in their order."""
    links = detection(links=[None, {"href": "a"}, "b", {"href": "c"}, []]).links
    assert ["a", "c"] == [link.href for link in links]


HEADERS = {
    "in another case": ("SUBJECT", "Your invoice"),
    "not there": ("cc", None),
    "no name": ("", None),
}


@pytest.mark.parametrize(("name", "expected"), HEADERS.values(), ids=HEADERS)
def test_a_header(name: str, expected: str | None) -> None:
    """It is found by its name, however that is written."""
    assert expected == read_detection(FULL).header(name)


def test_a_header_that_is_there_twice() -> None:
    """The first that says something is the one."""
    headers = [
        {"name": "From"},
        {"name": "from", "value": ""},
        {"name": "FROM", "value": "a"},
        {"name": "From", "value": "b"},
    ]
    assert detection(headers=headers).header("From") == "a"


@given(answers)
def test_a_documented_answer(answer: Answer) -> None:
    """Nothing of it is dropped: every list keeps its length, and no text is made up."""
    read = read_detection(answer)
    lists = ("attachments", "findings", "headers", "links", "threat_categories")
    assert {name: len(answer.get(name) or ()) for name in lists} == {name: len(getattr(read, name)) for name in lists}
    given_texts = {it for it in texts(list(answer.values())) if it}
    assert {it for it in texts(replace(read, counts={})) if it} <= given_texts


@given(wild_answers(json_values(), json_values()))
def test_any_answer(answer: Answer) -> None:
    """It can be read; all its texts are UTF-8, and a record of it is one that DynamoDB takes."""
    read = read_detection(answer)
    for text in texts(read):
        text.encode("utf-8")
    kept = to_item(attributes(record(detection=read), timedelta(days=400)))
    for text in texts(kept):
        text.encode("utf-8")
    for value in kept.values():
        deserialize(value)


@given(json_values())
def test_fields_that_are_anything(value: Any) -> None:
    """Each field in turn may be anything at all."""
    for name in ("action", "attachments", "findings", "sender_info", "threat_categories", "validation"):
        kept = to_item(attributes(record(detection=read_detection({name: value})), timedelta(days=1)))
        deserialize(kept["detection"])
