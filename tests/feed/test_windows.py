"""Which period a loop lists next."""

from datetime import UTC, datetime, timedelta

import pytest

from functions.feed.windows import (
    DAILY,
    FEW_PAGES,
    HOURLY,
    LOOPS,
    MIN_STEP,
    MINUTE,
    OVERLAP,
    Loop,
    Progress,
    Window,
    begin,
    fail,
    next_window,
    start_progress,
    succeed,
)

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
FLOOR = NOW - timedelta(days=30)
MINUTES = timedelta(minutes=1)


def complete(loop: Loop, until: datetime) -> Progress:
    return Progress(until, None, until, loop.max_step)


def windows(loop: Loop, progress: Progress | None, pages: int = 1) -> tuple[list[Window], Progress]:
    """All slices of a pass that succeeds."""
    assert progress is not None
    found = []
    while window := next_window(progress):
        found.append(window)
        progress = succeed(loop, progress, window, pages)
    return found, progress


def test_minute_loop_lists_from_half_an_hour_before_the_watermark() -> None:
    """The watermark is then the end of the window."""
    found, progress = windows(MINUTE, begin(MINUTE, complete(MINUTE, NOW - MINUTES), FLOOR, NOW))
    assert [Window(NOW - 31 * MINUTES - OVERLAP, NOW)] == found
    assert complete(MINUTE, NOW) == progress


def test_minute_loop_catches_up_after_a_standstill_in_slices_of_six_hours() -> None:
    found, progress = windows(MINUTE, begin(MINUTE, complete(MINUTE, NOW - timedelta(hours=20)), FLOOR, NOW))
    assert [6, 6, 6, 2.5] == [(it.end - it.start - OVERLAP) / timedelta(hours=1) for it in found]
    assert NOW == progress.until


@pytest.mark.parametrize("loop", LOOPS, ids=lambda it: it.name)
def test_first_run_lists_nothing_before_the_floor(loop: Loop) -> None:
    """A deployment raises no alerts about old email."""
    floor = NOW - timedelta(hours=1)
    progress = begin(loop, start_progress(loop, floor), floor, NOW)
    if loop is DAILY:
        assert progress is None
        progress = begin(loop, start_progress(loop, floor), floor, floor + DAILY.every)
    found, _ = windows(loop, progress)
    assert floor - OVERLAP == min(it.start for it in found)


@pytest.mark.parametrize("loop", [HOURLY, DAILY], ids=lambda it: it.name)
def test_sweep_is_due_after_its_period(loop: Loop) -> None:
    done = complete(loop, NOW)
    assert begin(loop, done, FLOOR, NOW + loop.every - MINUTES) is None
    found, progress = windows(loop, begin(loop, done, FLOOR, NOW + loop.every))
    assert [Window(NOW + loop.every - loop.lookback - OVERLAP, NOW + loop.every)] == found
    assert NOW + loop.every == progress.until


def test_sweep_continues_in_a_later_run_where_it_was() -> None:
    """It keeps its goal, so that it ends."""
    progress = begin(HOURLY, complete(HOURLY, NOW - timedelta(hours=1)), FLOOR, NOW)
    assert progress
    half = fail(progress)
    window = next_window(half)
    assert window
    half = succeed(HOURLY, half, window, pages=100)
    again = begin(HOURLY, half, FLOOR, NOW + 5 * MINUTES)
    found, done = windows(HOURLY, again)
    assert [(NOW - timedelta(hours=13) - OVERLAP, NOW)] == [(it.start, it.end) for it in found]
    assert NOW == done.until


def test_watermark_moves_with_each_complete_slice() -> None:
    """Even if a later slice fails for ever."""
    progress = begin(MINUTE, complete(MINUTE, NOW - timedelta(hours=20)), FLOOR, NOW)
    assert progress
    window = next_window(progress)
    assert window
    progress = fail(succeed(MINUTE, progress, window, pages=1))
    assert (window.end, window.end) == (progress.until, progress.position)


def test_failures_halve_the_slice_down_to_a_minute_and_small_successes_double_it() -> None:
    progress = begin(MINUTE, complete(MINUTE, NOW - timedelta(hours=20)), FLOOR, NOW)
    assert progress
    steps = []
    for _ in range(12):
        progress = fail(progress)
        steps.append(progress.step)
    assert (timedelta(hours=3), timedelta(hours=1.5), MIN_STEP) == (steps[0], steps[1], steps[-1])
    window = next_window(progress)
    assert window
    assert [2 * MINUTES, MINUTES] == [
        succeed(MINUTE, progress, window, pages).step for pages in (FEW_PAGES, FEW_PAGES + 1)
    ]


def test_clock_that_goes_back_does_not_stop_the_feed() -> None:
    """The next pass lists the last half hour of the new time."""
    ahead = Progress(NOW + timedelta(days=1), NOW + timedelta(days=1), NOW + timedelta(days=1), MINUTE.max_step)
    progress = begin(MINUTE, ahead, FLOOR, NOW)
    assert progress
    assert Window(NOW - MINUTE.lookback - OVERLAP, NOW) == next_window(progress)
