"""What a command found, as it is wanted: a table on a terminal, tab-separated text in a pipe, JSON or CSV on demand.

JSON has the values as they are, with all but ASCII escaped. Everywhere else no character reaches the reader that is not
visible. Rows are written as they come, but for the table, which needs them all.
"""

import csv
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import click
from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from ops.escalator.text import csv_cell, one_line, visible

Row = Mapping[str, Any]
Styles = Mapping[str, Mapping[str, str]]
"""How a table shows the values of a column: column -> value -> style."""
Command = TypeVar("Command", bound=Callable[..., Any])

_PROSE_WIDTH = 24
_ANY_WIDTH = 10_000


def output_option(command: Command) -> Command:
    """Adds --json and --csv to a command; both arrive as its parameter `form`, which `Output` takes."""
    as_json = click.option("--json", "form", flag_value="json", help="JSON.")
    as_csv = click.option("--csv", "form", flag_value="csv", help="CSV, safe to open in a spreadsheet.")
    return as_json(as_csv(command))


class Output:
    """Writes to stdout.

    form: json or csv; None is a table on a terminal, and tab-separated text without headings elsewhere.
    """

    def __init__(self, form: str | None) -> None:
        # rich's own word for a pipe with a terminal at its end, such as that of `make run`.
        terminal = sys.stdout.isatty() or os.environ.get("TTY_COMPATIBLE") == "1"
        self.form = form or ("table" if terminal else "plain")

    @property
    def width(self) -> int:
        """Columns of the terminal."""
        return _console().width

    def rows(
        self, columns: Iterable[str], rows: Iterable[Row], prose: Iterable[str] = (), styles: Styles | None = None
    ) -> None:
        """Write rows, which have these columns; JSON has all that is in them.

        prose: the columns that give way where the terminal is narrow.
        """
        columns = list(columns)
        match self.form:
            case "json":
                _json(rows)
            case "csv":
                write = csv.writer(sys.stdout, lineterminator="\n").writerow
                write(columns)
                for row in rows:
                    write([csv_cell(row[name]) for name in columns])
            case "plain":
                for row in rows:
                    click.echo("\t".join(one_line(row[name]) for name in columns))
            case _:
                _table(columns, rows, frozenset(prose), styles or {})

    def record(self, record: Mapping[str, Any]) -> None:
        """Write one thing whole. What is a mapping in it becomes a line, or a column, for each of its names."""
        if self.form == "json":
            click.echo(json.dumps(record, indent=1))
            return
        flat = _flat(record)
        match self.form:
            case "csv":
                self.rows(flat, [{name: visible(str(value)) for name, value in flat.items()}])
            case "plain":
                for name, value in flat.items():
                    click.echo(f"{visible(name)}\t{visible(str(value))}")
            case _:
                _console().print(_block({name: visible(str(value), lines=True) for name, value in flat.items()}))

    def show(self, *parts: RenderableType) -> None:
        """Show something that is made for a terminal."""
        _console().print(*parts, sep="\n")

    def note(self, text: str) -> None:
        """A last line for a human; programs do not get it."""
        if self.form == "table":
            _console().print(Text(text, style="bold"))


def _json(rows: Iterable[Row]) -> None:
    """One array, a row in each line."""
    start = "["
    for row in rows:
        click.echo(f"{start}\n {json.dumps(row)}", nl=False)
        start = ","
    click.echo("[]" if start == "[" else "\n]")


def _table(columns: list[str], rows: Iterable[Row], prose: frozenset[str], styles: Styles) -> None:
    """A table of the columns that have anything in them, or where the terminal is too narrow for it, a block for each row.

    Also of what came before a failure.
    """
    cells: list[dict[str, str]] = []
    try:
        cells.extend({name: one_line(row[name]) for name in columns} for row in rows)
    finally:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        filled = [name for name in columns if any(row[name] for row in cells)]
        for name in filled:
            least = _PROSE_WIDTH if name in prose else None
            table.add_column(name.replace("_", " "), no_wrap=name not in prose, overflow="fold", min_width=least)
        for row in cells:
            table.add_row(*(Text(row[name], styles.get(name, {}).get(row[name], "")) for name in filled))
        console = _console()
        needed = console.measure(table, options=console.options.update(max_width=_ANY_WIDTH)).minimum
        if needed <= console.width:
            console.print(table if cells else "")
        else:
            console.print(*(Group(_block(row), "") for row in cells), sep="\n")


def _block(record: Mapping[str, str]) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in record.items():
        grid.add_row(Text(visible(name)), Text(value))
    return grid


def _flat(record: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, value in record.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {prefix + name: value}
    return flat


def _console() -> Console:
    return Console(highlight=False)
