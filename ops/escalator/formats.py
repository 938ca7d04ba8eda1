"""A record as a line of an export."""

import csv
import io
import json
from collections.abc import Callable, Iterable
from typing import Any

from functions.alert.alert import describe
from functions.escalate.outcome import Outcome
from functions.ledger.item import read_record
from ops.escalator.columns import FLAT, flat
from ops.escalator.text import csv_cell
from ops.escalator.trail import Item

_ALERTED = frozenset({Outcome.ESCALATED, Outcome.CLOSED})


def jsonl(record: Item) -> str:
    """The record whole, as JSON in one line."""
    return f"{json.dumps(record)}\n"


def ocsf(record: Item) -> str:
    """The alert about the record, as an OCSF Detection Finding; nothing for a record of what nobody was alerted about."""
    if record["outcome"] not in _ALERTED:
        return ""
    alert = describe(read_record(record))
    return f"{json.dumps(json.loads(alert.bodies['default']))}\n"


def csv_line(record: Item) -> str:
    """The record's flat columns, as in `history --csv`."""
    row = flat(record)
    return _csv(csv_cell(row[name]) for name in FLAT)


def _csv(cells: Iterable[Any]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()


FORMATS: dict[str, Callable[[Item], str]] = {"jsonl": jsonl, "ocsf": ocsf, "csv": csv_line}
HEADINGS = {"csv": _csv(FLAT)}
"""What stands above the lines."""
