"""The alarms of the stack: whether each is there, notifies, and is quiet."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from ops.escalator.aws import Connection, explained
from ops.escalator.doctor.check import Check, failure, listed, ok
from ops.escalator.doctor.stack import Resource

TYPE = "AWS::CloudWatch::Alarm"
_MOST = 100
"""Alarms that one call describes."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """name: of the template. exists: whether CloudWatch has it. state: as CloudWatch names it. since: of the state."""

    name: str
    exists: bool = True
    state: str = "OK"
    is_enabled: bool = True
    actions: tuple[str, ...] = ()
    since: datetime | None = None


def read_alarms(connection: Connection, resources: Sequence[Resource]) -> list[Alarm]:
    """Describe the stack's alarms. Raises CommandFailed."""
    wanted = [it for it in resources if it.type == TYPE]
    client, found = connection.client("cloudwatch"), {}
    with explained("describe the alarms"):
        for start in range(0, len(wanted), _MOST):
            names = [it.id for it in wanted[start : start + _MOST]]
            for it in client.describe_alarms(AlarmNames=names, MaxRecords=_MOST)["MetricAlarms"]:
                found[it["AlarmName"]] = it
    return [
        Alarm(
            it.name,
            state=known["StateValue"],
            is_enabled=known["ActionsEnabled"],
            actions=tuple(known.get("AlarmActions", ())),
            since=known.get("StateTransitionedTimestamp") or known.get("StateUpdatedTimestamp"),
        )
        if (known := found.get(it.id))
        else Alarm(it.name, exists=False)
        for it in wanted
    ]


def check_alarms(alarms: Sequence[Alarm]) -> Iterator[Check]:
    """Whether each alarm can notify, and whether one fires now."""
    problems = [f"{it.name} {problem}" for it in alarms if (problem := _problem(it))]
    if not alarms:
        problems = ["the stack has no alarm"]
    if problems:
        yield failure("alarms", listed(problems), "run `sam deploy` again, or enable its actions in CloudWatch")
    else:
        yield ok("alarms", f"{len(alarms)}, and each notifies")
    firing = [it.name for it in alarms if it.state == "ALARM"]
    if firing:
        advice = "docs/outcomes-and-alarms.md says what to do for each"
        yield failure("alarm states", f"in ALARM: {listed(firing)}", advice)
    else:
        yield ok("alarm states", "none is in ALARM")


def _problem(alarm: Alarm) -> str:
    if not alarm.exists:
        return "does not exist"
    if not alarm.is_enabled:
        return "has its actions disabled"
    return "" if alarm.actions else "has no action"
