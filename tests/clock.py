"""Virtual time."""

from dataclasses import dataclass


@dataclass
class Clock:
    """A clock that stands still until somebody sleeps by it, or sets it."""

    now: float = 0.0

    def __call__(self) -> float:
        """The time, in seconds."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
