"""Spans of time, as an operator says them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.ledger.record import moment
from ops.escalator.span import NotATime, Span, read_time

NOW = datetime(2026, 11, 24, 6, 43, 1, 500_000, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

TIMES = {
    "minutes": ("90m", NOW - timedelta(minutes=90)),
    "hours": ("24h", NOW - timedelta(hours=24)),
    "days": ("7d", NOW - timedelta(days=7)),
    "weeks": ("2w", NOW - timedelta(weeks=2)),
    "seconds": ("0s", NOW),
    "loud": (" 7D ", NOW - timedelta(days=7)),
    "date": ("2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
    "time-without-a-zone": ("2026-11-01T10:30", datetime(2026, 11, 1, 10, 30, tzinfo=UTC)),
    "time-in-utc": ("2026-11-01T10:30:00.250Z", datetime(2026, 11, 1, 10, 30, 0, 250_000, tzinfo=UTC)),
    "time-with-an-offset": ("2026-11-01T10:30+01:00", datetime(2026, 11, 1, 9, 30, tzinfo=UTC)),
    "with-a-blank": ("2026-11-01 10:30", datetime(2026, 11, 1, 10, 30, tzinfo=UTC)),
}


@pytest.mark.parametrize(("text", "at"), TIMES.values(), ids=TIMES.keys())
def test_time(text: str, at: datetime) -> None:
    """It is that moment, in UTC."""
    assert (at, UTC) == (read_time(text, NOW), read_time(text, NOW).tzinfo)


@pytest.mark.parametrize(
    "text", ["", "7", "7y", "-7d", "yesterday", "2026-13-01", "999999999d", "0001-01-01T00:00+14:00"]
)
def test_no_time(text: str) -> None:
    """It says what would be one."""
    with pytest.raises(NotATime, match="24h, 7d"):
        read_time(text, NOW)


def test_months() -> None:
    """All that it touches, also over a year's end; the end is no part of it."""
    span = Span(datetime(2025, 11, 30, 23, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
    assert ["2025-11", "2025-12", "2026-01"] == list(span.months())


seconds = st.integers(631_152_000_000_000, 4_102_444_800_000_000)
"""Since 1970, in millionths: 1990 to 2100."""
moments = st.builds(
    lambda it, hours: (EPOCH + timedelta(microseconds=it)).astimezone(timezone(timedelta(hours=hours))),
    seconds,
    st.integers(-12, 12),
)


@given(moments, moments, moments)
def test_what_lies_in_it(since: datetime, until: datetime, at: datetime) -> None:
    """A moment of the ledger lies within its bounds exactly if it does in time, and then its month is among the months."""
    span = Span(since, until)
    written = moment(at.astimezone(UTC))
    recorded = datetime.fromisoformat(written)
    inside = since <= recorded < until
    assert inside == (recorded in span) == (span.first <= written <= span.last)
    assert not inside or written[:7] in list(span.months())
