"""A backlog, two environments, and somebody else with the same token: the real pace and delays, in virtual time."""

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
from functions.cloudflare.pace import Pace
from functions.escalate.queue import deferral
from tests.clock import Clock

BATCH = 10
PATIENCE = 12.0
"""What an invocation has for waiting: 60 s, less 38 s for what follows, less 10 s for the call itself."""
CONTEXT_PATIENCE = 1.0
"""What a context may wait for its turn: 3 s, less half a second of grace, less 1.5 s for the call itself."""


@dataclass
class CloudflareLimit:
    """1,200 requests in 5 minutes, then everything is blocked for 5 minutes."""

    used: int = 0
    window_ends: float = 300.0
    blocked_until: float = 0.0
    blocks: int = 0

    def ask(self, now: float) -> tuple[bool, str]:
        """Whether it is answered, and the Ratelimit header."""
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
    """Messages on a queue, two environments that poll it, and another consumer of the token. Time is virtual.

    one_in: how many messages there are to one that escalates, and whose context is asked for; none does where it is 0.
    """

    messages: int
    environments: int = 2
    limit: float = 960
    others_per_second: float = 0.5
    one_in: int = 0
    clock: Clock = field(default_factory=Clock)
    cloudflare: CloudflareLimit = field(default_factory=CloudflareLimit)
    requests: int = 0
    done: int = 0
    escalated: int = 0
    contexts: int = 0
    drained_at: float = 0.0

    def run(self) -> None:
        """Until every message is done."""
        self._order = itertools.count()
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._visible = self.messages
        self._jitter = random.Random(1)
        self._escalating = Counter[int]()
        for _ in range(self.environments):
            pace = Pace(self.limit, self.environments, self.clock)
            self._at(0.0, partial(self._invoke, pace))
        self._at(0.0, self._other)
        while self.done < self.messages:
            self.clock.now, _, event = heapq.heappop(self._events)
            event()
        self.drained_at = self.clock.now

    def _at(self, when: float, event: Callable[[], None]) -> None:
        heapq.heappush(self._events, (when, next(self._order), event))

    def _other(self) -> None:
        self.cloudflare.ask(self.clock.now)
        self._at(self.clock.now + 1 / self.others_per_second, self._other)

    def _invoke(self, pace: Pace) -> None:
        """One batch: each message takes its turn, or is deferred at once."""
        batch = min(BATCH, self._visible)
        self._visible -= batch
        ends = self.clock.now + (0.05 if batch else 1.0)
        for _ in range(batch):
            try:
                turn = self.clock.now + pace.reserve(PATIENCE)
            except Throttled as exc:
                self._defer(exc.retry_after)
                continue
            self._at(turn, lambda: self._ask(pace))
            ends = max(ends, turn + 0.05)
        self._at(ends, lambda: self._end(pace))

    def _end(self, pace: Pace) -> None:
        """The contexts of what the batch escalates, all at once; who has no turn in time goes without. Then the next."""
        ends = self.clock.now
        for _ in range(self._escalating.pop(id(pace), 0)):
            with suppress(Throttled):
                turn = self.clock.now + pace.reserve(CONTEXT_PATIENCE)
                self._at(turn, lambda: self._context(pace))
                ends = max(ends, turn + 0.05)
        self._at(ends, lambda: self._invoke(pace))

    def _ask(self, pace: Pace) -> None:
        try:
            pace.check()
        except Throttled as exc:
            return self._defer(exc.retry_after)
        self.requests += 1
        answered, ratelimit = self.cloudflare.ask(self.clock.now)
        pace.obey(ratelimit)
        if answered:
            self.done += 1
            if self.one_in and self.done % self.one_in == 0:
                self.escalated += 1
                self._escalating[id(pace)] += 1
            return None
        pace.close(300.0)
        return self._defer(300.0)

    def _context(self, pace: Pace) -> None:
        self.requests += 1
        answered, ratelimit = self.cloudflare.ask(self.clock.now)
        pace.obey(ratelimit)
        self.contexts += answered

    def _defer(self, seconds: float) -> None:
        def visible_again() -> None:
            self._visible += 1

        self._at(self.clock.now + deferral(seconds, self._jitter), visible_again)


@pytest.mark.parametrize("blocked_at_first", [False, True], ids=["open", "blocked-at-first"])
def test_backlog_of_20000(blocked_at_first: bool) -> None:
    """Nobody ever passes the limit: one request for each message, drained in little more than the least time.

    No message is received twice but by a deferral, which uses up no receives: none can reach the dead-letter queue.
    """
    simulation = Simulation(20_000)
    if blocked_at_first:
        simulation.cloudflare.blocked_until = simulation.cloudflare.window_ends = 300.0
    simulation.run()

    least = 20_000 / (4.0 - simulation.others_per_second) + (300.0 if blocked_at_first else 0.0)
    print(
        f"\n20,000 messages: {simulation.requests / 20_000:.4f} requests each, drained in {simulation.drained_at:.0f} s, "
        f"{simulation.drained_at / least:.3f} of the least possible {least:.0f} s, {simulation.cloudflare.blocks} blocks"
    )
    assert 20_000 == simulation.done
    assert 0 == simulation.cloudflare.blocks
    assert simulation.requests <= 1.01 * 20_000
    assert simulation.drained_at <= 1.25 * least


@pytest.mark.parametrize("one_in", [1, 10, 100])
def test_backlog_with_contexts(one_in: int) -> None:
    """However many of the mails escalate, what is asked for their contexts passes the limit neither."""
    simulation = Simulation(5_000, one_in=one_in)
    simulation.run()

    print(
        f"\n5,000 messages, one in {one_in} escalates: {simulation.contexts} contexts of {simulation.escalated}, "
        f"{simulation.requests / 5_000:.4f} requests each, drained in {simulation.drained_at:.0f} s, "
        f"{simulation.cloudflare.blocks} blocks"
    )
    assert 5_000 == simulation.done
    assert 5_000 // one_in == simulation.escalated
    assert 0 == simulation.cloudflare.blocks
