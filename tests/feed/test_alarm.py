"""FeedAlarm and SilenceAlarm, evaluated from the numbers of the template by CloudWatch's documented rule."""

from collections.abc import Sequence
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from ops.local.template import TEMPLATE

PARSED: dict[str, Any] = yaml_parse(TEMPLATE.read_text("utf-8"))
RESOURCES: dict[str, Any] = PARSED["Resources"]

MORE_POINTS = 2
"""CloudWatch reads more periods than it evaluates: 5 for 3 in its examples."""


def alarm_of(name: str) -> dict[str, Any]:
    """The properties of an alarm in the template."""
    properties: dict[str, Any] = RESOURCES[name]["Properties"]
    return properties


ALARM, SILENCE = alarm_of("FeedAlarm"), alarm_of("SilenceAlarm")


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


def is_silent(points: Sequence[float | None], hours: int) -> bool:
    """Whether SilenceAlarm fires. points: the sum of each hour, oldest first; None for an hour without a value."""
    real = [it for it in points[-(hours + MORE_POINTS) :] if it is not None][-hours:]
    return all(it < SILENCE["Threshold"] for it in real)


def test_silence_counts_hours_without_a_request() -> None:
    assert ("breaching", "LessThanThreshold") == (SILENCE["TreatMissingData"], SILENCE["ComparisonOperator"])
    assert ({"Ref": "SilenceHours"}, 3600) == (SILENCE["EvaluationPeriods"], SILENCE["Period"])
    assert "DatapointsToAlarm" not in SILENCE
    assert PARSED["Parameters"]["SilenceHours"]["MaxValue"] * SILENCE["Period"] <= 7 * 86_400


@pytest.mark.parametrize("hours", [1, 24, 72, 168])
def test_silence_fires_after_its_hours_and_not_before(hours: int) -> None:
    """The queue has zeros for six hours without a request, then no values."""
    quiet: list[float | None] = [*[0.0] * 6, *[None] * 400]
    silent = next(number for number in range(400) if is_silent([3.0, *quiet[:number]], hours))
    assert hours <= silent <= hours + MORE_POINTS
    assert not is_silent([3.0, *quiet[:silent], 1.0], hours)


def test_quiet_weekend_does_not_fire_by_default() -> None:
    """Friday 18:00 to Monday 08:00 without a request."""
    assert not is_silent([5.0, *[None] * 62], PARSED["Parameters"]["SilenceHours"]["Default"])
