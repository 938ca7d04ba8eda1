"""The rate limiter, in virtual time: no test sleeps."""

import random
from contextlib import suppress

import pytest

from functions.cloudflare.errors import Throttled
from functions.cloudflare.rate_limiter import BURST, RateLimiter
from tests.clock import Clock

MAX_WAIT_SECONDS = 12.0
"""The time an invocation can wait: a timeout of 60 s, minus the reserve of 38 s, minus 10 s for the call."""

ROUNDING = 1e-9
"""Seconds: the tolerance for the sum of many intervals."""


def test_first_batch_does_not_wait() -> None:
    """A single batch needs no wait, and its requests for message details need none either."""
    limiter = RateLimiter(960, 2, Clock())
    assert all(limiter.reserve(ROUNDING) <= ROUNDING for _ in range(BURST))


def test_slot_beyond_the_maximum_wait_is_not_reserved() -> None:
    """The error gives the wait, and the slot stays free for the next request."""
    clock = Clock()
    limiter = RateLimiter(960, 2, clock)
    for _ in range(BURST):
        limiter.reserve(ROUNDING)

    with pytest.raises(Throttled) as raised:
        limiter.reserve(0.5)

    assert pytest.approx(300 / 460) == raised.value.retry_after == limiter.reserve(1.0)


@pytest.mark.parametrize("environments", [1, 2, 10])
@pytest.mark.parametrize("limit", [10, 960, 1_200])
def test_no_window_exceeds_the_share_of_the_limit(limit: int, environments: int) -> None:
    """For any arrival times, no window of 5 minutes has more requests than this environment's share."""
    clock, times, generator = Clock(), [], random.Random(limit)
    limiter = RateLimiter(limit, environments, clock)
    while clock.now < 3_000:
        with suppress(Throttled):
            times.append(clock.now + limiter.reserve(MAX_WAIT_SECONDS))
        clock.now += generator.choice([0.0, 0.0, 0.1, 5.0, 60.0])
    times.sort()
    busiest_window = max(sum(1 for time in times if start <= time < start + 300) for start in times)
    assert busiest_window <= max(1, limit / environments) + 1


def test_no_request_is_sent_until_the_block_ends() -> None:
    """After a 429 the limiter sends no request until the block ends."""
    clock = Clock()
    limiter = RateLimiter(960, 2, clock, clock.sleep)
    limiter.block_for(300)

    with pytest.raises(Throttled) as raised:
        limiter.wait(MAX_WAIT_SECONDS)
    clock.now = 300.0
    limiter.wait(0.0)

    assert (300.0, 300.0) == (raised.value.retry_after, clock.now)


def test_block_during_the_wait_stops_the_request() -> None:
    """A slot that was reserved before the block is not used during the block."""
    clock = Clock()

    def block_during_sleep(seconds: float) -> None:
        limiter.block_for(300)
        clock.now += seconds

    limiter = RateLimiter(960, 2, clock, block_during_sleep)

    with pytest.raises(Throttled):
        limiter.wait(MAX_WAIT_SECONDS)


RATELIMITS = {
    "many-requests-remain": ('"default";r=1150;t=280', 300 / 460),
    "other-clients-use-the-token": ('"default";r=120;t=200', 2 * 200 / 80),
    "two-policies-the-stricter-applies": ('"burst";r=1000;t=60, "default";r=70;t=100', 2 * 100 / 30),
    "parameters-in-another-order": ('"default";t=200;r=120', 2 * 200 / 80),
    "no-header": (None, 300 / 460),
    "malformed-header": ('"default";r=many;t=soon', 300 / 460),
}


@pytest.mark.parametrize(("header", "gap"), RATELIMITS.values(), ids=RATELIMITS.keys())
def test_ratelimit_header_sets_the_interval(header: str | None, gap: float) -> None:
    """The remaining requests are spread over the time until the reset."""
    limiter = RateLimiter(960, 2, Clock())
    limiter.apply_ratelimit_header(header)
    for _ in range(BURST):
        limiter.reserve(1_000.0)
    first, second = limiter.reserve(1_000.0), limiter.reserve(1_000.0)
    assert pytest.approx(gap) == second - first


@pytest.mark.parametrize("remaining", [0, 15, 2 * BURST])
def test_nearly_used_up_ratelimit_blocks_until_the_reset(remaining: int) -> None:
    """If the remaining requests may all be in flight already, no request is sent until the reset."""
    limiter = RateLimiter(960, 2, Clock())
    limiter.apply_ratelimit_header(f'"default";r={remaining};t=42')
    assert 42.0 == limiter.reserve(60.0)


