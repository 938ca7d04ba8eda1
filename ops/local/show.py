"""A run, for a person to read: an outcome for each message, the alerts as received, the records, the rejections."""

from itertools import groupby

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ops.local.inquiry import Answer
from ops.local.proof import Travel, Yield

_COLOURS = {"ESCALATED": "bold", "REJECTED": "yellow", "NOT_FOUND": "cyan", "NOT_ESCALATED": "green"}

_WRAPPED = frozenset({"detail", "outcome of each delivery"})
"""What goes on in another line where there is no room; all else is shown in one."""
_WIDE = 100
_OTHER_COLUMNS = 77
_OTHER_COLUMNS_BUT_DISPOSITION = 57
"""Columns of a terminal: from where on dispositions are shown, and what all but the mail's description takes."""


def show(result: Yield, console: Console) -> None:
    """Print everything that a run left behind."""
    console.rule("Outcomes", align="left")
    console.print(_outcomes(result, console.width))
    console.rule(f"Alerts: {len(result.alerts)} received", align="left")
    console.print(_alerts(result))
    if result.alerts:
        first = result.alerts[0]
        console.print("\nThe first of them, as its e-mail subscriber gets it:\n", style="dim")
        console.print(Text(f"Subject: {first.subject}\n\n{first.email}"))
    console.rule(f"Records: {len(result.records)} written", align="left")
    console.print(_records(result))
    console.rule(f"Rejections: {len(result.dead_letters)} on the dead-letter queue", align="left")
    console.print(_rejections(result))


def show_answer(answer: Answer, console: Console) -> None:
    """Print what the command line said."""
    console.rule(f"$ {answer.command}", align="left")
    console.print(Text.from_ansi(answer.printed))


def _table(*headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(heading, no_wrap=heading not in _WRAPPED, overflow="fold")
    return table


def _outcomes(result: Yield, width: int) -> Table:
    """The mail's description gives way where the terminal is narrow; ids, words and outcomes are shown whole."""
    wide = width >= _WIDE
    table = _table("sent from", "mail", *(["disposition"] if wide else []), "outcome of each delivery")
    room = width - (_OTHER_COLUMNS if wide else _OTHER_COLUMNS_BUT_DISPOSITION)
    table.columns[1].min_width = room
    for source, travels in groupby(result.travels, key=lambda it: it.consignment.source):
        for number, travel in enumerate(travels):
            about = travel.consignment.about
            table.add_row(
                source.removesuffix(".json") if number == 0 else "",
                Text(about if len(about) <= room else f"{about[: room - 1]}…"),
                *([str(travel.last.get("disposition") or "")] if wide else []),
                _way(travel),
            )
    return table


def _way(travel: Travel) -> Text:
    way = Text()
    for number, outcome in enumerate(travel.outcomes):
        last = number == len(travel.outcomes) - 1
        style = _COLOURS.get(outcome["outcome"], "dim") if last else "dim"
        way.append(outcome["outcome"], style=style).append("" if last else " > ", style="dim")
    return way


def _alerts(result: Yield) -> Table:
    table = _table("severity", "disposition", "mail", "alert id")
    for alert in result.alerts:
        told = alert.attributes
        table.add_row(
            told["severity"], told["disposition"], alert.facts["metadata"]["correlation_uid"], told["alert_id"][:8]
        )
    return table


def _records(result: Yield) -> Table:
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


def _rejections(result: Yield) -> Table:
    table = _table("reason", "detail")
    for message in result.dead_letters:
        attributes = message["MessageAttributes"]
        table.add_row(attributes["reason"]["StringValue"], attributes["detail"]["StringValue"])
    return table
