"""Convert plain JSON values to DynamoDB's attribute values, and back.

boto3's own serializer accepts no floats and returns decimals; a score is a float in Cloudflare's answer and in alerts.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Item = dict[str, AttributeValueTypeDef]


def to_wire(value: object) -> "AttributeValueTypeDef":
    """The attribute value of a JSON value. Raises TypeError for other types."""
    if isinstance(value, str):  # most are
        return {"S": value}
    if isinstance(value, dict):
        return {"M": {name: to_wire(it) for name, it in value.items()}}
    if isinstance(value, (list, tuple)):
        return {"L": [to_wire(it) for it in value]}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, (int, float)):
        return {"N": repr(value)}
    if value is None:
        return {"NULL": True}
    raise TypeError(f"{type(value).__name__} is not a JSON value")


def to_item(values: Mapping[str, object]) -> "Item":
    """The attribute values of an object's members."""
    return {name: to_wire(value) for name, value in values.items()}


def from_wire(value: "Mapping[str, Any]") -> Any:
    """The value given to `to_wire`; a whole float returns as an integer."""
    [(kind, it)] = value.items()
    match kind:
        case "N":
            return int(it) if it.lstrip("-").isdecimal() else float(it)
        case "M":
            return from_item(it)
        case "L":
            return [from_wire(element) for element in it]
        case "NULL":
            return None
        case "SS" | "NS" | "BS":
            raise TypeError("sets are not used")
    return it


def from_item(item: "Mapping[str, Mapping[str, Any]]") -> dict[str, Any]:
    """The values of an item's attributes."""
    return {name: from_wire(value) for name, value in item.items()}
