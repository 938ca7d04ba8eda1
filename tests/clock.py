"""Time in tests: a virtual clock, and waits for events. No other test module sleeps.

No test passes or fails by how long something takes, unless a duration is the promise itself.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

HANG_SECONDS = 60.0
"""How long a test waits for an event. Only a hang takes so long, also on a loaded machine."""
_PAUSE_SECONDS = 0.01
T = TypeVar("T")


@dataclass
class Clock:
    """A clock that moves only when a test sets it or sleeps by it."""

    now: float = 0.0

    def __call__(self) -> float:
        """The time, in seconds."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


def wait_for(event: threading.Event, what: str) -> None:
    """Wait until an event is set. what: the text of the failure, such as "the call arrives"."""
    if not event.wait(HANG_SECONDS):
        raise AssertionError(f"Not seen within {HANG_SECONDS:.0f} s: {what}")


def eventually(condition: Callable[[], T], what: str, seconds: float = HANG_SECONDS) -> T:
    """Ask until the answer is true, and return it. For what gives no event, such as a queue or another process."""
    until = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > until:
            raise AssertionError(f"Not seen within {seconds:.0f} s: {what}")
        time.sleep(_PAUSE_SECONDS)  # noqa: TID251  # the one place
    return answer
