"""A record as a line of an export: jsonl, ocsf or csv."""

import json
from collections.abc import Callable

from functions.alert.alert import describe
from functions.domain.outcome import Outcome
from ops.escalator.records.stored_record import AnyRecord, UnreadableRecord
from ops.escalator.text.csv_lines import csv_line
from ops.escalator.views.row import CSV_COLUMNS, flat_row

_ALERTED = frozenset({Outcome.ESCALATED, Outcome.CLOSED})


def jsonl(record: AnyRecord) -> str:
    """The item as recorded, as JSON in one line."""
    return f"{json.dumps(record.item)}\n"


def ocsf(record: AnyRecord) -> str:
    """The alert about the record, as an OCSF Detection Finding; empty where there is no alert or no readable record."""
    if isinstance(record, UnreadableRecord) or record.record.outcome not in _ALERTED:
        return ""
    finding = json.loads(describe(record.record).bodies["default"])
    return f"{json.dumps(finding)}\n"


def csv(record: AnyRecord) -> str:
    """The record's flat columns, as in `history --csv`."""
    row = flat_row(record)
    return csv_line(row[name] for name in CSV_COLUMNS)


FORMATS: dict[str, Callable[[AnyRecord], str]] = {"jsonl": jsonl, "ocsf": ocsf, "csv": csv}
HEADINGS = {"csv": csv_line(CSV_COLUMNS)}
"""The first line of a file."""
