"""keys.py: where things stand in the table, which the template declares."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samtranslator.yaml_helper import yaml_parse

from functions.cloudflare.message_id import MessageId
from functions.ledger.item import attributes
from functions.ledger.keys import LONGEST_VALUE, MONTH, Facet, Index, pointed_at, pointer_key, value_key
from functions.ledger.record import Record, moment
from ops.local.template import TEMPLATE
from tests.strategies import any_text
from tests.unit.examples import FORMS, NOON, context, detection, escalated, record
from tests.unit.test_item import KEEP

TABLE: dict[str, Any] = yaml_parse(TEMPLATE.read_text("utf-8"))["Resources"]["LedgerTable"]["Properties"]
INDEXES: dict[str, Any] = {it["IndexName"]: it for it in TABLE["GlobalSecondaryIndexes"]}
FULL = escalated(
    detection=detection(sender_info={"ip": "192.0.2.1", "pld": "evil.example"}),
    context=context(),
    severity="High",
)
CLAIMED = {"activity", "alert_id", "state", "pending", "published_at"}
"""What the claim and the mark write beside a record's own attributes."""


def key_schema(declared: Any) -> list[tuple[str, str]]:
    return [(it["AttributeName"], it["KeyType"]) for it in declared["KeySchema"]]


# --- the template -----------------------------------------------------------------------------------------------------


def test_the_tables_key() -> None:
    """It is made of what every key of ours is made of."""
    assert [("about", "HASH"), ("entry", "RANGE")] == key_schema(TABLE)
    keys = [FULL.alert_key, FULL.observation_key, FULL.standing_key, pointer_key(Facet.CATEGORY, "a", "b", "c")]
    assert [["about", "entry"]] * len(keys) == [[*key] for key in keys]


def test_the_indexes() -> None:
    """The template has those that are asked, under the same names, and no other."""
    assert [*Index] == [*INDEXES]


@pytest.mark.parametrize("index", Index)
def test_an_index(index: Index) -> None:
    """It partitions by what its name says, and sorts by the time of the decision."""
    assert [(index.partitioned_by, "HASH"), ("decided_at", "RANGE")] == key_schema(INDEXES[index])


@pytest.mark.parametrize("index", Index)
def test_what_an_index_holds(index: Index) -> None:
    """A record has what it partitions and sorts by, and all that is projected into it."""
    projected = INDEXES[index]["Projection"].get("NonKeyAttributes", [])
    assert {index.partitioned_by, "decided_at", *projected} <= attributes(FULL, KEEP).keys() | CLAIMED


def test_the_attributes_that_are_declared() -> None:
    """They are those of the keys, all of text; CloudFormation refuses one too many."""
    of_keys = {name for it in (TABLE, *INDEXES.values()) for name, _ in key_schema(it)}
    assert dict.fromkeys(of_keys, "S") == {
        it["AttributeName"]: it["AttributeType"] for it in TABLE["AttributeDefinitions"]
    }


def test_the_month() -> None:
    """It is the beginning of a moment as text."""
    assert "2026-11" == moment(NOON)[MONTH]


# --- values -----------------------------------------------------------------------------------------------------------

VALUES = {
    "as it is": ("evil.example", "evil.example"),
    "in upper case": ("Evil.EXAMPLE", "evil.example"),
    "with whitespace around": ("\t evil.example \n", "evil.example"),
    "empty": ("", ""),
    "only whitespace": (" \u2003", ""),
    "too long": ("x" * 5_000, "x" * LONGEST_VALUE),
    "a space where it is cut": ("x" * (LONGEST_VALUE - 1) + " y", "x" * (LONGEST_VALUE - 1)),
    "longer in lower case": ("\u0130" * LONGEST_VALUE, "i\u0307" * (LONGEST_VALUE // 2)),
}


@pytest.mark.parametrize(("text", "expected"), VALUES.values(), ids=VALUES)
def test_a_value(text: str, expected: str) -> None:
    """It is written in one way."""
    assert expected == value_key(text)


@given(any_text | st.text(st.sampled_from(" x\t\u0130\u03a3"), min_size=LONGEST_VALUE - 5, max_size=LONGEST_VALUE + 5))
def test_a_value_of_a_value(text: str) -> None:
    """It stays as it is: whoever looks it up may have it from the table. And two ways to write it are never two keys."""
    assert value_key(text) == value_key(value_key(text))


# --- pointers ---------------------------------------------------------------------------------------------------------


def test_a_pointer() -> None:
    """It sorts by time, and says where it leads."""
    assert {"about": "link_host=evil.example", "entry": "2026-11-23T12:00:00.000Z a/b#c"} == pointer_key(
        Facet.LINK_HOST, "Evil.example", "2026-11-23T12:00:00.000Z", "a/b#c"
    )


any_record = st.builds(
    record,
    id=st.sampled_from([MessageId(it) for it in FORMS.values()]),
    account_id=st.text("0123456789abcdef", min_size=32, max_size=32),
    disposition=st.none() | st.sampled_from(["MALICIOUS", "MALICIOUS-BEC", "NONE"]),
    outcome=st.sampled_from(["ESCALATED", "NOT_FOUND"]),
    turn=st.integers(0, 5),
    sqs_message_id=st.uuids().map(str),
)


@given(any_record, st.sampled_from(Facet), any_text)
def test_where_a_pointer_leads(it: Record, facet: Facet, value: str) -> None:
    """It leads to the record that it was made for, whatever the value is."""
    for key in (it.alert_key, it.observation_key):
        assert key == pointed_at(pointer_key(facet, value, moment(it.decided_at), key["entry"])["entry"])
