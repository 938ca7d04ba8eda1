"""`escalator replay`: publish a recorded alert again, marked as a repeat."""

import json
import os
import sys
from pathlib import Path

import click

from functions.alert.alert import Alert, describe
from functions.alert.notice import Notice
from functions.domain.record import moment
from ops.escalator.alerts.publish import alert_options, publish, topics_of
from ops.escalator.aws import CommandFailed, Connection, Stack
from ops.escalator.options import connection_options, whole_retention
from ops.escalator.output.console import write
from ops.escalator.output.private_file import open_private
from ops.escalator.records.query import InvalidValue, RecordQuery, asked_value
from ops.escalator.records.reader import RecordReader
from ops.escalator.records.stored_record import StoredRecord

STDOUT = "-"


@click.command()
@click.argument("alert_id")
@connection_options
@click.option("--stack", required=True, metavar="NAME", help="CloudFormation stack that has the record and the topics.")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    help="Write the alert to a file that only you can read, or to stdout (-), instead of publishing it.",
)
@click.option("--yes", is_flag=True, help="Skip the confirmation question.")
def replay(connection: Connection, alert_id: str, stack: str, output: str | None, *, yes: bool) -> None:
    """Publish a recorded alert again, to all subscribers of its topics.

    Its subject begins with [REPEAT], and the finding has the attribute `repeat`. `alert_id` and `metadata.uid` are those of
    the first publication, so a receiver that has the alert can recognize it. What the record has dropped for its size is
    missing. The record does not change. ALERT_ID is in the alert, and in `escalator history --json`.

    \b
    Example:
      escalator replay 1f0e3dad99908345f7439f8ffabdffc4 --stack cloudflare-email-alerts
      escalator replay 1f0e3dad99908345f7439f8ffabdffc4 --output alert.json --stack cloudflare-email-alerts
    """  # noqa: D301  # click's \b keeps the lines as they are
    try:
        asked = asked_value("alert_id", alert_id)
    except InvalidValue as exc:
        raise click.UsageError(f"ALERT_ID {exc}.") from exc
    if output is None and not yes and not sys.stdin.isatty():
        raise click.UsageError("No terminal to confirm on. Nothing was done. Pass --yes to skip the question.")
    described = connection.stack(stack)
    stored = _record(connection, described, asked)
    alert = describe(stored.record, alert_options(described), notice=Notice.REPEAT)
    if output is not None:
        _write(alert, output)
        return
    topics = topics_of(described)
    people = "people and machines" if alert.notify else "machines only"
    question = f"Publish it again, to {people}: {alert.subject}, of {moment(stored.record.decided_at)}?"
    if not yes and not click.confirm(question, err=True):
        raise CommandFailed("not confirmed; nothing was done")
    publish(connection, topics, alert)
    click.echo(f"Published: {alert.subject}", err=True)


def _record(connection: Connection, stack: Stack, alert_id: str) -> StoredRecord:
    table = stack.outputs.get("LedgerTableName")
    if not table:
        raise CommandFailed(f"the stack {stack.name} has no table of records, so no alert can be repeated")
    reader = RecordReader(connection.dynamodb, table)
    query = RecordQuery(whole_retention(), {"alert_id": alert_id})
    found = next((record for page in reader.pages(query, limit=1) for record in page.records), None)
    if found is None:
        raise CommandFailed(
            f"no record of the alert {alert_id} in {table}: check the id. Records expire after RecordRetentionDays"
        )
    if not isinstance(found, StoredRecord):
        raise CommandFailed(f"the record of the alert {alert_id} cannot be read: {found}; use a newer release")
    if found.record.severity is None:
        raise CommandFailed(f"the record of {alert_id} is no alert: its outcome is {found.record.outcome}")
    return found


def _write(alert: Alert, output: str) -> None:
    bodies = {name: json.loads(text) if name in ("default", "https") else text for name, text in alert.bodies.items()}
    content = {"subject": alert.subject, "attributes": alert.attributes, "bodies": bodies}
    text = json.dumps(content, indent=1) + "\n"
    if output == STDOUT:
        write(text)
        return
    try:
        with os.fdopen(open_private(Path(output), os.O_WRONLY | os.O_CREAT), "w", encoding="utf-8") as out:
            out.truncate()
            out.write(text)
    except OSError as exc:
        raise CommandFailed(f"cannot write {output}: {exc.strerror}; check the path") from exc
    click.echo(f"Wrote the alert to {output}.", err=True)
