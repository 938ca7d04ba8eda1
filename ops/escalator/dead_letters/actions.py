"""Confirm an action on selected messages, run it, and report results."""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import click

from ops.escalator.aws import CommandFailed
from ops.escalator.dead_letters.message import DeadLetter
from ops.escalator.dead_letters.queue import DeadLetters
from ops.escalator.dead_letters.result import ActionResult, ResultKind
from ops.escalator.dead_letters.selection import QueueSummary, Selection, count_by_reason, summarize_queue
from ops.escalator.output.console import Output, OutputClosed
from ops.escalator.text.labels import counted

_COLUMNS = ("id", "reason", "result", "detail")
_LABELS = {
    ResultKind.SENT_BACK: ("sent back", ""),
    ResultKind.DELETED: ("deleted", ""),
    ResultKind.SENT_BACK_NOT_DELETED: ("sent back, but not deleted", ": delete the copy on the dead-letter queue"),
    ResultKind.REDELIVERED: ("published again", ""),
    ResultKind.REDELIVERED_NOT_DELETED: ("published again, but not deleted", ": delete the copy on the queue"),
    ResultKind.FAILED: ("failed", ": still on the dead-letter queue, try again"),
    ResultKind.KEPT: ("kept", ": unretryable, --force sends these too"),
    ResultKind.MISSING: ("missing", ": `escalator redrive list` shows the messages of the queue"),
}
"""For each kind: its words in the summary line, and what to do about it."""


@dataclass(frozen=True, slots=True)
class Action:
    """What to do with the selected messages.

    run:      does it, for one batch.
    question: asks for confirmation. {} is replaced by the number of messages.
    force:    whether to include unretryable messages. None for an action for which this makes no difference.
    """

    run: Callable[[Sequence[DeadLetter]], list[ActionResult]]
    question: str
    force: bool | None = None


def run_action(action: Action, letters: DeadLetters, selection: Selection, output: Output, *, yes: bool) -> bool:
    """Confirm an action, run it, and report. Returns whether it succeeded for every selected message.

    Raises UsageError without a terminal to confirm on, and CommandFailed if the operator does not confirm.
    """
    if not yes and not sys.stdin.isatty():
        raise click.UsageError("No terminal to confirm on. Nothing was done. Pass --yes to skip the question.")
    summary = summarize_queue(letters, selection)
    kept = summary.unretryable if action.force is False else set()
    pending = {letter_id: reason for letter_id, reason in summary.selected.items() if letter_id not in kept}
    if pending and not yes and not click.confirm(_question(action, summary, pending), err=True):
        raise CommandFailed("not confirmed; nothing was done")
    missing = selection.ids - summary.selected.keys()
    results = [ActionResult(letter_id, summary.selected[letter_id], ResultKind.KEPT) for letter_id in sorted(kept)]
    results += [ActionResult(letter_id, "", ResultKind.MISSING) for letter_id in sorted(missing)]

    def rows() -> Iterator[dict[str, str]]:
        yield from (result.row() for result in results)
        for result in _run(action, letters, pending):
            results.append(result)
            yield result.row()

    try:
        output.rows(_COLUMNS, rows(), prose=["detail"])
    except OutputClosed as exc:
        raise CommandFailed(f"the output was closed after {counted(len(results), 'message')}; run it again") from exc
    click.echo(_summary_line(results, summary), err=True)
    return all(result.succeeded for result in results)


def _run(action: Action, letters: DeadLetters, pending: dict[str, str]) -> Iterator[ActionResult]:
    """Run the action for the confirmed messages only. Others may have arrived after the question."""
    remaining = dict(pending)
    with letters:
        for batch in letters.batches() if remaining else ():
            for result in action.run([letter for letter in batch if letter.id in remaining]):
                del remaining[result.id]
                yield result
            if not remaining:
                break
    yield from (ActionResult(letter_id, reason, ResultKind.MISSING) for letter_id, reason in remaining.items())


def _question(action: Action, summary: QueueSummary, pending: dict[str, str]) -> str:
    question = f"{action.question.format(counted(len(pending), 'message'))} ({count_by_reason(pending.values())})?"
    if not summary.unretryable or action.force is None:
        return question
    reasons = count_by_reason(summary.selected[letter_id] for letter_id in summary.unretryable)
    unretryable = f"{counted(len(summary.unretryable), 'message')} ({reasons}) would be rejected again"
    return f"{unretryable}. {question}" if action.force else f"{unretryable}: kept without --force. {question}"


def _summary_line(results: Sequence[ActionResult], summary: QueueSummary) -> str:
    """One line: the count of each kind of result, with advice."""
    if not results:
        contents = count_by_reason(summary.reasons.elements())
        return f"no messages selected: the dead-letter queue {f'has {contents}' if contents else 'is empty'}"
    parts = []
    for kind, (label, advice) in _LABELS.items():
        if matching := [result for result in results if result.kind is kind]:
            reasons = count_by_reason(result.reason for result in matching if result.reason)
            parts.append(f"{len(matching)} {label}{f' ({reasons})' if reasons else ''}{advice}")
    return "; ".join(parts)
