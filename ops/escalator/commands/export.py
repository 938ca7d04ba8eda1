"""`escalator export`: write records to a file, oldest first. An interrupted export can be resumed."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from ops.escalator.aws import CommandFailed, Interrupted
from ops.escalator.options import query_options, table_options
from ops.escalator.output.completeness import report_completeness
from ops.escalator.output.console import write
from ops.escalator.output.file_formats import FORMATS, HEADINGS
from ops.escalator.output.progress import Advance, progress
from ops.escalator.output.resumable_file import ResumableFile
from ops.escalator.output.unreadable import UnreadableCounter
from ops.escalator.records.query import RecordQuery
from ops.escalator.records.reader import RecordReader
from ops.escalator.records.stored_record import Position
from ops.escalator.records.time_range import TimeRange
from ops.escalator.text.labels import counted

_UNREADABLE = "--format jsonl writes such records as recorded, csv writes their keys and the problem, ocsf omits them."


@click.command()
@table_options
@query_options
@click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMATS)),
    default="jsonl",
    show_default=True,
    help="jsonl: each record as recorded, one in a line. ocsf: the alerts, as OCSF findings."
    " csv: flat columns, safe for a spreadsheet.",
)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="[default: standard output]"
)
def export(reader: RecordReader, query: RecordQuery, form: str, output: Path | None) -> None:
    """Write records to a file, oldest first.

    The file is called FILE.part until it is complete. After an interruption, run the same command again to resume. The
    time range of the first run is kept, also for a --since such as 30d. No record is lost or written twice.

    For consecutive exports, set --until to a time some minutes ago: the index may not have the newest records yet.

    \b
    Example:
      escalator export --stack cloudflare-email-alerts --since 30d --format csv -o audit.csv
    """  # noqa: D301  # click's \b keeps the lines as they are
    unreadable = UnreadableCounter()
    if output is None:
        count = 0
        with progress(query.time_range) as advance:
            write(HEADINGS.get(form, ""))
            for text, state in _pages(reader, query, form, state={}, advance=advance, unreadable=unreadable):
                write(text)
                count = state["count"]
        unreadable.report(_UNREADABLE)
        report_completeness(reader, query, count)
        return
    params = click.get_current_context().params
    request = {"table": reader.table, "format": form, "since": params["since"], "until": params["until"]}
    with ResumableFile(output, request | {**query.values}) as file:
        if not file.state:
            file.step(HEADINGS.get(form, "").encode(), _state(query.time_range, None, 0))
        elif done := file.state["count"]:
            click.echo(f"Resuming after {counted(done, 'record')}.", err=True)
        query = RecordQuery(_time_range(file.state), query.values)
        try:
            with progress(query.time_range) as advance:
                for text, state in _pages(
                    reader, query, form, state=file.state, advance=advance, unreadable=unreadable
                ):
                    file.step(text.encode(), state)
        except (CommandFailed, KeyboardInterrupt) as exc:
            end, reason = (CommandFailed, str(exc)) if isinstance(exc, CommandFailed) else (Interrupted, "interrupted")
            written = counted(file.state["count"], "record")
            raise end(f"{reason}; run the same command again to resume after {written}") from exc
        file.finish()
    unreadable.report(_UNREADABLE)
    click.echo(f"Wrote {counted(file.state['count'], 'record')} to {output}.", err=True)
    report_completeness(reader, query, file.state["count"])


def _pages(
    reader: RecordReader,
    query: RecordQuery,
    form: str,
    *,
    state: dict[str, Any],
    advance: Advance,
    unreadable: UnreadableCounter,
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the text of each remaining page, with the state to resume from after it."""
    count, after = state.get("count", 0), Position(**state["after"]) if state.get("after") else None
    for page in reader.pages(query, after, newest_first=False):
        if page.records:
            last = page.records[-1]
            count += len(page.records)
            text = "".join(map(FORMATS[form], unreadable.watch(page.records)))
            yield text, _state(query.time_range, last.position, count)
            advance(last, count)


def _state(time_range: TimeRange, after: Position | None, count: int) -> dict[str, Any]:
    return {
        "since": time_range.since.isoformat(),
        "until": time_range.until.isoformat(),
        "after": after and asdict(after),
        "count": count,
    }


def _time_range(state: dict[str, Any]) -> TimeRange:
    return TimeRange(datetime.fromisoformat(state["since"]), datetime.fromisoformat(state["until"]))
