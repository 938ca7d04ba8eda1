"""The time that a report is about."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

LONGEST_BY_DAY = 92
"""Days, a quarter: beyond it a day's bar is too thin to be seen on a phone, and a bar is a week."""


@dataclass(frozen=True, slots=True)
class Period:
    """From `since` until `until` (both aware); `generated_at`: when the report was made; release: of the function."""

    since: datetime
    until: datetime
    generated_at: datetime
    release: str

    @property
    def step(self) -> timedelta:
        """The time that one bar of the chart stands for: a day, or a week."""
        return timedelta(days=1 if (self._last - self._first).days < LONGEST_BY_DAY else 7)

    def bars(self) -> list[date]:
        """The first day (UTC) of every bar, oldest first. A week begins on Monday."""
        first = self.bar(self._first)
        return [first + n * self.step for n in range((self._last - first) // self.step + 1)]

    def bar(self, day: date) -> date:
        """The first day of the bar that a day belongs to."""
        return day - timedelta(days=day.weekday()) if self.step.days > 1 else day

    @property
    def _first(self) -> date:
        return self.since.astimezone(UTC).date()

    @property
    def _last(self) -> date:
        return max(self._first, self.until.astimezone(UTC).date())
