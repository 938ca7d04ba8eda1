"""`escalator doctor`: check a deployment end to end."""

from collections import Counter

import click
from rich.table import Table
from rich.text import Text

from ops.escalator.aws import Connection
from ops.escalator.doctor.check import Check, Status
from ops.escalator.doctor.examine import examine
from ops.escalator.options import connection_options
from ops.escalator.output.console import Output
from ops.escalator.text.sanitize import one_line

COLUMNS = ("status", "check", "found", "advice")
_STYLES = {Status.OK: "green", Status.WARNING: "yellow", Status.FAILURE: "bold red", Status.SKIPPED: "dim"}


@click.command()
@connection_options
@click.option("--stack", required=True, metavar="NAME", help="CloudFormation stack to check.")
@click.option("--json", "form", flag_value="json", help="Write JSON.")
def doctor(connection: Connection, stack: str, form: str | None) -> None:
    """Check a deployment: functions, secret, token, queues, table, topics, alarms, logs, feed.

    Each line says what was found and, unless it is ok, what to do. The function itself asks Cloudflare, with at most three
    requests, so the token does not leave AWS. Nothing is changed and no alert is sent; `escalator test-alert` sends one. The
    exit status is 1 if a line is a failure.

    \b
    Example:
      escalator doctor --stack cloudflare-email-alerts
    """  # noqa: D301  # click's \b keeps the lines as they are
    output = Output(form)
    checks = list(examine(connection, connection.stack(stack)))
    if output.form == "table":
        output.show(_table(checks))
    else:
        output.rows(COLUMNS, (it.row() for it in checks))
    counts = Counter(it.status for it in checks)
    click.echo(", ".join(f"{counts[it]} {it}" for it in Status if counts[it]), err=True)
    raise click.exceptions.Exit(1 if counts[Status.FAILURE] else 0)


def _table(checks: list[Check]) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for it in checks:
        found = Text(one_line(it.found))
        if it.advice:
            found.append(f"\n> {one_line(it.advice)}", "dim")
        grid.add_row(Text(it.status, _STYLES[it.status]), Text(it.name), found)
    return grid
