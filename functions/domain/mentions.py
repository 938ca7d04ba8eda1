"""What a text mentions: URLs, hosts, addresses, IP addresses and hashes, in whatever spelling.

For texts about an email, such as Cloudflare's findings, and for URLs inside other URLs, such as the target of a redirect.
A text is in part the sender's. It does not say where a URL ends, so each reading counts: `https://a,b@evil.example` names
`evil.example` for a browser, and `https://evil.example),` names it for a reader.
"""

import re
from collections.abc import Iterator
from urllib.parse import unquote

from functions.domain.addresses import addresses
from functions.domain.hosts import ip, opened_host
from functions.domain.indicators import HASH_NAMES, Indicator, IndicatorKind, canonical
from functions.domain.spelling import clean, refang

LONGEST_TEXT = 20_000
"""Characters of one text that are searched. A URL that is the whole text is read to its end."""
MAX_NESTED = 10
"""URLs that are read inside one URL."""

_ANYTHING = re.compile(r"[.:@/\\\u3002\uff0e\uff61\uff20]|[0-9a-f]{32}", re.IGNORECASE)
"""Quick test: a text with an indicator has one of these. `_value` finds hashes that are written in groups."""
_DEFANGED = re.compile(r"[\[({]|hxxp|h\*\*p", re.IGNORECASE)
_URL = re.compile(
    r"(?:(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,20}+:[/\\]|(?:https?|ftp|(?<![a-z])wss?):|www\.|[/\\]{2})[^\s\"<>]*+",
    re.IGNORECASE | re.ASCII,
)
_NESTED = re.compile(r"(?:https?|ftp|(?<![a-z])wss?)(?::|%(?:25)*3a)", re.IGNORECASE)
_URL_STARTS = re.compile(
    r"[a-z][a-z0-9+.-]{0,20}+:[/\\]|(?:https?|ftp|(?<![a-z])wss?):|www\.|[/\\]{2}", re.IGNORECASE | re.ASCII
)
_USER_WITH_AMPERSAND = re.compile(r"[a-z]+:[/\\]*[^/\\?#&]*&[^/\\?#]*@", re.IGNORECASE)
_CLOSING = re.compile(r"[(),;'`|{}\u2026]")
_END = ".!?\u2026"
_WORD = re.compile(r"[^\s\"'<>(),;=|\[\]{}`]+")
_NAME = re.compile(r"[^:/\\?#&!\u2026*]+")
_HOST_NAME = re.compile(r"(?:[a-z0-9_-]{1,63}\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]+)")
_DOTS = re.compile("[.\u3002\uff0e\uff61]")
_AFTER_USER = re.compile(r"@[^@/\\]+[/\\:]")
_IPV4 = re.compile(r"(?<![0-9a-z.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9a-z])", re.IGNORECASE)
_IPV6 = re.compile(r"(?<![0-9a-f:.])[0-9a-f]{0,4}:[0-9a-f:.]+", re.IGNORECASE)
_HASH = re.compile(r"(?<![0-9a-z])[0-9a-f]{32,64}(?![0-9a-z])", re.IGNORECASE)
_GROUPED_HASH = re.compile(
    r"(?:sha[- ]?256|sha[- ]?1|md[- ]?5|hash)[^0-9a-z]{0,4}((?:[0-9a-f][\s:-]?){31,63}[0-9a-f])(?![0-9a-z])",
    re.IGNORECASE,
)


def mentioned(text: str) -> Iterator[Indicator]:
    """The indicators of a text. HOST: of a URL. DOMAIN: a name in the text. A value can come twice."""
    text = clean(text)
    yield from _value(text)
    text = text[:LONGEST_TEXT]
    if not _ANYTHING.search(text):
        return
    yield from _in_text(text)
    if _DEFANGED.search(text) and (fanged := refang(text)) != text:
        yield from _in_text(fanged)


def urls_in(text: str) -> list[str]:
    """The URLs of a text, without what follows them in a sentence."""
    text = clean(text)
    if _URL_STARTS.match(text) and len(text.split()) == 1:
        return [text.rstrip(_END + ",;)")]
    found = refang(text[:LONGEST_TEXT])
    return [_shortest(it) if "@" not in it else it.rstrip(_END) for it in _URL.findall(found) if _URL_STARTS.match(it)]


