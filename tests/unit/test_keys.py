"""Keys of the ledger table, compared with the template that declares them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samtranslator.yaml_helper import yaml_parse

from functions.domain.email_id import EmailId
from functions.domain.record import Record, moment
from functions.ledger.item import attributes
from functions.ledger.keys import (
    MAX_VALUE,
    MONTH,
    Index,
    PointerKind,
    alert_key,
    decision_key,
    last_alert_key,
    pointed_at,
    pointer_key,
    value_key,
)
from ops.local.template import TEMPLATE
from tests.strategies import any_text
from tests.unit.examples import FORMS, NOON, details, detection, escalated, record
from tests.unit.test_item import KEEP

TABLE: dict[str, Any] = yaml_parse(TEMPLATE.read_text("utf-8"))["Resources"]["LedgerTable"]["Properties"]
INDEXES: dict[str, Any] = {it["IndexName"]: it for it in TABLE["GlobalSecondaryIndexes"]}
FULL = escalated(
    detection=detection(sender_info={"ip": "192.0.2.1", "pld": "evil.example"}),
    details=details(),
    severity="High",
)
CLAIM_ATTRIBUTES = {"activity", "alert_id", "state", "pending", "published_at"}
"""Attributes that the claim and the mark add to those of the record."""


def key_schema(declared: Any) -> list[tuple[str, str]]:
    return [(it["AttributeName"], it["KeyType"]) for it in declared["KeySchema"]]


# --- template ---------------------------------------------------------------------------------------------------------


def test_table_key_has_the_attributes_of_every_key() -> None:
    assert [("pk", "HASH"), ("sk", "RANGE")] == key_schema(TABLE)
    keys = [alert_key(FULL), decision_key(FULL), last_alert_key(FULL), pointer_key(PointerKind.CATEGORY, "a", "b", "c")]
    assert [["pk", "sk"]] * len(keys) == [[*key] for key in keys]


def test_template_declares_exactly_the_indexes_in_use() -> None:
    assert [*Index] == [*INDEXES]


@pytest.mark.parametrize("index", Index)
def test_index_partitions_by_its_attribute_and_sorts_by_decision_time(index: Index) -> None:
    assert [(index.partitioned_by, "HASH"), ("decided_at", "RANGE")] == key_schema(INDEXES[index])


@pytest.mark.parametrize("index", Index)
def test_record_has_every_attribute_of_an_index(index: Index) -> None:
    """These are the key attributes and all projected attributes."""
    projected = INDEXES[index]["Projection"].get("NonKeyAttributes", [])
    assert {index.partitioned_by, "decided_at", *projected} <= attributes(FULL, KEEP).keys() | CLAIM_ATTRIBUTES


def test_template_declares_exactly_the_key_attributes_as_text() -> None:
    """CloudFormation refuses a declared attribute that no key uses."""
    key_attributes = {name for it in (TABLE, *INDEXES.values()) for name, _ in key_schema(it)}
    assert dict.fromkeys(key_attributes, "S") == {
        it["AttributeName"]: it["AttributeType"] for it in TABLE["AttributeDefinitions"]
    }


def test_month_is_the_start_of_a_moment() -> None:
    assert "2026-11" == moment(NOON)[MONTH]


# --- values -----------------------------------------------------------------------------------------------------------

VALUES = {
    "lower case": ("evil.example", "evil.example"),
    "upper case": ("Evil.EXAMPLE", "evil.example"),
    "whitespace around the value": ("\t evil.example \n", "evil.example"),
    "an empty text": ("", ""),
    "only whitespace": (" \u2003", ""),
    "a text longer than the limit": ("x" * 5_000, "x" * MAX_VALUE),
    "a space at the cut": ("x" * (MAX_VALUE - 1) + " y", "x" * (MAX_VALUE - 1)),
    "a text that grows in lower case": ("\u0130" * MAX_VALUE, "i\u0307" * (MAX_VALUE // 2)),
}


@pytest.mark.parametrize(("text", "expected"), VALUES.values(), ids=VALUES)
def test_value_key_has_one_canonical_form(text: str, expected: str) -> None:
    assert expected == value_key(text)


@given(any_text | st.text(st.sampled_from(" x\t\u0130\u03a3"), min_size=MAX_VALUE - 5, max_size=MAX_VALUE + 5))
def test_value_key_of_a_value_key_is_unchanged(text: str) -> None:
    """Operators look up values copied from the table, and no value may have two keys."""
    assert value_key(text) == value_key(value_key(text))


# --- pointers ---------------------------------------------------------------------------------------------------------


def test_pointer_key_sorts_by_time_and_holds_the_target() -> None:
    assert {"pk": "link_host=evil.example", "sk": "2026-11-23T12:00:00.000Z a/b#c"} == pointer_key(
        PointerKind.LINK_HOST, "Evil.example", "2026-11-23T12:00:00.000Z", "a/b#c"
    )


any_record = st.builds(
    record,
    id=st.sampled_from([EmailId(it) for it in FORMS.values()]),
    account_id=st.text("0123456789abcdef", min_size=32, max_size=32),
    disposition=st.none() | st.sampled_from(["MALICIOUS", "MALICIOUS-BEC", "NONE"]),
    outcome=st.sampled_from(["ESCALATED", "NOT_FOUND"]),
    revision=st.integers(0, 5),
    sqs_message_id=st.uuids().map(str),
)


@given(any_record, st.sampled_from(PointerKind), any_text)
def test_pointer_leads_to_its_record_for_every_value(decided: Record, kind: PointerKind, value: str) -> None:
    for key in (alert_key(decided), decision_key(decided)):
        assert key == pointed_at(pointer_key(kind, value, moment(decided.decided_at), key["sk"])["sk"])
