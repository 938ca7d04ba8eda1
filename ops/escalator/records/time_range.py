"""A range of time, and the texts that name its ends: `24h`, `7d`, `2026-11-24`, `2026-11-24T06:43:00Z`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from functions.domain.record import moment

_AGO = re.compile(r"(\d{1,9})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_RESOLUTION = timedelta(milliseconds=1)
"""The ledger stores times to the millisecond."""


class InvalidTime(ValueError):
    """A text that is not a time. The message says which forms are accepted."""


@dataclass(frozen=True, slots=True)
class TimeRange:
    """From `since` (inclusive) to `until` (exclusive). Both have a time zone."""

    since: datetime
    until: datetime

    def __contains__(self, at: datetime) -> bool:
        return self.since <= at < self.until

    @property
    def first(self) -> str:
        """The earliest `decided_at` in the range, as the ledger writes it."""
        return moment(_next_millisecond(self.since))

    @property
    def last(self) -> str:
        """The latest `decided_at` in the range, as the ledger writes it."""
        return moment(_next_millisecond(self.until) - _RESOLUTION)

    def months(self) -> Iterator[str]:
        """The months that the range touches, oldest first: `2026-10`, `2026-11`."""
        year, month = int(self.first[:4]), int(self.first[5:7])
        while (name := f"{year:04}-{month:02}") <= self.last[:7]:
            yield name
            year, month = (year, month + 1) if month < 12 else (year + 1, 1)


def read_time(text: str, now: datetime) -> datetime:
    """Read a duration before now, or an ISO 8601 date or time, as a time in UTC.

    A date is its first moment. A time without an offset is in UTC. Raises InvalidTime.
    """
    try:
        if ago := _AGO.fullmatch(text.strip().lower()):
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        at = datetime.fromisoformat(text.strip())
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError) as exc:
        raise InvalidTime(
            "is not a time: use 90m, 24h, 7d or 4w (before now), or 2026-11-24, or 2026-11-24T06:43:00Z"
        ) from exc


def _next_millisecond(at: datetime) -> datetime:
    """Round up to a whole millisecond.

    The ledger cuts times to the millisecond, so a record decided within one is stored at its beginning.
    """
    at = at.astimezone(UTC)
    rest = at.microsecond % 1000
    return at + timedelta(microseconds=1000 - rest) if rest else at
