"""How fast this environment may ask Cloudflare.

A token may make 1,200 requests in 5 minutes, over everything that uses it; one more, and every call is blocked for
the next 5 minutes. So all environments together stay under a share of that, slow down when Cloudflare says that others
use the token too, and call nobody while it is blocked. A message that would wait too long is sent back instead.
"""

import re
import threading
import time
from collections.abc import Callable

from functions.cloudflare.errors import Throttled

WINDOW_SECONDS = 300.0
"""What Cloudflare's limit counts over. Source: its API documentation on rate limits."""
BURST = 20
"""Requests that need no gap between them: one batch and its contexts, so that a single one is never slowed."""


class Pace:
    """A token bucket over all invocations of one environment, closed while the token is blocked. Thread-safe."""

    def __init__(
        self,
        limit: float,
        environments: int,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """clock: the wall's, for the monotonic one may stand still while Lambda has the environment frozen.

        limit: requests in a window that all environments together may make; environments: how many there may be.

        In any window one environment makes at most burst + rate x window requests. With 80 % of 1,200 and two
        environments that is to be 960 / 2 = 480, so the rate is (480 - 20) / 300 s = 1.53 a second.
        """
        allowed = limit / environments
        burst = min(BURST, allowed / 2)
        self._interval = self._usual_interval = WINDOW_SECONDS / (allowed - burst)
        self._burst = burst
        self._environments = environments
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._full_at = self._closed_until = float("-inf")

    def wait(self, patience: float) -> None:
        """Return when it is our turn. Raises Throttled at once where that is more than `patience` seconds away."""
        self._sleep(self.reserve(patience))
        self.check()

    def check(self) -> None:
        """Raise Throttled while nobody may be called: the block may have come during the wait for a turn."""
        with self._lock:
            closed_for = self._closed_until - self._clock()
        if closed_for > 0:
            raise Throttled("the token was blocked while this request waited for its turn", closed_for)

    def reserve(self, patience: float) -> float:
        """Take the next turn; how many seconds away it is. Raises Throttled, taking none, beyond `patience` seconds."""
        with self._lock:
            now = self._clock()
            # The bucket is full again at `full_at`; a turn may come while no more than the burst is missing from it.
            turn = max(now, self._closed_until, self._full_at - (self._burst - 1) * self._interval)
            if turn - now > max(patience, 0.0):
                raise Throttled("our share of Cloudflare's rate limit is used up for now", turn - now)
            self._full_at = max(self._full_at, turn) + self._interval
            return turn - now

    def close(self, seconds: float) -> None:
        """Call nobody for so long: Cloudflare has blocked the token."""
        with self._lock:
            self._closed_until = max(self._closed_until, self._clock() + seconds)

    def obey(self, ratelimit: str | None) -> None:
        """Take to heart a `Ratelimit` header, such as `"default";r=50;t=30`: 50 requests left until 30 s from now.

        What is left is shared among the environments, but for the requests that may be under way already.
        """
        policies = [_policy(it) for it in (ratelimit or "").split(",")]
        left = [(remaining, reset) for remaining, reset in filter(None, policies)]
        under_way = BURST * self._environments
        with self._lock:
            self._interval = self._usual_interval
            for remaining, reset in left:
                if remaining <= under_way:
                    self._closed_until = max(self._closed_until, self._clock() + reset)
                else:
                    gap = self._environments * reset / (remaining - under_way)
                    self._interval = max(self._interval, gap)


def _policy(item: str) -> tuple[int, float] | None:
    """Requests left, and seconds until there are more; None for what cannot be read."""
    parameters = dict(re.findall(r";\s*([rt])=([0-9]{1,6})\b", item))
    if parameters.keys() != {"r", "t"}:
        return None
    return int(parameters["r"]), min(float(parameters["t"]), WINDOW_SECONDS)
