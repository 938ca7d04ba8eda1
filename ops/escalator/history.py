"""`escalator history`: what was decided, newest first."""

from collections.abc import Iterator
from dataclasses import dataclass

import click

from ops.escalator.columns import FLAT, PIPED, STYLES, fitting, flat, shown
from ops.escalator.cursor import Cursor, NotACursor, Position
from ops.escalator.filters import question_options
from ops.escalator.output import Output, output_option
from ops.escalator.question import Question
from ops.escalator.tables import table_options
from ops.escalator.trail import Item, Page, Trail

SCREENFUL = 100
"""Records that a terminal is given, where nobody says how many."""


@click.command()
@table_options
@question_options
@click.option(
    "--limit",
    type=click.IntRange(1),
    metavar="N",
    help=f"No more than so many records.  [default: {SCREENFUL} on a terminal, all elsewhere]",
)
@click.option(
    "--cursor",
    metavar="TEXT",
    help="Go on where a limit was reached, with the options that it came with; the span stays what it was.",
)
@output_option
def history(trail: Trail, question: Question, limit: int | None, cursor: str | None, form: str | None) -> None:
    """Show what was decided, newest first.

    Several options together ask for records that have all of these values. The most selective of them is looked up in its
    index, and the others are applied to what comes back: so each page costs what that one index gives.

    --json gives each record whole, as it was recorded. Times are UTC.
    """
    output, after = Output(form), None
    if cursor:
        try:
            left = Cursor.read(cursor)
            question, after = left.question(question), left.position
        except NotACursor as exc:
            raise click.UsageError(f"the cursor {exc}.") from exc
    if limit is None and output.form == "table":
        limit = SCREENFUL
    reading = Reading(trail.pages(question, after, limit))
    match output.form:
        case "json":
            output.rows((), reading)
        case "csv":
            output.rows(FLAT, map(flat, reading))
        case "plain":
            output.rows(PIPED, map(flat, reading))
        case _:
            for page in reading.pages():
                columns, rows = fitting([shown(it) for it in page.records], output.width)
                output.rows(columns, rows, styles=STYLES)
    if reading.rest:
        click.echo(f"there may be more; go on with --cursor {Cursor.after(reading.rest, question)}", err=True)
    elif not reading.count and not after:
        click.echo("no record was found", err=True)


@dataclass
class Reading:
    """An answer that is read while it is written.

    count: of the records so far. rest: from where to go on, after the last of them.
    """

    answer: Iterator[Page]
    count: int = 0
    rest: Position | None = None

    def pages(self) -> Iterator[Page]:
        """The pages that have records."""
        for page in self.answer:
            self.count, self.rest = self.count + len(page.records), page.rest
            if page.records:
                yield page

    def __iter__(self) -> Iterator[Item]:
        return (record for page in self.pages() for record in page.records)
