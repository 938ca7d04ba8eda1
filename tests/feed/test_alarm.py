"""FeedAlarm, evaluated from the numbers of the template by CloudWatch's documented rule."""

from collections.abc import Sequence
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from ops.local.template import TEMPLATE

ALARM: dict[str, Any] = yaml_parse(TEMPLATE.read_text("utf-8"))["Resources"]["FeedAlarm"]["Properties"]
MORE_POINTS = 2
"""CloudWatch reads more periods than it evaluates: 5 for 3 in its examples."""


def is_alarm(points: Sequence[float | None]) -> bool:
    """Whether the alarm fires. points: the maximum of each period, oldest first; None for a period without one.

    The newest real points decide. Only what they lack is filled, here as breaching.
    """
    count, needed = ALARM["EvaluationPeriods"], ALARM["DatapointsToAlarm"]
    read = points[-(count + MORE_POINTS) :]
    real = [it for it in read if it is not None][-count:]
    breaching = sum(it > ALARM["Threshold"] for it in real) + (count - len(real))
    return bool(breaching >= needed)


def test_missing_values_are_breaching() -> None:
    assert ("breaching", "GreaterThanThreshold") == (ALARM["TreatMissingData"], ALARM["ComparisonOperator"])


def test_stopped_schedule_fires_after_four_periods() -> None:
    """20 minutes after the last value."""
    silent = next(number for number in range(10) if is_alarm([5.0] * 10 + [None] * number))
    assert (4, 20) == (silent, silent * ALARM["Period"] // 60)


@pytest.mark.parametrize(
    ("points", "fires"),
    [([60.0] * 5, False), ([60.0, 60.0, 960.0], False), ([60.0, 960.0, 1260.0], True), ([960.0, 60.0, 60.0], False)],
    ids=["in time", "late once", "late twice", "in time again"],
)
def test_alarm_fires_at_a_lag_of_more_than_15_minutes(points: list[float], fires: bool) -> None:
    assert fires == is_alarm([5.0] * 5 + points)


def test_first_deployment_does_not_fire() -> None:
    """There are no values before it, so the alarm waits until they fill its window."""
    minutes = ALARM["WarmUpConfiguration"]["WarmUpPeriodDurationInMinutes"]
    assert minutes >= (ALARM["EvaluationPeriods"] + MORE_POINTS) * ALARM["Period"] / 60
    assert not is_alarm([5.0] * (minutes * 60 // ALARM["Period"]))
