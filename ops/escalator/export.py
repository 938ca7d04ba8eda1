"""`escalator export`: records into a file, oldest first; interrupted, it goes on."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from ops.escalator.connection import Failed, Interrupted
from ops.escalator.cursor import Position
from ops.escalator.filters import question_options
from ops.escalator.formats import FORMATS, HEADINGS
from ops.escalator.progress import Advance, progress
from ops.escalator.question import Question
from ops.escalator.span import Span
from ops.escalator.tables import table_options
from ops.escalator.trail import Trail
from ops.escalator.unfinished import Unfinished
from ops.escalator.words import counted


@click.command()
@table_options
@question_options
@click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMATS)),
    default="jsonl",
    show_default=True,
    help="jsonl: records as they were recorded, one in each line. ocsf: the alerts about them, as OCSF findings."
    " csv: their flat columns, safe for a spreadsheet.",
)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="[default: standard output]"
)
def export(trail: Trail, question: Question, form: str, output: Path | None) -> None:
    """Write records to a file, oldest first.

    Until it is complete the file is called FILE.part. Interrupted in whatever way, the same command goes on where it was,
    also with a --since like 30d: that stays as it was at the first time. No record is lost, and none comes twice.

    For exports that follow each other give --until as well, some minutes ago: what was decided just now may not be in the
    index yet.
    """
    if output is None:
        with progress(question.span) as advance:
            click.echo(HEADINGS.get(form, ""), nl=False)
            for written, _ in _pages(trail, question, form, {}, advance):
                click.echo(written, nl=False)
        return
    given = click.get_current_context().params
    asked = {"table": trail.table, "format": form, "since": given["since"], "until": given["until"], **question.facets}
    with Unfinished(output, asked) as file:
        if not file.state:
            file.step(HEADINGS.get(form, "").encode(), _state(question.span, None, 0))
        elif count := file.state["count"]:
            click.echo(f"going on after {counted(count, 'record')}", err=True)
        question = Question(_span(file.state), question.facets)
        try:
            with progress(question.span) as advance:
                for written, state in _pages(trail, question, form, file.state, advance):
                    file.step(written.encode(), state)
        except (Failed, KeyboardInterrupt) as exc:
            end, why = (Failed, str(exc)) if isinstance(exc, Failed) else (Interrupted, "interrupted")
            raise end(f"{why}; the same command goes on after {counted(file.state['count'], 'record')}") from exc
        file.finish()
    click.echo(f"{counted(file.state['count'], 'record')} in {output}", err=True)


def _pages(
    trail: Trail, question: Question, form: str, state: dict[str, Any], advance: Advance
) -> Iterator[tuple[str, dict[str, Any]]]:
    """What is still to be written, page by page, and where to go on after each."""
    count, after = state.get("count", 0), Position(**state["after"]) if state.get("after") else None
    for page in trail.pages(question, after, newest_first=False):
        if page.records:
            last = page.records[-1]
            count += len(page.records)
            after = Position(last["decided_at"], last["about"], last["entry"])
            yield "".join(map(FORMATS[form], page.records)), _state(question.span, after, count)
            advance(last["decided_at"], count)


def _state(span: Span, after: Position | None, count: int) -> dict[str, Any]:
    return {
        "since": span.since.isoformat(),
        "until": span.until.isoformat(),
        "after": after and asdict(after),
        "count": count,
    }


def _span(state: dict[str, Any]) -> Span:
    return Span(datetime.fromisoformat(state["since"]), datetime.fromisoformat(state["until"]))
