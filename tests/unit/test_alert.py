"""alert.py: one SNS message, always within the limits of SNS."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.alert.alert import ALERT_LIMIT, Alert, AlertOptions, describe
from functions.domain.detection import Detection, read_detection
from functions.domain.email_id import EmailId
from functions.domain.message_details import read_message_details
from functions.domain.record import PreviousAlert, Record
from functions.escalate.decision import judge, with_severity
from tests.strategies import Answer, answers, documented_details, wild_answers, wild_details
from tests.unit.examples import ACCOUNT, FORMS, FULL, INVESTIGATE_ID, POSTFIX_ID, details, detection, escalated

LONGEST_ID = "M" * 64 + "-2024-01-05T10:00:00-" + "9" * 20
CHAT = AlertOptions(chat=True)


def facts(alert: Alert) -> dict[str, Any]:
    """Return the OCSF finding in the default body."""
    finding: dict[str, Any] = json.loads(alert.finding)
    return finding


# --- bodies and attributes --------------------------------------------------------------------------------------------


def test_https_body_is_present_only_with_chat() -> None:
    """Every alert has JSON for machines and text for people."""
    plain, chat = describe(escalated()), describe(escalated(), CHAT)
    assert {"default", "email", "sms"} == json.loads(plain.message).keys()
    assert {"default", "email", "sms", "https"} == json.loads(chat.message).keys()
    assert plain.subject == plain.bodies["sms"]


def test_attributes_hold_the_facts_for_filter_policies() -> None:
    """A subscription's filter policy can match each of them."""
    alert = describe(escalated(details=details(delivery_status=["delivered"])))
    expected = {
        "alert_id": escalated().alert_id,
        "account_id": ACCOUNT,
        "activity": "Create",
        "delivered": "true",
        "disposition": "MALICIOUS",
        "notify": "true",
        "severity": "Critical",
    }
    assert expected == alert.attributes


def test_repeated_alert_is_identical() -> None:
    """A repeat has the same bytes and the same alert id."""
    record = escalated(detection=read_detection(FULL))
    first, second = describe(record, CHAT), describe(record, CHAT)
    assert (first, first.message) == (second, second.message)
    assert first.alert_id == first.attributes["alert_id"] == facts(first)["unmapped"]["alert_id"] == record.alert_id


# --- the subject ------------------------------------------------------------------------------------------------------

SUSPICIOUS = PreviousAlert("SUSPICIOUS", "0" * 32)
SUBJECTS: dict[str, tuple[Record, str]] = {
    "delivery unknown": (escalated(), f"[High] MALICIOUS email, delivery unknown: {POSTFIX_ID}"),
    "delivered": (
        escalated(details=details(delivery_status=["delivered"])),
        f"[Critical] MALICIOUS email, in an inbox: {POSTFIX_ID}",
    ),
    "quarantined": (
        escalated(disposition="SUSPICIOUS", details=details(delivery_status=["quarantined"])),
        f"[Medium] SUSPICIOUS email, quarantined: {POSTFIX_ID}",
    ),
    "changed disposition": (
        escalated(previous=SUSPICIOUS, revision=1),
        f"[High] MALICIOUS email, delivery unknown, was SUSPICIOUS: {POSTFIX_ID}",
    ),
    "closed": (
        escalated(disposition="NONE", escalates=False, outcome="CLOSED", previous=SUSPICIOUS, revision=1),
        f"[Informational] Email is now NONE, no longer SUSPICIOUS: {POSTFIX_ID}",
    ),
    "longest id": (escalated(id=EmailId(LONGEST_ID)), f"[High] MALICIOUS email, delivery unknown: {'M' * 16}"),
}


@pytest.mark.parametrize(("record", "expected"), SUBJECTS.values(), ids=SUBJECTS)
def test_subject_names_severity_disposition_location_and_id(record: Record, expected: str) -> None:
    """A phone shows nothing but this line."""
    assert expected == describe(record).subject


ids = st.sampled_from([*FORMS.values(), "M" * 20, LONGEST_ID]).map(EmailId)
dispositions = (
    st.sampled_from(["MALICIOUS", "SUSPICIOUS"]).flatmap(
        lambda family: st.text(st.characters(), max_size=60).map(lambda rest: family + rest)
    )
).map(lambda it: judge(it, frozenset()).disposition or "MALICIOUS")
statuses = st.lists(st.sampled_from(["delivered", "moved", "quarantined", "rejected", "queued", "?"]))
previous_alerts = st.none() | dispositions.map(lambda it: PreviousAlert(it, "0" * 32))


@given(dispositions, ids, statuses, previous_alerts, st.booleans())
def test_every_subject_is_valid_for_sns(
    disposition: str, email_id: EmailId, status: list[str], previous: PreviousAlert | None, escalates: bool
) -> None:
    """SNS rejects anything but one line of at most 99 ASCII characters."""
    record = escalated(
        disposition=disposition,
        id=email_id,
        details=details(delivery_status=status),
        previous=previous,
        revision=1 if previous else 0,
        escalates=escalates,
    )
    subject = describe(record).subject
    assert re.fullmatch(r"[ -~]{1,99}", subject)
    assert subject.startswith(f"[{record.severity}] ")
    assert subject.endswith(f": {email_id.postfix_id[:16]}")


# --- size -------------------------------------------------------------------------------------------------------------


