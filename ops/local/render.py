"""Print the result of a run: outcomes, received alerts, records and rejected messages."""

from itertools import groupby

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ops.local.cli_checks import CommandResult
from ops.local.verify import MessageTrace, RunResult

_COLORS = {"ESCALATED": "bold", "REJECTED": "yellow", "NOT_FOUND": "cyan", "NOT_ESCALATED": "green"}

_WRAPPED = frozenset({"detail", "outcome of each receive"})
"""Columns that wrap when the terminal is narrow. All others stay on one line."""
_WIDE = 100
"""Terminal width from which the disposition column is shown."""
_OTHER_COLUMNS = 77
_OTHER_COLUMNS_BUT_DISPOSITION = 57
"""Width of all columns except the email's description, with and without the disposition."""


def show(result: RunResult, console: Console) -> None:
    """Print outcomes, alerts, records and rejected messages."""
    console.rule("Outcomes", align="left")
    console.print(_outcomes(result, console.width))
    console.rule(f"Alerts: {len(result.alerts)} received", align="left")
    console.print(_alerts(result))
    if result.alerts:
        first = result.alerts[0]
        console.print("\nThe first alert, as an email subscriber receives it:\n", style="dim")
        console.print(Text(f"Subject: {first.subject}\n\n{first.email}"))
    console.rule(f"Records: {len(result.records)} written", align="left")
    console.print(_records(result))
    console.rule(f"Rejections: {len(result.dead_letters)} on the dead-letter queue", align="left")
    console.print(_rejections(result))


def show_command(command: CommandResult, console: Console) -> None:
    """Print a command and its output."""
    console.rule(f"$ {command.command}", align="left")
    console.print(Text.from_ansi(command.output))


def _table(*headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(heading, no_wrap=heading not in _WRAPPED, overflow="fold")
    return table


def _outcomes(result: RunResult, width: int) -> Table:
    """Build the table of outcomes. A narrow terminal truncates the email's description only."""
    wide = width >= _WIDE
    table = _table("sent from", "mail", *(["disposition"] if wide else []), "outcome of each receive")
    about_width = width - (_OTHER_COLUMNS if wide else _OTHER_COLUMNS_BUT_DISPOSITION)
    table.columns[1].min_width = about_width
    for source, traces in groupby(result.traces, key=lambda trace: trace.scenario.source):
        for number, trace in enumerate(traces):
            about = trace.scenario.about
            table.add_row(
                source.removesuffix(".json") if number == 0 else "",
                Text(about if len(about) <= about_width else f"{about[: about_width - 1]}…"),
                *([str(trace.last.get("disposition") or "")] if wide else []),
                _outcome_sequence(trace),
            )
    return table


def _outcome_sequence(trace: MessageTrace) -> Text:
    text = Text()
    for number, outcome in enumerate(trace.outcomes):
        last = number == len(trace.outcomes) - 1
        style = _COLORS.get(outcome["outcome"], "dim") if last else "dim"
        text.append(outcome["outcome"], style=style).append("" if last else " > ", style="dim")
    return text


def _alerts(result: RunResult) -> Table:
    table = _table("severity", "disposition", "mail", "alert id")
    for alert in result.alerts:
        attributes = alert.attributes
        email_id = alert.facts["evidences"][0]["uid"]
        table.add_row(attributes["severity"], attributes["disposition"], email_id, attributes["alert_id"][:8])
    return table


def _records(result: RunResult) -> Table:
    table = _table("decided", "mail", "outcome", "disposition", "state")
    for record in result.records:
        table.add_row(
            record["decided_at"][11:19],
            record["postfix_id"],
            record["outcome"],
            record.get("disposition", ""),
            record["state"],
        )
    return table


def _rejections(result: RunResult) -> Table:
    table = _table("reason", "detail")
    for message in result.dead_letters:
        attributes = message["MessageAttributes"]
        table.add_row(attributes["reason"]["StringValue"], attributes["detail"]["StringValue"])
    return table
