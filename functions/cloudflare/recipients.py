"""Whom a mail was for, as far as its context or its headers say so."""

import re

from functions.cloudflare.context import Context
from functions.cloudflare.detection import Detection

_NAMING = frozenset(
    {"to", "cc", "bcc", "apparently-to", "delivered-to", "x-delivered-to", "x-original-to", "envelope-to"}
    | {"x-envelope-to", "x-rcpt-to", "resent-to", "resent-cc", "resent-bcc"}
)
"""Headers whose addresses are recipients, in lower case."""
_RECEIVED_FOR = re.compile(r"\bfor\s+<?([^\s<>;@]{1,64}@[^\s<>;@]{1,255})")
_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"@]{1,64}@[^\s<>()\[\],;:\"@]{1,255}")
_QUOTED = re.compile(r'"[^"]*"')
"""A name, in which an address is only said."""
_LONGEST_HEADER = 4_000
"""Characters of a header that are looked at: a sender may list thousands, who are not all ours."""
_HEADERS = 200


def recipients(detection: Detection | None, context: Context | None) -> tuple[str, ...]:
    """Addresses in lower case, each once: those that Cloudflare names, then those that only headers name."""
    named = context.recipients if context else ()
    found = (
        address
        for header in (detection.headers[:_HEADERS] if detection else ())
        for address in _in(header.name, header.value)
    )
    return tuple(dict.fromkeys(it.strip().lower() for it in (*named, *found) if "@" in it))


def _in(name: str | None, value: str | None) -> list[str]:
    kind, value = (name or "").lower(), (value or "")[:_LONGEST_HEADER]
    if kind == "received":
        return _RECEIVED_FOR.findall(value)
    return addresses(value) if kind in _NAMING else []


def addresses(header: str) -> list[str]:
    """The addresses in a header, also in one that is malformed on purpose.

    The standard library's parser follows the nesting of a header, and a sender can nest it deeper than it can follow.
    """
    return _ADDRESS.findall(_QUOTED.sub(" ", header[:_LONGEST_HEADER]))
