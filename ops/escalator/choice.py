"""Which messages of the dead-letter queue are meant, and what there is."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

import click

from ops.escalator.dead_letter import DeadLetter
from ops.escalator.dead_letters import DeadLetters
from ops.escalator.text import one_line


@dataclass(frozen=True, slots=True)
class Choice:
    """Some by their ids, all of some reasons, or everything: exactly one of the three."""

    ids: frozenset[str]
    reasons: frozenset[str]
    everything: bool

    def __contains__(self, letter: DeadLetter) -> bool:
        return self.everything or letter.id in self.ids or letter.reason in self.reasons


@dataclass(slots=True)
class Survey:
    """What was found, without the bodies: a queue may hold more of them than fit.

    chosen: the reason of each that is meant, by id. hopeless: those of them that would only come back.
    reasons: how many of each reason are there, of those that were looked at.
    """

    chosen: dict[str, str] = field(default_factory=dict)
    hopeless: set[str] = field(default_factory=set)
    reasons: Counter[str] = field(default_factory=Counter)


def choice_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command IDs, --reason and --all, of which exactly one is given; it gets the choice as `choice`."""

    @click.argument("ids", nargs=-1, metavar="[ID]...")
    @reason_option
    @click.option("--all", "everything", is_flag=True, help="Everything on the dead-letter queue.")
    @wraps(command)
    def with_choice(ids: tuple[str, ...], reasons: tuple[str, ...], everything: bool, **others: Any) -> Any:
        if sum(map(bool, (ids, reasons, everything))) != 1:
            raise click.UsageError("which messages? Give their IDs, or a --reason, or --all.")
        return command(choice=Choice(frozenset(ids), frozenset(reasons), everything), **others)

    return with_choice


def reason_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command --reason; it arrives as its parameter reasons."""
    return click.option(
        "--reason",
        "reasons",
        multiple=True,
        metavar="REASON",
        help="All that have this reason; may be given repeatedly.",
    )(command)


def survey(letters: DeadLetters, choice: Choice) -> Survey:
    """Look at the queue, to its end or until all ids are found, and leave everything where it is."""
    found = Survey()
    with letters:
        for batch in letters.batches():
            for letter in batch:
                found.reasons[letter.reason] += 1
                if letter in choice:
                    found.chosen[letter.id] = letter.reason
                    found.hopeless |= {letter.id} if letter.would_come_back else set()
            if choice.ids and choice.ids == found.chosen.keys():
                break
    return found


def counted(reasons: Iterable[str]) -> str:
    """How many of which, most first: `2 invalid-answer, 1 retries-exhausted`."""
    most_first = sorted(Counter(reasons).items(), key=lambda it: (-it[1], it[0]))
    return ", ".join(f"{count} {one_line(reason)}" for reason, count in most_first)


def messages(count: int) -> str:
    """`1 message`, `2 messages`."""
    return f"{count} message{'' if count == 1 else 's'}"
