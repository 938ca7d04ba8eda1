"""Lines of CSV that are safe to open in a spreadsheet: no text of an email runs as a formula (CSV injection)."""

import csv
import io
from collections.abc import Iterable

from ops.escalator.text.sanitize import one_line

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def spreadsheet_safe(text: str) -> str:
    """Prevent CSV injection: put an apostrophe before text that a spreadsheet could run as a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def csv_line(values: Iterable[object]) -> str:
    """Values as one line of CSV that is safe for a spreadsheet, with its line end."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(map(_csv_cell, values))
    return line.getvalue()


def _csv_cell(value: object) -> str:
    """A value as one line. Numbers are not formulas, even with a leading minus."""
    return spreadsheet_safe(one_line(value)) if isinstance(value, str) else one_line(value)
