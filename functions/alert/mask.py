"""Recipients' addresses made unreadable in everything that is published of a record: `g***@example.com`.

Each address that is known to be a recipient's is found wherever it stands, also percent-encoded in a link. One that is
hidden otherwise (in base 64, split over two headers) is not found.
"""

import re
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar, cast
from urllib.parse import quote

from functions.cloudflare.recipients import recipients
from functions.ledger.record import Record

T = TypeVar("T")

MOST = 500
"""Addresses that are looked for. A mail to more people than that is a list's."""


def masked(record: Record) -> Record:
    """The record with every recipient's address masked in its detection and its context."""
    addresses = recipients(record.detection, record.context)
    if not addresses:
        return record
    # Of the longest first: one may stand within another.
    forms = sorted({form for it in addresses[:MOST] for form in (it, quote(it, safe="+"), quote(it, safe=""))}, key=len)
    pattern = re.compile("|".join(re.escape(it) for it in reversed(forms)), re.IGNORECASE)

    def hide(text: str) -> str:
        return pattern.sub(lambda found: _masked(found.group()), text)

    return replace(record, detection=_each(record.detection, hide), context=_each(record.context, hide))


def _each(value: T, hide: Callable[[str], str]) -> T:
    """The value with every text in it changed; ids, counts and numbers as they are."""
    result: Any = value
    if isinstance(value, str):
        result = hide(value)
    elif isinstance(value, tuple):
        result = tuple(_each(it, hide) for it in value)
    elif is_dataclass(value) and not isinstance(value, type):
        named = {field.name: getattr(value, field.name) for field in fields(value)}
        result = type(value)(**{name: _each(it, hide) for name, it in named.items()})
    return cast("T", result)


def _masked(address: str) -> str:
    """Of `gareth@example.com` the first letter and the domain."""
    local, at, domain = re.split(r"(@|%40)", address, maxsplit=1, flags=re.IGNORECASE)
    return f"{local[:1]}***{at}{domain}"
