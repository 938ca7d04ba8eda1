"""How far a command is that reads a span of time, for somebody who waits for it."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from ops.escalator.span import Span

Advance = Callable[[str, int], None]
"""Shows how far it came: when the last record was decided, and how many there were."""


@contextmanager
def progress(span: Span, *, newest_first: bool = False) -> Iterator[Advance]:
    """A bar on stderr, where that is a terminal. How many there will be nobody knows, but how much of the span is done."""
    columns = (
        TextColumn("Records"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[count]:,}"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as shown:
        task = shown.add_task("", total=(span.until - span.since).total_seconds(), count=0)

        def advance(decided_at: str, count: int) -> None:
            at = datetime.fromisoformat(decided_at)
            done = span.until - at if newest_first else at - span.since
            shown.update(task, completed=done.total_seconds(), count=count)

        yield advance
