"""Mask recipients' addresses in everything that is published about a record: `g***@example.com`.

Each recipient's address is found in every text: as written, with its domain in Unicode or in Punycode, URL-encoded in a
link, quoted-printable, in an encoded word (RFC 2047), and in a bounce address (`bounce-gareth=example.com@...`). Other
encodings (base64 in a link, split over two headers) are not found.

A sender's address is an indicator, and is never masked: a sender who writes it into To would otherwise hide it.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar, cast
from urllib.parse import quote

from functions.domain.encoded_words import decoded
from functions.domain.header_fields import HeaderFields
from functions.domain.record import Record
from functions.domain.truncate import TEXT_LIMIT

T = TypeVar("T")

LIST_LIMIT = 60_000
"""Characters of one list that are searched; later items are dropped. A response can have megabytes, and searching them
for hundreds of addresses takes longer than an invocation may."""
MAX_TEXT = 2 * TEXT_LIMIT
"""Characters kept of each text. truncate.py later keeps half of them, so a part of an address at the end of this cut is
never published."""
_AT = re.compile("@|%40|=40|=")
"""An at sign: plain, URL-encoded, quoted-printable, and as in a bounce address."""
_DOMAIN = re.compile(r"[\w.-]{0,255}")


def masked(record: Record, fields: HeaderFields) -> tuple[Record, HeaderFields]:
    """Mask every recipient's address in the record and in its header fields."""
    senders = {*fields.sender_addresses}
    people = [it for it in fields.recipients if it not in senders]
    if not people:
        return record, fields
    mask = _Mask(people)
    result = replace(record, detection=_mask_all(record.detection, mask), details=_mask_all(record.details, mask))
    recipients = tuple(map(mask.hide, fields.recipients))
    return result, replace(_mask_all(fields, mask), recipients=recipients)


class _Mask:
    """Finds the addresses in a text, starting from each at sign."""

    def __init__(self, addresses: Iterable[str]) -> None:
        """Index lower-case addresses by each encoded form of the local part."""
        domains: defaultdict[str, set[str]] = defaultdict(set)
        for address in addresses:
            local, _, domain = address.rpartition("@")
            bare = local.strip('"')
            for form in (local, bare, quote(bare, safe="+").lower(), quote(bare, safe="").lower()):
                domains[form] |= {domain, _in_unicode(domain)}
        self._domains = {local: names - {""} for local, names in domains.items() if local}
        self._lengths = sorted({len(local) for local in self._domains}, reverse=True)
        self.searched = 0
        """Characters searched so far."""

    def hide(self, text: str) -> str:
        """Replace all but the first letter of each local part. An encoded word that has one is decoded."""
        text = text[:MAX_TEXT]
        self.searched += len(text)
        shown = self._hide(text)
        if "=?" in shown:
            plain = decoded(shown)
            hidden = self._hide(plain)
            return shown if hidden == plain else hidden
        return shown

    def _hide(self, text: str) -> str:
        # İ is the only capital whose lower case has two characters. It is replaced first, so that positions in `lower`
        # and in `text` stay the same.
        lower, done = text.replace("İ", "i").lower(), 0
        parts: list[str] = []
        for at in _AT.finditer(lower):
            start = self._start(lower, done, at)
            if start is not None:
                parts += text[done : start + 1], "***"
                done = at.start()
        return "".join((*parts, text[done:]))

    def _start(self, lower: str, min_start: int, at: re.Match[str]) -> int | None:
        """Return where the longest address with this at sign begins."""
        domain = _DOMAIN.match(lower, at.end())
        for start in (at.start() - length for length in self._lengths):
            domains = self._domains.get(lower[start : at.start()]) if start >= min_start else None
            if domains and domain and any(domain[0][:end] in domains for end in range(len(domain[0]), 0, -1)):
                return start
        return None


def _in_unicode(domain: str) -> str:
    """The domain as a person writes it; `xn--bcher-kva.example` is `bücher.example`."""
    try:
        return domain.encode("ascii").decode("idna").lower()
    except UnicodeError:
        return domain


def _mask_all(value: T, mask: _Mask) -> T:
    """Mask every text in a value. Ids, counts and numbers stay unchanged."""
    result: Any = value
    if isinstance(value, str):
        result = mask.hide(value)
    elif isinstance(value, tuple):
        limit = mask.searched + LIST_LIMIT
        result = tuple(_mask_all(it, mask) for it in value if mask.searched < limit)
    elif is_dataclass(value) and not isinstance(value, type):
        members = {field.name: getattr(value, field.name) for field in fields(value)}
        result = type(value)(**{name: _mask_all(it, mask) for name, it in members.items()})
    return cast("T", result)
