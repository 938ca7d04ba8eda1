"""Deadlines, and one thread that keeps them all: a thread for each, as threading.Timer has it, costs 0.2 ms of CPU."""

import heapq
import itertools
import math
import threading
import time
from collections.abc import Callable
from contextlib import suppress

Bark = Callable[[], object]
"""What is done when the time is over. It must be quick, and may fail with OSError: nobody is there to be told."""


class Deadline:
    """One thing that is to be done when its time is over, unless it is cancelled before."""

    __slots__ = ("_bark", "_lock")

    def __init__(self, bark: Bark, lock: threading.Condition) -> None:
        """lock: that under which it barks."""
        self._bark: Bark | None = bark
        self._lock = lock

    def cancel(self) -> None:
        """Once this has returned it does not bark, nor is it still barking; what it would have done is forgotten."""
        with self._lock:
            self._bark = None

    def is_off(self) -> bool:
        """Whether it was cancelled, or has barked."""
        return self._bark is None

    def bark(self) -> None:
        """Do it, at most once. The caller has the lock."""
        bark, self._bark = self._bark, None
        if bark is not None:
            with suppress(OSError):
                bark()


class Watchdog:
    """Keeps deadlines, in a thread that begins with the first of them. Safe to share between threads."""

    def __init__(self) -> None:
        # Barks and cancellations hold its lock, so that neither happens during the other.
        self._earlier = threading.Condition()
        self._ahead: list[tuple[float, int, Deadline]] = []
        """A heap: when, and by the number what came first of what is due at the same time."""
        self._numbers = itertools.count()
        self._wakes_at = math.inf
        self._thread: threading.Thread | None = None

    def watch(self, seconds: float, bark: Bark) -> Deadline:
        """Have something done in so many seconds."""
        at = time.monotonic() + seconds
        deadline = Deadline(bark, self._earlier)
        with self._earlier:
            heapq.heappush(self._ahead, (at, next(self._numbers), deadline))
            # One that is not alive was ended by a bark that failed with something else than OSError.
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._keep, name="watchdog", daemon=True)
                self._thread.start()
            elif at < self._wakes_at:
                self._earlier.notify()
        return deadline

    def _keep(self) -> None:
        with self._earlier:
            while True:
                self._earlier.wait(self._bark_where_due())

    def _bark_where_due(self) -> float | None:
        """The seconds until the next deadline; nothing where there is none.

        Lambda freezes us between invocations, and meanwhile the clock may run on or stand still. What is past when we
        wake barks at once: whoever asked has given up before the freeze, and the other end has gone during it. Where
        the clock stood still, the deadline counts the time in which anybody could wait for it. Both are right.
        """
        while self._ahead:
            at, _, deadline = self._ahead[0]
            left = at - time.monotonic()
            # What was cancelled is not waited for: nearly all is, and each would wake the thread for nothing.
            if left > 0 and not deadline.is_off():
                self._wakes_at = at
                return left
            heapq.heappop(self._ahead)
            deadline.bark()
        self._wakes_at = math.inf
        return None
