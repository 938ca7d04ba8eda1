"""Counts over record summaries, percentiles, and their words."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.times import duration
from ops.escalator.records.record_summary import RecordSummary, read_summary
from ops.escalator.text.labels import counted
from ops.escalator.views.statistics import Statistics, percentile


def summary(**attributes: Any) -> RecordSummary:
    """An entry of the index by time."""
    record = read_summary({"pk": "p", "sk": "s", **attributes})
    assert isinstance(record, RecordSummary), record
    return record


RECORDS = [
    summary(
        decided_at="2026-11-20T23:59:59.999Z",
        outcome="ESCALATED",
        disposition="MALICIOUS",
        severity="High",
        state="SENT",
        delivered="false",
        sender_domain="a.example",
        queued_at="2026-11-20T23:59:58.000Z",
        published_at="2026-11-21T00:00:00.000Z",
    ),
    summary(
        decided_at="2026-11-23T00:00:00.000Z",
        outcome="NOT_FOUND",
        state="RECORDED",
        queued_at="2026-11-22T00:00:00.000Z",
    ),
]


def test_statistics_count_by_day_and_kind() -> None:
    """A day without records is listed, and a record without a disposition is counted by its outcome."""
    assert {
        "records": 2,
        "days": {"2026-11-20": {"MALICIOUS": 1}, "2026-11-21": {}, "2026-11-22": {}, "2026-11-23": {"NOT_FOUND": 1}},
        "dispositions": {"MALICIOUS": 1, "NOT_FOUND": 1},
        "outcomes": {"ESCALATED": 1, "NOT_FOUND": 1},
        "severities": {"High": 1},
        "states": {"SENT": 1, "RECORDED": 1},
        "delivered": {"false": 1},
        "sender_domains": {"a.example": 1},
        "queued_to_published": {"alerts": 1, "median": 2.0, "p95": 2.0},
    } == Statistics.of(RECORDS).named()


def test_statistics_of_no_records_are_zero() -> None:
    """Nothing fails, and speeds are None."""
    named = Statistics.of([]).named()
    assert (0, {}, None) == (named["records"], named["days"], named["queued_to_published"]["median"])


PERCENTILES = {
    "one value": ([7.0], 50, 7.0),
    "median of three": ([1.0, 2.0, 9.0], 50, 2.0),
    "median of four": ([1.0, 2.0, 3.0, 9.0], 50, 2.0),
    "p95 of twenty": ([float(it) for it in range(1, 21)], 95, 19.0),
    "p95 of nineteen": ([float(it) for it in range(1, 20)], 95, 19.0),
}


@pytest.mark.parametrize(("ordered", "percent", "value"), PERCENTILES.values(), ids=PERCENTILES.keys())
def test_percentile_is_nearest_rank(ordered: list[float], percent: int, value: float) -> None:
    """It is the lowest value that at least `percent` % do not exceed."""
    assert value == percentile(ordered, percent)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=50), st.integers(1, 100))
def test_percentile_of_any_values_has_its_rank(values: list[float], percent: int) -> None:
    """At least `percent` % of the values do not exceed it, and fewer are below it."""
    ordered = sorted(values)
    found = percentile(ordered, percent)
    assert 100 * sum(it <= found for it in ordered) >= percent * len(ordered)
    assert 100 * sum(it < found for it in ordered) < percent * len(ordered)


DURATIONS = {
    0.0: "0.0 s",
    0.04: "0.0 s",
    2.34: "2.3 s",
    9.94: "9.9 s",
    9.96: "10 s",
    12.4: "12 s",
    59.4: "59 s",
    59.96: "1 min",
    60: "1 min",
    61: "1 min 1 s",
    250: "4 min 10 s",
    3_600: "1 h",
    3_605: "1 h",
    7_500: "2 h 5 min",
    93_784: "1 d 2 h",
    86_400 * 10 + 7: "10 d",
    86_400 * 10 + 3_600 * 20: "10 d 20 h",
    -2.0: "-2.0 s",
}


@pytest.mark.parametrize(("seconds", "text"), DURATIONS.items(), ids=DURATIONS.values())
def test_duration_has_at_most_two_units(seconds: float, text: str) -> None:
    """The two largest units are enough for a reader."""
    assert text == duration(seconds)


def test_counted_noun_is_singular_for_one() -> None:
    """Any other count takes the plural."""
    assert ["1 link", "0 links", "1,200 categories"] == [
        counted(1, "link"),
        counted(0, "link"),
        counted(1200, "category", "categories"),
    ]
