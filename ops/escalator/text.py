"""Text that anybody may have written, made safe for a terminal and for a spreadsheet."""

import re

from functions.alert.plain_text import plain

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")

_DEFANGED = re.compile(r"\[(\.|:|@|://)\]")


def one_line(value: object) -> str:
    """A value as one line of visible characters; nothing for None."""
    text = "" if value is None else str(value)
    return plain(text, max(len(text), 1))


def visible(text: str, *, lines: bool = False) -> str:
    r"""The text with every character that cannot be seen written out, as in \x1b or \u202e.

    lines: whether line ends stay as they are.
    """
    return "".join(
        it if it.isprintable() or (lines and it == "\n") else it.encode("unicode_escape").decode("ascii") for it in text
    )


def spreadsheet_safe(text: str) -> str:
    """The text as no spreadsheet takes it for a formula: with an apostrophe before it where one might."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def csv_cell(value: object) -> str:
    """A value as one line for a spreadsheet. Numbers are no formulas, also where they begin with a minus."""
    return spreadsheet_safe(one_line(value)) if isinstance(value, str) else one_line(value)


def refanged(text: str) -> str:
    """A domain or an address as it is, where it was copied from an alert, which has `[.]` for its dots."""
    return _DEFANGED.sub(r"\1", text)
