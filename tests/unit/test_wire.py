"""wire.py: values as DynamoDB writes them."""

from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer
from hypothesis import given
from hypothesis import strategies as st

from functions.ledger.wire import from_item, from_wire, to_item, to_wire

written = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(-1e100, 1e100).map(lambda it: it if abs(it) > 1e-100 else 0.0)
    | st.text(),
    lambda it: st.lists(it) | st.dictionaries(st.text(), it),
    max_leaves=20,
)
"""What is ever written: JSON, with the numbers that a detection is read into."""

VALUES: dict[str, tuple[object, dict[str, Any]]] = {
    "text": ("a", {"S": "a"}),
    "no text": ("", {"S": ""}),
    "text of digits": ("7", {"S": "7"}),
    "an integer": (7, {"N": "7"}),
    "a negative": (-7, {"N": "-7"}),
    "a float": (0.1, {"N": "0.1"}),
    "a float that is whole": (1.0, {"N": "1.0"}),
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
def test_a_value(value: object, wire: dict[str, Any]) -> None:
    """It is written as DynamoDB has it, and read again as it was, in its own type."""
    read = from_wire(wire)
    assert (wire, value, type(value)) == (to_wire(value), read, type(read))


@given(written)
def test_any_value(value: object) -> None:
    """What was written is read again."""
    assert value == from_wire(to_wire(value))


@given(st.dictionaries(st.text(), written))
def test_any_item(item: dict[str, object]) -> None:
    """What was written is read again."""
    assert item == from_item(to_item(item))


@given(written)
def test_any_value_and_boto3(value: object) -> None:
    """boto3 reads the same, and refuses none of its numbers."""
    assert in_decimals(value) == TypeDeserializer().deserialize(to_wire(value))


def in_decimals(value: Any) -> Any:
    """A value with the decimals that boto3 gives for numbers."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return Decimal(repr(value))
    if isinstance(value, list):
        return [in_decimals(it) for it in value]
    return {name: in_decimals(it) for name, it in value.items()} if isinstance(value, dict) else value


AS_STORED = {
    "a whole float without its point": ("1", 1.0),
    "38 digits": ("0.1000000000000000055511151231257827021181", 0.1),
    "a large float in full": ("10000000000000000000000", 1e22),
    "an exponent": ("1E+22", 1e22),
    "the smallest integer": (str(-(2**63)), -(2**63)),
}


@pytest.mark.parametrize(("stored", "expected"), AS_STORED.values(), ids=AS_STORED)
def test_a_number_as_dynamodb_gives_it(stored: str, expected: float) -> None:
    """It writes numbers in its own way, and they are equal."""
    assert expected == from_wire({"N": stored})


@pytest.mark.parametrize("value", [{1}, object(), 1j], ids=["a set", "an object", "a complex number"])
def test_what_is_no_json(value: object) -> None:
    """It is not written as something else."""
    with pytest.raises(TypeError, match="no value of JSON"):
        to_wire([value])


@pytest.mark.parametrize("kind", ["SS", "NS", "BS"])
def test_a_set(kind: str) -> None:
    """None is ever written, so that none is read."""
    with pytest.raises(TypeError, match="no set"):
        from_wire({kind: ["a"]})
