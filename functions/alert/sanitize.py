"""Make text from an attacker safe to show, without control characters or links."""

import re
import unicodedata
from collections.abc import Iterator

from functions.alert.telephones import undialable

_INVISIBLE = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})
"""Control, format (including bidirectional and zero-width), private, surrogate, unassigned, separators."""
_BLANK = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
"""Letters and marks that Unicode calls default ignorable: they are not in a format category, but have no width."""
_MARKS = frozenset({"Mn", "Me"})
MAX_MARKS = 4
"""Combining marks on one letter. A hundred of them cover the lines above and below."""

_CLICKABLE = re.compile(
    r"://|(?<![\w/])//(?=\S)|(?<=\w):(?=\S)|\\\\|(?<=\S)[.\u3002\uff0e\uff61](?=\S)|(?<=[Ww]{3})\.|(?<=[Ww]{3}\d)\.|@"
)
"""Text that lets a client create a link: a scheme, a host after `//`, a network share, a dot (also a wide one) within a name or after www,
an at sign."""
_RISKY = re.compile(r"[:.@\\\u3002\uff0e\uff61]|//")
"""Quick test: every match of `_CLICKABLE` contains one of these."""
_UNCLICKABLE = re.compile(
    r"(?:(?<=\dT)|(?<![\w:.\]]))(?:\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,9})?Z?)?|[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7})(?![\w:.@/\\])",
    re.IGNORECASE,
)
"""A time, or an IPv6 address: their colons make no link, and `00[:]42` is hard to read."""
_DIGITS = re.compile(r"\d.*\d")
"""Quick test for a telephone number."""
_LOCALHOST = re.compile(r"(local)(host)", re.IGNORECASE)
"""Linkify links it like a domain."""
_CUT = re.compile(r"(?:\[[^\w\].@:]{0,4}\]?[\d()]*)+$")
"""The end of a cut telephone number. Its beginning with one pair of brackets can be a shorter number."""
_HTTP = re.compile(r"\bhttp", re.IGNORECASE)


def plain(text: str, limit: int = 200) -> str:
    """Return one line of visible characters, cut with an ellipsis."""
    shown = text[: limit * 4]
    if not (shown.isascii() and shown.isprintable()):
        shown = "".join(" " if unicodedata.category(c) in _INVISIBLE or _BLANK.match(c) else c for c in shown)
        shown = "".join(_limit_marks(shown))
    shown = " ".join(shown.split())
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def _limit_marks(text: str) -> Iterator[str]:
    """Drop combining marks beyond the number that languages need."""
    marks = 0
    for c in text:
        marks = marks + 1 if unicodedata.category(c) in _MARKS else 0
        if marks <= MAX_MARKS:
            yield c


def defanged(text: str, limit: int = 200) -> str:
    """Return `plain` text that no email or chat client turns into links."""
    shown = plain(text, limit)
    if _DIGITS.search(shown):
        shown = undialable(shown)
    if _RISKY.search(shown):
        kept = _UNCLICKABLE.split(shown)
        parts = [_CLICKABLE.sub(lambda match: f"[{match[0]}]", it) for it in kept]
        between = [it[0] for it in _UNCLICKABLE.finditer(shown)]
        shown = "".join(part + colons for part, colons in zip(parts, [*between, ""], strict=True))
    shown = _LOCALHOST.sub(r"\1[]\2", _HTTP.sub("hxxp", shown))
    return shown if len(shown) <= limit else _CUT.sub("", shown[: limit - 1]).rstrip("[:") + "…"
