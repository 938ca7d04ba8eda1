"""`escalator stats`: how many, by day and by kind, and how fast."""

from collections.abc import Iterator, Mapping
from math import ceil
from typing import Any

import click
from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from functions.ledger.record import moment
from ops.escalator.columns import STYLES
from ops.escalator.figures import Figures
from ops.escalator.filters import span_options
from ops.escalator.output import Output, output_option
from ops.escalator.span import Span
from ops.escalator.tables import table_options
from ops.escalator.text import one_line
from ops.escalator.trail import Trail
from ops.escalator.words import counted, duration

_BAR = 30
_TITLES = {
    "dispositions": "Disposition",
    "severities": "Severity",
    "outcomes": "Outcome",
    "states": "State",
    "delivered": "Delivered",
    "sender_domains": "Top senders",
}


@click.command()
@table_options
@span_options
@output_option
def stats(trail: Trail, span: Span, form: str | None) -> None:
    """Count what was decided: by day, disposition, severity and sender, and how long alerts took.

    It reads the index by time alone, and no record. Days and times are UTC. --csv and a pipe have a line for each figure:
    what it is, of what, and how many.
    """
    output, figures = Output(form), Figures.of(trail.moments(span))
    named = {"since": moment(span.since), "until": moment(span.until)} | figures.named()
    match output.form:
        case "json":
            output.record(named)
        case "csv" | "plain":
            output.rows(("figure", "of", "value"), _lines(named))
        case _:
            output.show(*_shown(named))


def _lines(named: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for figure, value in named.items():
        if not isinstance(value, dict):
            yield {"figure": figure, "of": "", "value": value}
            continue
        for of, number in value.items():
            if isinstance(number, dict):
                yield from ({"figure": f"{figure}.{of}", "of": it, "value": count} for it, count in number.items())
            else:
                yield {"figure": figure, "of": of, "value": number}


def _shown(named: Mapping[str, Any]) -> Iterator[RenderableType]:
    since, until = (f"{named[it][:10]} {named[it][11:16]}" for it in ("since", "until"))
    yield Text.assemble((counted(named["records"], "record"), "bold"), f" from {since} to {until} UTC")
    speed = named["queued_to_published"]
    if speed["alerts"]:
        yield Text(
            f"{counted(speed['alerts'], 'alert')} published: half within {duration(speed['median'])} of being queued,"
            f" 95 % within {duration(speed['p95'])}"
        )
    if pending := named["states"].get("PENDING"):
        yield Text(f"{counted(pending, 'alert')} not known to be sent: escalator history --pending", "bold yellow")
    if not named["records"]:
        return
    yield _days(named["days"])
    small = Table.grid(padding=(0, 4, 0, 0))
    tables = [_counts(title, named[name]) for name, title in _TITLES.items() if named[name]]
    for first in range(0, len(tables), 3):
        small.add_row(*tables[first : first + 3])
    yield small


def _days(days: Mapping[str, Mapping[str, int]]) -> Table:
    table = Table("Day", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("Records", justify="right")
    table.add_column("", no_wrap=True)
    most = max(sum(counts.values()) for counts in days.values())
    for day, counts in days.items():
        total = sum(counts.values())
        table.add_row(day, f"{total:,}", Text("█" * ceil(_BAR * total / most), "cyan"))
    return table


def _counts(title: str, counts: Mapping[str, int]) -> Table:
    table = Table(title, box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("", justify="right")
    for name, count in counts.items():
        style = next((it[name] for it in STYLES.values() if name in it), "")
        table.add_row(Text(one_line(name), style, overflow="ellipsis", no_wrap=True), f"{count:,}")
    return table
