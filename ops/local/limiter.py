"""Cloudflare's limit on requests: a budget for each window of time, and a block for who passes it."""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from ops.local import answers


@dataclass(frozen=True, slots=True)
class Budget:
    """What a caller may still ask: requests left, and seconds until they are whole again."""

    left: int
    resets_in: int

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """As Cloudflare tells it with every answer."""
        left = f'"default";r={self.left};t={self.resets_in}'
        return ("Ratelimit", left), ("Ratelimit-Policy", answers.POLICY)


PLENTY = Budget(999_999, 300)
"""What a limiter without a limit says: nobody has to slow down."""


class Limiter:
    """Counts requests in fixed windows; one too many blocks them all for a while."""

    def __init__(self, limit: tuple[int, float, float] | None, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._used = 0
        self._ends = float("-inf")
        self._blocked_until = float("-inf")

    def take(self) -> tuple[bool, Budget]:
        """Count one request. Gives whether it is let through, and what is left: nothing where it is not."""
        if self._limit is None:
            return True, PLENTY
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
