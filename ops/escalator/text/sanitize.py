"""Make untrusted text safe for a terminal and for a spreadsheet."""

import csv
import io
import re
from collections.abc import Iterable

from functions.alert.sanitize import plain

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_DEFANGED = re.compile(r"\[(\.|:|@|://)\]")


def one_line(value: object) -> str:
    """A value as one line of visible characters; empty for None."""
    text = "" if value is None else str(value)
    return plain(text, max(len(text), 1))


def visible(text: str, *, lines: bool = False) -> str:
    r"""The text with every invisible character escaped, as in \x1b or \u202e.

    lines: whether to keep line ends.
    """
    return "".join(
        it if it.isprintable() or (lines and it == "\n") else it.encode("unicode_escape").decode("ascii") for it in text
    )


def spreadsheet_safe(text: str) -> str:
    """Prevent CSV injection: put an apostrophe before text that a spreadsheet could run as a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def csv_line(values: Iterable[object]) -> str:
    """Values as one line of CSV that is safe for a spreadsheet, with its line end."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(map(_csv_cell, values))
    return line.getvalue()


def refang(text: str) -> str:
    """Undo defanging, so that a domain or an address copied from an alert (`evil[.]example`) can be looked up."""
    return _DEFANGED.sub(r"\1", text)


def _csv_cell(value: object) -> str:
    """A value as one line. Numbers are not formulas, even with a leading minus."""
    return spreadsheet_safe(one_line(value)) if isinstance(value, str) else one_line(value)
