"""Time ranges, and the texts of their ends."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.record import moment
from ops.escalator.records.time_range import InvalidTime, TimeRange, read_time

NOW = datetime(2026, 11, 24, 6, 43, 1, 500_000, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

TIMES = {
    "minutes": ("90m", NOW - timedelta(minutes=90)),
    "hours": ("24h", NOW - timedelta(hours=24)),
    "days": ("7d", NOW - timedelta(days=7)),
    "weeks": ("2w", NOW - timedelta(weeks=2)),
    "seconds": ("0s", NOW),
    "in capitals and blanks": (" 7D ", NOW - timedelta(days=7)),
    "a date": ("2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
    "time without a zone": ("2026-11-01T10:30", datetime(2026, 11, 1, 10, 30, tzinfo=UTC)),
    "time in UTC": ("2026-11-01T10:30:00.250Z", datetime(2026, 11, 1, 10, 30, 0, 250_000, tzinfo=UTC)),
    "time with an offset": ("2026-11-01T10:30+01:00", datetime(2026, 11, 1, 9, 30, tzinfo=UTC)),
    "with a blank": ("2026-11-01 10:30", datetime(2026, 11, 1, 10, 30, tzinfo=UTC)),
}


@pytest.mark.parametrize(("text", "at"), TIMES.values(), ids=TIMES.keys())
def test_text_is_read_as_a_time_in_utc(text: str, at: datetime) -> None:
    """Durations count back from now."""
    assert (at, UTC) == (read_time(text, NOW), read_time(text, NOW).tzinfo)


@pytest.mark.parametrize(
    "text", ["", "7", "7y", "-7d", "yesterday", "2026-13-01", "999999999d", "0001-01-01T00:00+14:00"]
)
def test_text_that_is_not_a_time_is_refused(text: str) -> None:
    """The message lists the accepted forms."""
    with pytest.raises(InvalidTime, match="24h, 7d"):
        read_time(text, NOW)


def test_months_are_those_that_the_range_touches() -> None:
    """The range can cross a year, and its end is exclusive."""
    time_range = TimeRange(datetime(2025, 11, 30, 23, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
    assert ["2025-11", "2025-12", "2026-01"] == list(time_range.months())


seconds = st.integers(631_152_000_000_000, 4_102_444_800_000_000)
"""Microseconds since 1970, for the years 1990 to 2100."""
moments = st.builds(
    lambda it, hours: (EPOCH + timedelta(microseconds=it)).astimezone(timezone(timedelta(hours=hours))),
    seconds,
    st.integers(-12, 12),
)


@given(moments, moments, moments)
def test_recorded_time_is_in_the_text_bounds_exactly_if_it_is_in_the_range(
    since: datetime, until: datetime, at: datetime
) -> None:
    """A time in the range also has its month among the months."""
    time_range = TimeRange(since, until)
    written = moment(at.astimezone(UTC))
    recorded = datetime.fromisoformat(written)
    inside = since <= recorded < until
    assert inside == (recorded in time_range) == (time_range.first <= written <= time_range.last)
    assert not inside or written[:7] in list(time_range.months())
