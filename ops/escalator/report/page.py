"""Records in, one HTML file out, in one pass.

The data come first in the page, so that they can be written while they are read; what is counted over all of them
follows. Nothing of a record is kept but its counts.
"""

import hashlib
import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from ops.escalator.report.entry import entry
from ops.escalator.report.markup import escaped, script_json
from ops.escalator.report.period import Period
from ops.escalator.report.summary import accounted, summary
from ops.escalator.report.tally import Tally

LISTED = 20_000
"""Records in the page's list; beyond them a browser gets slow. A record takes about 2 KB."""
ROOM = 64 * 1024 * 1024
"""Bytes of them all; large records reach it first."""

_HERE = Path(__file__).parent
_SLOT = re.compile(r"\{\{(\w+)\}\}")


def write_report(
    records: Iterable[Mapping[str, Any]], period: Period, out: TextIO, *, most: int = LISTED, room: int = ROOM
) -> int:
    """Write the page about records, newest first, in the shape of the table's items as JSON values; how many they were.

    All of them are counted; the list has the first `most` of them, or as many as go into `room` bytes, and says so.
    """
    style, script = (_read(name).strip() for name in ("page.css", "page.js"))
    tally = Tally(period)
    slots: dict[str, Callable[[], Iterable[str]]] = {
        "policy": lambda: [_policy(style, script)],
        "style": lambda: [style],
        "script": lambda: [script],
        "records": lambda: _listed(records, tally, most, room),
        "period": lambda: [escaped(" to ".join(dict.fromkeys((_day(period.since), _day(period.until)))))],
        "generated": lambda: [escaped(_generated(period))],
        "accounted": lambda: [escaped(accounted(tally))],
        "summary": lambda: summary(tally),
    }
    # Every other piece is the name of a slot. What fills one is never searched for slots itself.
    for n, piece in enumerate(_SLOT.split(_read("page.html"))):
        out.writelines(slots[piece]() if n % 2 else [piece])
    return tally.records


def _listed(records: Iterable[Mapping[str, Any]], tally: Tally, most: int, room: int) -> Iterator[str]:
    """The items of a JSON array, while the tally counts every record."""
    full = False
    for record in records:
        shown = entry(record)
        tally.add(shown)
        if full:
            continue
        item = (",\n" if tally.listed else "") + script_json(shown)
        room -= len(item)
        full = room < 0 or tally.listed == most
        if not full:
            tally.listed += 1
            yield item


def _policy(style: str, script: str) -> str:
    """Nothing may be loaded, sent or framed; only this very script and style count, and no HTML is made from text."""
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
