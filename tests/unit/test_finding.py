"""finding.py: an OCSF Detection Finding, by our own schema and by OCSF's."""

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
from functions.cloudflare.context import read_context
from functions.cloudflare.detection import read_detection
from functions.ledger.record import Record, Told
from functions.release import RELEASE
from functions.schema import load_schema
from tests.golden.published import EVENTS, FOLDER
from tests.strategies import Answer, answers, contexts, json_values, wild_answers, wild_contexts
from tests.unit.examples import ACCOUNT, CONTEXT, FULL, INVESTIGATE_ID, NOON, POSTFIX_ID, context, detection, escalated

SCHEMA = load_schema("alert")
CHECKED = Draft202012Validator(SCHEMA)
OF_THE_PROFILE = {"$.action", "$.action_id", "$.disposition", "$.disposition_id"}
"""What the profile security_control adds to the class; the model has the class alone."""


def published(it: Record) -> dict[str, Any]:
    """What a subscriber gets."""
    finding: dict[str, Any] = json.loads(describe(it).bodies["default"])
    return finding


def unknown(model: BaseModel, path: str = "$") -> Iterator[str]:
    """Everything in a finding that OCSF does not know: the models take it, and say so."""
    for name in model.model_extra or {}:
        yield f"{path}.{name}"
    for name in type(model).model_fields:
        value = getattr(model, name)
        for it in value if isinstance(value, list) else [value]:
            if isinstance(it, BaseModel) and name != "unmapped":
                yield from unknown(it, f"{path}.{name}")


def check(finding: dict[str, Any]) -> None:
    """Hold a finding against both schemas."""
    assert [] == [f"{error.json_path}: {error.validator}" for error in CHECKED.iter_errors(finding)]
    model = DetectionFinding.model_validate(finding)
    assert set(unknown(model)) <= OF_THE_PROFILE


def test_our_schema() -> None:
    """It is a schema."""
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", [FOLDER / f"{event.stem}.json" for event in EVENTS], ids=lambda it: it.stem)
def test_every_golden_file(path: Path) -> None:
    """What is published about events/ is what the schema says, and OCSF 1.5."""
    for told in json.loads(path.read_text("utf-8")):
        check(told["default"])


def test_a_finding() -> None:
    """Each thing in its place."""
    it = escalated(
        detection=read_detection(FULL), context=context(), drift=("$.a: unknown",), queued_at=NOON - timedelta(hours=1)
    )
    finding = published(it)
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
        "uid": f"{it.alert_id}-{noon}",
        "correlation_uid": POSTFIX_ID,
        "event_code": "MALICIOUS",
        "tenant_uid": ACCOUNT,
        "original_time": "2026-11-23T11:00:00.000Z",
        "log_version": RELEASE,
    } == finding["metadata"]
    [evidence] = finding["evidences"]
    mail = evidence["email"]
    assert (CONTEXT["from"], CONTEXT["to"], CONTEXT["subject"]) == (mail["from"], mail["to"], mail["subject"])
    assert [{"url_string": "https://login.evil.example/a"}] == mail["urls"]
    assert FULL["headers"] == mail["http_headers"]
    assert ("invoice.pdf.exe", 7, "0" * 64) == (
        mail["files"][0]["name"],
        mail["files"][0]["size"],
        mail["files"][0]["hashes"][0]["value"],
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
def test_what_the_control_did(status: str, expected: tuple[int, int, str]) -> None:
    """In the numbers of OCSF's profile, and Cloudflare's word beside them."""
    finding = published(escalated(context=context(delivery_status=[status], is_quarantined=None)))
    actual = finding["action_id"], finding["disposition_id"], finding["unmapped"]["delivered"]
    assert expected == actual
    assert "QUARANTINED" == finding["action"]


PREVIOUS = Told("SUSPICIOUS", "1" * 32)
LIVES = {
    "first": ({}, (1, 200401, 1, True, None)),
    "changed": ({"previous": PREVIOUS, "turn": 1}, (2, 200402, 1, True, "1" * 32)),
    "dropped": (
        {"previous": PREVIOUS, "turn": 1, "escalates": False, "disposition": "NONE", "outcome": "CLOSED"},
        (3, 200403, 4, False, "1" * 32),
    ),
}


@pytest.mark.parametrize(("fields", "expected"), LIVES.values(), ids=LIVES)
def test_the_life_of_a_mail(fields: dict[str, Any], expected: tuple[object, ...]) -> None:
    """Create, Update, Close; the last two name the alert before."""
    finding = published(escalated(**fields))
    check(finding)
    [before] = finding["finding_info"].get("related_events", [None])
    assert expected == (
        *(finding[name] for name in ("activity_id", "type_uid", "status_id", "is_alert")),
        before and before["uid"],
    )
    assert (before and {"disposition": "SUSPICIOUS", "alert_id": "1" * 32}) == finding["unmapped"].get("previous")


def test_what_ocsf_s_tools_would_refuse() -> None:
    """An address that is none and a country that is none are left out, not passed on; the raw words stay unmapped."""
    sender = {"ip": "not an address", "geo": "Freedonia/-/-"}
    finding = published(escalated(detection=detection(sender_info=sender)))
    check(finding)
    assert {"uid": POSTFIX_ID, "email": {}} | finding["evidences"][0] == finding["evidences"][0] | {"email": {}}
    assert "src_endpoint" not in finding["evidences"][0]
    assert sender == finding["unmapped"]["detection"]["sender_info"]


def test_what_stands_beside_a_list() -> None:
    """It is about the item at the same place, also where another item has nothing to tell."""
    links = [
        {"href": "", "text": "nowhere"},
        {"href": "https://a.example/", "text": "a"},
        {"href": "https://b.example/"},
    ]
    files = [{"size": 1, "name": "a", "detection": ""}, {"size": 1, "name": "b", "detection": "MALICIOUS"}]
    finding = published(escalated(detection=detection(links=links, attachments=files)))
    check(finding)
    mail = finding["evidences"][0]["email"]
    assert ["https://a.example/", "https://b.example/"] == [it["url_string"] for it in mail["urls"]]
    assert [{"text": "a"}, {}] == finding["unmapped"]["links"]
    assert [{}, {"detection": "MALICIOUS"}] == finding["unmapped"]["attachments"]


def test_an_address_with_a_zone() -> None:
    """The zone, which means something on one machine only and may be any text, is left out."""
    finding = published(escalated(detection=detection(sender_info={"ip": "fe80::1%<any text>"})))
    assert "fe80::1" == finding["evidences"][0]["src_endpoint"]["ip"]
    assert ["fe80::1"] == [it["value"] for it in finding["observables"] if it["type_id"] == 2]


@given(answers, contexts)
def test_any_documented_answer(answer: Answer, known: Answer) -> None:
    """It is OCSF, and as our schema says."""
    check(published(escalated(detection=read_detection(answer), context=read_context(known))))


leaves = json_values() | st.text(max_size=40)


@given(wild_answers(leaves, st.just("SUSPICIOUS")), st.none() | wild_contexts(leaves))
def test_any_answer_at_all(answer: Answer, known: Answer | None) -> None:
    """So is what is published about an answer that is hardly one."""
    told = None if known is None else read_context(known)
    check(published(escalated(disposition="SUSPICIOUS", detection=read_detection(answer), context=told)))
