"""Write the HTML report in one pass over the records.

The data come first in the page, so that each record is written as soon as it is read. The counts over all records follow.
Nothing of a record stays in memory except its counts.
"""

import hashlib
import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from ops.escalator.records.stored_record import AnyRecord
from ops.escalator.report.counts import Counts
from ops.escalator.report.escape import escaped, script_json
from ops.escalator.report.period import Period
from ops.escalator.report.record_view import record_view
from ops.escalator.report.summary import records_note, summary

MAX_RECORDS = 20_000
"""Records in the page's list. With more, a browser gets slow. A record takes about 2 KB, so these take 40 MB."""
MAX_BYTES = 64 * 1024 * 1024
"""Bytes of the list. Only unusually large records reach this limit first."""

_HERE = Path(__file__).parent
_SLOT = re.compile(r"\{\{(\w+)\}\}")


def write_report(
    records: Iterable[AnyRecord],
    period: Period,
    out: TextIO,
    *,
    max_records: int = MAX_RECORDS,
    max_bytes: int = MAX_BYTES,
) -> int:
    """Write the page about these records, newest first. Return the number of records.

    All records are counted. The list has the first of them, up to both limits, and the page says how many.
    """
    style, script = (_read(name).strip() for name in ("page.css", "page.js"))
    counts = Counts(period)
    slots: dict[str, Callable[[], Iterable[str]]] = {
        "policy": lambda: [_policy(style, script)],
        "style": lambda: [style],
        "script": lambda: [script],
        "records": lambda: _list(records, counts, max_records, max_bytes),
        "period": lambda: [escaped(" to ".join(dict.fromkeys((_day(period.since), _day(period.until)))))],
        "generated": lambda: [escaped(_generated(period))],
        "records_note": lambda: [escaped(records_note(counts))],
        "summary": lambda: summary(counts),
    }
    # Every other piece is the name of a slot. The text that fills a slot is not searched for slots.
    for n, piece in enumerate(_SLOT.split(_read("page.html"))):
        out.writelines(slots[piece]() if n % 2 else [piece])
    return counts.records


def _list(records: Iterable[AnyRecord], counts: Counts, max_records: int, max_bytes: int) -> Iterator[str]:
    """Yield the items of a JSON array, and count every record."""
    free, is_full = max_bytes, False
    for record in records:
        counts.add(record)
        if is_full:
            continue
        item = (",\n" if counts.listed else "") + script_json(record_view(record))
        free -= len(item)
        is_full = free < 0 or counts.listed == max_records
        if not is_full:
            counts.listed += 1
            yield item


def _policy(style: str, script: str) -> str:
    """Forbid loading, sending and framing. Allow only this script and this style, and no HTML made from text."""
    return (
        f"default-src 'none'; script-src '{_sha256(script)}'; style-src '{_sha256(style)}'; base-uri 'none'; "
        "form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )


def _sha256(text: str) -> str:
    return f"sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="ascii")


def _generated(period: Period) -> str:
    return f"Made on {_day(period.generated_at)} at {period.generated_at.astimezone(UTC):%H:%M} by release {period.release}."


def _day(at: datetime) -> str:
    at = at.astimezone(UTC)
    return f"{at.day} {at:%B %Y}"
