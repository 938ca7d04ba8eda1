"""A record as a line of an export."""

import csv
import io
import json
from collections.abc import Callable, Iterable
from typing import Any

from ops.escalator.columns import FLAT, flat
from ops.escalator.text import csv_cell
from ops.escalator.trail import Item


def jsonl(record: Item) -> str:
    """The record whole, as JSON in one line."""
    return f"{json.dumps(record)}\n"


def csv_line(record: Item) -> str:
    """The record's flat columns, as in `history --csv`."""
    row = flat(record)
    return _csv(csv_cell(row[name]) for name in FLAT)


def _csv(cells: Iterable[Any]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()


FORMATS: dict[str, Callable[[Item], str]] = {"jsonl": jsonl, "csv": csv_line}
HEADINGS = {"csv": _csv(FLAT)}
"""What stands above the lines."""
