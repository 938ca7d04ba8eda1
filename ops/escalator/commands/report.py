"""`escalator report`: write an HTML report about a range of time. The page itself is made in report/."""

import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click

from functions.release import RELEASE
from ops.escalator.options import query_options, table_options
from ops.escalator.output.completeness import report_completeness
from ops.escalator.output.private_file import check_replaceable
from ops.escalator.output.progress import progress
from ops.escalator.output.resumable_file import writing
from ops.escalator.output.unreadable import UnreadableCounter
from ops.escalator.records.query import RecordQuery
from ops.escalator.records.reader import RecordReader
from ops.escalator.records.stored_record import AnyRecord
from ops.escalator.report.page import write_report
from ops.escalator.report.period import Period
from ops.escalator.text.labels import counted


@click.command()
@table_options
@query_options
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default="report.html",
    show_default=True,
    metavar="FILE",
    help="Only you can read it. An existing file is replaced once the new one is complete.",
)
def report(reader: RecordReader, query: RecordQuery, output: Path) -> None:
    """Write an HTML report: one file that needs no network.

    The report has charts, counts, and a searchable list of the records with their details. Days and times are UTC.

    \b
    Example:
      escalator report --stack cloudflare-email-alerts --since 30d -o report.html
    """  # noqa: D301  # click's \b keeps the lines as they are
    time_range = query.time_range
    period = Period(time_range.since, time_range.until, generated_at=datetime.now(UTC), release=RELEASE)
    unreadable = UnreadableCounter()
    with progress(time_range, newest_first=True) as advance:

        def records() -> Iterator[AnyRecord]:
            count = 0
            for page in reader.pages(query):
                if page.records:
                    yield from unreadable.watch(page.records)
                    count += len(page.records)
                    advance(page.records[-1], count)

        check_replaceable(output)
        with writing(output):
            # Readable by its user only, and with a random name, so that no link can be planted under it.
            descriptor, name = tempfile.mkstemp(".new", f"{output.name}.", output.parent)
        new = Path(name)
        try:
            with writing(output), os.fdopen(descriptor, "w", encoding="utf-8") as out:
                count = write_report(records(), period, out)
            with writing(output):
                new.replace(output)
        finally:
            new.unlink(missing_ok=True)
    unreadable.report("The report lists such records with the problem; `escalator history --json` prints them.")
    click.echo(f"Wrote {counted(count, 'record')} to {output}.", err=True)
    report_completeness(reader, query, count)
