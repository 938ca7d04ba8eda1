"""Count the records that cannot be read, and report them once at the end."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import click

from functions.release import RELEASE
from ops.escalator.records.stored_record import UnreadableRecord
from ops.escalator.text.labels import counted
from ops.escalator.text.sanitize import one_line

T = TypeVar("T")


@dataclass(slots=True)
class UnreadableCounter:
    """Counts unreadable records while the others are processed."""

    count: int = 0
    first: UnreadableRecord | None = None

    def watch(self, records: Iterable[T]) -> Iterator[T]:
        """Yield the records as they are, and count those that cannot be read."""
        for record in records:
            if isinstance(record, UnreadableRecord):
                self.count += 1
                self.first = self.first or record
            yield record

    def readable(self, records: Iterable[T | UnreadableRecord]) -> Iterator[T]:
        """Yield the records that can be read, and count the others."""
        return (record for record in self.watch(records) if not isinstance(record, UnreadableRecord))

    def report(self, advice: str) -> None:
        """Write one line to stderr if there were any: how many, the first one, why, and what to do."""
        if self.first:
            click.echo(
                f"{counted(self.count, 'record')} cannot be read by release {RELEASE}, such as"
                f" {one_line(self.first)}. {advice}",
                err=True,
            )