def has_nested(url: str) -> bool:
    """Whether a URL has further URLs inside."""
    return _NESTED.search(url, 1, LONGEST_TEXT) is not None


def nested_hosts(url: str) -> Iterator[str]:
    """The hosts of URLs inside a URL, also percent-encoded, such as the target of a redirect."""
    inner = url[:LONGEST_TEXT]
    for number, found in enumerate(_NESTED.finditer(inner, 1)):
        if number == MAX_NESTED:
            return
        rest = inner[found.start() :][:2_000]
        target = rest.partition("&")[0]
        # An ampersand ends the parameter, or belongs to a user name in the URL.
        for it in (target, rest) if _USER_WITH_AMPERSAND.match(rest) else (target,):
            yield from _hosts(_decoded(it))


def _decoded(text: str) -> str:
    """The text without percent-encoding, of which each redirect adds one."""
    for _ in range(3):
        if "%" not in text:
            break
        text = unquote(text)
    return text


def _value(text: str) -> Iterator[Indicator]:
    """What the text is as a whole: a URL whose user name has spaces, or a hash in groups."""
    if _URL_STARTS.match(text):
        yield from _hosts_as(IndicatorKind.HOST, iter([canonical(IndicatorKind.HOST, text)]))
    elif 32 <= len(text) <= 200 and len(found := canonical(IndicatorKind.HASH, text)) in HASH_NAMES and found.isalnum():
        yield Indicator(IndicatorKind.HASH, found)


def _in_text(text: str) -> Iterator[Indicator]:
    for url in _URL.findall(text):
        yield from _hosts_as(IndicatorKind.HOST, _hosts(url))
        yield from _hosts_as(IndicatorKind.HOST, nested_hosts(url))
    for digits in _HASH.findall(text):
        if len(digits) in HASH_NAMES:
            yield Indicator(IndicatorKind.HASH, digits.lower())
    for grouped in _GROUPED_HASH.findall(text):
        yield Indicator(IndicatorKind.HASH, canonical(IndicatorKind.HASH, grouped))
    rest = _URL.sub(" ", text)
    if "@" in rest or "\uff20" in rest:
        yield from (Indicator(IndicatorKind.ADDRESS, it) for it in addresses(rest))
    for digits in _IPV4.findall(rest):
        yield from _hosts_as(IndicatorKind.IP, iter([ip(digits) or ""]))
    if ":" in rest:
        for digits in _IPV6.findall(rest):
            found = ip(digits) or ip(digits.strip(".").removesuffix(":")) or ip(digits.strip(".").removeprefix(":"))
            yield from _hosts_as(IndicatorKind.IP, iter([found or ""]))
    yield from (Indicator(IndicatorKind.DOMAIN, it) for it in _names(rest))


def _hosts_as(kind: IndicatorKind, hosts: Iterator[str]) -> Iterator[Indicator]:
    for host in hosts:
        if host:
            yield Indicator(kind, host)


def _hosts(url: str) -> Iterator[str]:
    """The hosts that a URL in a text can have: with what follows it in a sentence, and without."""
    short = _shortest(url)
    yield canonical(IndicatorKind.HOST, short)
    if len(short) < len(url.rstrip(_END)):
        yield canonical(IndicatorKind.HOST, url)


def _shortest(url: str) -> str:
    short = _CLOSING.split(url, maxsplit=1)[0]
    return (short if "[" in short else short.partition("]")[0]).rstrip(_END)


def _names(text: str) -> Iterator[str]:
    """The names of hosts that stand alone, such as `evil.example` or `evil.example:8443/login`."""
    for word in _WORD.findall(text):
        if not _DOTS.search(word):
            continue
        if "@" in word:
            if _AFTER_USER.search(word):
                yield canonical(IndicatorKind.HOST, word)
            continue
        for name in _NAME.findall(word):
            if _DOTS.search(name, 1) and (host := opened_host(name.strip("."))) and _HOST_NAME.fullmatch(host):
                yield host
