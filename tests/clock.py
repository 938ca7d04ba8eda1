"""Time in tests: a virtual clock, and waits for events. No other test module sleeps.

The duration of an operation decides no test, unless the duration itself is under test.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

HANG_SECONDS = 60.0
"""Timeout of a wait for an event. Only a hang takes this long, even on a loaded machine."""
_PAUSE_SECONDS = 0.01
T = TypeVar("T")


@dataclass
class Clock:
    """A clock that moves only when a test sets it or sleeps by it."""

    now: float = 0.0

    def __call__(self) -> float:
        """Return the time in seconds."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Move the clock forward."""
        self.now += seconds


def wait_for(event: threading.Event, what: str) -> None:
    """Wait until an event is set. what: the expected event, such as "the call arrives"."""
    if not event.wait(HANG_SECONDS):
        raise AssertionError(f"Did not happen within {HANG_SECONDS:.0f} s: {what}")


def eventually(condition: Callable[[], T], what: str, seconds: float = HANG_SECONDS) -> T:
    """Poll a condition until it is true, and return its value. For queues and processes, which have no event."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"Did not happen within {seconds:.0f} s: {what}")
        time.sleep(_PAUSE_SECONDS)  # noqa: TID251  # the only sleep of the tests
    return value
