"""The requests that the feed may send to Cloudflare: at most 40 in any 300 seconds, over all loops and runs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from functions.cloudflare.errors import Throttled
from functions.cloudflare.rate_limiter import fewest, policies

WINDOW = timedelta(seconds=300)
"""The window of Cloudflare's rate limit."""
MINUTE_RESERVE = 10
"""Requests that the sweeps leave to the minute loop: five passes in 300 s, and as many again."""


@dataclass(slots=True)
class Budget:
    """A rate limiter for the client, whose requests are counted in the table: environments do not share memory.

    limit:    requests in a window.
    reserve:  requests that must be left; see MINUTE_RESERVE.
    save:     stores a request before it is sent.
    remaining: the fewest requests that Cloudflare has left to the token; see take_remaining.
    """

    limit: int
    now: Callable[[], datetime]
    reserve: int = 0
    calls: list[datetime] = field(default_factory=list)
    blocked_until: datetime | None = None
    save: Callable[[], None] = lambda: None
    remaining: int | None = None

    @property
    def left(self) -> int:
        """The requests that may be sent now."""
        return max(0, self.limit - self.reserve - len(self._recent()))

    @property
    def is_blocked(self) -> bool:
        """Whether Cloudflare has blocked the token."""
        return self.blocked_until is not None and self.blocked_until > self.now()

    def seconds_blocked(self) -> float:
        """The seconds until Cloudflare's block of the token ends."""
        return max(0.0, (self.blocked_until - self.now()).total_seconds()) if self.blocked_until else 0.0

    def seconds_until(self, count: int) -> float:
        """The seconds until this number of requests may be sent."""
        calls = sorted(self._recent())
        excess = len(calls) + count + self.reserve - self.limit
        if excess <= 0 or not calls:
            return 0.0
        return max(0.0, (calls[min(excess, len(calls)) - 1] + WINDOW - self.now()).total_seconds())

    def wait(self, _: float) -> None:
        """Take a request. Raises Throttled if none is left: the next run continues."""
        now = self.now()
        if self.blocked_until and self.blocked_until > now:
            raise Throttled("Cloudflare has blocked the token", (self.blocked_until - now).total_seconds())
        if self.left == 0:
            raise Throttled("the feed's share of Cloudflare's rate limit is used up", WINDOW.total_seconds())
        self.calls = [*self._recent(), now]
        self.save()

    def take_remaining(self) -> int | None:
        """Return the fewest requests that Cloudflare has left to the token since the last call. None without an answer."""
        remaining, self.remaining = self.remaining, None
        return remaining

    def block_for(self, seconds: float) -> None:
        """Send no request for some seconds, because Cloudflare has blocked the token."""
        until = self.now() + timedelta(seconds=seconds)
        self.blocked_until = max(self.blocked_until or until, until)

    def apply_ratelimit_header(self, ratelimit: str | None) -> None:
        """Leave the last requests of the token to the alerts, until the limit is reset."""
        for remaining, reset_seconds in policies(ratelimit):
            self.remaining = fewest(self.remaining, remaining)
            if remaining <= self.limit:
                self.block_for(reset_seconds)

    def _recent(self) -> list[datetime]:
        since = self.now() - WINDOW
        return [at for at in self.calls if at > since]
