"""Lenient readers for values of Cloudflare's JSON.

A value of the wrong type, or one that DynamoDB or SQS would refuse, counts as absent. The fields that the decision
needs are validated before, and drift is reported. All other fields are for display only and must not stop an alert.
"""

from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")

MAX_LIST_ITEMS = 10_000
"""A sender can put a million links into one email. To parse them all would delay the other messages of the batch."""
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
    """The strings in a list."""
    if not isinstance(value, list):
        return ()
    return tuple(item for item in map(text, value[:MAX_LIST_ITEMS]) if item is not None)


def integer(value: object) -> int | None:
    """A 64-bit integer: the type that Cloudflare documents, and within DynamoDB's range."""
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63 else None


def number(value: object) -> float | None:
    """A finite number within DynamoDB's range (1e-130 to 1e125)."""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not abs(value) < 1e100:
        return None
    return float(value) if abs(value) > 1e-100 else 0.0


def boolean(value: object) -> bool | None:
    """True or false."""
    return value if isinstance(value, bool) else None


def fields(value: object) -> dict[str, object]:
    """The members of an object; empty for any other value."""
    return value if isinstance(value, dict) else {}


def host(url: str) -> str:
    """The host of a URL; empty for a text that is not a URL."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def objects(value: object, read: Callable[[dict[str, object]], T]) -> tuple[T, ...]:
    """The objects in a list, each parsed by `read`."""
    if not isinstance(value, list):
        return ()
    return tuple(read(item) for item in value[:MAX_LIST_ITEMS] if isinstance(item, dict))
