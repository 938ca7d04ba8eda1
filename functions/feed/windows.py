"""Which period a loop lists next. Pure.

A pass lists a whole period in slices, each with one search. A slice that is complete moves the position; one that is not
halves the next slice. A pass continues in the next run where it must. Cursors do not outlive a slice.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

OVERLAP = timedelta(minutes=1)
"""Between two slices: whether a search includes its start and its end is not documented."""
MIN_STEP = timedelta(minutes=1)
FEW_PAGES = 2
"""A slice of at most so many pages may be longer next time."""
SLICE_PAGES = 2 * FEW_PAGES + 1
"""The requests that must be left for a sweep to start a slice: those of a slice that does not end are lost."""


@dataclass(frozen=True, slots=True)
class Loop:
    """A loop of the feed.

    every:        the time between two passes; zero for a pass in each run.
    lookback:     how far back a pass reaches: before the last pass if `every` is zero, else before now.
    max_step:     the longest slice.
    finds_falls:  whether it also queues deliveries that fell or are missing from the list.
    """

    name: str
    every: timedelta
    lookback: timedelta
    max_step: timedelta
    finds_falls: bool


MINUTE = Loop("minute", timedelta(0), timedelta(minutes=30), timedelta(hours=6), finds_falls=False)
"""New detections, with an index lag of up to 30 minutes."""
HOURLY = Loop("hourly", timedelta(hours=1), timedelta(hours=26), timedelta(hours=26), finds_falls=True)
"""Cloudflare scans again after 12 and 24 hours: 24 h, the period of the loop and an hour to spare."""
DAILY = Loop("daily", timedelta(hours=20), timedelta(days=8), timedelta(days=8), finds_falls=True)
"""Analysts reclassify within seven days: 7 d, the period of the loop, and 4 h in which the feed may not run."""
LOOPS = (MINUTE, HOURLY, DAILY)
"""In the order of their priority."""


@dataclass(frozen=True, slots=True)
class Window:
    """A period to list."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a loop has come.

    until:    the end of what is listed completely. Of the minute loop: the watermark. It is never the time of a row.
    position: how far the current pass has come; None between two passes.
    goal:     the end of the current pass.
    step:     the length of the next slice.
    """

    until: datetime
    position: datetime | None
    goal: datetime
    step: timedelta


def start_progress(loop: Loop, floor: datetime) -> Progress:
    """The progress at the first run. floor: the time before which nothing is listed."""
    return Progress(floor, None, floor, loop.max_step)


def begin(loop: Loop, progress: Progress, floor: datetime, now: datetime) -> Progress | None:
    """The progress with a pass to continue, or None while no pass is due."""
    if progress.position is not None and progress.position <= now:
        return progress if loop.every else replace(progress, goal=now)
    if loop.every and now - progress.until < loop.every:
        return None
    start = (now if loop.every else min(progress.until, now)) - loop.lookback
    return replace(progress, position=max(start, floor), goal=now)


def next_window(progress: Progress) -> Window | None:
    """The next slice of a pass; None at its end."""
    if progress.position is None or progress.position >= progress.goal:
        return None
    return Window(progress.position - OVERLAP, min(progress.position + progress.step, progress.goal))


def succeed(loop: Loop, progress: Progress, window: Window, pages: int) -> Progress:
    """The progress after a slice was listed completely, in so many pages."""
    step = min(progress.step * 2, loop.max_step) if pages <= FEW_PAGES else progress.step
    is_end = window.end >= progress.goal
    until = max(progress.until, window.end) if is_end or not loop.every else progress.until
    return replace(progress, until=until, position=None if is_end else window.end, step=step)


def fail(progress: Progress) -> Progress:
    """The progress after a slice that was too long."""
    return replace(progress, step=max(progress.step / 2, MIN_STEP))
