"""`escalator stats`: count records by day and kind, and measure how fast alerts were published."""

from collections.abc import Iterator, Mapping
from math import ceil
from typing import Any

import click
from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from functions.domain.record import State, moment
from functions.domain.times import duration
from ops.escalator.options import table_options, time_range_options
from ops.escalator.output.completeness import report_nothing
from ops.escalator.output.console import Output, output_option
from ops.escalator.output.unreadable import UnreadableCounter
from ops.escalator.records.query import RecordQuery
from ops.escalator.records.reader import RecordReader
from ops.escalator.records.time_range import TimeRange
from ops.escalator.text.labels import counted
from ops.escalator.text.sanitize import one_line
from ops.escalator.views.row import STYLES
from ops.escalator.views.statistics import Statistics

_BAR_WIDTH = 30
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
@time_range_options
@output_option
def stats(reader: RecordReader, time_range: TimeRange, form: str | None) -> None:
    """Count decisions, and measure how fast alerts were sent.

    The counts are by day, disposition, severity, outcome, state, delivery and sender. The command reads the index by
    time and no records. Days and times are UTC. --csv and a pipe get one line for each figure: its name, its group and its
    value.

    \b
    Example:
      escalator stats --stack cloudflare-email-alerts --since 30d
    """  # noqa: D301  # click's \b keeps the lines as they are
    output, unreadable = Output(form), UnreadableCounter()
    statistics = Statistics.of(unreadable.readable(reader.summaries(time_range)))
    figures = {"since": moment(time_range.since), "until": moment(time_range.until)} | statistics.named()
    match output.form:
        case "json":
            output.record(figures)
        case "csv" | "plain":
            output.rows(("figure", "of", "value"), _lines(figures))
        case _:
            output.show(*_tables(figures))
    if not statistics.records and not unreadable.count:
        report_nothing(reader.table, RecordQuery(time_range))
    unreadable.report("The statistics do not include such records; `escalator history` lists them.")


def _lines(figures: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for figure, value in figures.items():
        if not isinstance(value, dict):
            yield {"figure": figure, "of": "", "value": value}
            continue
        for group, number in value.items():
            if isinstance(number, dict):
                yield from ({"figure": f"{figure}.{group}", "of": it, "value": count} for it, count in number.items())
            else:
                yield {"figure": figure, "of": group, "value": number}


def _tables(figures: Mapping[str, Any]) -> Iterator[RenderableType]:
    since, until = (f"{figures[it][:10]} {figures[it][11:16]}" for it in ("since", "until"))
    yield Text.assemble((counted(figures["records"], "record"), "bold"), f" from {since} to {until} UTC")
    speed = figures["queued_to_published"]
    if speed["alerts"]:
        yield Text(
            f"{counted(speed['alerts'], 'alert')} published: half within {duration(speed['median'])} of being queued,"
            f" 95 % within {duration(speed['p95'])}"
        )
    if pending := figures["states"].get(State.PENDING):
        yield Text(f"{counted(pending, 'alert')} not confirmed as sent: escalator history --pending", "bold yellow")
    if not figures["records"]:
        return
    yield _days(figures["days"])
    grid = Table.grid(padding=(0, 4, 0, 0))
    tables = [_counts(title, figures[name]) for name, title in _TITLES.items() if figures[name]]
    for first in range(0, len(tables), 3):
        grid.add_row(*tables[first : first + 3])
    yield grid


def _days(days: Mapping[str, Mapping[str, int]]) -> Table:
    table = Table("Day", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("Records", justify="right")
    table.add_column("", no_wrap=True)
    highest = max(sum(counts.values()) for counts in days.values())
    for day, counts in days.items():
        total = sum(counts.values())
        table.add_row(day, f"{total:,}", Text("█" * ceil(_BAR_WIDTH * total / highest), "cyan"))
    return table


def _counts(title: str, counts: Mapping[str, int]) -> Table:
    table = Table(title, box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("", justify="right")
    for name, count in counts.items():
        style = next((it[name] for it in STYLES.values() if name in it), "")
        table.add_row(Text(one_line(name), style, overflow="ellipsis", no_wrap=True), f"{count:,}")
    return table
