"""ocsf_finding.py: findings are valid by our own schema and OCSF's."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from ocsf.v1_5_0.events import DetectionFinding
from pydantic import BaseModel

from functions.alert.alert import describe
from functions.domain.detection import read_detection
from functions.domain.message_details import read_message_details
from functions.domain.record import PreviousAlert, Record
from functions.release import RELEASE
from functions.schema import load_schema
from tests.golden.published import EVENTS, FOLDER
from tests.strategies import Answer, answers, documented_details, json_values, wild_answers, wild_details
from tests.unit.examples import ACCOUNT, DETAILS, FULL, INVESTIGATE_ID, NOON, POSTFIX_ID, details, detection, escalated

SCHEMA = load_schema("alert")
CHECKED = Draft202012Validator(SCHEMA)
OF_THE_PROFILE = {"$.action", "$.action_id", "$.disposition", "$.disposition_id"}
"""Fields that the profile security_control adds to the class. The pydantic model has the class only."""


def published(record: Record) -> dict[str, Any]:
    """Return the finding that a subscriber receives."""
    finding: dict[str, Any] = json.loads(describe(record).bodies["default"])
    return finding


def unknown(model: BaseModel, path: str = "$") -> Iterator[str]:
    """Yield the paths of fields that OCSF does not define."""
    for name in model.model_extra or {}:
        yield f"{path}.{name}"
    for name in type(model).model_fields:
        value = getattr(model, name)
        for it in value if isinstance(value, list) else [value]:
            if isinstance(it, BaseModel) and name != "unmapped":
                yield from unknown(it, f"{path}.{name}")


def check(finding: dict[str, Any]) -> None:
    """Check a finding against both schemas."""
    assert [] == [f"{error.json_path}: {error.validator}" for error in CHECKED.iter_errors(finding)]
    model = DetectionFinding.model_validate(finding)
    assert set(unknown(model)) <= OF_THE_PROFILE


def test_alert_schema_is_a_valid_json_schema() -> None:
    """The dialect is JSON Schema 2020-12."""
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", [FOLDER / f"{event.stem}.json" for event in EVENTS], ids=lambda it: it.stem)
def test_golden_file_is_valid(path: Path) -> None:
    """The alerts about events/ match our schema and OCSF 1.5."""
    for alert in json.loads(path.read_text("utf-8")):
        check(alert["default"])


def test_finding_has_each_fact_in_its_ocsf_field() -> None:
    """What OCSF has no field for is in `unmapped`."""
    record = escalated(
        detection=read_detection(FULL), details=details(), drift=("$.a: unknown",), queued_at=NOON - timedelta(hours=1)
    )
    finding = published(record)
    noon = int(NOON.timestamp() * 1000)
    check(finding)
    assert (1, 2004, 200401, 4, 1, True) == tuple(
        finding[name] for name in ("activity_id", "class_uid", "type_uid", "severity_id", "status_id", "is_alert")
    )
    assert (noon, "QUARANTINED", 2, 3) == tuple(
        finding[name] for name in ("time", "action", "action_id", "disposition_id")
    )
    assert {
        "version": "1.5.0",
        "product": {"name": "Email Security", "vendor_name": "Cloudflare"},
        "profiles": ["security_control"],
        "uid": f"{record.alert_id}-{noon}",
        "correlation_uid": POSTFIX_ID,
        "event_code": "MALICIOUS",
        "tenant_uid": ACCOUNT,
        "original_time": "2026-11-23T11:00:00.000Z",
        "log_version": RELEASE,
    } == finding["metadata"]
    [evidence] = finding["evidences"]
    email = evidence["email"]
    assert (DETAILS["from"], DETAILS["to"], DETAILS["subject"]) == (email["from"], email["to"], email["subject"])
    assert [{"url_string": "https://login.evil.example/a", "hostname": "login.evil.example"}] == email["urls"]
    assert FULL["headers"] == email["http_headers"]
    assert ("invoice.pdf.exe", 7, "0" * 64) == (
        email["files"][0]["name"],
        email["files"][0]["size"],
        email["files"][0]["hashes"][0]["value"],
    )
    assert {
        "ip": "192.0.2.1",
        "domain": "evil.example",
        "autonomous_system": {"number": 64500, "name": "EXAMPLE-NET"},
        "location": {"country": "US"},
    } == evidence["src_endpoint"]
    assert {"spf": "fail", "dkim": "none", "dmarc": "fail"} == {
        it["name"]: it["value"] for it in finding["enrichments"]
    }
    assert ["T1566.001", "T1566.002"] == [it["sub_technique"]["uid"] for it in finding["finding_info"]["attacks"]]
    unmapped = finding["unmapped"]
    assert (INVESTIGATE_ID, ["$.a: unknown"], "false") == (
        unmapped["investigate_id"],
        unmapped["contract_drift"],
        unmapped["delivered"],
    )
    assert FULL["findings"] == unmapped["detection"]["findings"]


CONTROLS = {
    "delivered": (1, 1, "true"),
    "moved": (2, 3, "false"),
    "quarantined": (2, 3, "false"),
    "rejected": (2, 25, "false"),
    "bounced": (2, 25, "false"),
    "queued": (0, 0, "unknown"),
    "a new word": (0, 0, "unknown"),
}


@pytest.mark.parametrize(("status", "expected"), CONTROLS.items(), ids=CONTROLS)
def test_action_and_disposition_depend_on_delivery(status: str, expected: tuple[int, int, str]) -> None:
    """The ids are those of OCSF's profile, and `action` is Cloudflare's word."""
    finding = published(escalated(details=details(delivery_status=[status], is_quarantined=None)))
    actual = finding["action_id"], finding["disposition_id"], finding["unmapped"]["delivered"]
    assert expected == actual
    assert "QUARANTINED" == finding["action"]


PREVIOUS = PreviousAlert("SUSPICIOUS", "1" * 32)
ACTIVITIES = {
    "first alert": ({}, (1, 200401, 1, True, None)),
    "changed disposition": ({"previous": PREVIOUS, "revision": 1}, (2, 200402, 2, True, "1" * 32)),
    "no longer escalated": (
        {"previous": PREVIOUS, "revision": 1, "escalates": False, "disposition": "NONE", "outcome": "CLOSED"},
        (3, 200403, 4, False, "1" * 32),
    ),
}


@pytest.mark.parametrize(("fields", "expected"), ACTIVITIES.values(), ids=ACTIVITIES)
def test_activity_is_create_update_or_close(fields: dict[str, Any], expected: tuple[object, ...]) -> None:
    """Update and Close name the previous alert."""
    finding = published(escalated(**fields))
    check(finding)
    [previous] = finding["finding_info"].get("related_events", [None])
    assert expected == (
        *(finding[name] for name in ("activity_id", "type_uid", "status_id", "is_alert")),
        previous and previous["uid"],
    )
    assert (previous and {"disposition": "SUSPICIOUS", "alert_id": "1" * 32}) == finding["unmapped"].get("previous")


def test_create_update_and_close_of_one_email_share_the_uid_of_the_finding() -> None:
    """Each has an alert id of its own."""
    findings = [published(escalated(**fields)) for fields, _ in ACTIVITIES.values()]
    assert (1, 2, 3) == (
        len({it["finding_info"]["uid"] for it in findings}),
        len({it["unmapped"]["alert_id"] for it in findings}),
        len({it["status"] for it in findings}),
    )


def test_finding_says_how_sure_and_what_to_do() -> None:
    finding = published(escalated(details=details(delivery_status=["delivered"])))
    assert (3, 4, 1704448802000) == (
        finding["confidence_id"],
        finding["risk_level_id"],
        finding["finding_info"]["first_seen_time"],
    )
    assert finding["remediation"]["desc"].startswith("1. Remove it from every inbox")


def test_each_recipient_reply_to_and_host_is_an_observable() -> None:
    """Each observable names a field of the finding."""
    found = detection(links=[{"href": "https://A.example/"}])
    people = [f"p{n}@a.example" for n in range(40)]
    finding = published(escalated(detection=found, details=details(client_recipients=people, replyto="r@b.example")))
    values = {it["value"] for it in finding["observables"]}
    assert {*people, "r@b.example", "a.example", "gareth@larkfield.example"} <= values
    email = finding["evidences"][0]["email"]
    names = [it["name"].removeprefix("evidences.email.").split(".") for it in finding["observables"]]
    assert [] == [name for name in names if name[0] != "evidences" and name[0] not in email]


def test_invalid_address_and_country_are_left_out() -> None:
    """OCSF tools reject them. `unmapped.detection` has the raw values."""
    sender = {"ip": "not an address", "geo": "Freedonia/-/-"}
    finding = published(escalated(detection=detection(sender_info=sender)))
    check(finding)
    assert {"uid": POSTFIX_ID, "email": {"from": "unknown@sender.invalid"}} == finding["evidences"][0]
    assert "src_endpoint" not in finding["evidences"][0]
    assert sender == finding["unmapped"]["detection"]["sender_info"]


def test_unmapped_lists_have_the_order_of_the_ocsf_lists() -> None:
    """An item without extra facts has an empty object."""
    links = [
        {"href": "", "text": "nowhere"},
        {"href": "https://a.example/", "text": "a"},
        {"href": "https://b.example/"},
    ]
    files = [{"size": 1, "name": "a", "detection": ""}, {"size": 1, "name": "b", "detection": "MALICIOUS"}]
    finding = published(escalated(detection=detection(links=links, attachments=files)))
    check(finding)
    email = finding["evidences"][0]["email"]
    assert ["https://a.example/", "https://b.example/"] == [it["url_string"] for it in email["urls"]]
    assert [{"text": "a"}, {}] == finding["unmapped"]["links"]
    assert [{}, {"detection": "MALICIOUS"}] == finding["unmapped"]["attachments"]


def test_zone_of_an_ip_address_is_left_out() -> None:
    """A zone has a meaning on one machine only."""
    finding = published(escalated(detection=detection(sender_info={"ip": "fe80::1%<any text>"})))
    assert "fe80::1" == finding["evidences"][0]["src_endpoint"]["ip"]
    assert ["fe80::1"] == [it["value"] for it in finding["observables"] if it["type_id"] == 2]


@given(answers, documented_details)
def test_documented_response_gives_a_valid_finding(answer: Answer, fields: Answer) -> None:
    """The finding matches both schemas."""
    check(published(escalated(detection=read_detection(answer), details=read_message_details(fields))))


leaves = json_values() | st.text(max_size=40)


@given(wild_answers(leaves, st.just("SUSPICIOUS")), st.none() | wild_details(leaves))
def test_any_response_gives_a_valid_finding(answer: Answer, fields: Answer | None) -> None:
    """A response that does not match the contract gives one too."""
    message_details = None if fields is None else read_message_details(fields)
    check(published(escalated(disposition="SUSPICIOUS", detection=read_detection(answer), details=message_details)))
