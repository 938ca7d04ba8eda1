"""Text as a mail spells it or an analyst pastes it: trimmed, folded, and defanging undone."""

import re

LONGEST = 500
"""Characters of a canonical value, 4 bytes each at most. A partition key in DynamoDB has up to 2,048 bytes."""
LONGEST_TEXT = 2**21
"""Characters of a text that are read: Chrome opens no longer URL."""

EDGES = (
    "".join(map(chr, (*range(33), 0x7F, 0x85, 0xA0, 0xAD, 0x1680, *range(0x2000, 0x2010), *range(0x2028, 0x2030))))
    + "\u205f\u2060\u3000\ufeff"
)
"""Control characters, white space and invisible marks. A browser drops the first around a URL; a terminal, a mail client
or a chat adds the others."""
_NO_WIDTH = (0x34F, 0x61C, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810), 0x2060, 0x2064, 0x3164, 0xFFA0)
INVISIBLE = dict.fromkeys(
    [*_NO_WIDTH, *range(0x2066, 0x206A), *range(0xFE00, 0xFE10), *(ord(it) for it in EDGES if not it.isspace())]
)
"""What has no width within a word: for `str.translate`, which removes it."""
_SURROGATE = re.compile("[\ud800-\udfff]")
_SIGN = re.compile(r"[\[({] ?(://|//|[:/]|\\\\|[.\u3002\uff0e\uff61@]) ?[\])}]")
_WITHIN = re.compile(r"(?<=[\d.)\uff09])\[([ ~/\-\u2010-\u2015\u2212\u30fc\uff0d]{0,4})\](?=[\d.(\uff08])")
"""As alerts show telephone numbers and `localhost`: `0800[ ]123[ ]4567`, `+4420[]7946[]0018`, `local[]host`."""
_WORD = re.compile(r" ?[\[({] ?(dot|d0t|at) ?[\])}] ?", re.IGNORECASE)
_HXXP = re.compile(r"\bhxxp", re.IGNORECASE)
_HXXP_SCHEME = re.compile(r"\b(?:hxxp|h\*\*p)(?=s?:)", re.IGNORECASE)
_PAIRS = frozenset({'""', "''", "``", "<>", "\u201c\u201d", "\u2018\u2019"})


def refang(text: str) -> str:
    """A pasted text with its defanging, enclosing quotes and trailing commas removed.

    Undoes what alerts print (`hxxps[://]a[.]example[:]8443/x`) and `hxxp`, `(.)`, `{.}`, `[dot]`, `[at]`.
    """
    asked = clean(text).rstrip(",;").rstrip(EDGES)
    for _ in range(3):
        if asked[:1] + asked[-1:] in _PAIRS:
            asked = asked[1:-1].strip(EDGES)
    fanged, signs = _SIGN.subn(r"\1", asked)
    fanged, words = _WORD.subn(lambda it: "@" if it[1].lower() == "at" else ".", fanged)
    fanged = _WITHIN.sub(lambda it: it[1] or "", fanged)
    # Alerts replace `http` in a host too. Without brackets such a host is the sender's own.
    return (_HXXP if signs or words else _HXXP_SCHEME).sub("http", fanged)


def clean(text: str) -> str:
    """The text without what may surround it, and without halves of surrogate pairs, as browsers read it."""
    text = text[:LONGEST_TEXT].strip(EDGES)
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def folded(text: str) -> str:
    """The form of a value that cannot be parsed."""
    return " ".join(text.split()).lower()[:LONGEST].rstrip()


def visible(text: str) -> str:
    """The text without characters that have no width: an alert prints these as spaces, which would break a name in two."""
    return text if text.isascii() and text.isprintable() else text.translate(INVISIBLE)
