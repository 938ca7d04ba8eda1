"""`escalator history`: list records, newest first."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import click

from ops.escalator.options import query_options, table_options
from ops.escalator.output.completeness import report_completeness
from ops.escalator.output.console import Output, output_option
from ops.escalator.output.record_rows import write_records
from ops.escalator.output.unreadable import UnreadableCounter
from ops.escalator.records.cursor import Cursor, InvalidCursor
from ops.escalator.records.query import RecordQuery
from ops.escalator.records.reader import Page, RecordReader
from ops.escalator.records.stored_record import AnyRecord, Position

TERMINAL_LIMIT = 100
"""Records shown on a terminal without --limit."""


@click.command()
@table_options
@query_options
@click.option(
    "--limit",
    type=click.IntRange(1),
    metavar="N",
    help=f"Maximum number of records.  [default: {TERMINAL_LIMIT} on a terminal, all elsewhere]",
)
@click.option(
    "--cursor",
    metavar="TEXT",
    help="Continue after a limit. Repeat the options of the first call; the time range stays the same.",
)
@output_option
def history(reader: RecordReader, query: RecordQuery, limit: int | None, cursor: str | None, form: str | None) -> None:
    """List decisions, newest first.

    A record must match all options. The command reads the index of the most selective option, and filters its entries
    by the other options. So the cost depends on the entries of that index in the time range, not on the matches.

    --json prints each record as recorded. Times are UTC.

    \b
    Example:
      escalator history --stack cloudflare-email-alerts --since 7d --severity critical
    """  # noqa: D301  # click's \b keeps the lines as they are
    output, after = Output(form), None
    if cursor:
        try:
            resumed = Cursor.read(cursor)
            query, after = resumed.resume(query), resumed.position
        except InvalidCursor as exc:
            raise click.UsageError(f"--cursor {exc}.") from exc
    if limit is None and output.form == "table":
        limit = TERMINAL_LIMIT
    result = HistoryResult(reader.pages(query, after, limit))
    write_records(output, result.pages())
    result.unreadable.report("--json prints such records as recorded.")
    if result.rest:
        click.echo(f"There may be more records. Continue with --cursor {Cursor.after(result.rest, query)}", err=True)
    if result.count or not after:
        report_completeness(reader, query, result.count)


@dataclass
class HistoryResult:
    """A result that is read while it is written. rest: the position to continue after."""

    source: Iterator[Page]
    count: int = 0
    rest: Position | None = None
    unreadable: UnreadableCounter = field(default_factory=UnreadableCounter)

    def pages(self) -> Iterator[tuple[AnyRecord, ...]]:
        """Yield the pages that have records."""
        for page in self.source:
            self.count, self.rest = self.count + len(page.records), page.rest
            if page.records:
                yield tuple(self.unreadable.watch(page.records))
