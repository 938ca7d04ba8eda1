"""`escalator status`: what waits, since when and why, and whether anything is lost."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime

import click
from rich.text import Text

from ops.escalator.aws import CommandFailed, Connection
from ops.escalator.options import connection_options
from ops.escalator.output.console import Output, write
from ops.escalator.status.facts import facts
from ops.escalator.status.overview import read_overview
from ops.escalator.status.screen import screen
from ops.escalator.status.verdict import judge
from ops.escalator.text.sanitize import one_line

Look = Callable[[], bool]
"""Reads and shows the status once, and returns whether all is well. Raises CommandFailed."""


@click.command()
@connection_options
@click.option("--stack", required=True, metavar="NAME", help="CloudFormation stack to look at.")
@click.option("--watch", is_flag=True, help="Show it again and again, until Ctrl-C.")
@click.option(
    "--every",
    type=click.IntRange(10),
    default=30,
    show_default=True,
    metavar="SECONDS",
    help="With --watch, the pause between two screens.",
)
@click.option("--json", "form", flag_value="json", help="Write JSON.")
def status(connection: Connection, stack: str, watch: bool, every: int, form: str | None) -> None:
    """Show what waits, since when and why, and whether anything is lost.

    The first lines are the verdict. Below: requests that wait, by reason, dead letters by reason, alarms that are on, the lag of
    the feed, alerts of the last hour and day, and what is left of Cloudflare's rate limit. A part that cannot be read is shown
    as not known. Nothing is changed. The exit status is 1 if something is wrong or a part is not known. With --json, --watch
    writes one object in each line.

    \b
    Example:
      escalator status --stack cloudflare-email-alerts
      escalator status --watch --stack cloudflare-email-alerts
    """  # noqa: D301  # click's \b keeps the lines as they are
    output = Output(form)

    def look() -> bool:
        now = datetime.now(UTC)
        overview = read_overview(connection, connection.stack(stack), now)
        verdict = judge(overview)
        if output.form == "json":
            write(json.dumps(facts(overview, verdict), indent=None if watch else 1) + "\n")
        else:
            show(output, screen(overview, verdict), is_fine=verdict.is_fine)
        return verdict.is_fine

    is_fine = repeat(look, lambda: time.sleep(every), output) if watch else look()
    raise click.exceptions.Exit(0 if is_fine else 1)


def show(output: Output, lines: list[str], *, is_fine: bool) -> None:
    """Write the lines. On a terminal, the verdict is green or red."""
    if output.form != "table":
        write("".join(f"{line}\n" for line in lines))
        return
    end = lines.index("") if "" in lines else len(lines)
    output.show(Text("\n".join(lines[:end]), "green" if is_fine else "bold red"), Text("\n".join(lines[end:])))


def repeat(look: Look, pause: Callable[[], None], output: Output) -> bool:
    """Look again after each pause, until Ctrl-C. Returns whether all was well at the last look.

    A look that fails ends nothing: the network may come back.
    """
    is_fine = False
    try:
        while True:
            if output.form == "table":
                click.clear()
            try:
                is_fine = look()
            except CommandFailed as exc:
                is_fine = False
                click.echo(f"The status is not known: {one_line(exc)}", err=True)
            if output.form == "plain":
                write("\n")
            pause()
    except KeyboardInterrupt:
        return is_fine
