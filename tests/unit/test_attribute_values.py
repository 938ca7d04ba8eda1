"""DynamoDB attribute values: conversion to and from the wire format."""

from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer
from hypothesis import given
from hypothesis import strategies as st

from functions.ledger.attribute_values import from_item, from_wire, to_item, to_wire

json_like = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(-1e100, 1e100).map(lambda number: number if abs(number) > 1e-100 else 0.0)
    | st.text(),
    lambda values: st.lists(values) | st.dictionaries(st.text(), values),
    max_leaves=20,
)
"""All values that the ledger writes: JSON, with the numbers that a detection can hold."""

VALUES: dict[str, tuple[object, dict[str, Any]]] = {
    "a text": ("a", {"S": "a"}),
    "an empty text": ("", {"S": ""}),
    "a text of digits": ("7", {"S": "7"}),
    "an integer": (7, {"N": "7"}),
    "a negative integer": (-7, {"N": "-7"}),
    "a float": (0.1, {"N": "0.1"}),
    "a whole float": (1.0, {"N": "1.0"}),
    "a large float": (1e22, {"N": "1e+22"}),
    "true": (True, {"BOOL": True}),
    "false": (False, {"BOOL": False}),
    "null": (None, {"NULL": True}),
    "a list": ([1, "a"], {"L": [{"N": "1"}, {"S": "a"}]}),
    "an empty list": ([], {"L": []}),
    "an object": ({"a": {"b": None}}, {"M": {"a": {"M": {"b": {"NULL": True}}}}}),
    "an empty object": ({}, {"M": {}}),
    "a list in a list": ([[]], {"L": [{"L": []}]}),
}


@pytest.mark.parametrize(("value", "wire"), VALUES.values(), ids=VALUES)
def test_value_has_the_wire_format_and_reads_back_with_its_type(value: object, wire: dict[str, Any]) -> None:
    read = from_wire(wire)
    assert (wire, value, type(value)) == (to_wire(value), read, type(read))


@given(json_like)
def test_every_value_survives_a_round_trip(value: object) -> None:
    assert value == from_wire(to_wire(value))


@given(st.dictionaries(st.text(), json_like))
def test_every_item_survives_a_round_trip(item: dict[str, object]) -> None:
    assert item == from_item(to_item(item))


@given(json_like)
def test_boto3_reads_the_same_value(value: object) -> None:
    """boto3 also checks that every number is in range."""
    assert in_decimals(value) == TypeDeserializer().deserialize(to_wire(value))


def in_decimals(value: Any) -> Any:
    """Return the value with numbers as boto3 returns them."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return Decimal(repr(value))
    if isinstance(value, list):
        return [in_decimals(each) for each in value]
    return {name: in_decimals(each) for name, each in value.items()} if isinstance(value, dict) else value


STORED_NUMBERS = {
    "a whole float without a decimal point": ("1", 1.0),
    "more digits than a float holds": ("0.1000000000000000055511151231257827021181", 0.1),
    "a large float without an exponent": ("10000000000000000000000", 1e22),
    "a float with an exponent": ("1E+22", 1e22),
    "the smallest integer": (str(-(2**63)), -(2**63)),
}


@pytest.mark.parametrize(("stored", "expected"), STORED_NUMBERS.values(), ids=STORED_NUMBERS)
def test_number_in_the_notation_of_dynamodb_reads_as_equal(stored: str, expected: float) -> None:
    assert expected == from_wire({"N": stored})


@pytest.mark.parametrize("value", [{1}, object(), 1j], ids=["a set", "an object", "a complex number"])
def test_value_outside_json_raises_type_error(value: object) -> None:
    with pytest.raises(TypeError, match="not a JSON value"):
        to_wire([value])


@pytest.mark.parametrize("kind", ["SS", "NS", "BS"])
def test_set_raises_type_error(kind: str) -> None:
    """The ledger never writes a set."""
    with pytest.raises(TypeError, match="sets are not used"):
        from_wire({kind: ["a"]})
