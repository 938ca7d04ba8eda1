"""A progress bar for commands that read a range of time."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from ops.escalator.records.stored_record import AnyRecord, UnreadableRecord
from ops.escalator.records.time_range import TimeRange

Advance = Callable[[AnyRecord, int], None]
"""Moves the bar: to the last record, and to the number of records so far."""


@contextmanager
def progress(time_range: TimeRange, *, newest_first: bool = False) -> Iterator[Advance]:
    """Show a bar on stderr where that is a terminal.

    The number of records is not known in advance, so the bar shows how much of the time range is done.
    """
    columns = (
        TextColumn("Records"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[count]:,}"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("", total=(time_range.until - time_range.since).total_seconds(), count=0)

        def advance(last: AnyRecord, count: int) -> None:
            if isinstance(last, UnreadableRecord):  # its time may be unreadable, too
                bar.update(task, count=count)
                return
            at = last.record.decided_at
            done = time_range.until - at if newest_first else at - time_range.since
            bar.update(task, completed=done.total_seconds(), count=count)

        yield advance
