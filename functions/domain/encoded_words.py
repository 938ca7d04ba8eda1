"""Encoded words (RFC 2047): how a header spells text outside ASCII, as in `=?utf-8?B?SGVsbG8=?=`."""

import re
from email.errors import HeaderParseError
from email.header import decode_header

from functions.domain.json_values import text as valid_text

LONGEST_TEXT = 4_000
"""Characters that are decoded. RFC 5322 allows 998 in a line. The rest stays as it is."""
_LANGUAGE = re.compile(r"\*.*")
"""The language that RFC 2231 allows after a charset."""
_FOLD = re.compile(r"\r?\n(?=[ \t])")


def decoded(text: str) -> str:
    """The text with its encoded words decoded, in every charset that Python knows.

    A word that cannot be decoded stays as it is; bytes that the charset does not know become U+FFFD.
    """
    if "=?" not in text:
        return text
    start, rest = _FOLD.sub("", text[:LONGEST_TEXT]), text[LONGEST_TEXT:]
    try:
        parts = decode_header(start)
    except (HeaderParseError, ValueError):  # binascii.Error is a ValueError
        return text
    return (valid_text("".join(_part(*it) for it in parts)) or "") + rest


def _part(content: bytes | str, charset: str | None) -> str:
    if isinstance(content, str):
        return content
    if charset is None:  # what the package does to text between encoded words
        return content.decode("raw-unicode-escape", "replace")
    try:
        return content.decode(_LANGUAGE.sub("", charset), "replace")
    except (LookupError, ValueError):
        return content.decode("utf-8", "replace")
