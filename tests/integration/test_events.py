"""events/, what is expected of them, and the mailbox of the stand-in Cloudflare agree with each other."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ops.local.mailbox import Generation, Mail, Mailbox
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
    """The mails of the mailbox that a body names, in whatever form."""
    for name in re.findall(r"[0-9A-Za-z]{12,}(?:-\d{4}-\d\d-\d\dT[0-9:]{8}(?:-\d+)?)?", text):
        mail = MAILBOX.find(name)
        if mail is not None:
            yield mail


def test_every_event_has_its_expectation() -> None:
    """No event file without a list of outcomes, and no list without its file."""
    assert sorted(EVENTS) == sorted(EXPECTED)


@pytest.mark.parametrize(("record", "expected"), RECORDS)
def test_record_is_as_lambda_receives_it(record: dict[str, Any], expected: dict[str, str]) -> None:
    """The digest of the body is right, and a record that reaches Cloudflare names one mail, without a script."""
    body = record["body"]
    assert hashlib.md5(body.encode(), usedforsecurity=False).hexdigest() == record["md5OfBody"]
    assert record["eventSourceARN"] == "arn:aws:sqs:us-east-1:123456789012:requests"
    if expected["outcome"] == "REJECTED":
        assert expected["reason"] in REASONS
    if expected.get("reason") not in {"malformed-body", "invalid-id"}:
        [mail] = mails(body)
        assert mail.script == ()


@pytest.mark.parametrize(("record", "expected"), RECORDS)
def test_expected_is_what_the_mailbox_says(record: dict[str, Any], expected: dict[str, str]) -> None:
    """Where Cloudflare is asked, outcome and disposition are those of the mail."""
    if expected.get("reason") in {"malformed-body", "invalid-id", "account-not-configured"}:
        return
    [mail] = mails(record["body"])
    assert mail.expect == expected["outcome"]
    if "disposition" in expected:
        assert mail.result is not None
        assert mail.result.get("final_disposition") == expected["disposition"]


def test_no_two_records_alike() -> None:
    """Sending every event gives no duplicate: message ids, receipt handles and mails are all different."""
    records = [record for event in EVENTS.values() for record in event["Records"]]
    named = Counter(mail.postfix_id for record in records for mail in mails(record["body"]))
    assert {1} == set(named.values())
    assert len(records) == len({record["messageId"] for record in records})
    assert len(records) == len({record["receiptHandle"] for record in records})


@pytest.mark.parametrize("mail", MAILBOX.mails, ids=lambda mail: mail.postfix_id)
def test_ids_are_as_postfix_and_cloudflare_write_them(mail: Mail) -> None:
    """A long queue id, the same with a time and a number, and the same ids in what Cloudflare answers."""
    assert LONG_QUEUE_ID.fullmatch(mail.postfix_id)
    assert INVESTIGATE_ID.fullmatch(mail.investigate_id)
    if mail.mail is not None:
        assert mail.ids == (mail.mail["postfix_id"], mail.mail["alert_id"], mail.mail["id"])


@pytest.mark.parametrize(
    ("generation", "further"),
    [
        (Generation.FIRST, {None, "absent"}),
        (Generation.SECOND, {"absent"}),
        (Generation.THIRD, {None, "absent"}),
    ],
)
def test_every_disposition_in_every_generation(generation: Generation, further: set[str | None]) -> None:
    """Each generation of the contract has a mail of each disposition, and of none where the contract allows it."""
    detections = [mail.result for mail in MAILBOX if mail.generation is generation and mail.result]
    assert {*DISPOSITIONS, *further} == {result.get("final_disposition", "absent") for result in detections}


def test_only_names_that_belong_to_nobody() -> None:
    """Every host and every IPv4 address of the mailbox is one that is reserved for documentation."""
    text = (ROOT / "ops/local/mailbox.json").read_text(encoding="utf-8")
    hosts = set(re.findall(r"(?:@|//)([a-z0-9.-]+\.[a-z]+)", text))
    reserved = re.compile(r"(?:.+\.)?(?:example\.(?:com|net|org)|example|test)")
    assert set() == {host for host in hosts if not reserved.fullmatch(host)}
    addresses = set(re.findall(r"\b\d{1,3}(?:\.\d{1,3}){3}\b", text))
    documentation = ("192.0.2.", "198.51.100.", "203.0.113.")
    assert set() == {address for address in addresses if not address.startswith(documentation)}
