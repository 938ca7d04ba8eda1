"""Make text from an attacker safe to show, without control characters or links."""

import re
import unicodedata
from collections.abc import Iterator

_INVISIBLE = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})
"""Control, format (including bidirectional and zero-width), private, surrogate, unassigned, separators."""
_BLANK = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
"""Letters and marks that Unicode calls default ignorable: they are not in a format category, but have no width."""
_MARKS = frozenset({"Mn", "Me"})
MAX_MARKS = 4
"""Combining marks on one letter. A hundred of them cover the lines above and below."""

_CLICKABLE = re.compile(r"://|(?<=\w):(?=\S)|\\\\|(?<=\S)[.\u3002\uff0e\uff61](?=\S)|(?<=[Ww]{3})\.|(?<=[Ww]{3}\d)\.|@")
"""Text that lets a client create a link: a scheme, a network share, a dot (also a wide one) within a name or after www,
an at sign."""
_RISKY = re.compile(r"[:.@\\\u3002\uff0e\uff61]")
"""Quick test: every match of `_CLICKABLE` contains one of these characters."""
_UNCLICKABLE = re.compile(
    r"(?:(?<=\dT)|(?<![\w:.\]]))(?:\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,9})?Z?)?|[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7})(?![\w:.@/\\])",
    re.IGNORECASE,
)
"""A time, or an IPv6 address: their colons make no link, and `00[:]42` is hard to read."""
_TELEPHONE = re.compile(
    r"(?<![\w.:/@=&?%#-])(?:\+\d{8,15}|\+?\(?\d{1,5}\)?(?:[ ./-]{1,2}\(?\d{2,6}\)?){1,5}|[01]\d{9,12})(?![\w:/@-])"
)
"""A telephone number, which a phone dials when it is touched. A sender of a callback scam wants just that."""
_LEAST_DIGITS, _MOST_DIGITS = 8, 15
"""Of a telephone number with separators; 15 is the maximum of ITU-T E.164."""
_DATE = re.compile(r"\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./]\d{4}|\d{1,3}(?:\.\d{1,3}){3}")
"""A date or an IPv4 address."""
_SEPARATOR = re.compile(r"[ ./-]{1,2}")
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
    if _DIGIT.search(shown):
        shown = _TELEPHONE.sub(_undialable, shown)
    if _RISKY.search(shown):
        kept = _UNCLICKABLE.split(shown)
        parts = [_CLICKABLE.sub(lambda match: f"[{match[0]}]", it) for it in kept]
        between = [it[0] for it in _UNCLICKABLE.finditer(shown)]
        shown = "".join(part + colons for part, colons in zip(parts, [*between, ""], strict=True))
    shown = _HTTP.sub("hxxp", shown)
    return shown if len(shown) <= limit else shown[: limit - 1].rstrip("[:") + "…"


_DIGIT = re.compile(r"[0-9]{2}")


def _undialable(match: re.Match[str]) -> str:
    """The number with its separators, or its middle digits, in brackets."""
    number = match[0]
    digits = sum(map(str.isdigit, number))
    if not _LEAST_DIGITS <= digits <= _MOST_DIGITS or _DATE.fullmatch(number):
        return number
    if _SEPARATOR.search(number):
        # A dot is put in brackets later, like every dot in a name.
        return _SEPARATOR.sub(lambda it: it[0] if it[0] == "." else f"[{it[0]}]", number)
    third = len(number) // 3
    return f"{number[:third]}[{number[third : 2 * third]}]{number[2 * third :]}"
