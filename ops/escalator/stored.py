"""What DynamoDB holds, as plain values: text, numbers as numbers, lists, objects."""

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

Item = dict[str, Any]

_deserialize = TypeDeserializer().deserialize
_INTEGERS = 2**63
"""The ledger writes whole numbers of 64 bits; what is larger was a number with a fraction's precision."""


def plain_item(wire: "Mapping[str, AttributeValueTypeDef]") -> Item:
    """An item as it was recorded, its attributes by name."""
    return {name: _plain(_deserialize(value)) for name, value in sorted(wire.items())}


def _plain(value: Any) -> Any:
    match value:
        case Decimal():
            whole = abs(value) < _INTEGERS and value == value.to_integral_value()
            return int(value) if whole else float(value)
        case dict():
            return {name: _plain(it) for name, it in value.items()}
        case list():
            return [_plain(it) for it in value]
        case _:
            return value
