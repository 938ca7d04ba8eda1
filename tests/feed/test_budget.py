"""The requests that the feed may send."""

from datetime import UTC, datetime, timedelta

import pytest

from functions.cloudflare.errors import Throttled
from functions.feed.budget import Budget


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 25, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now


def test_no_window_of_300_seconds_has_more_requests_than_the_limit() -> None:
    """Also across the end of a fixed window."""
    clock = Clock()
    budget, sent = Budget(36, clock), []
    for _ in range(5000):
        clock.now += timedelta(seconds=0.7)
        if budget.left:
            budget.wait(1.0)
            sent.append(clock.now)
    assert len(sent) > 36 * 11
    assert all(later - first >= timedelta(seconds=300) for first, later in zip(sent, sent[36:], strict=False))


def test_used_up_budget_raises_and_takes_nothing() -> None:
    budget = Budget(2, Clock())
    budget.wait(1.0)
    budget.wait(1.0)
    with pytest.raises(Throttled):
        budget.wait(1.0)
    assert (2, 0, False) == (len(budget.calls), budget.left, budget.is_blocked)


def test_sweeps_leave_a_reserve_to_the_minute_loop() -> None:
    budget = Budget(36, Clock(), reserve=10)
    for _ in range(26):
        budget.wait(1.0)
    with pytest.raises(Throttled):
        budget.wait(1.0)
    budget.reserve = 0
    budget.wait(1.0)


def test_request_is_stored_before_it_is_sent() -> None:
    budget = Budget(36, Clock())
    stored: list[int] = []
    budget.save = lambda: stored.append(len(budget.calls))
    budget.wait(1.0)
    assert [1] == stored


@pytest.mark.parametrize("header", [None, '"default";r=37;t=30', "nonsense"])
def test_header_with_requests_left_changes_nothing(header: str | None) -> None:
    budget = Budget(36, Clock())
    budget.apply_ratelimit_header(header)
    assert not budget.is_blocked


def test_last_requests_of_the_token_are_left_to_alerts() -> None:
    clock = Clock()
    budget = Budget(36, clock)
    budget.apply_ratelimit_header('"default";r=36;t=30')
    with pytest.raises(Throttled):
        budget.wait(1.0)
    clock.now += timedelta(seconds=30)
    budget.wait(1.0)
