"""Values of Cloudflare's JSON, read leniently and as every wire of ours takes them; what is none reads as absent.

By the time that these are read the decision's fields have been checked and drift has been reported, and what is only
shown must not stop an alert.
"""

from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")

LONGEST_LIST = 10_000
"""Items. A mail can be made to have a million links; nobody reads them, and reading them takes the time of others."""
_NONCHARACTERS = {0xFFFE: "\ufffd", 0xFFFF: "\ufffd"}


def text(value: object) -> str | None:
    """A string without half of a surrogate pair, and without the two characters that SQS refuses."""
    if not isinstance(value, str):
        return None
    if value.isascii():  # nearly all are, and take a tenth of the time
        return value
    return value.encode("utf-8", "replace").decode("utf-8").translate(_NONCHARACTERS)


def texts(value: object) -> tuple[str, ...]:
    """The strings of a list."""
    if not isinstance(value, list):
        return ()
    return tuple(it for it in map(text, value[:LONGEST_LIST]) if it is not None)


def integer(value: object) -> int | None:
    """An integer of 64 bits: what Cloudflare documents, and within what DynamoDB can hold."""
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63 else None


def number(value: object) -> float | None:
    """A finite number within what DynamoDB can hold (1e-130 to 1e125)."""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not abs(value) < 1e100:
        return None
    return float(value) if abs(value) > 1e-100 else 0.0


def boolean(value: object) -> bool | None:
    """True or false."""
    return value if isinstance(value, bool) else None


def fields(value: object) -> dict[str, object]:
    """The members of an object; none of what is no object."""
    return value if isinstance(value, dict) else {}


def host(url: str) -> str:
    """The host that a link leads to; nothing for what is no URL."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def each(value: object, read: Callable[[dict[str, object]], T]) -> tuple[T, ...]:
    """The objects of a list, each read."""
    if not isinstance(value, list):
        return ()
    return tuple(read(it) for it in value[:LONGEST_LIST] if isinstance(it, dict))
