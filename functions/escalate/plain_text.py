"""Text that an attacker wrote, made safe to show to a human: no control of the display, nothing to click on."""

import unicodedata

_INVISIBLE = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})
"""Control, format (bidirectional and zero-width are among these), private, surrogate, unassigned, separators."""


def plain(text: str, limit: int = 200) -> str:
    """One line of visible characters, at most `limit` of them, cut with an ellipsis."""
    shown = "".join(" " if unicodedata.category(c) in _INVISIBLE else c for c in text[: limit * 4])
    shown = " ".join(shown.split())
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def defanged(text: str, limit: int = 200) -> str:
    """The same, with URLs, domains and addresses written so that no mail or chat client makes them a link."""
    broken = plain(text, limit).replace("://", "[://]").replace(".", "[.]").replace("@", "[@]")
    return "hxxp" + broken[4:] if broken.lower().startswith("http") else broken
