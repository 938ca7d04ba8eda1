"""`escalator redrive`: the dead-letter queue, looked at, sent back, deleted."""

from collections import Counter
from collections.abc import Iterator

import click

from ops.escalator.choice import Choice, choice_options, counted, messages, reason_option
from ops.escalator.connection import Failed
from ops.escalator.dead_letter import utc
from ops.escalator.dead_letters import MOST, DeadLetters
from ops.escalator.deed import Deed, carry_out
from ops.escalator.output import Output, Row, output_option
from ops.escalator.queues import DEAD_LETTERS, REQUESTS, queue_options

BODY_START = 100
"""Characters of a body that a list shows."""
COLUMNS = ("id", "reason", "detail", "queued", "receives", "body")

yes_option = click.option("--yes", is_flag=True, help="Do it without asking.")


@click.group()
def redrive() -> None:
    """Requests that could not be processed: list them, send them back, delete them."""


@redrive.command("list")
@queue_options(DEAD_LETTERS)
@reason_option
@click.option(
    "--limit", type=click.IntRange(1, MOST), default=MOST, metavar="N", help="Show no more than so many messages."
)
@output_option
def list_(letters: DeadLetters, reasons: tuple[str, ...], limit: int, form: str | None) -> None:
    """Show what lies on the dead-letter queue, and why.

    `retries-exhausted` is what SQS itself moved there, after the last receive; the function's log says what failed.
    """
    output, shown = Output(form), Counter[str]()

    def rows() -> Iterator[Row]:
        for letter in (it for batch in letters.batches() for it in batch):
            if not reasons or letter.reason in reasons:
                shown[letter.reason] += 1
                yield {
                    "id": letter.id,
                    "reason": letter.reason,
                    "detail": letter.detail,
                    "queued": utc(letter.queued),
                    "receives": letter.receives,
                    "body": letter.body[:BODY_START],
                }
            if shown.total() == limit:
                break

    with letters:
        output.rows(COLUMNS, rows(), prose=["detail", "body"])
    output.note(f"{messages(shown.total())}{': ' if shown else ''}{counted(shown.elements())}")
    if shown.total() == limit:
        click.echo(f"--limit {limit} is reached; there may be more", err=True)


@redrive.command("show")
@click.argument("id")
@queue_options(DEAD_LETTERS)
@output_option
def show(letters: DeadLetters, id: str, form: str | None) -> None:
    """Show one message whole: its attributes, what SQS says about it, and its body."""
    with letters:
        found = next((it for batch in letters.batches() for it in batch if it.id == id), None)
    if found is None:
        raise Failed(f"{id} is not on the dead-letter queue; `escalator redrive list` shows what is")
    Output(form).record(found.whole())


@redrive.command("send-back")
@choice_options
@click.option("--even-so", is_flag=True, help="Send back also what would only be rejected again.")
@yes_option
@queue_options(DEAD_LETTERS, REQUESTS)
@output_option
def send_back(letters: DeadLetters, choice: Choice, even_so: bool, yes: bool, form: str | None) -> None:
    """Put messages back on the requests queue, as if they were new.

    Each is deleted here when it has arrived there, and not before. A message with a malformed body, an invalid id or an
    account that is not configured would only be rejected again: it stays here, unless --even-so is given.
    """
    deed = Deed(letters.send_back, "Send {} back to the requests queue", even_so)
    _end(well=carry_out(deed, letters, choice, Output(form), yes=yes))


@redrive.command("delete")
@choice_options
@yes_option
@queue_options(DEAD_LETTERS)
@output_option
def delete(letters: DeadLetters, choice: Choice, yes: bool, form: str | None) -> None:
    """Delete messages for good."""
    deed = Deed(letters.delete, "Delete {} for good")
    _end(well=carry_out(deed, letters, choice, Output(form), yes=yes))


def _end(*, well: bool) -> None:
    """End with 1 where not everything could be done; what, has been said."""
    raise click.exceptions.Exit(0 if well else 1)
