"""Select messages of the dead-letter queue, and count them by reason."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

import click

from ops.escalator.dead_letters.message import DeadLetter
from ops.escalator.dead_letters.queue import DeadLetters
from ops.escalator.text.sanitize import one_line


@dataclass(frozen=True, slots=True)
class Selection:
    """The messages that an operator selects: by id, by reason, or all. Exactly one of the three is set."""

    ids: frozenset[str]
    reasons: frozenset[str]
    all_messages: bool

    def __contains__(self, letter: DeadLetter) -> bool:
        return self.all_messages or letter.id in self.ids or letter.reason in self.reasons


@dataclass(slots=True)
class QueueSummary:
    """The selected messages of a queue, without their bodies.

    A queue can have more bodies than fit into memory.

    selected:    the reason of each selected message, by id.
    unretryable: the ids of selected messages that the function would reject again.
    reasons:     how many messages have each reason, of all messages that were read.
    """

    selected: dict[str, str] = field(default_factory=dict)
    unretryable: set[str] = field(default_factory=set)
    reasons: Counter[str] = field(default_factory=Counter)


def selection_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add IDs, --reason and --all. Exactly one is required. The command gets it as its parameter `selection`."""

    @click.argument("ids", nargs=-1, metavar="[ID]...")
    @reason_option
    @click.option("--all", "all_messages", is_flag=True, help="Select every message of the dead-letter queue.")
    @wraps(command)
    def with_selection(ids: tuple[str, ...], reasons: tuple[str, ...], all_messages: bool, **params: Any) -> Any:
        if sum(map(bool, (ids, reasons, all_messages))) != 1:
            raise click.UsageError("which messages? Give their IDs, or a --reason, or --all.")
        return command(selection=Selection(frozenset(ids), frozenset(reasons), all_messages), **params)

    return with_selection


def reason_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --reason. The command gets the values as its parameter `reasons`."""
    return click.option(
        "--reason",
        "reasons",
        multiple=True,
        metavar="REASON",
        help="Select the messages with this reason. Repeatable.",
    )(command)


def summarize_queue(letters: DeadLetters, selection: Selection) -> QueueSummary:
    """Read the queue until its end, or until all ids are found. All messages stay on the queue."""
    summary = QueueSummary()
    with letters:
        for batch in letters.batches():
            for letter in batch:
                summary.reasons[letter.reason] += 1
                if letter in selection:
                    summary.selected[letter.id] = letter.reason
                    summary.unretryable |= {letter.id} if letter.is_unretryable else set()
            if selection.ids and selection.ids == summary.selected.keys():
                break
    return summary


def count_by_reason(reasons: Iterable[str]) -> str:
    """The count of each reason, in descending order: `2 invalid-answer, 1 retries-exhausted`."""
    counts = sorted(Counter(reasons).items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{count} {one_line(reason)}" for reason, count in counts)
