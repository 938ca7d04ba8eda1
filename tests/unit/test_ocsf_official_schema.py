"""Findings are valid by the official schema of OCSF 1.5.

test_ocsf_finding.py checks them with generated models. These are lenient with constraints, such as that an email has `from`
or `to`, and do not know the profile.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

from functions.alert.alert import AlertOptions, describe
from functions.alert.campaign_summary import describe_summary
from functions.domain.campaign import CopyCounts
from functions.domain.campaign_summary import SummaryReason
from functions.domain.detection import read_detection
from functions.domain.message_details import read_message_details
from functions.domain.record import CampaignPlace, CampaignRole, Record
from tests.golden.published import EVENTS, FOLDER
from tests.strategies import Answer, json_values, wild_answers, wild_details
from tests.unit.examples import FULL, NOON, details, detection, escalated


@cache
def validator() -> Draft202012Validator:
    """The class Detection Finding with the profile that the finding names."""
    schema = OcsfJsonSchemaEmbedded(get_ocsf_schema("1.5.0"))
    return Draft202012Validator(schema.get_class_schema("detection_finding", ["security_control"]))


def errors(finding: dict[str, Any]) -> list[str]:
    """Where a finding is invalid."""
    return [f"{error.json_path}: {error.validator}" for error in validator().iter_errors(finding)]


def published(record: Record, *, masked: bool = False) -> dict[str, Any]:
    """The finding that a subscriber receives."""
    finding: dict[str, Any] = json.loads(describe(record, AlertOptions(mask_recipients=masked)).bodies["default"])
    return finding


@pytest.mark.parametrize("path", [FOLDER / f"{event.stem}.json" for event in EVENTS], ids=lambda it: it.stem)
def test_golden_finding_is_valid(path: Path) -> None:
    for alert in json.loads(path.read_text("utf-8")):
        assert [] == errors(alert["default"])


ODD: dict[str, Record] = {
    "nothing known": escalated(),
    "every list": escalated(detection=read_detection(FULL), details=details()),
    "only a Bcc": escalated(details=details(to=[], **{"from": None, "envelope_from": None})),
    "display names": escalated(details=details(to=["Ann <ann@corp.example>"], **{"from": "Bank <b@evil.example>"})),
    "no address at all": escalated(details=details(to=["undisclosed"], **{"from": "no address"})),
    "host that is no name of DNS": escalated(detection=detection(links=[{"href": "https://a_b!.example/"}])),
}


@pytest.mark.parametrize("record", ODD.values(), ids=ODD)
@pytest.mark.parametrize("masked", [False, True], ids=["plain", "masked"])
def test_odd_email_gives_a_valid_finding(record: Record, *, masked: bool) -> None:
    finding = published(record, masked=masked)
    assert [] == errors(finding)
    email = finding["evidences"][0]["email"]
    assert email.get("from") or email.get("to")


leaves = json_values() | st.text(max_size=40)


@settings(max_examples=25)
@given(wild_answers(leaves, st.just("SUSPICIOUS")), st.none() | wild_details(leaves))
def test_any_response_gives_a_valid_finding(answer: Answer, fields: Answer | None) -> None:
    message_details = None if fields is None else read_message_details(fields)
    record = escalated(disposition="SUSPICIOUS", detection=read_detection(answer), details=message_details)
    assert [] == errors(published(record))


def test_summary_of_a_campaign_is_valid() -> None:
    place = CampaignPlace("57917faa5f7de22993a4", CampaignRole.FIRST, NOON)
    copy = escalated(detection=read_detection(FULL), details=details(), campaign=place)
    summary = describe_summary(copy, CopyCounts(25, 22, 31), SummaryReason.ENDED, "0" * 32, AlertOptions())
    assert [] == errors(json.loads(summary.finding))
