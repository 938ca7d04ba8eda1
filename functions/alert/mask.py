"""Recipients' addresses made unreadable in everything that is published of a record: `g***@example.com`.

Each address that is known to be a recipient's is found wherever it stands, also encoded in a link, and as a sender's
address for bounces has it (`bounce-gareth=example.com@...`). One that is hidden otherwise (in base 64, split over two
headers) is not found.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar, cast
from urllib.parse import quote

from functions.cloudflare.excerpt import TEXT_LIMIT
from functions.ledger.record import Record

T = TypeVar("T")

LIST_LIMIT = 60_000
"""Characters of one list in which addresses are looked for; what comes after them is left out. To search the megabytes
that an answer can have for hundreds of addresses takes longer than an invocation has."""
LONGEST_TEXT = 2 * TEXT_LIMIT
"""Of each text so much is left. It is cut again, to half of it, so that no address at its end is shown in part."""
_AT = re.compile("@|%40|=40|=")
"""An at sign as it is, in a URL, in a quoted-printable text, and in an address for bounces."""
_DOMAIN = re.compile(r"[\w.-]{0,255}")


def masked(record: Record, people: Sequence[str]) -> tuple[Record, tuple[str, ...]]:
    """The record and its recipients with every recipient's address masked: as many of them as before.

    people: the recipients, in lower case.
    """
    if not people:
        return record, ()
    mask = _Mask(people)
    shown = replace(record, detection=_each(record.detection, mask), context=_each(record.context, mask))
    return shown, tuple(map(mask.hide, people))


class _Mask:
    """Knows addresses again: at each at sign, by the domain behind it and the local part before it."""

    def __init__(self, addresses: Iterable[str]) -> None:
        """In lower case."""
        domains: defaultdict[str, set[str]] = defaultdict(set)
        for address in addresses:
            local, _, domain = address.rpartition("@")
            for form in (local, quote(local, safe="+").lower(), quote(local, safe="").lower()):
                domains[form].add(domain)
        self._domains = {local: its - {""} for local, its in domains.items() if local}
        self._lengths = sorted({len(local) for local in self._domains}, reverse=True)
        self.searched = 0
        """Characters so far."""

    def hide(self, text: str) -> str:
        """The text with all but the first letter of each local part replaced."""
        text = text[:LONGEST_TEXT]
        self.searched += len(text)
        # The one capital whose small letter takes two characters; positions have to stay what they are.
        low, done = text.replace("İ", "i").lower(), 0
        shown: list[str] = []
        for at in _AT.finditer(low):
            start = self._start(low, done, at)
            if start is not None:
                shown += text[done : start + 1], "***"
                done = at.start()
        return "".join((*shown, text[done:]))

    def _start(self, low: str, least: int, at: re.Match[str]) -> int | None:
        """Where the longest address begins whose at sign this is."""
        domain = _DOMAIN.match(low, at.end())
        for start in (at.start() - length for length in self._lengths):
            known = self._domains.get(low[start : at.start()]) if start >= least else None
            if known and domain and any(domain[0][:end] in known for end in range(len(domain[0]), 0, -1)):
                return start
        return None


def _each(value: T, mask: _Mask) -> T:
    """The value with every text in it changed; ids, counts and numbers as they are."""
    result: Any = value
    if isinstance(value, str):
        result = mask.hide(value)
    elif isinstance(value, tuple):
        until = mask.searched + LIST_LIMIT
        result = tuple(_each(it, mask) for it in value if mask.searched < until)
    elif is_dataclass(value) and not isinstance(value, type):
        named = {field.name: getattr(value, field.name) for field in fields(value)}
        result = type(value)(**{name: _each(it, mask) for name, it in named.items()})
    return cast("T", result)
