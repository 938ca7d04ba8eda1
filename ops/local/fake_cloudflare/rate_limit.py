"""Cloudflare's rate limit: a budget of requests for each time window, and a block when it is exceeded."""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from ops.local.fake_cloudflare import responses


@dataclass(frozen=True, slots=True)
class Budget:
    """The requests that remain, and the seconds until the budget resets."""

    remaining: int
    resets_in: int

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """The headers that Cloudflare adds to every response."""
        value = f'"default";r={self.remaining};t={self.resets_in}'
        return ("Ratelimit", value), ("Ratelimit-Policy", responses.POLICY)


UNLIMITED = Budget(999_999, 300)
"""The budget without a limit: large enough that no client slows down."""


class RateLimit:
    """Counts requests in fixed windows. A request over the limit blocks all requests for some time."""

    def __init__(self, limit: tuple[int, float, float] | None, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._used = 0
        self._ends = float("-inf")
        self._blocked_until = float("-inf")

    def take(self) -> tuple[bool, Budget]:
        """Count one request. Returns whether it is allowed, and the remaining budget."""
        if self._limit is None:
            return True, UNLIMITED
        requests, window, block = self._limit
        with self._lock:
            now = self._monotonic()
            if now >= self._ends and now >= self._blocked_until:
                self._used, self._ends = 0, now + window
            if now >= self._blocked_until:
                self._used += 1
                if self._used <= requests:
                    return True, Budget(requests - self._used, math.ceil(self._ends - now))
                self._blocked_until = self._ends = now + block
            return False, Budget(0, math.ceil(self._blocked_until - now))
