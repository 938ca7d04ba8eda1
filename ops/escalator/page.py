"""`escalator report`: a page about a span of time, to be read and sent on. What is on it is made in report/."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click

from functions.release import RELEASE
from ops.escalator.filters import question_options
from ops.escalator.progress import progress
from ops.escalator.question import Question
from ops.escalator.report.page import write_report
from ops.escalator.report.period import Period
from ops.escalator.tables import table_options
from ops.escalator.trail import Item, Trail
from ops.escalator.unfinished import writing
from ops.escalator.words import counted


@click.command()
@table_options
@question_options
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default="report.html",
    show_default=True,
    metavar="FILE",
    help="Replaced, where it is there, once the new one is complete.",
)
def report(trail: Trail, question: Question, output: Path) -> None:
    """Write a page about what was decided: one HTML file, which needs no network.

    It has charts, counts, and a list of the records with all that is known of each. Days and times are UTC.
    """
    span, new = question.span, output.with_name(f"{output.name}.{os.getpid()}.new")
    period = Period(since=span.since, until=span.until, generated_at=datetime.now(UTC), release=RELEASE)
    with progress(span, newest_first=True) as advance:

        def records() -> Iterator[Item]:
            count = 0
            for page in trail.pages(question):
                if page.records:
                    yield from page.records
                    count += len(page.records)
                    advance(page.records[-1]["decided_at"], count)

        try:
            with writing(output), new.open("w", encoding="utf-8") as out:
                count = write_report(records(), period, out)
            with writing(output):
                new.replace(output)
        finally:
            new.unlink(missing_ok=True)
    click.echo(f"{counted(count, 'record')} in {output}", err=True)
