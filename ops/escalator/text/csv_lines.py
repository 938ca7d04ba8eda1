"""Lines of CSV that are safe to open in a spreadsheet: no text of an email runs as a formula (CSV injection)."""

import csv
import io
import re
from collections.abc import Iterable

from ops.escalator.text.sanitize import one_line

_FORMULA = re.compile(r"(^|[;,\t|])([\s\"']*)([=+\-@\uff1d\uff0b\uff0d\uff20])")
"""The beginning of a formula, also in full width, where a spreadsheet begins a cell: at the start of the text, or after a
character at which it may split the line. It drops white space and quotes before it."""


def spreadsheet_safe(text: str) -> str:
    """Prevent CSV injection: put an apostrophe before text that a spreadsheet could run as a formula."""
    safe = _FORMULA.sub(r"\1'\2\3", text)
    return f"'{safe}" if text.startswith(("\t", "\r", "\n")) and not safe.startswith("'") else safe


def csv_line(values: Iterable[object]) -> str:
    """Values as one line of CSV that is safe for a spreadsheet, with its line end."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(map(_csv_cell, values))
    return line.getvalue()


def _csv_cell(value: object) -> str:
    """A value as one line. Numbers are not formulas, even with a leading minus."""
    return spreadsheet_safe(one_line(value)) if isinstance(value, str) else one_line(value)
