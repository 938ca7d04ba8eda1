"""A cursor: written, and read again."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.escalator.records.cursor import Cursor, InvalidCursor
from ops.escalator.records.query import RecordQuery
from ops.escalator.records.stored_record import Position
from ops.escalator.records.time_range import TimeRange
from tests.strategies import json_values

UNTIL = datetime(2026, 11, 24, 6, 43, 1, 234_567, tzinfo=UTC)
TIME_RANGE = TimeRange(UNTIL - timedelta(days=7), UNTIL)
QUERY = RecordQuery(TIME_RANGE, {"severity": "High"})
POSITION = Position("2026-11-20T10:00:00.000Z", "4Njp3P0STMz2c02Q", "account/4Njp3P0STMz2c02Q#MALICIOUS")
CURSOR = str(Cursor.after(POSITION, QUERY))


def test_cursor_keeps_position_and_time_range() -> None:
    """The time range is that of the first call, and a shell takes the text as one word."""
    cursor = Cursor.read(CURSOR)
    later = RecordQuery(TimeRange(UNTIL - timedelta(days=6), UNTIL + timedelta(days=1)), {"severity": "High"})
    resumed = cursor.resume(later)

    assert POSITION == cursor.position
    assert (TIME_RANGE.first, TIME_RANGE.last, later.values) == (
        resumed.time_range.first,
        resumed.time_range.last,
        resumed.values,
    )
    assert CURSOR.replace("-", "").replace("_", "").isalnum()


@pytest.mark.parametrize(
    "values", [{}, {"severity": "Low"}, {"disposition": "High"}, {"severity": "High", "pending": "yes"}]
)
def test_cursor_of_another_query_is_refused(values: dict[str, str]) -> None:
    """It would give neither result."""
    with pytest.raises(InvalidCursor, match="another query"):
        Cursor.read(CURSOR).resume(RecordQuery(TIME_RANGE, values))


@pytest.mark.parametrize("text", ["", "?", "AAAA", CURSOR[:-9], CURSOR + "é", "[" * 9], ids=str)
def test_text_that_is_not_a_cursor_is_refused(text: str) -> None:
    """The message says what to pass."""
    with pytest.raises(InvalidCursor, match="exactly as printed"):
        Cursor.read(text)


@given(
    json_values()
    | st.tuples(*[st.integers() | st.text()] * 6)
    | st.tuples(st.integers(), st.integers(), *[st.text()] * 4)
)
def test_any_json_is_a_cursor_or_is_refused(value: object) -> None:
    """Reading raises nothing but InvalidCursor."""
    text = base64.urlsafe_b64encode(json.dumps(value).encode()).decode()
    try:
        cursor = Cursor.read(text)
    except InvalidCursor:
        return
    assert cursor.time_range.first <= cursor.position.decided_at <= cursor.time_range.last
