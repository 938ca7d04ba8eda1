"""Simulation of a backlog with the real rate limiter and delays, in virtual time.

Two environments process it, while another client uses the same token.
"""

import heapq
import itertools
import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

import pytest

from functions.cloudflare.errors import Throttled
from functions.cloudflare.rate_limiter import RateLimiter
from functions.escalate.retries import delay_seconds
from tests.clock import Clock

BATCH = 10
MAX_WAIT_SECONDS = 12.0
"""The time an invocation can wait: a timeout of 60 s, minus the reserve of 38 s, minus 10 s for the call."""
DETAILS_MAX_WAIT_SECONDS = 1.0
"""The time a request for message details can wait: 3 s, minus 0.5 s of grace, minus 1.5 s for the call."""


@dataclass
class CloudflareLimit:
    """Cloudflare's limit: 1,200 requests in 5 minutes; one more blocks all requests for 5 minutes."""

    used: int = 0
    window_ends: float = 300.0
    blocked_until: float = 0.0
    blocks: int = 0

    def request(self, now: float) -> tuple[bool, str]:
        """Whether the request is answered, and the Ratelimit header."""
        if now < self.blocked_until:
            return False, f'"default";r=0;t={int(self.blocked_until - now) + 1}'
        if now >= self.window_ends:
            self.used, self.window_ends = 0, now + 300.0
        self.used += 1
        if self.used > 1_200:
            self.blocked_until = self.window_ends = now + 300.0
            self.blocks += 1
            return False, '"default";r=0;t=300'
        return True, f'"default";r={1_200 - self.used};t={int(self.window_ends - now) + 1}'


@dataclass
class Simulation:
    """Messages on a queue, environments that poll it, and another client with the same token.

    escalated_one_in: one message in so many is escalated and needs message details; 0 for no message.
    """

    messages: int
    environments: int = 2
    limit: float = 960
    others_per_second: float = 0.5
    escalated_one_in: int = 0
    clock: Clock = field(default_factory=Clock)
    cloudflare: CloudflareLimit = field(default_factory=CloudflareLimit)
    requests: int = 0
    done: int = 0
    escalated: int = 0
    details: int = 0
    drained_at: float = 0.0

    def run(self) -> None:
        """Process events until every message is done."""
        self._sequence = itertools.count()
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._visible_messages = self.messages
        self._jitter = random.Random(1)
        self._escalating = Counter[int]()
        for _ in range(self.environments):
            limiter = RateLimiter(self.limit, self.environments, self.clock)
            self._schedule(0.0, partial(self._invoke, limiter))
        self._schedule(0.0, self._request_by_others)
        while self.done < self.messages:
            self.clock.now, _, event = heapq.heappop(self._events)
            event()
        self.drained_at = self.clock.now

    def _schedule(self, when: float, event: Callable[[], None]) -> None:
        heapq.heappush(self._events, (when, next(self._sequence), event))

    def _request_by_others(self) -> None:
        self.cloudflare.request(self.clock.now)
        self._schedule(self.clock.now + 1 / self.others_per_second, self._request_by_others)

    def _invoke(self, limiter: RateLimiter) -> None:
        """Process one batch: each message reserves a slot, or is requeued at once."""
        batch_size = min(BATCH, self._visible_messages)
        self._visible_messages -= batch_size
        ends = self.clock.now + (0.05 if batch_size else 1.0)
        for _ in range(batch_size):
            try:
                slot = self.clock.now + limiter.reserve(MAX_WAIT_SECONDS)
            except Throttled as exc:
                self._defer(exc.retry_after)
                continue
            self._schedule(slot, lambda: self._request_detection(limiter))
            ends = max(ends, slot + 0.05)
        self._schedule(ends, lambda: self._finish_batch(limiter))

    def _finish_batch(self, limiter: RateLimiter) -> None:
        """Request the message details of a batch in parallel, if a slot is free in time. Then start the next batch."""
        ends = self.clock.now
        for _ in range(self._escalating.pop(id(limiter), 0)):
            with suppress(Throttled):
                slot = self.clock.now + limiter.reserve(DETAILS_MAX_WAIT_SECONDS)
                self._schedule(slot, lambda: self._request_details(limiter))
                ends = max(ends, slot + 0.05)
        self._schedule(ends, lambda: self._invoke(limiter))

    def _request_detection(self, limiter: RateLimiter) -> None:
        try:
            limiter.check()
        except Throttled as exc:
            return self._defer(exc.retry_after)
        self.requests += 1
        is_answered, ratelimit = self.cloudflare.request(self.clock.now)
        limiter.apply_ratelimit_header(ratelimit)
        if is_answered:
            self.done += 1
            if self.escalated_one_in and self.done % self.escalated_one_in == 0:
                self.escalated += 1
                self._escalating[id(limiter)] += 1
            return None
        limiter.block_for(300.0)
        return self._defer(300.0)

    def _request_details(self, limiter: RateLimiter) -> None:
        self.requests += 1
        is_answered, ratelimit = self.cloudflare.request(self.clock.now)
        limiter.apply_ratelimit_header(ratelimit)
        self.details += is_answered

    def _defer(self, seconds: float) -> None:
        def visible_again() -> None:
            self._visible_messages += 1

        self._schedule(self.clock.now + delay_seconds(seconds, self._jitter), visible_again)


@pytest.mark.parametrize("starts_blocked", [False, True], ids=["open-at-the-start", "blocked-at-the-start"])
def test_backlog_of_20000_drains_without_a_block(starts_blocked: bool) -> None:
    """The limit is never exceeded, each message needs one request, and the time is close to the minimum.

    Only requeued messages are received again. A requeue uses no receive, so none reaches the dead-letter queue.
    """
    simulation = Simulation(20_000)
    if starts_blocked:
        simulation.cloudflare.blocked_until = simulation.cloudflare.window_ends = 300.0
    simulation.run()

    least_seconds = 20_000 / (4.0 - simulation.others_per_second) + (300.0 if starts_blocked else 0.0)
    print(
        f"\n20,000 messages: {simulation.requests / 20_000:.4f} requests each, drained in {simulation.drained_at:.0f} s, "
        f"{simulation.drained_at / least_seconds:.3f} of the minimum of {least_seconds:.0f} s, {simulation.cloudflare.blocks} blocks"
    )
    assert 20_000 == simulation.done
    assert 0 == simulation.cloudflare.blocks
    assert simulation.requests <= 1.01 * 20_000
    assert simulation.drained_at <= 1.25 * least_seconds


@pytest.mark.parametrize("escalated_one_in", [1, 10, 100])
def test_backlog_with_message_details_drains_without_a_block(escalated_one_in: int) -> None:
    """With any share of escalated emails, the requests for message details do not exceed the limit."""
    simulation = Simulation(5_000, escalated_one_in=escalated_one_in)
    simulation.run()

    print(
        f"\n5,000 messages, one in {escalated_one_in} escalates: {simulation.details} details of {simulation.escalated}, "
        f"{simulation.requests / 5_000:.4f} requests each, drained in {simulation.drained_at:.0f} s, "
        f"{simulation.cloudflare.blocks} blocks"
    )
    assert 5_000 == simulation.done
    assert 5_000 // escalated_one_in == simulation.escalated
    assert 0 == simulation.cloudflare.blocks
