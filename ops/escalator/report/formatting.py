"""Format values, hostile ones too, as text that is safe to show. An unknown value (None) is empty text."""

import re
from collections.abc import Sequence

from functions.alert.sanitize import defanged
from functions.domain.email_id import EmailId

Value = str | int | float | bool | None

_YES_NO = {True: "yes", False: "no"}
_VERSION = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6}){1,2}")
_BYTES = ((1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB"))


def safe_text(value: Value, limit: int = 200) -> str:
    """One line of at most `limit` visible characters without anything that can be clicked."""
    match value:
        case None:
            return ""
        case bool():
            return _YES_NO[value]
        case int():
            return str(value) if abs(value) < 2**63 else "(a very large number)"
        case float():
            return f"{value:.12g}"
        case str():
            return defanged(value, limit)


def safe_texts(values: Sequence[str], max_items: int, limit: int = 200) -> list[str]:
    """The first texts of a list, without those that are empty."""
    return [text for it in values[:max_items] if (text := safe_text(it, limit))]


def identifier(value: str | None) -> str:
    """An email id unchanged, because it can be copied and is not a link; any other text defanged."""
    return value if value is not None and EmailId.read(value) else safe_text(value)


def version(value: str | None) -> str:
    """A version of two or three numbers unchanged, because no client turns it into a link; other text defanged."""
    return value if value is not None and _VERSION.fullmatch(value) else safe_text(value, 20)


def size(value: int | None) -> str:
    """A number of bytes: rounded for a human, and exact."""
    if value is None or value < 0:
        return safe_text(value)
    short = next((f"{value / unit:.1f} {name} (" for unit, name in _BYTES if value >= unit), "")
    return f"{short}{value:,} bytes{')' if short else ''}"
