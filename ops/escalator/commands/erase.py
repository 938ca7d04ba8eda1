"""`escalator erase`: erase one person's address from the records."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import click

from functions.domain.search_values import SearchKind
from ops.escalator.aws import CommandFailed, Connection, explained
from ops.escalator.erasure.erasure import Erasure, new_placeholder
from ops.escalator.erasure.redaction import Person
from ops.escalator.options import TABLE, connection_options, resolve
from ops.escalator.output.console import Output, output_option
from ops.escalator.records.query import InvalidValue, asked_value
from ops.escalator.text.labels import counted

COLUMNS = ("decided_at", "item", "postfix_id", "attributes", "result")


@click.command()
@click.argument("recipient")
@connection_options
@click.option("--table", TABLE, metavar="NAME", help=f"DynamoDB table of the ledger.  [env var: {TABLE}]")
@click.option("--stack", metavar="NAME", help="CloudFormation stack that has the table.")
@click.option("--name", "names", multiple=True, metavar="TEXT", help="Erase this name everywhere, too. Repeatable.")
@click.option("--apply", is_flag=True, help="Erase. Without it, nothing changes.")
@output_option
def erase(
    connection: Connection,
    recipient: str,
    stack: str | None,
    names: tuple[str, ...],
    form: str | None,
    *,
    apply: bool,
    **params: Any,
) -> None:
    """Erase a recipient's address from all records, and list what has it.

    Without --apply nothing changes. With it, the address and the name beside it become a placeholder, such as
    erased-1a2b3c4d@erased.invalid, in every record and email that has the recipient, and `find` and `history` no longer find
    them by the address. Decisions, times, indicators and other recipients stay. Each record notes when and by which AWS
    identity. Run it again if it was interrupted. It cannot be undone. RECIPIENT is an address in any spelling.

    \b
    Examples:
      escalator erase ann@corp.example --stack cloudflare-email-alerts
      escalator erase ann@corp.example --name "Ann Lee" --apply --stack cloudflare-email-alerts
    """  # noqa: D301  # click's \b keeps the lines as they are
    try:
        address = asked_value(SearchKind.RECIPIENT, recipient)
    except InvalidValue as exc:
        raise click.UsageError(f"RECIPIENT {exc}.") from exc
    if "@" not in address:
        raise click.UsageError(f"RECIPIENT {recipient!r} is not an address. Pass one such as ann@corp.example.")
    table = resolve(connection, {TABLE: params.pop(TABLE)}, stack)[TABLE]
    by = _identity(connection) if apply else ""
    person = Person(address, new_placeholder(), names)
    erasure = Erasure(connection.dynamodb, table, person, datetime.now(UTC), by, apply)
    count = 0

    def rows() -> Iterator[dict[str, str]]:
        nonlocal count
        for it in erasure.items():
            count += 1
            yield {
                "decided_at": it.decided_at,
                "item": it.what,
                "postfix_id": it.key["pk"],
                "attributes": ", ".join(it.attributes),
                "result": _RESULTS[it.done],
            }

    Output(form).rows(COLUMNS, rows(), prose=("attributes",))
    found = f"{counted(count, 'item')} and {counted(erasure.pointers, 'pointer')} in {table}"
    if erasure.failed:
        raise CommandFailed(
            f"{counted(erasure.failed, 'item')} of {found} changed at each try and still has the address; run it again"
        )
    if not apply:
        click.echo(f"Found {found}. Nothing was changed. To erase, pass --apply.", err=True)
        return
    click.echo(f"Erased {found}, as {by}.", err=True)
    click.echo("Alerts that were sent, logs, queues and backups have copies: docs/personal-data.md.", err=True)


_RESULTS = {None: "would be erased", True: "erased", False: "changed meanwhile"}


def _identity(connection: Connection) -> str:
    with explained("look up your AWS identity"):
        arn: str = connection.client("sts").get_caller_identity()["Arn"]
    return arn
