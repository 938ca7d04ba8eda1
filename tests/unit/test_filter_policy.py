"""filter_policy.py: what SNS documents about filter policies, as a table."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.escalator.alerts.filter_policy import ATTRIBUTES, BODY, FilterPolicy, UnknownFilter, read_filter_policy

ALERT = {"severity": "High", "disposition": "MALICIOUS-BEC", "notify": "true", "ip": "192.0.2.17"}
FINDING: dict[str, Any] = {
    "severity": "High",
    "severity_id": 4,
    "is_alert": True,
    "status": None,
    "finding_info": {"types": ["Phish", "Spoof"], "title": "x"},
    "evidences": [{"email": {"from": "a@evil.example"}}, {"email": {"from": "b@evil.example"}}],
}

BY_ATTRIBUTES: list[tuple[dict[str, Any], bool]] = [
    ({}, True),
    ({"severity": ["High"]}, True),
    ({"severity": ["high"]}, False),
    ({"severity": ["Critical", "High"]}, True),
    ({"severity": []}, False),
    ({"severity": ["High"], "notify": ["false"]}, False),
    ({"notify": [True]}, False),
    ({"severity": [4]}, False),
    ({"disposition": [{"prefix": "MALICIOUS"}]}, True),
    ({"disposition": [{"prefix": "SUSPICIOUS"}]}, False),
    ({"disposition": [{"suffix": "-BEC"}]}, True),
    ({"disposition": [{"suffix": "MALICIOUS"}]}, False),
    ({"severity": [{"equals-ignore-case": "hIGH"}]}, True),
    ({"disposition": [{"wildcard": "MAL*-*EC"}]}, True),
    ({"disposition": [{"wildcard": "MAL\\*"}]}, False),
    ({"severity": [{"anything-but": "Low"}]}, True),
    ({"severity": [{"anything-but": ["Low", "High"]}]}, False),
    ({"disposition": [{"anything-but": {"prefix": "MAL"}}]}, False),
    ({"disposition": [{"anything-but": {"suffix": ["-X", "-Y"]}}]}, True),
    ({"absent": [{"anything-but": "x"}]}, False),
    ({"absent": [{"exists": False}]}, True),
    ({"absent": [{"exists": True}]}, False),
    ({"absent": [{"exists": False}, "true"]}, True),
    ({"notify": [{"exists": True}]}, True),
    ({"notify": [{"exists": False}]}, False),
    ({"notify": [{"exists": False}, "true"]}, True),
    ({"absent": ["x"]}, False),
    ({"severity": [{"numeric": [">", 0]}]}, False),
    ({"ip": [{"cidr": "192.0.2.0/24"}]}, True),
    ({"ip": [{"cidr": "198.51.100.0/24"}]}, False),
    ({"severity": [{"cidr": "192.0.2.0/24"}]}, False),
    ({"$or": [{"severity": ["Low"]}, {"notify": ["true"]}]}, True),
    ({"$or": [{"severity": ["Low"]}, {"notify": ["false"]}]}, False),
    ({"severity": ["High"], "$or": [{"notify": ["false"]}, {"$or": [{"ip": [{"exists": True}]}]}]}, True),
    ({"finding_info": {"title": ["x"]}}, False),
]
BY_BODY: list[tuple[dict[str, Any], bool]] = [
    ({"severity": ["High"]}, True),
    ({"severity_id": [4]}, True),
    ({"severity_id": [4.0]}, True),
    ({"severity_id": ["4"]}, False),
    ({"severity_id": [{"numeric": [">=", 4]}]}, True),
    ({"severity_id": [{"numeric": [">", 2, "<", 4]}]}, False),
    ({"severity_id": [{"numeric": ["=", 4]}]}, True),
    ({"severity_id": [{"anything-but": [4, 5]}]}, False),
    ({"is_alert": [True]}, True),
    ({"is_alert": [1]}, False),
    ({"is_alert": [{"numeric": ["=", 1]}]}, False),
    ({"status": [None]}, True),
    ({"status": [{"exists": True}]}, True),
    ({"finding_info": {"types": ["Phish"]}}, True),
    ({"finding_info": {"types": [{"anything-but": "Phish"}]}}, True),
    ({"finding_info": {"types": ["Malware"]}}, False),
    ({"finding_info": {"absent": [{"exists": False}]}}, True),
    ({"absent": {"child": [{"exists": False}]}}, True),
    ({"absent": {"child": ["x"]}}, False),
    ({"evidences": {"email": {"from": [{"prefix": "b@"}]}}}, True),
    ({"evidences": {"email": {"from": [{"prefix": "c@"}]}}}, False),
    ({"$or": [{"severity": ["Low"]}, {"finding_info": {"types": ["Spoof"]}}]}, True),
]


@pytest.mark.parametrize(("policy", "passes"), BY_ATTRIBUTES, ids=[json.dumps(it) for it, _ in BY_ATTRIBUTES])
def test_policy_on_attributes(policy: dict[str, Any], passes: bool) -> None:
    assert passes == read_filter_policy(json.dumps(policy)).passes(ALERT, "no JSON")


@pytest.mark.parametrize(("policy", "passes"), BY_BODY, ids=[json.dumps(it) for it, _ in BY_BODY])
def test_policy_on_the_body(policy: dict[str, Any], passes: bool) -> None:
    assert passes == read_filter_policy(json.dumps(policy), BODY).passes({}, json.dumps(FINDING))


def test_body_that_is_no_object_passes_no_policy() -> None:
    for body in ("text", "[]", '"text"'):
        assert not FilterPolicy({"severity": [{"exists": False}]}, BODY).passes({}, body)


def test_failing_keys_are_named() -> None:
    policy = FilterPolicy({"severity": ["Low"], "notify": ["true"], "$or": [{"ip": ["x"]}]})
    assert ["severity", "$or"] == policy.failing_keys(ALERT, "")


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"severity": "High"}',
        '{"severity": [{"regex": "x"}]}',
        '{"severity": [{"prefix": "x", "suffix": "y"}]}',
        '{"severity": [{"prefix": 7}]}',
        '{"severity": [{"numeric": [">"]}]}',
        '{"severity": [{"cidr": "x"}]}',
    ],
)
def test_unknown_filter_is_reported_and_not_guessed(text: str) -> None:
    with pytest.raises(UnknownFilter):
        read_filter_policy(text).passes(ALERT, "")


def test_unknown_scope_is_reported() -> None:
    with pytest.raises(UnknownFilter):
        read_filter_policy("{}", "MessageHeader")


@given(st.dictionaries(st.sampled_from([*ALERT]), st.sampled_from(["High", "true", "x"]), min_size=1))
def test_policy_of_an_alert_s_own_values_passes_and_any_other_value_does_not(values: dict[str, str]) -> None:
    policy = FilterPolicy({name: [value] for name, value in values.items()}, ATTRIBUTES)
    assert policy.passes(values, "")
    assert not policy.passes(values | {next(iter(values)): "another"}, "")
