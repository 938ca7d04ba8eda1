"""Lenient readers for values of Cloudflare's JSON.

A value of the wrong type, or one that DynamoDB or SQS would refuse, counts as absent. The fields that the decision
needs are validated before, and drift is reported. All other fields are for display only and must not stop an alert.

What a reader can understand is read, although it is drift: a number or a truth value as a string, one item instead of a
list, a string instead of an object.
"""

import re
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

MAX_LIST_ITEMS = 10_000
"""A sender can put a million links into one email. To parse them all would delay the other messages of the batch."""
MAX_NUMBER = 1e100
"""Larger numbers, and smaller ones than its reciprocal, are outside DynamoDB's range or close to its ends."""
_INTEGER = re.compile(r"\s*[+-]?[0-9]{1,19}(\.0*)?\s*")
_NUMBER = re.compile(r"\s*[+-]?[0-9]{1,100}(\.[0-9]{0,100})?([eE][+-]?[0-9]{1,3})?\s*")
_BOOLEANS = {"true": True, "false": False}
_NONCHARACTERS = {0xFFFE: "\ufffd", 0xFFFF: "\ufffd"}


def text(value: object) -> str | None:
    """A string as valid Unicode, without the two characters that SQS refuses.

    A lone surrogate becomes `?`; U+FFFE and U+FFFF become U+FFFD.
    """
    if not isinstance(value, str):
        return None
    if value.isascii():  # the usual case, ten times faster
        return value
    return value.encode("utf-8", "replace").decode("utf-8").translate(_NONCHARACTERS)


def texts(value: object) -> tuple[str, ...]:
    """The strings in a list. A string is a list of one."""
    return tuple(item for item in map(text, items(value)[:MAX_LIST_ITEMS]) if item is not None)


def items(value: object) -> list[Any]:
    """A list. A string or an object is a list of one, any other value an empty list."""
    if isinstance(value, list):
        return value
    return [value] if value and isinstance(value, (str, dict)) else []


def integer(value: object) -> int | None:
    """A 64-bit integer: the type that Cloudflare documents, and within DynamoDB's range. 7.0 and "7" are 7."""
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        value = float(value) if "." in value else int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63 else None


def number(value: object) -> float | None:
    """A finite number within DynamoDB's range (1e-130 to 1e125). "0.5" is 0.5."""
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = float(value)
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not abs(value) < MAX_NUMBER:
        return None
    return float(value) if abs(value) > 1 / MAX_NUMBER else 0.0


def boolean(value: object) -> bool | None:
    """True or false. "true" is true."""
    if isinstance(value, str):
        value = _BOOLEANS.get(value.strip().lower())
    return value if isinstance(value, bool) else None


def fields(value: object) -> dict[str, object]:
    """The members of an object; empty for any other value."""
    return value if isinstance(value, dict) else {}


def objects(value: object, read: Callable[[dict[str, object]], T], main: str) -> tuple[T, ...]:
    """The objects in a list, each parsed by `read`. main: the field that a string instead of an object gives."""
    found = (_object(item, main) for item in items(value)[:MAX_LIST_ITEMS])
    return tuple(read(item) for item in found if item is not None)


def _object(item: object, main: str) -> dict[str, object] | None:
    if isinstance(item, str) and item:
        return {main: item}
    return item if isinstance(item, dict) else None
