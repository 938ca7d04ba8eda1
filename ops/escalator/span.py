"""A span of time, as it is asked for: `24h`, `7d`, `2026-11-24`, `2026-11-24T06:43:00Z`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from functions.ledger.record import moment

_AGO = re.compile(r"(\d{1,9})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_LEAST = timedelta(milliseconds=1)
"""The ledger's times have no finer grain."""


class NotATime(ValueError):
    """A text that names no moment; says what would."""


@dataclass(frozen=True, slots=True)
class Span:
    """From `since`, which belongs to it, to `until`, which does not. Both are aware."""

    since: datetime
    until: datetime

    def __contains__(self, at: datetime) -> bool:
        return self.since <= at < self.until

    @property
    def first(self) -> str:
        """The least `decided_at` within it, as the ledger writes it."""
        return moment(_whole_milliseconds(self.since))

    @property
    def last(self) -> str:
        """The greatest `decided_at` within it."""
        return moment(_whole_milliseconds(self.until) - _LEAST)

    def months(self) -> Iterator[str]:
        """The months that it touches, as the ledger writes them, first to last: `2026-10`, `2026-11`."""
        year, month = int(self.first[:4]), int(self.first[5:7])
        while (name := f"{year:04}-{month:02}") <= self.last[:7]:
            yield name
            year, month = (year, month + 1) if month < 12 else (year + 1, 1)


def read_time(text: str, now: datetime) -> datetime:
    """A moment, in UTC: so long before now, or a date or time in ISO 8601. A date is its beginning; UTC where no offset is given.

    Raises NotATime.
    """
    try:
        if ago := _AGO.fullmatch(text.strip().lower()):
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        at = datetime.fromisoformat(text.strip())
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError) as exc:
        raise NotATime(
            "is no time: give 90m, 24h, 7d or 4w (before now), or 2026-11-24, or 2026-11-24T06:43:00Z"
        ) from exc


def _whole_milliseconds(at: datetime) -> datetime:
    """The next whole millisecond, unless it is one: as the ledger cuts, what is decided within one comes at its beginning."""
    at = at.astimezone(UTC)
    rest = at.microsecond % 1000
    return at + timedelta(microseconds=1000 - rest) if rest else at
