"""The rate limit on requests to Cloudflare from this environment.

Cloudflare allows 1,200 requests in 5 minutes for one token, shared by everything that uses it. If the limit is exceeded,
it answers 429 and blocks every request for the next 5 minutes. So all environments together stay below a share of that
limit. They slow down when Cloudflare's headers show other use of the token, and send nothing while it is blocked. A message
that would wait too long is requeued instead.
"""

import re
import threading
import time
from collections.abc import Callable
from typing import Protocol

from functions.cloudflare.errors import Throttled

WINDOW_SECONDS = 300.0
"""The window of Cloudflare's rate limit. Source: Cloudflare's API documentation on rate limits."""
BURST = 20
"""Requests that need no gap between them: the detections and message details of one batch of 10."""


class Limiter(Protocol):
    """What the client needs of a rate limiter."""

    def wait(self, max_seconds: float) -> None:
        """Wait for the next request that may be sent. Raises Throttled if that takes longer."""

    def block_for(self, seconds: float) -> None:
        """Send no request for some seconds."""

    def apply_ratelimit_header(self, ratelimit: str | None) -> None:
        """Adjust to the `Ratelimit` header of an answer."""


class RateLimiter:
    """A token bucket for all invocations of one environment. Blocks while the API token is blocked. Thread-safe."""

    def __init__(
        self,
        limit: float,
        environments: int,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """limit: requests per window for all environments together. environments: their maximum number.

        clock: wall time. A monotonic clock may stop while Lambda freezes the environment.

        In any window one environment makes at most burst + rate x window requests. With 80 % of 1,200 requests and
        two environments this is 960 / 2 = 480, so the rate is (480 - 20) / 300 s = 1.53 requests a second.
        """
        share = limit / environments
        burst = min(BURST, share / 2)
        self._interval = self._default_interval = WINDOW_SECONDS / (share - burst)
        self._burst = burst
        self._environments = environments
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._full_at = self._blocked_until = float("-inf")
        self._longest_wait: float | None = None
        self._remaining: int | None = None

    def wait(self, max_seconds: float) -> None:
        """Wait for the next free slot. Raises Throttled at once if it is more than `max_seconds` away."""
        self._sleep(self.reserve(max_seconds))
        self.check()

    def check(self) -> None:
        """Raise Throttled while requests are blocked. A block can start while a request waits for its slot."""
        with self._lock:
            blocked_for = self._blocked_until - self._clock()
        if blocked_for > 0:
            raise Throttled("Cloudflare blocked the token while this request waited", blocked_for)

    def reserve(self, max_seconds: float) -> float:
        """Reserve the next slot and return the seconds until it starts.

        Raises Throttled, and reserves nothing, if the slot is more than `max_seconds` away.
        """
        with self._lock:
            now = self._clock()
            # The bucket is full again at `_full_at`. A slot is free as soon as at most `burst` tokens are missing.
            slot = max(now, self._blocked_until, self._full_at - (self._burst - 1) * self._interval)
            self._longest_wait = max(self._longest_wait or 0.0, slot - now)
            if slot - now > max(max_seconds, 0.0):
                raise Throttled("this environment's share of Cloudflare's rate limit is used up", slot - now)
            self._full_at = max(self._full_at, slot) + self._interval
            return slot - now

    def take_longest_wait(self) -> float | None:
        """Return the longest time to a slot since the last call, whether it was reserved or not. None without a request."""
        with self._lock:
            longest, self._longest_wait = self._longest_wait, None
        return longest

    def take_remaining(self) -> int | None:
        """Return the fewest requests that Cloudflare has left to the token since the last call. None without an answer."""
        with self._lock:
            remaining, self._remaining = self._remaining, None
        return remaining

    def block_for(self, seconds: float) -> None:
        """Block all requests for some seconds, because Cloudflare has blocked the token."""
        with self._lock:
            self._blocked_until = max(self._blocked_until, self._clock() + seconds)

    def apply_ratelimit_header(self, ratelimit: str | None) -> None:
        """Adjust the pace to a `Ratelimit` header: `"default";r=50;t=30` means 50 requests in the next 30 s.

        The environments share the remaining requests, except those that may be in flight already.
        """
        in_flight = BURST * self._environments
        with self._lock:
            self._interval = self._default_interval
            for remaining, reset_seconds in policies(ratelimit):
                self._remaining = fewest(self._remaining, remaining)
                if remaining <= in_flight:
                    self._blocked_until = max(self._blocked_until, self._clock() + reset_seconds)
                else:
                    interval = self._environments * reset_seconds / (remaining - in_flight)
                    self._interval = max(self._interval, interval)


def policies(ratelimit: str | None) -> list[tuple[int, float]]:
    """The policies of a `Ratelimit` header: remaining requests, and seconds until the reset."""
    return [policy for item in (ratelimit or "").split(",") if (policy := _policy(item))]


def fewest(known: int | None, remaining: int) -> int:
    """The lower number of remaining requests."""
    return remaining if known is None else min(known, remaining)


def _policy(item: str) -> tuple[int, float] | None:
    """The remaining requests and the seconds until the reset; None for an item that cannot be parsed."""
    parameters = dict(re.findall(r";\s*([rt])=([0-9]{1,6})\b", item))
    if parameters.keys() != {"r", "t"}:
        return None
    return int(parameters["r"]), min(float(parameters["t"]), WINDOW_SECONDS)
