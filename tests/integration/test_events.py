"""The files in events/ match their expected outcomes and the mailbox."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ops.local.fake_cloudflare.mailbox import Generation, Mail, Mailbox
from tests.strategies import DISPOSITIONS

ROOT = Path(__file__).parents[2]
EVENTS = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in (ROOT / "events").glob("*.json")}
EXPECTED = json.loads((ROOT / "ops/local/expected.json").read_text(encoding="utf-8"))
MAILBOX = Mailbox.load()

REASONS = {
    "malformed-body",
    "invalid-id",
    "account-not-configured",
    "unknown-disposition",
    "invalid-answer",
}
LONG_QUEUE_ID = re.compile(r"[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{10,11}z[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-y]{1,12}")
INVESTIGATE_ID = re.compile(rf"{LONG_QUEUE_ID.pattern}-\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d-\d+")

RECORDS = [
    pytest.param(record, expected, id=f"{name}-{number}")
    for name, event in sorted(EVENTS.items())
    for number, (record, expected) in enumerate(zip(event["Records"], EXPECTED[name], strict=True))
]


def mails(text: str) -> Iterator[Mail]:
    """The emails of the mailbox that a body names, by any kind of id."""
    for name in re.findall(r"[0-9A-Za-z]{12,}(?:-\d{4}-\d\d-\d\dT[0-9:]{8}(?:-\d+)?)?", text):
        mail = MAILBOX.find(name)
        if mail is not None:
            yield mail


def test_every_event_file_has_expected_outcomes() -> None:
    """No file lacks its outcomes, and no outcomes lack their file."""
    assert sorted(EVENTS) == sorted(EXPECTED)


@pytest.mark.parametrize(("record", "expected"), RECORDS)
def test_event_record_has_the_shape_of_sqs(record: dict[str, Any], expected: dict[str, str]) -> None:
    """The MD5 of the body is right. A record that reaches Cloudflare names one email that has no faults."""
    body = record["body"]
    assert hashlib.md5(body.encode(), usedforsecurity=False).hexdigest() == record["md5OfBody"]
    assert record["eventSourceARN"] == "arn:aws:sqs:us-east-1:123456789012:requests"
    if expected["outcome"] == "REJECTED":
        assert expected["reason"] in REASONS
    if expected.get("reason") not in {"malformed-body", "invalid-id"}:
        [mail] = mails(body)
        assert mail.script == ()


@pytest.mark.parametrize(("record", "expected"), RECORDS)
def test_expected_outcome_matches_the_mailbox(record: dict[str, Any], expected: dict[str, str]) -> None:
    """For a record that reaches Cloudflare, outcome and disposition are those of the email."""
    if expected.get("reason") in {"malformed-body", "invalid-id", "account-not-configured"}:
        return
    [mail] = mails(record["body"])
    assert mail.expect == expected["outcome"]
    if "disposition" in expected:
        assert mail.result is not None
        assert mail.result.get("final_disposition") == expected["disposition"]


def test_event_records_are_unique() -> None:
    """Message ids, receipt handles and emails are all different."""
    records = [record for event in EVENTS.values() for record in event["Records"]]
    counts = Counter(mail.postfix_id for record in records for mail in mails(record["body"]))
    assert {1} == set(counts.values())
    assert len(records) == len({record["messageId"] for record in records})
    assert len(records) == len({record["receiptHandle"] for record in records})


@pytest.mark.parametrize("mail", MAILBOX.mails, ids=lambda mail: mail.postfix_id)
def test_ids_have_the_format_of_postfix_and_cloudflare(mail: Mail) -> None:
    """The postfix id is a long queue id, and Cloudflare's responses have the same ids."""
    assert LONG_QUEUE_ID.fullmatch(mail.postfix_id)
    assert INVESTIGATE_ID.fullmatch(mail.investigate_id)
    if mail.mail is not None:
        assert mail.ids == (mail.mail["postfix_id"], mail.mail["alert_id"], mail.mail["id"])


@pytest.mark.parametrize(
    ("generation", "without_disposition"),
    [
        (Generation.FIRST, {None, "absent"}),
        (Generation.SECOND, {"absent"}),
        (Generation.THIRD, {None, "absent"}),
    ],
)
def test_mailbox_has_every_disposition_in_every_generation(
    generation: Generation, without_disposition: set[str | None]
) -> None:
    """Generations that allow it have an email without a disposition, too."""
    detections = [mail.result for mail in MAILBOX if mail.generation is generation and mail.result]
    assert {*DISPOSITIONS, *without_disposition} == {result.get("final_disposition", "absent") for result in detections}


def test_mailbox_uses_only_hosts_and_addresses_reserved_for_documentation() -> None:
    """Hosts and IPv4 addresses in examples belong to no real owner."""
    text = (ROOT / "ops/local/fake_cloudflare/mailbox.json").read_text(encoding="utf-8")
    hosts = set(re.findall(r"(?:@|//)([a-z0-9.-]+\.[a-z]+)", text))
    reserved = re.compile(r"(?:.+\.)?(?:example\.(?:com|net|org)|example|test)")
    assert set() == {host for host in hosts if not reserved.fullmatch(host)}
    addresses = set(re.findall(r"\b\d{1,3}(?:\.\d{1,3}){3}\b", text))
    documentation = ("192.0.2.", "198.51.100.", "203.0.113.")
    assert set() == {address for address in addresses if not address.startswith(documentation)}
