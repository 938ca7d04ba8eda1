"""Sending back and deleting: ask, do what was asked about, and tell what was done."""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import click

from ops.escalator.choice import Choice, Survey, counted, messages, survey
from ops.escalator.connection import Failed
from ops.escalator.dead_letter import DeadLetter
from ops.escalator.dead_letters import DeadLetters
from ops.escalator.fate import Done, Fate
from ops.escalator.output import Output

_COLUMNS = ("id", "reason", "result", "why")
_ENDS = {
    Fate.SENT_BACK: ("sent back", ""),
    Fate.DELETED: ("deleted", ""),
    Fate.SENT_BACK_NOT_DELETED: ("sent back, but not deleted", ": delete what is still on the dead-letter queue"),
    Fate.FAILED: ("failed", ": on the dead-letter queue as before, try again"),
    Fate.KEPT: ("kept", ": it would only come back, --even-so sends it too"),
    Fate.NOT_THERE: ("not there", ": `escalator redrive list` shows what is"),
}
"""How the last line calls each end, and what it advises."""


@dataclass(frozen=True, slots=True)
class Deed:
    """What is to be done with the chosen messages.

    act:       does it.
    question:  asks for it; {} is how many messages.
    even_so:   whether it is done to those that would only come back, too; None where that makes no difference.
    """

    act: Callable[[Sequence[DeadLetter]], list[Done]]
    question: str
    even_so: bool | None = None


def carry_out(deed: Deed, letters: DeadLetters, choice: Choice, output: Output, *, yes: bool) -> bool:
    """Whether everything that was chosen is done. Raises UsageError where nobody can be asked, Failed on a no."""
    if not yes and not sys.stdin.isatty():
        raise click.UsageError("nobody is here to be asked, so nothing was done; --yes does it without asking.")
    found = survey(letters, choice)
    kept = found.hopeless if deed.even_so is False else set()
    wanted = {it: reason for it, reason in found.chosen.items() if it not in kept}
    if wanted and not yes and not click.confirm(_question(deed, found, wanted), err=True):
        raise Failed("nothing was done")
    done = [Done(it, found.chosen[it], Fate.KEPT) for it in sorted(kept)]
    done += [Done(it, "", Fate.NOT_THERE) for it in sorted(choice.ids - found.chosen.keys())]

    def rows() -> Iterator[dict[str, str]]:
        yield from (it.row() for it in done)
        for it in _act(deed, letters, wanted):
            done.append(it)
            yield it.row()

    output.rows(_COLUMNS, rows(), prose=["why"])
    click.echo(_summary(done, found), err=True)
    return all(it.well for it in done)


def _act(deed: Deed, letters: DeadLetters, wanted: dict[str, str]) -> Iterator[Done]:
    """Do it to those that were asked about, and to no message that has come since."""
    ahead = dict(wanted)
    with letters:
        for batch in letters.batches() if ahead else ():
            for done in deed.act([it for it in batch if it.id in ahead]):
                del ahead[done.id]
                yield done
            if not ahead:
                break
    yield from (Done(it, reason, Fate.NOT_THERE) for it, reason in ahead.items())


def _question(deed: Deed, found: Survey, wanted: dict[str, str]) -> str:
    question = f"{deed.question.format(messages(len(wanted)))} ({counted(wanted.values())})?"
    if not found.hopeless or deed.even_so is None:
        return question
    reasons = counted(found.chosen[it] for it in found.hopeless)
    if deed.even_so:
        return f"{messages(len(found.hopeless))} ({reasons}) would only come back. {question}"
    return f"{messages(len(found.hopeless))} ({reasons}) would only come back, and stay without --even-so. {question}"


def _summary(done: Sequence[Done], found: Survey) -> str:
    """One line: how many came to which end, and what to do about it."""
    if not done:
        return f"nothing to do: the dead-letter queue has {counted(found.reasons.elements()) or 'nothing'}"
    ends = []
    for fate, (word, advice) in _ENDS.items():
        if concerned := [it for it in done if it.fate is fate]:
            reasons = counted(it.reason for it in concerned if it.reason)
            ends.append(f"{len(concerned)} {word}{f' ({reasons})' if reasons else ''}{advice}")
    return "; ".join(ends)
