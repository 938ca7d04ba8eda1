"""Values of a record as text that is safe to show, whoever wrote them; what is unknown (None) is empty text.

A record is JSON: a value may be of any type, and one of an unexpected type must not stop the report.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from functions.alert.plain_text import defanged
from functions.cloudflare.message_id import MessageId

_YES_NO = {True: "yes", False: "no"}
_EPOCH = 1970
_VERSION = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6}){1,2}")
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))
_BYTES = ((1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB"))


def text(value: Any, limit: int = 200) -> str:
    """One line of at most `limit` visible characters in which nothing can be clicked on."""
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
        case _:
            return ""


def identifier(value: Any) -> str:
    """An id of a mail as it is, for it can be copied and is no link; text in its place like any other."""
    return value if isinstance(value, str) and MessageId.read(value) else text(value)


def version(value: Any) -> str:
    """Two or three numbers with dots between them, as they are: no client takes these for a domain or an address."""
    return value if isinstance(value, str) and _VERSION.fullmatch(value) else text(value, 20)


def texts(value: Any, most: int, limit: int = 200) -> list[str]:
    """The first of a list's texts that are not empty."""
    return [shown for it in items(value)[:most] if (shown := text(it, limit))]


def items(value: Any) -> list[Any]:
    """A list; an empty one for anything else."""
    return value if isinstance(value, list) else []


def fields(value: Any) -> Mapping[str, Any]:
    """A mapping; an empty one for anything else."""
    return value if isinstance(value, Mapping) else {}


def mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    """The mappings of a list."""
    return (it for it in items(value) if isinstance(it, Mapping))


def moment(value: Any) -> datetime | None:
    """A time of a record, or epoch seconds, in UTC; None for what is no time of the years 1970 to 9999."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = datetime.fromtimestamp(value, UTC).isoformat()
        at = datetime.fromisoformat(str(value))
        at = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return at if at.year >= _EPOCH else None


def duration(seconds: float) -> str:
    """A time in the two units that tell it best: `0.4 s`, `1 min 5 s`, `2 h 10 min`, `3 d 4 h`."""
    if seconds < 0:
        return f"-{duration(-seconds)}"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    left, said = round(seconds), list[str]()
    for size, unit in (*_UNITS, (1, "s")):
        count, left = divmod(left, size)
        if count:
            said.append(f"{count} {unit}")
        elif said:
            break
    return " ".join(said[:2])


def size(value: Any) -> str:
    """Bytes for a human, and exactly."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        return text(value)
    short = next((f"{value / unit:.1f} {name} (" for unit, name in _BYTES if value >= unit), "")
    return f"{short}{value:,} bytes{')' if short else ''}"
