"""`escalator redrive`: list, show, send back, redeliver and delete dead letters."""

from collections import Counter
from collections.abc import Iterator

import click

from ops.escalator.aws import CommandFailed, Connection
from ops.escalator.dead_letters.actions import Action, run_action
from ops.escalator.dead_letters.message import utc
from ops.escalator.dead_letters.queue import MAX_MESSAGES, DeadLetters
from ops.escalator.dead_letters.redelivery import Redelivery
from ops.escalator.dead_letters.selection import Selection, count_by_reason, reason_option, selection_options
from ops.escalator.options import (
    DEAD_LETTERS,
    REQUESTS,
    connection_options,
    queue_options,
    undelivered_messages,
    wait_option,
)
from ops.escalator.output.console import Output, Row, output_option
from ops.escalator.text.labels import counted

BODY_PREVIEW = 100
"""Characters of a body that `list` shows."""
COLUMNS = ("id", "reason", "detail", "queued", "receive_count", "body")

TOPICS = ("FindingsTopicArn", "PeopleTopicArn", "OperationsTopicArn")
"""Outputs of the stack."""

yes_option = click.option("--yes", is_flag=True, help="Skip the confirmation question.")


@click.group()
def redrive() -> None:
    """List, send back or delete requests that the function could not process, and messages that SNS could not deliver.

    \b
    Example:
      escalator redrive list --stack cloudflare-email-alerts
      escalator redrive send-back --reason deferred-too-long --stack cloudflare-email-alerts
      escalator redrive redeliver --all --stack cloudflare-email-alerts
    """  # noqa: D301  # click\'s \b keeps the lines as they are


@redrive.command("list")
@queue_options(DEAD_LETTERS)
@reason_option
@click.option(
    "--limit",
    type=click.IntRange(1, MAX_MESSAGES),
    default=MAX_MESSAGES,
    metavar="N",
    help="Show at most N messages.",
)
@output_option
def list_(letters: DeadLetters, reasons: tuple[str, ...], limit: int, form: str | None) -> None:
    """List the messages of the dead-letter queue with their reasons.

    The reason `retries-exhausted` means that SQS itself moved the message after 13 receives: at the last two, the
    function crashed, timed out or could not requeue it. The log of the function has the error.

    \b
    Example:
      escalator redrive list --reason unknown-disposition --stack cloudflare-email-alerts
      escalator redrive list --undelivered --stack cloudflare-email-alerts
    """  # noqa: D301  # click\'s \b keeps the lines as they are
    output, shown = Output(form), Counter[str]()

    def rows() -> Iterator[Row]:
        for letter in (letter for batch in letters.batches() for letter in batch):
            if not reasons or letter.reason in reasons:
                shown[letter.reason] += 1
                yield {
                    "id": letter.id,
                    "reason": letter.reason,
                    "detail": letter.detail,
                    "queued": utc(letter.queued),
                    "receive_count": letter.receive_count,
                    "body": letter.body[:BODY_PREVIEW],
                }
            if shown.total() == limit:
                break

    with letters:
        output.rows(COLUMNS, rows(), prose=["detail", "body"])
    output.note(f"{counted(shown.total(), 'message')}{': ' if shown else ''}{count_by_reason(shown.elements())}")
    if shown.total() == limit:
        click.echo(f"--limit {limit} reached; the queue may have more messages", err=True)


@redrive.command("show")
@click.argument("id")
@queue_options(DEAD_LETTERS)
@output_option
def show(letters: DeadLetters, id: str, form: str | None) -> None:
    """Show one message with its full body and all attributes.

    \b
    Example:
      escalator redrive show 5fea7756-0ea4-451a-a703-a558b933e274 --json --stack cloudflare-email-alerts
    """  # noqa: D301  # click\'s \b keeps the lines as they are
    with letters:
        found = next((letter for batch in letters.batches() for letter in batch if letter.id == id), None)
    if found is None:
        raise CommandFailed(f"{id} is not on the dead-letter queue; run `escalator redrive list` to see its messages")
    Output(form).record(found.as_json())


@redrive.command("send-back")
@selection_options
@click.option("--force", is_flag=True, help="Send back unretryable messages, too.")
@yes_option
@queue_options(DEAD_LETTERS, REQUESTS)
@output_option
def send_back(letters: DeadLetters, selection: Selection, force: bool, yes: bool, form: str | None) -> None:
    """Send messages back to the requests queue, as new messages.

    The command deletes a message from the dead-letter queue only after SQS has accepted its copy. A message with a
    malformed body, a notification of S3, an invalid id or another account is unretryable: the function would reject it
    again. Such a message stays on the dead-letter queue, unless you pass --force.

    \b
    Example:
      escalator redrive send-back --reason deferred-too-long --stack cloudflare-email-alerts
    """  # noqa: D301  # click\'s \b keeps the lines as they are
    action = Action(letters.send_back, "Send {} back to the requests queue", force)
    _exit(succeeded=run_action(action, letters, selection, Output(form), yes=yes))


@redrive.command("redeliver")
@selection_options
@yes_option
@connection_options
@click.option("--stack", required=True, metavar="NAME", help="CloudFormation stack that has the queue and the topics.")
@wait_option
@output_option
def redeliver(
    connection: Connection, *, selection: Selection, stack: str, wait: int, yes: bool, form: str | None
) -> None:
    """Publish messages again that SNS could not deliver to a subscriber.

    SNS cannot publish to one subscriber only. So all subscribers of the topic get the message again, in the form that the
    failed subscriber was to get. Its subject begins with [REPEAT]. First correct the subscription that failed.

    \b
    Example:
      escalator redrive redeliver --all --stack cloudflare-email-alerts
    """  # noqa: D301  # click\'s \b keeps the lines as they are
    letters = undelivered_messages(connection, stack, wait)
    outputs = connection.outputs(stack)
    redelivery = Redelivery(connection.sns, frozenset(outputs[it] for it in TOPICS if it in outputs), letters)
    action = Action(redelivery.run, "Publish {} again, to all subscribers of the topic")
    _exit(succeeded=run_action(action, letters, selection, Output(form), yes=yes))


@redrive.command("delete")
@selection_options
@yes_option
@queue_options(DEAD_LETTERS)
@output_option
def delete(letters: DeadLetters, selection: Selection, yes: bool, form: str | None) -> None:
    """Delete messages permanently.

    \b
    Example:
      escalator redrive delete --reason malformed-body --stack cloudflare-email-alerts
    """  # noqa: D301  # click\'s \b keeps the lines as they are
    action = Action(letters.delete, "Delete {} permanently")
    _exit(succeeded=run_action(action, letters, selection, Output(form), yes=yes))


def _exit(*, succeeded: bool) -> None:
    """Exit with status 1 unless the action succeeded for every message. The summary line says what failed."""
    raise click.exceptions.Exit(0 if succeeded else 1)
