"""Text that an attacker wrote, made safe to show to a human: no control of the display, nothing to click on."""

import re
import unicodedata
from collections.abc import Iterator

_INVISIBLE = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})
"""Control, format (bidirectional and zero-width are among these), private, surrogate, unassigned, separators."""
_BLANK = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
"""Letters and marks that Unicode calls default ignorable: format in all but name."""
_MARKS = frozenset({"Mn", "Me"})
MOST_MARKS = 4
"""On one letter. A hundred of them cover the lines above and below."""

_CLICKABLE = re.compile(r"://|(?<=\w):(?=\S)|\\\\|(?<=\S)[.\u3002\uff0e\uff61](?=\S)|(?<=[Ww]{3})\.|(?<=[Ww]{3}\d)\.|@")
"""What makes a link of its surroundings: a scheme, a network share, a dot within a name (the wide ones too) or after www,
an at."""
_RISKY = re.compile(r"[:.@\\\u3002\uff0e\uff61]")
"""Without one of these there is none of those, which takes longer to see."""
_HTTP = re.compile(r"\bhttp", re.IGNORECASE)


def plain(text: str, limit: int = 200) -> str:
    """One line of visible characters, at most `limit` of them, cut with an ellipsis."""
    shown = text[: limit * 4]
    if not (shown.isascii() and shown.isprintable()):
        shown = "".join(" " if unicodedata.category(c) in _INVISIBLE or _BLANK.match(c) else c for c in shown)
        shown = "".join(_no_tower(shown))
    shown = " ".join(shown.split())
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def _no_tower(text: str) -> Iterator[str]:
    """The characters but for those marks that would stand higher than any language builds them."""
    marks = 0
    for c in text:
        marks = marks + 1 if unicodedata.category(c) in _MARKS else 0
        if marks <= MOST_MARKS:
            yield c


def defanged(text: str, limit: int = 200) -> str:
    """The same, with URLs, domains and addresses written so that no mail or chat client makes them a link."""
    shown = plain(text, limit)
    if _RISKY.search(shown):
        shown = _CLICKABLE.sub(lambda found: f"[{found[0]}]", shown)
    shown = _HTTP.sub("hxxp", shown)
    return shown if len(shown) <= limit else shown[: limit - 1].rstrip("[") + "…"
