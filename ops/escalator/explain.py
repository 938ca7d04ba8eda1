"""`escalator explain`: the whole story of one mail."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import click
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from functions.cloudflare.message_id import MessageId
from ops.escalator.columns import FLAT, STYLES, flat
from ops.escalator.connection import Failed
from ops.escalator.output import Output, output_option
from ops.escalator.story import Chapter, chapters, ending
from ops.escalator.tables import table_options
from ops.escalator.text import one_line
from ops.escalator.trail import Item, Trail


@click.command()
@click.argument("id")
@table_options
@output_option
def explain(trail: Trail, id: str, form: str | None) -> None:
    """Tell all that is known about one mail, as a timeline: what was decided, by which rule, and who was told.

    ID may be in any of its forms: a postfix id, an alert id or an investigate id of Cloudflare. They are one mail, so that
    what was recorded under another form of it is told too. Times are UTC.
    """
    known = MessageId.read(id.strip())
    if known is None:
        raise click.UsageError(
            f"{id!r} is no id of a mail: give it as Cloudflare does, such as 4gZJ8d1HhYz7V2L, with or without what follows"
        )
    found = trail.about(known.postfix_id)
    records = sorted((it for it in found if "#" in it["entry"]), key=lambda it: (it["decided_at"], it["entry"]))
    standing = [it for it in found if "#" not in it["entry"]]
    if not records:
        raise Failed(
            f"nothing is recorded about {known.postfix_id} in {trail.table}: check the id and the table. A record is deleted"
            " when its time is over (RecordRetentionDays), and a decision not to alert is recorded with RecordAll only"
        )
    output, told = Output(form), chapters(records, datetime.now(UTC))
    match output.form:
        case "json":
            output.record({"id": id, "records": records, "standing": standing})
        case "csv":
            output.rows(FLAT, map(flat, records))
        case "plain":
            output.rows(("at", "what", "said"), _lines(told))
        case _:
            output.show(*_shown(known.postfix_id, told, standing))


def _lines(told: Sequence[Chapter]) -> Iterator[dict[str, str]]:
    for chapter in told:
        yield {"at": "", "what": "record", "said": f"{chapter.title} {chapter.severity} {chapter.state} {chapter.id}"}
        for event in chapter.events:
            for said in event.said:
                yield {"at": event.at, "what": event.what, "said": said}


def _shown(postfix_id: str, told: Sequence[Chapter], standing: Sequence[Item]) -> Iterator[RenderableType]:
    yield Text(f"Mail {postfix_id}", "bold")
    for number, chapter in enumerate(told, 1):
        heading = Text.assemble((f"{number} of {len(told)}  " if len(told) > 1 else "", "dim"))
        heading.append(one_line(chapter.title), "bold").append("  ")
        heading.append(one_line(chapter.severity), STYLES["severity"].get(chapter.severity, "")).append("  ")
        heading.append(one_line(chapter.state), STYLES["state"].get(chapter.state, "green"))
        if chapter.id != postfix_id:
            heading.append(f"  {one_line(chapter.id)}", "dim")
        yield Group("", heading, Padding(_timeline(chapter), (0, 0, 0, 1)))
    for it in standing:
        yield Text(f"\n{one_line(ending(it))}")


def _timeline(chapter: Chapter) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True, min_width=len("06:38:34.602"))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    day = ""
    for event in chapter.events:
        date, at = event.at[:10], event.at[11:23]
        if date and date != day:
            day = date
            grid.add_row(Text(one_line(date), "bold"))
        said = Group(*(Text(one_line(it), "yellow" if event.urgent else "") for it in event.said))
        grid.add_row(Text(one_line(at), "dim"), Text(event.what, "bold yellow" if event.urgent else "cyan"), said)
    return grid