def waits_of(limiter: RateLimiter, count: int) -> list[float]:
    """The seconds until each of the next requests."""
    return [limiter.reserve(1_000.0) for _ in range(count)]


def test_burst_of_a_small_share_is_half_of_it() -> None:
    """20 requests for two environments: 5 at once, and the other 5 spread over the window."""
    assert [0.0] * 5 + [60.0, 120.0, 180.0, 240.0, 300.0] == waits_of(RateLimiter(20, 2, Clock()), 10)


def test_burst_of_a_large_share_is_one_batch_and_no_more() -> None:
    waits = waits_of(RateLimiter(960, 2, Clock()), BURST + 1)
    assert [True] * BURST + [False] == [it <= ROUNDING for it in waits]


def test_idle_environment_has_its_burst_again_and_no_more() -> None:
    clock = Clock()
    limiter = RateLimiter(960, 2, clock)
    waits_of(limiter, BURST)
    clock.now = 3_000.0
    assert [True] * BURST + [False] == [it <= ROUNDING for it in waits_of(limiter, BURST + 1)]


def test_wait_of_exactly_max_seconds_is_accepted() -> None:
    limiter = RateLimiter(20, 2, Clock())
    waits_of(limiter, 5)
    with pytest.raises(Throttled):
        limiter.reserve(59.9)
    assert 60.0 == limiter.reserve(60.0)


@pytest.mark.parametrize("max_seconds", [0.0, -1.0])
def test_free_request_needs_no_wait(max_seconds: float) -> None:
    assert 0.0 == RateLimiter(960, 2, Clock()).reserve(max_seconds)


def test_shorter_block_does_not_end_a_longer_one() -> None:
    limiter = RateLimiter(960, 2, Clock())
    limiter.block_for(300)
    limiter.block_for(10)
    with pytest.raises(Throttled) as refused:
        limiter.check()
    assert 300.0 == refused.value.retry_after


def test_ratelimit_just_above_the_requests_in_flight_slows_down_without_a_block() -> None:
    limiter = RateLimiter(960, 2, Clock())
    limiter.apply_ratelimit_header(f'"default";r={2 * BURST + 1};t=42')
    waits = waits_of(limiter, BURST + 1)
    assert [0.0] * BURST + [84.0] == waits


def test_ratelimit_beyond_the_window_blocks_for_no_longer_than_the_window() -> None:
    limiter = RateLimiter(960, 2, Clock())
    limiter.apply_ratelimit_header('"default";r=0;t=86400')
    assert 300.0 == limiter.reserve(1_000.0)


@pytest.mark.parametrize("header", ['"default";r=0', '"default";t=42'], ids=["no reset", "nothing left to read"])
def test_incomplete_ratelimit_header_changes_nothing(header: str) -> None:
    limiter = RateLimiter(960, 2, Clock())
    limiter.apply_ratelimit_header(header)
    assert 0.0 == limiter.reserve(0.0)


def test_next_answer_with_plenty_left_ends_the_slow_down() -> None:
    limiter = RateLimiter(20, 2, Clock())
    limiter.apply_ratelimit_header(f'"default";r={2 * BURST + 1};t=200')
    limiter.apply_ratelimit_header('"default";r=1150;t=280')
    assert [0.0] * 5 + [60.0] == waits_of(limiter, 6)


def test_check_raises_until_the_very_end_of_a_short_block() -> None:
    """A block of less than a second is a block, too."""
    clock = Clock()
    limiter = RateLimiter(960, 2, clock)
    limiter.block_for(0.5)

    with pytest.raises(Throttled) as raised:
        limiter.check()
    assert 0.5 == raised.value.retry_after
    clock.now = 0.5
    limiter.check()


def test_burst_of_a_share_of_forty_is_twenty_and_of_less_is_its_half() -> None:
    """With half of the share as burst, the other half is spread over the window."""
    assert 20 == sum(it <= ROUNDING for it in waits_of(RateLimiter(40, 1, Clock()), 40))
    assert 19 == sum(it <= ROUNDING for it in waits_of(RateLimiter(38, 1, Clock()), 38))


def test_longest_wait_is_that_since_the_last_call() -> None:
    """A refused slot counts. Without a request there is none."""
    limiter = RateLimiter(960, 2, Clock())
    assert limiter.take_longest_wait() is None
    limiter.reserve(ROUNDING)
    assert 0.0 == limiter.take_longest_wait()
    limiter.block_for(60.0)
    with pytest.raises(Throttled):
        limiter.reserve(1.0)
    assert (60.0, None) == (limiter.take_longest_wait(), limiter.take_longest_wait())
