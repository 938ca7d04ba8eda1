r"""Indicators: what a mail is searched by, each in one canonical form.

The canonical form is what the ledger stores, what a search asks for, and what alerts list. So a spelling never hides a
record:

    HOST, DOMAIN  hTTps:/\user@B%C3%BCcher.example.:8443/x   xn--bcher-kva.example
                  http://0x7f.1/                             127.0.0.1
    IP            [2001:0DB8:0::1%eth0]                      2001:db8::1
                  ::ffff:192.0.2.1                           192.0.2.1
    ADDRESS       "Lee, Ann" (work) <Ann.Lee@Corp.example>   ann.lee@corp.example
    HASH          SHA-256 = E3 B0 C4 42 ...                  e3b0c442...
    MESSAGE_ID    <CAF+1@mail.Example>                       caf+1@mail.example

Message-IDs are compared without case, like local parts: a log may change it, and no two differ in case alone.

A value that cannot be parsed is stored and found as it is: trimmed, in lower case, each run of white space one space, at
most 500 characters.

All of it takes linear time on hostile text. Each regular expression starts only where a word starts, or cannot give back
what it took. Comments are counted, not followed. A host that is longer than DNS allows is not parsed.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from functions.domain.addresses import addresses
from functions.domain.hosts import ip, ip_in_any_base, opened_host, raw_host
from functions.domain.spelling import EDGES, INVISIBLE, LONGEST, clean, folded, refang

HASH_NAMES = {32: "MD5", 40: "SHA-1", 64: "SHA-256"}
"""The algorithm of a hash, by its number of hexadecimal digits."""


class IndicatorKind(StrEnum):
    """What an indicator is."""

    HOST = "host"
    """Of a link."""
    DOMAIN = "domain"
    """Of a sender. It has the form of a host."""
    IP = "ip"
    ADDRESS = "address"
    HASH = "hash"
    """Of an attachment."""
    MESSAGE_ID = "message_id"


@dataclass(frozen=True, slots=True)
class Indicator:
    """A kind and its canonical value."""

    kind: IndicatorKind
    value: str


class InvalidIndicator(ValueError):
    """A text cannot be the kind of indicator that was asked for. The message says what to give instead."""


def canonical(kind: IndicatorKind, text: str) -> str:
    """The canonical form, for storing. Never raises; empty if the text has no such thing, as `mailto:` has no host."""
    text = clean(text)
    match kind:
        case IndicatorKind.HOST | IndicatorKind.DOMAIN:
            raw = raw_host(text)
            return opened_host(raw) or folded(raw)
        case IndicatorKind.IP:
            return ip_in_any_base(text) or folded(text)
        case IndicatorKind.ADDRESS:
            return next(iter(addresses(text)), None) or folded(text)
        case IndicatorKind.HASH:
            return _hash(text) or folded(text)
        case IndicatorKind.MESSAGE_ID:
            return _message_id(text)


def search_key(kind: IndicatorKind, text: str) -> str:
    """The form in which the ledger stores a value and looks for it: equal for all that looks alike in an alert.

    A sender can use the signs of defanging in a name (`a(.)b.example`, `hxxp.example`), and an alert prints a line break or
    an invisible character of a name as a space. What an analyst pastes back is then another name, with the same key.
    """
    value = canonical(kind, text)
    for _ in range(3):
        if not _AMBIGUOUS.search(value):
            return value
        spelled = refang(value)
        if kind in {IndicatorKind.HOST, IndicatorKind.DOMAIN}:
            spelled = "".join(spelled.split())
        again = canonical(kind, spelled).replace("hxxp", "http")
        if not again or again == value:
            return value
        value = again
    return value


def parse_asked(kind: IndicatorKind, text: str) -> str:
    """The canonical form of what an analyst asks for, in any spelling. Raises InvalidIndicator."""
    asked = refang(text)
    value = canonical(kind, asked)
    shown = f"`{asked[:80]}`"
    is_host = kind in {IndicatorKind.HOST, IndicatorKind.DOMAIN}
    if not value:
        missing = "host: expected a URL or a host such as evil.example" if is_host else "value"
        raise InvalidIndicator(f"{shown} has no {missing}.")
    if (raw_host(asked) if is_host else asked).endswith("…"):
        raise InvalidIndicator(f"{shown} is cut off at the end. Give the whole value.")
    if kind is IndicatorKind.IP and not ip_in_any_base(asked):
        raise InvalidIndicator(f"{shown} is not an IP address: expected one such as 192.0.2.1 or 2001:db8::1.")
    if kind is IndicatorKind.HASH and not _hash(asked):
        raise InvalidIndicator(f"{shown} is not a hash: expected 32, 40 or 64 hexadecimal digits.")
    if kind is IndicatorKind.ADDRESS and len(addresses(asked)) > 1:
        raise InvalidIndicator(f"{shown} has more than one address. Give one.")
    return value


def recognize(text: str) -> list[Indicator]:
    """What a pasted text can be, most likely first; empty if it is no indicator. Ids of mails are not looked for."""
    asked = refang(text)
    if header := _MESSAGE_ID_HEADER.match(asked):
        return _each(_message_id(asked[header.end() :]), IndicatorKind.MESSAGE_ID)
    certain = _each(_hash(asked), IndicatorKind.HASH) or _each(ip(asked), IndicatorKind.IP, IndicatorKind.HOST)
    if certain:
        return certain
    if _URL.match(asked):
        linked = canonical(IndicatorKind.HOST, asked)
        return _each(linked, IndicatorKind.HOST, *([IndicatorKind.IP] if ip(linked) else []))
    one_word = len(asked.split()) == 1
    if found := _addresses_or_id(asked, one_word=one_word, bracketed=clean(text).startswith("<")):
        return found
    host = opened_host(raw_host(asked))
    if not one_word or not host or "." not in host:
        return []
    return _each(host, IndicatorKind.HOST, IndicatorKind.IP if ip(host) else IndicatorKind.DOMAIN)


def _addresses_or_id(asked: str, *, one_word: bool, bracketed: bool) -> list[Indicator]:
    """An address and a Message-ID look the same. In angle brackets alone it is rather an id."""
    named = [Indicator(IndicatorKind.ADDRESS, it) for it in addresses(asked)]
    if not one_word or len(named) > 1 or ":" in asked or not (named or bracketed):
        return named
    ids = _each(_message_id(asked), IndicatorKind.MESSAGE_ID)
    return [*ids, *named] if bracketed else [*named, *ids]


def _each(value: str | None, *kinds: IndicatorKind) -> list[Indicator]:
    return [Indicator(kind, value) for kind in kinds] if value else []


_AMBIGUOUS = re.compile(r"[\[({ ]|hxxp|h\*\*p|[,;]$|^[\"'`<\u201c\u2018]")
_URL = re.compile(r"[a-z][a-z0-9+.-]*+:[/\\]|https?:|ftp:|[/\\]{2}", re.IGNORECASE | re.ASCII)
_MESSAGE_ID_HEADER = re.compile(r"message-id\s*+:", re.IGNORECASE)

_HASH_NAME = re.compile(
    r"(?:urn:)?(?:sha[-_ ]?(?:2[-_])?256|sha[-_ ]?1|md[-_ ]?5|hash|0x)(?:sum|[ _-]?hash)?(?:\([^()]*+\))?\s*+[:=]?\s*+(?:0x)?",
    re.IGNORECASE,
)
_HASH_DIGITS = re.compile(r"[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}")
_GROUPING = re.compile(r"[\s:-]+")
_IN_BRACKETS = re.compile(r"<([^<>]++)>")


def _hash(text: str) -> str | None:
    """Without its name, in any grouping, or as the first word of what `sha256sum` prints."""
    name = _HASH_NAME.match(text)
    digits = text[name.end() if name else 0 :][:LONGEST].lower()
    for candidate in (_GROUPING.sub("", digits), *digits.split()[:1]):
        if _HASH_DIGITS.fullmatch(candidate):
            return candidate
    return None


def _message_id(text: str) -> str:
    found = _IN_BRACKETS.search(text)
    return folded("".join((found[1] if found else text).translate(INVISIBLE).split()).strip(f"<>{EDGES}"))
