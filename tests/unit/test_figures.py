"""What is counted, and how it is said."""

import pytest

from ops.escalator.figures import Figures, percentile
from ops.escalator.words import counted, duration

RECORDS = [
    {
        "decided_at": "2026-11-20T23:59:59.999Z",
        "outcome": "ESCALATED",
        "disposition": "MALICIOUS",
        "severity": "High",
        "state": "SENT",
        "delivered": "false",
        "sender_domain": "a.example",
        "queued_at": "2026-11-20T23:59:58.000Z",
        "published_at": "2026-11-21T00:00:00.000Z",
    },
    {
        "decided_at": "2026-11-23T00:00:00.000Z",
        "outcome": "NOT_FOUND",
        "state": "RECORDED",
        "queued_at": "2026-11-22T00:00:00.000Z",
    },
]


def test_figures() -> None:
    """By day and kind; a day without records has its place, and a record without a disposition its outcome."""
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
    } == Figures.of(RECORDS).named()


def test_no_records() -> None:
    """Nothing is counted, and nothing fails."""
    named = Figures.of([]).named()
    assert (0, {}, None) == (named["records"], named["days"], named["queued_to_published"]["median"])


PERCENTILES = {
    "one": ([7.0], 50, 7.0),
    "median-of-three": ([1.0, 2.0, 9.0], 50, 2.0),
    "median-of-four": ([1.0, 2.0, 3.0, 9.0], 50, 2.0),
    "p95-of-twenty": ([float(it) for it in range(1, 21)], 95, 19.0),
    "p95-of-nineteen": ([float(it) for it in range(1, 20)], 95, 19.0),
}


@pytest.mark.parametrize(("ordered", "percent", "value"), PERCENTILES.values(), ids=PERCENTILES.keys())
def test_percentile(ordered: list[float], percent: int, value: float) -> None:
    """The least that so many do not exceed."""
    assert value == percentile(ordered, percent)


DURATIONS = {
    0.04: "0.0 s",
    2.34: "2.3 s",
    12.4: "12 s",
    60: "1 min",
    250: "4 min 10 s",
    7500: "2 h 5 min",
    86400 * 10 + 7: "10 d",
    86400 * 10 + 3600 * 20: "10 d 20 h",
}


@pytest.mark.parametrize(("seconds", "said"), DURATIONS.items(), ids=DURATIONS.values())
def test_duration(seconds: float, said: str) -> None:
    """As finely as it matters."""
    assert said == duration(seconds)


def test_counted() -> None:
    """One is one."""
    assert ["1 link", "0 links", "1,200 categories"] == [
        counted(1, "link"),
        counted(0, "link"),
        counted(1200, "category", "categories"),
    ]
