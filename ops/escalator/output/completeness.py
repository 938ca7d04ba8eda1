"""Say what an answer covers: what was searched if nothing was found, and which records a search can miss."""

import click

from functions.domain.record import moment
from functions.domain.search_values import SearchKind, max_values
from functions.ledger.keys import email_of
from ops.escalator.options import DEFAULT_DAYS, is_default_range
from ops.escalator.records.query import RecordQuery, option_name
from ops.escalator.records.reader import RecordReader
from ops.escalator.records.time_range import TimeRange
from ops.escalator.text.labels import KINDS, counted
from ops.escalator.text.sanitize import one_line

_NAMED = 3
"""Emails that a note names."""


def report_completeness(reader: RecordReader, query: RecordQuery, count: int) -> None:
    """Write to stderr what was searched if nothing was found, and how many records the search can have missed."""
    if not count:
        report_nothing(reader.table, query)
    for kind in SearchKind:
        if kind in query.values:
            report_limit(reader, kind, query.time_range)


def report_nothing(table: str, query: RecordQuery) -> None:
    """Write to stderr that nothing was found, with the table, the period and the options that were searched."""
    values = [f"{option_name(name)} {one_line(value)}" for name, value in query.values.items() if name != "pending"]
    values += ["--pending"] if "pending" in query.values else []
    given = f" with {' '.join(values)}" if values else ""
    default = (
        f" (the last {DEFAULT_DAYS} days, the default; --since searches further back)" if is_default_range() else ""
    )
    click.echo(f"No records found{given} in the table {table}, {period(query.time_range)}{default}.", err=True)


def period(time_range: TimeRange) -> str:
    """A time range in words."""
    since, until = (moment(it) for it in (time_range.since, time_range.until))
    return f"from {since[:10]} {since[11:16]} to {until[:10]} {until[11:16]} UTC"


def report_limit(reader: RecordReader, kind: SearchKind, time_range: TimeRange) -> None:
    """Write to stderr how many records of the period may have further values, by which they are not found."""
    if full := reader.full(kind, time_range):
        emails = [one_line(email_of(it.sk)) for it in full[:_NAMED]]
        click.echo(
            f"A record is found by at most {max_values(kind)} values of the kind `{KINDS[kind]}`."
            f" {counted(len(full), 'record')} of this period may have more, and may be missing here."
            f" Check with `escalator explain {emails[0]} --json`"
            + (f", and {', '.join(emails[1:])}" if emails[1:] else "")
            + (f", and {len(full) - _NAMED:,} more" if len(full) > _NAMED else "")
            + ".",
            err=True,
        )