def size(alert: Alert) -> int:
    """Return the bytes that SNS counts, of the larger message."""
    attributes = sum(len(name) + len("String") + len(value.encode()) for name, value in alert.attributes.items())
    finding = len(alert.finding.encode()) + len(alert.subject.encode()) + attributes
    return max(finding, len(alert.message.encode()) + len(alert.subject.encode()))


def large_detection(text: str, items: int) -> Detection:
    """Build a detection with long texts and lists of this length."""
    one = text * 5_000
    return detection(
        action=one,
        attachments=[{"size": 1, "name": one, "filename": one, "sha256": one}] * items,
        findings=[{"reason": one, "detail": one, "name": one}] * items,
        headers=[{"name": one, "value": one}] * items,
        links=[{"href": one, "text": one}] * items,
        sender_info=dict.fromkeys(("as_name", "geo", "ip", "pld"), one),
        threat_categories=[{"name": one, "description": one}] * items,
        validation=dict.fromkeys(("comment", "spf", "dkim", "dmarc"), one),
    )


def large_details(text: str, items: int) -> dict[str, Any]:
    """Build message details with long texts and lists of this length."""
    one = text * 5_000
    names = ("subject", "from", "from_name", "replyto", "envelope_from", "message_id", "delivery_mode", "scanned_at")
    lists = ("to", "envelope_to", "client_recipients", "detection_reasons")
    return dict.fromkeys((*names, "sent_at"), one) | {name: [one] * items for name in lists}


KINDS = {
    "letters": "x",
    "quotes": '"',
    "backslashes": "\\",
    "emoji": "😀",
    "control characters": "\x01",
    "line separators": "\u2028",
    "half surrogate pairs": "\ud800",
}
LISTS = ["headers", "links", "findings", "attachments"]
LARGE: dict[str, tuple[Detection, dict[str, Any], list[str]]] = {
    "10,000 links": (detection(links=[{"href": f"https://evil.example/{i}"} for i in range(10_000)]), {}, ["links"]),
    "5 MB of headers": (detection(headers=[{"name": "Received", "value": "x" * 1_000}] * 5_000), {}, ["headers"]),
    "one header of 5 MB": (detection(headers=[{"name": "Received", "value": "x" * 5_000_000}]), {}, ["texts"]),
    "10,000 recipients": (detection(), {"to": [f"{i}@larkfield.example" for i in range(10_000)]}, ["details.to"]),
    **{
        f"long lists and texts of {name}": (large_detection(it, 100), large_details(it, 500), LISTS)
        for name, it in KINDS.items()
    },
    **{f"long texts of {name}": (large_detection(it, 1), large_details(it, 1), []) for name, it in KINDS.items()},
}


@pytest.mark.parametrize("options", [AlertOptions(), CHAT], ids=["without chat", "with chat"])
@pytest.mark.parametrize(("found", "fields", "dropped"), LARGE.values(), ids=LARGE)
def test_large_alert_fits_and_names_what_was_dropped(
    found: Detection, fields: dict[str, Any], dropped: list[str], options: AlertOptions
) -> None:
    """The reduced alert is still valid JSON with all counts and ids."""
    record = escalated(id=EmailId(LONGEST_ID), detection=found, details=read_message_details(fields))
    alert = describe(record, options)
    assert size(alert) == alert.size <= ALERT_LIMIT == 256 * 1024
    unmapped = facts(alert)["unmapped"]
    assert (True, dropped) == (unmapped["truncated"], unmapped["dropped"][: len(dropped)])
    counts = unmapped["counts"]
    assert (len(found.links), len(fields.get("to", ()))) == (counts["links"], counts["details.to"])
    assert ("MALICIOUS", LONGEST_ID, record.alert_id) == (
        unmapped["disposition"],
        unmapped["id"],
        unmapped["alert_id"],
    )
    assert record.severity == facts(alert)["severity"]
    assert len(json.loads(alert.message)["email"]) < 12_000


@given(answers, documented_details)
def test_small_alert_is_complete(answer: Answer, fields: dict[str, Any]) -> None:
    """Nothing is dropped from any documented response of ordinary size."""
    record = escalated(detection=read_detection(answer), details=read_message_details(fields))
    unmapped = facts(describe(record))["unmapped"]
    assert (False, []) == (unmapped["truncated"], unmapped["dropped"])
    assert len(answer["links"]) == unmapped["counts"]["links"]


long_texts = st.sampled_from(list(KINDS.values())).flatmap(lambda one: st.integers(0, 40_000).map(lambda n: one * n))


@given(wild_answers(long_texts, st.just("MALICIOUS")), wild_details(long_texts), st.booleans())
def test_alert_fits_for_any_response(answer: Answer, fields: dict[str, Any], chat: bool) -> None:
    """The limit holds also for responses that do not match the contract."""
    record = escalated(detection=read_detection(answer), details=read_message_details(fields))
    assert size(describe(record, AlertOptions(chat=chat))) <= ALERT_LIMIT


def test_ten_ordinary_alerts_fit_in_one_call() -> None:
    """A batch of ten is published with one PublishBatch call."""
    record = escalated(detection=read_detection(FULL), details=details())
    assert 10 * describe(replace(record, id=EmailId(INVESTIGATE_ID)), CHAT).size < ALERT_LIMIT


def test_example_record_has_the_severity_of_the_function() -> None:
    """Examples have the severity that production code assigns."""
    assert with_severity(escalated()) == escalated()
