"""The time range of a report, and the bars of its chart."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

MAX_DAILY_BARS = 92
"""Days, about a quarter. With more, a daily bar is too thin on a phone, and each bar is a week."""


@dataclass(frozen=True, slots=True)
class Period:
    """From `since` until `until`, both with a time zone. generated_at, release: when and by which release it was made."""

    since: datetime
    until: datetime
    generated_at: datetime
    release: str

    @property
    def step(self) -> timedelta:
        """The length of one bar: a day or a week."""
        return timedelta(days=1 if (self._last - self._first).days < MAX_DAILY_BARS else 7)

    def bars(self) -> list[date]:
        """The first day (UTC) of each bar, oldest first. A week starts on Monday."""
        first = self.bar(self._first)
        return [first + n * self.step for n in range((self._last - first) // self.step + 1)]

    def bar(self, day: date) -> date:
        """The first day of the bar that contains a day."""
        return day - timedelta(days=day.weekday()) if self.step.days > 1 else day

    @property
    def _first(self) -> date:
        return self.since.astimezone(UTC).date()

    @property
    def _last(self) -> date:
        return max(self._first, self.until.astimezone(UTC).date())
