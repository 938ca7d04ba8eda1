"""The evaluator of alarms, against the examples of CloudWatch's documentation."""

from dataclasses import replace

import pytest

from tests.alarms.evaluator import changes, combined, is_alarm
from tests.alarms.points import points
from tests.alarms.template_alarms import Alarm, read_alarms

ABOVE_ZERO = replace(
    read_alarms()["ErrorAlarm"],
    evaluation_periods=3,
    datapoints_to_alarm=3,
    threshold=0,
    treat_missing_data="breaching",
)


def alarm(datapoints: int, missing: str) -> Alarm:
    """An alarm that breaches above 0, with 3 evaluation periods."""
    return replace(ABOVE_ZERO, datapoints_to_alarm=datapoints, treat_missing_data=missing)


@pytest.mark.parametrize(
    ("datapoints", "read", "if_breaching", "if_not_breaching"),
    [
        (3, "0 - 1 - 1", False, False),
        (3, "- - - - 0", False, False),
        (3, "- - - - -", True, False),
        (3, "0 1 1 - 1", True, True),
        (3, "- - 1 - -", True, False),
        (2, "0 - 1 - 1", True, True),
        (2, "0 0 1 0 1", True, True),
        (2, "0 - 1 - -", True, False),
        (2, "- - - - 0", True, False),
        (2, "- - - - 1", True, False),
    ],
)
def test_example_of_the_documentation(datapoints: int, read: str, if_breaching: bool, if_not_breaching: bool) -> None:
    """The tables of "Configuring how alarms treat missing data", for 3 of 3 and 2 of 3 datapoints."""
    found = [is_alarm(alarm(datapoints, missing), points(read)) for missing in ("breaching", "notBreaching")]
    assert [if_breaching, if_not_breaching] == found


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        ("0 1 0", [(1, True), (2, False)]),
        ("0 1 1 0", [(1, True), (3, False)]),
        ("0 1 0 1 0", [(1, True), (2, False), (3, True), (4, False)]),
        ("- 1 - - -", [(1, True), (4, False)]),
        ("- 1 - 1 - - -", [(1, True), (6, False)]),
    ],
    ids=["clears with a 0", "stays", "fires again", "clears without points", "stays over a gap"],
)
def test_state_of_one_in_one_changes(read: str, expected: list[tuple[int, bool]]) -> None:
    """A single point is in the range for three periods if none follows."""
    one = replace(alarm(1, "notBreaching"), evaluation_periods=1, metrics={}, expression="m")
    assert expected == changes(one, {"m": points(read)})


def test_less_than_threshold_breaches_below_it_only() -> None:
    below = replace(alarm(1, "notBreaching"), evaluation_periods=1, comparison="LessThanThreshold", threshold=1)
    assert [True, False, False] == [is_alarm(below, [value]) for value in (0.0, 1.0, 2.0)]


@pytest.mark.parametrize(
    ("expression", "a", "b", "expected"),
    [
        ("a + b", "1 1 - -", "2 - 2 -", "3 1 2 -"),
        ("a - b", "1 1 - -", "2 - 2 -", "-1 1 -2 -"),
        ("a > 0", "1 0 -", "1 1 1", "1 0 -"),
        ("(a > 0) - (b > 0)", "5 5 - - 0", "7 - 7 - 0", "0 1 -1 - 0"),
    ],
)
def test_missing_point_counts_as_0_beside_another(expression: str, a: str, b: str, expected: str) -> None:
    """Without a point in any series there is none in the result. A number is no series."""
    assert points(expected) == combined(expression, {"a": points(a), "b": points(b)})


@pytest.mark.parametrize("expression", ["FILL(a, 0)", "a * 2", "a > b", "a >= 0"])
def test_unknown_expression_is_an_error(expression: str) -> None:
    """The evaluator guesses nothing."""
    with pytest.raises(AssertionError, match="not implemented"):
        combined(expression, {"a": [1.0], "b": [1.0]})
