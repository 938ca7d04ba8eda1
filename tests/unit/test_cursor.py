"""Where an answer was left, told and taken up again."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.escalator.cursor import Cursor, NotACursor, Position
from ops.escalator.question import Question
from ops.escalator.span import Span
from tests.strategies import json_values

UNTIL = datetime(2026, 11, 24, 6, 43, 1, 234_567, tzinfo=UTC)
SPAN = Span(UNTIL - timedelta(days=7), UNTIL)
QUESTION = Question(SPAN, {"severity": "High"})
PLACE = Position("2026-11-20T10:00:00.000Z", "4Njp3P0STMz2c02Q", "account/4Njp3P0STMz2c02Q#MALICIOUS")
CURSOR = str(Cursor.after(PLACE, QUESTION))


def test_there_and_back() -> None:
    """It has the place, and the span of the first time; a shell takes it as one word."""
    left = Cursor.read(CURSOR)
    later = Question(Span(UNTIL - timedelta(days=6), UNTIL + timedelta(days=1)), {"severity": "High"})
    again = left.question(later)

    assert PLACE == left.position
    assert (SPAN.first, SPAN.last, later.facets) == (again.span.first, again.span.last, again.facets)
    assert CURSOR.replace("-", "").replace("_", "").isalnum()


@pytest.mark.parametrize(
    "facets", [{}, {"severity": "Low"}, {"disposition": "High"}, {"severity": "High", "pending": "yes"}]
)
def test_another_question(facets: dict[str, str]) -> None:
    """It does not go on from there."""
    with pytest.raises(NotACursor, match="another question"):
        Cursor.read(CURSOR).question(Question(SPAN, facets))


@pytest.mark.parametrize("text", ["", "?", "AAAA", CURSOR[:-9], CURSOR + "é", "[" * 9], ids=str)
def test_no_cursor(text: str) -> None:
    """It says so."""
    with pytest.raises(NotACursor, match="as it was printed"):
        Cursor.read(text)


@given(
    json_values()
    | st.tuples(*[st.integers() | st.text()] * 6)
    | st.tuples(st.integers(), st.integers(), *[st.text()] * 4)
)
def test_any_json_for_a_cursor(value: object) -> None:
    """It is one, or it says that it is none."""
    text = base64.urlsafe_b64encode(json.dumps(value).encode()).decode()
    try:
        left = Cursor.read(text)
    except NotACursor:
        return
    assert left.span.first <= left.position.decided_at <= left.span.last
