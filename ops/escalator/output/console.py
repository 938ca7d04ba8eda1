"""Write the result of a command: a table on a terminal, tab-separated text in a pipe, JSON or CSV on request.

JSON has the values as they are, with non-ASCII characters escaped. All other formats contain visible characters only.
Rows are written as they arrive, except for the table, which needs all of them to set its column widths.
"""

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

from ops.escalator.text.csv_lines import csv_line
from ops.escalator.text.sanitize import one_line, visible

Row = Mapping[str, Any]
Styles = Mapping[str, Mapping[str, str]]
"""Styles of a table's values: column -> value -> style."""
Command = TypeVar("Command", bound=Callable[..., Any])


class OutputClosed(Exception):
    """What reads the output has ended, as `head` does after its lines."""


_PROSE_WIDTH = 24
_ANY_WIDTH = 10_000


def write(text: str) -> None:
    """Write to stdout. Raises OutputClosed."""
    try:
        click.echo(text, nl=False)
    except BrokenPipeError as exc:
        raise OutputClosed("the output was closed") from exc


def output_option(command: Command) -> Command:
    """Add --json and --csv to a command. Both arrive as its parameter `form`, which `Output` takes."""
    as_json = click.option("--json", "form", flag_value="json", help="Write JSON.")
    as_csv = click.option("--csv", "form", flag_value="csv", help="Write CSV that is safe to open in a spreadsheet.")
    return as_json(as_csv(command))


class Output:
    """Writes to stdout.

    form: json or csv. None means a table on a terminal, and tab-separated text without headings elsewhere.
    """

    def __init__(self, form: str | None) -> None:
        # TTY_COMPATIBLE is rich's variable for a pipe that ends at a terminal, such as the pipe of `make run`.
        terminal = sys.stdout.isatty() or os.environ.get("TTY_COMPATIBLE") == "1"
        self.form = form or ("table" if terminal else "plain")

    @property
    def width(self) -> int:
        """Width of the terminal in cells."""
        return _console().width

    def rows(
        self, columns: Iterable[str], rows: Iterable[Row], prose: Iterable[str] = (), styles: Styles | None = None
    ) -> None:
        """Write these columns of the rows. JSON has all values of a row.

        prose: the columns that wrap where the terminal is narrow.
        """
        columns = list(columns)
        match self.form:
            case "json":
                _json(rows)
            case "csv":
                write(csv_line(columns))
                for row in rows:
                    write(csv_line(row[name] for name in columns))
            case "plain":
                for row in rows:
                    write("\t".join(one_line(row[name]) for name in columns) + "\n")
            case _:
                _table(columns, rows, frozenset(prose), styles or {})

    def record(self, record: Mapping[str, Any]) -> None:
        """Write one record with all its values. A nested mapping becomes one line, or column, for each name."""
        if self.form == "json":
            write(f"{json.dumps(record, indent=1)}\n")
            return
        flat = _flat(record)
        match self.form:
            case "csv":
                self.rows(flat, [{name: visible(str(value)) for name, value in flat.items()}])
            case "plain":
                for name, value in flat.items():
                    write(f"{visible(name)}\t{visible(str(value))}\n")
            case _:
                _console().print(_block({name: visible(str(value), lines=True) for name, value in flat.items()}))

    def show(self, *parts: RenderableType) -> None:
        """Show rich renderables on a terminal."""
        _console().print(*parts, sep="\n")

    def note(self, text: str) -> None:
        """Show a last line for a human. Programs do not get it."""
        if self.form == "table":
            _console().print(Text(text, style="bold"))


def _json(rows: Iterable[Row]) -> None:
    """Write one array with one row in each line."""
    start = "["
    for row in rows:
        write(f"{start}\n {json.dumps(row)}")
        start = ","
    write("[]\n" if start == "[" else "\n]\n")


def _table(columns: list[str], rows: Iterable[Row], prose: frozenset[str], styles: Styles) -> None:
    """Show a table of the columns that have values. On a terminal that is too narrow, show a block for each row.

    The rows that arrived before a failure are shown, too.
    """
    cells: list[dict[str, str]] = []
    try:
        cells.extend({name: one_line(row[name]) for name in columns} for row in rows)
    finally:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        filled = [name for name in columns if any(row[name] for row in cells)]
        for name in filled:
            min_width = _PROSE_WIDTH if name in prose else None
            table.add_column(name.replace("_", " "), no_wrap=name not in prose, overflow="fold", min_width=min_width)
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


class _Console(Console):
    """A console that reports a closed output as any other output of this module does."""

    def on_broken_pipe(self) -> None:
        """Rich calls this, and would exit with status 1."""
        raise OutputClosed("the output was closed")


def _console() -> Console:
    return _Console(highlight=False)
