"""CloudWatch's evaluation of alarms, as its documentation describes it. The emulated AWS evaluates none.

CloudWatch reads more periods than it evaluates. If they have enough points, the newest real ones decide. Only what they
lack is filled by TreatMissingData. Actions run when the state changes, and not while it stays.
"""

import ast
from collections.abc import Mapping, Sequence
from itertools import zip_longest

from tests.alarms.template_alarms import Alarm

MORE_POINTS = 2
"""CloudWatch reads more periods than it evaluates: 5 for 3 in its examples. Other numbers are not documented."""
_FILLED = {"breaching": True, "notBreaching": False}

Points = Sequence[float | None]
"""One value for each period, oldest first; None for a period without one."""


def is_alarm(alarm: Alarm, points: Points) -> bool:
    """Whether an alarm is in the state ALARM after these points of its metric or expression."""
    real = [it for it in points[-(alarm.evaluation_periods + MORE_POINTS) :] if it is not None]
    newest = real[-alarm.evaluation_periods :]
    lacking = alarm.evaluation_periods - len(newest)
    breaching = sum(_breaches(alarm, it) for it in newest) + lacking * _FILLED[alarm.treat_missing_data]
    return breaching >= alarm.datapoints_to_alarm


def changes(alarm: Alarm, series: Mapping[str, Points]) -> list[tuple[int, bool]]:
    """The periods in which the state changes, and whether it is ALARM then. It begins as OK, after the warm-up.

    series: for each id of the alarm's metrics, its points. A shorter series lacks the newest ones.
    """
    found, state = [], False
    points = combined(alarm.expression, series)
    warm_up = alarm.properties.get("WarmUpConfiguration", {}).get("WarmUpPeriodDurationInMinutes", 0)
    for period in range(warm_up * 60 // alarm.period, len(points)):
        if (new := is_alarm(alarm, points[: period + 1])) != state:
            found.append((period, new))
            state = new
    return found


def combined(expression: str, series: Mapping[str, Points]) -> list[float | None]:
    """The points of an expression of metric math. A period has one if any of its series has one."""
    tree = ast.parse(expression, mode="eval").body
    periods = zip_longest(*series.values())
    return [_value(tree, dict(zip(series, points, strict=True))) for points in periods]


def _breaches(alarm: Alarm, value: float) -> bool:
    match alarm.comparison:
        case "GreaterThanThreshold":
            return value > alarm.threshold
        case "LessThanThreshold":
            return value < alarm.threshold
    raise AssertionError(f"{alarm.name}: {alarm.comparison} is not implemented")


def _value(node: ast.expr, points: Mapping[str, float | None]) -> float | None:
    match node:
        case ast.Name(id):
            return points[id]
        case ast.BinOp(left, ast.Add(), right):
            return _both(_value(left, points), _value(right, points), 1)
        case ast.BinOp(left, ast.Sub(), right):
            return _both(_value(left, points), _value(right, points), -1)
        case ast.Compare(left, [ast.Gt()], [ast.Constant(int() | float() as limit)]):
            value = _value(left, points)
            return None if value is None else float(value > limit)
    raise AssertionError(f"not implemented: {ast.unparse(node)}")


def _both(left: float | None, right: float | None, sign: int) -> float | None:
    """Of two series, a missing point counts as 0 if the other one has a point."""
    return None if left is None and right is None else (left or 0.0) + sign * (right or 0.0)
