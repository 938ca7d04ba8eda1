"""The pace: virtual time throughout, nothing sleeps."""

import random
from contextlib import suppress

import pytest

from functions.cloudflare.errors import Throttled
from functions.cloudflare.pace import BURST, Pace
from tests.clock import Clock

PATIENCE = 12.0
"""What an invocation has for waiting: 60 s, less 38 s for what follows, less 10 s for the call itself."""

ROUNDING = 1e-9
"""Seconds: what sums of intervals may be wrong by."""


def test_first_batch() -> None:
    """A batch that comes alone does not wait, and neither do the questions for its contexts."""
    pace = Pace(960, 2, Clock())
    assert all(pace.reserve(ROUNDING) <= ROUNDING for _ in range(BURST))


def test_turn_beyond_patience() -> None:
    """Who would wait too long is told how long, and takes nobody's turn."""
    clock = Clock()
    pace = Pace(960, 2, clock)
    for _ in range(BURST):
        pace.reserve(ROUNDING)

    with pytest.raises(Throttled) as refused:
        pace.reserve(0.5)

    assert pytest.approx(300 / 460) == refused.value.retry_after == pace.reserve(1.0)


@pytest.mark.parametrize("environments", [1, 2, 10])
@pytest.mark.parametrize("limit", [10, 960, 1_200])
def test_any_window(limit: int, environments: int) -> None:
    """However the requests come, no window of five minutes has more than this environment's part of the limit."""
    clock, times, generator = Clock(), [], random.Random(limit)
    pace = Pace(limit, environments, clock)
    while clock.now < 3_000:
        with suppress(Throttled):
            times.append(clock.now + pace.reserve(PATIENCE))
        clock.now += generator.choice([0.0, 0.0, 0.1, 5.0, 60.0])
    times.sort()
    most = max(sum(1 for it in times if start <= it < start + 300) for start in times)
    assert most <= max(1, limit / environments) + 1


def test_blocked() -> None:
    """After a 429 nobody is called until the block ends, also not who was waiting when it came."""
    clock = Clock()
    pace = Pace(960, 2, clock, clock.sleep)
    pace.close(300)

    with pytest.raises(Throttled) as refused:
        pace.wait(PATIENCE)
    clock.now = 300.0
    pace.wait(0.0)

    assert (300.0, 300.0) == (refused.value.retry_after, clock.now)


def test_blocked_while_waiting() -> None:
    """A turn that was taken before the block is not used during it."""
    clock = Clock()

    def sleep_through_a_block(seconds: float) -> None:
        pace.close(300)
        clock.now += seconds

    pace = Pace(960, 2, clock, sleep_through_a_block)

    with pytest.raises(Throttled):
        pace.wait(PATIENCE)


RATELIMITS = {
    "plenty": ('"default";r=1150;t=280', 300 / 460),
    "others-use-the-token": ('"default";r=120;t=200', 2 * 200 / 80),
    "the-tightest-of-two": ('"burst";r=1000;t=60, "default";r=70;t=100', 2 * 100 / 30),
    "other-order": ('"default";t=200;r=120', 2 * 200 / 80),
    "absent": (None, 300 / 460),
    "unreadable": ('"default";r=many;t=soon', 300 / 460),
}


@pytest.mark.parametrize(("header", "gap"), RATELIMITS.values(), ids=RATELIMITS.keys())
def test_ratelimit_header(header: str | None, gap: float) -> None:
    """What is left is spread over the time until there is more."""
    pace = Pace(960, 2, Clock())
    pace.obey(header)
    for _ in range(BURST):
        pace.reserve(1_000.0)
    first, second = pace.reserve(1_000.0), pace.reserve(1_000.0)
    assert pytest.approx(gap) == second - first


@pytest.mark.parametrize("left", [0, 15, 2 * BURST])
def test_ratelimit_used_up(left: int) -> None:
    """When hardly more is left than may be under way already, nobody is called until there is more."""
    pace = Pace(960, 2, Clock())
    pace.obey(f'"default";r={left};t=42')
    assert 42.0 == pace.reserve(60.0)


def turns(pace: Pace, count: int) -> list[float]:
    """How far away the next turns are."""
    return [pace.reserve(1_000.0) for _ in range(count)]


def test_burst_of_a_small_share_is_half_of_it() -> None:
    """20 requests for two environments: 5 at once, and the other 5 spread over the window."""
    assert [0.0] * 5 + [60.0, 120.0, 180.0, 240.0, 300.0] == turns(Pace(20, 2, Clock()), 10)


def test_burst_of_a_large_share_is_one_batch_and_no_more() -> None:
    waits = turns(Pace(960, 2, Clock()), BURST + 1)
    assert [True] * BURST + [False] == [it <= ROUNDING for it in waits]


def test_idle_environment_has_its_burst_again_and_no_more() -> None:
    clock = Clock()
    pace = Pace(960, 2, clock)
    turns(pace, BURST)
    clock.now = 3_000.0
    assert [True] * BURST + [False] == [it <= ROUNDING for it in turns(pace, BURST + 1)]


def test_turn_exactly_at_the_end_of_patience_is_taken() -> None:
    pace = Pace(20, 2, Clock())
    turns(pace, 5)
    with pytest.raises(Throttled):
        pace.reserve(59.9)
    assert 60.0 == pace.reserve(60.0)


@pytest.mark.parametrize("patience", [0.0, -1.0])
def test_turn_that_is_free_is_taken_without_any_patience(patience: float) -> None:
    assert 0.0 == Pace(960, 2, Clock()).reserve(patience)


def test_shorter_block_does_not_end_a_longer_one() -> None:
    pace = Pace(960, 2, Clock())
    pace.close(300)
    pace.close(10)
    with pytest.raises(Throttled) as refused:
        pace.check()
    assert 300.0 == refused.value.retry_after


def test_ratelimit_just_above_what_may_be_under_way_slows_down_without_a_block() -> None:
    pace = Pace(960, 2, Clock())
    pace.obey(f'"default";r={2 * BURST + 1};t=42')
    waits = turns(pace, BURST + 1)
    assert [0.0] * BURST + [84.0] == waits


def test_ratelimit_beyond_the_window_closes_for_no_longer_than_the_window() -> None:
    pace = Pace(960, 2, Clock())
    pace.obey('"default";r=0;t=86400')
    assert 300.0 == pace.reserve(1_000.0)


@pytest.mark.parametrize("header", ['"default";r=0', '"default";t=42'], ids=["no reset", "nothing left to read"])
def test_ratelimit_that_is_half_there_changes_nothing(header: str) -> None:
    pace = Pace(960, 2, Clock())
    pace.obey(header)
    assert 0.0 == pace.reserve(0.0)


def test_next_answer_with_plenty_left_ends_the_slow_down() -> None:
    pace = Pace(20, 2, Clock())
    pace.obey(f'"default";r={2 * BURST + 1};t=200')
    pace.obey('"default";r=1150;t=280')
    assert [0.0] * 5 + [60.0] == turns(pace, 6)
