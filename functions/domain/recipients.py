"""The recipients of an email, from its message details and its headers."""

import re
from collections.abc import Iterable, Iterator

from functions.domain.addresses import addresses as canonical_addresses
from functions.domain.detection import Detection, Header
from functions.domain.message_details import MessageDetails
from functions.domain.spelling import folded

_RECIPIENT_HEADERS = frozenset(
    {"to", "cc", "bcc", "apparently-to", "delivered-to", "x-delivered-to", "x-original-to", "envelope-to"}
    | {"x-envelope-to", "x-rcpt-to", "resent-to", "resent-cc", "resent-bcc", "received"}
)
"""Headers whose addresses are recipients, in lower case."""
_RECEIVED_FOR = re.compile(r"\bfor\s+<?([^\s<>;@]{1,64}@[^\s<>;@]{1,255})")
_ADDRESS = re.compile(r"(?<![^\s<>()\[\],;:\"@])[^\s<>()\[\],;:\"@]{1,255}@[^\s<>()\[\],;:\"@]{1,255}")
"""The lookbehind starts a match only at the start of a word.

Without it, the search tries every character in turn and takes a second for the headers of one batch.
"""
_QUOTED = re.compile(r'"[^"]*"')
"""A display name. An address inside it is not a recipient."""
_MAX_HEADER_CHARACTERS = 4_000
"""Characters read of one header. A sender can list thousands of recipients, most of them outside this organization."""
_MAX_SEARCHED_CHARACTERS = 5 * _MAX_HEADER_CHARACTERS
"""The same for the values by which a record is found: a hundred recipients with their names."""
_MAX_TOTAL_CHARACTERS = 200 * _MAX_HEADER_CHARACTERS
"""Characters read of all recipient headers of an email: more than fit into an alert."""


def recipients(detection: Detection | None, details: MessageDetails | None) -> tuple[str, ...]:
    """Canonical addresses without display names and duplicates: first from the message details, then from headers."""
    from_details = details.recipients if details else ()
    from_headers = _header_addresses(detection.headers) if detection else ()
    found = (address for text in (*from_details, *from_headers) if "@" in text for address in taken_apart(text))
    return tuple(dict.fromkeys(found))


def taken_apart(text: str) -> tuple[str, ...]:
    """The addresses in a text; the text itself if none of them can be parsed, so that none is lost."""
    return canonical_addresses(text) or tuple(filter(None, (folded(text),)))


def recipient_texts(detection: Detection | None, details: MessageDetails | None) -> Iterator[str]:
    """The texts that name recipients, as the email has them: first from the message details, then from headers."""
    yield from details.recipients if details else ()
    for name, value in _headers(detection.headers if detection else (), _MAX_SEARCHED_CHARACTERS):
        yield from _RECEIVED_FOR.findall(value) if name == "received" else (value,)


def _header_addresses(headers: Iterable[Header]) -> Iterator[str]:
    for name, value in _headers(headers, _MAX_HEADER_CHARACTERS):
        yield from _RECEIVED_FOR.findall(value) if name == "received" else addresses(value)


def _headers(headers: Iterable[Header], limit: int) -> Iterator[tuple[str, str]]:
    characters_left = _MAX_TOTAL_CHARACTERS
    for header in headers:
        name, value = (header.name or "").strip().lower(), (header.value or "")[:limit]
        if name in _RECIPIENT_HEADERS and characters_left > 0:
            characters_left -= len(value)
            yield name, value


def addresses(header: str) -> list[str]:
    """Find the addresses in a header, even in a header that is malformed on purpose.

    The standard library's parser is recursive, and a sender can nest a header more deeply than it can follow.
    """
    return _ADDRESS.findall(_QUOTED.sub(" ", header[:_MAX_HEADER_CHARACTERS]))
