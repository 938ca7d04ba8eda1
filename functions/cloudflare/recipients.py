"""Whom a mail was for, as far as its context or its headers say so."""

import re
from collections.abc import Iterable, Iterator

from functions.cloudflare.context import Context
from functions.cloudflare.detection import Detection, Header

_NAMING = frozenset(
    {"to", "cc", "bcc", "apparently-to", "delivered-to", "x-delivered-to", "x-original-to", "envelope-to"}
    | {"x-envelope-to", "x-rcpt-to", "resent-to", "resent-cc", "resent-bcc", "received"}
)
"""Headers whose addresses are recipients, in lower case."""
_RECEIVED_FOR = re.compile(r"\bfor\s+<?([^\s<>;@]{1,64}@[^\s<>;@]{1,255})")
_ADDRESS = re.compile(r"(?<![^\s<>()\[\],;:\"@])[^\s<>()\[\],;:\"@]{1,255}@[^\s<>()\[\],;:\"@]{1,255}")
"""Begins where a word begins: to try each of its letters in turn takes a second for the headers of one batch."""
_QUOTED = re.compile(r'"[^"]*"')
"""A name, in which an address is only said."""
_LONGEST_HEADER = 4_000
"""Characters of a header that are looked at: a sender may list thousands, who are not all ours."""
_LOOKED_AT = 200 * _LONGEST_HEADER
"""Characters of all headers that name recipients: more than an alert has room for."""


def recipients(detection: Detection | None, context: Context | None) -> tuple[str, ...]:
    """Addresses in lower case, each once: those that Cloudflare names, then those that only headers name."""
    named = context.recipients if context else ()
    found = _in(detection.headers) if detection else ()
    return tuple(dict.fromkeys(it.strip().lower() for it in (*named, *found) if "@" in it))


def _in(headers: Iterable[Header]) -> Iterator[str]:
    left = _LOOKED_AT
    for header in headers:
        kind, value = (header.name or "").strip().lower(), (header.value or "")[:_LONGEST_HEADER]
        if kind in _NAMING and left > 0:
            left -= len(value)
            yield from _RECEIVED_FOR.findall(value) if kind == "received" else addresses(value)


def addresses(header: str) -> list[str]:
    """The addresses in a header, also in one that is malformed on purpose.

    The standard library's parser follows the nesting of a header, and a sender can nest it deeper than it can follow.
    """
    return _ADDRESS.findall(_QUOTED.sub(" ", header[:_LONGEST_HEADER]))
