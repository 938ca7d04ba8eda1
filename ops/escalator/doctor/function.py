"""The functions, the trigger that delivers the queue, and the schedules that run them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from ops.escalator.aws import Connection, explained
from ops.escalator.doctor.check import Check, failure, ok, skipped, warning
from ops.escalator.doctor.stack import Resource

SCHEDULE = "AWS::Scheduler::Schedule"
FEED_SCHEDULE, SUMMARY_SCHEDULE = "FeedFunctionSchedule", "EscalateFunctionSummaries"
"""Logical ids, which SAM builds from those of function and event."""
_DEPLOY = "run `sam deploy` again"


@dataclass(frozen=True, slots=True)
class Function:
    """state, update: as Lambda names them; the reason is of the state. triggers: (ARN of the source, state)."""

    name: str
    state: str
    update: str
    reason: str = ""
    triggers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Schedule:
    """state: ENABLED or DISABLED."""

    name: str
    state: str
    expression: str


def read_function(connection: Connection, name: str) -> Function | None:
    """Describe a function; None if there is none. Raises CommandFailed."""
    client = connection.lambda_
    with explained(f"describe the function {name}"):
        try:
            found: dict[str, Any] = client.get_function_configuration(FunctionName=name)
        except client.exceptions.ResourceNotFoundException:
            return None
        triggers = client.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    return Function(
        name=name,
        state=found.get("State", "Active"),
        update=found.get("LastUpdateStatus", "Successful"),
        reason=found.get("StateReason") or found.get("LastUpdateStatusReason") or "",
        triggers=tuple((it.get("EventSourceArn", ""), it.get("State", "")) for it in triggers),
    )


def read_schedules(connection: Connection, resources: Sequence[Resource]) -> dict[str, Schedule]:
    """Describe the stack's schedules that exist, by their logical id. Raises CommandFailed."""
    found, client = {}, connection.client("scheduler")
    for resource in resources:
        if resource.type != SCHEDULE:
            continue
        name = resource.id.rpartition("/")[2]
        with explained(f"describe the schedule {name}"):
            try:
                known = client.get_schedule(Name=name)
            except client.exceptions.ResourceNotFoundException:
                continue
            except ClientError as exc:
                if exc.response["Error"]["Code"] == "ScheduleNotFound":
                    continue
                raise
        found[resource.name] = Schedule(name, known["State"], known["ScheduleExpression"])
    return found


def check_function(line: str, name: str, function: Function | None) -> Check:
    """Whether a function exists and can run."""
    if function is None:
        return failure(line, f"{name} does not exist", f"{_DEPLOY}, or import it")
    if function.state not in ("Active", "Inactive"):  # Lambda activates one that was idle for weeks at its next call
        return failure(line, f"{name} is {function.state}: {function.reason or 'no reason given'}", _DEPLOY)
    if function.update == "Failed":
        return failure(line, f"the last update of {name} failed: {function.reason or 'no reason given'}", _DEPLOY)
    return ok(line, f"{name} is {function.state}")


def check_trigger(function: Function | None, queue_arn: str | None) -> list[Check]:
    """Whether Lambda delivers the requests queue to the function."""
    if function is None or queue_arn is None:
        missing = "the function" if function is None else "the requests queue"
        return skipped("queue trigger", because=f"{missing} does not exist")
    state = dict(function.triggers).get(queue_arn)
    if state is None:
        return [failure("queue trigger", "Lambda does not read the requests queue", _DEPLOY)]
    if state in ("Disabled", "Disabling"):
        command = f"aws lambda list-event-source-mappings --function-name {function.name}"
        return [
            failure(
                "queue trigger",
                f"it is {state}, so requests wait",
                f"{command}; then `aws lambda update-event-source-mapping --uuid UUID --enabled`",
            )
        ]
    if state != "Enabled":
        return [warning("queue trigger", f"it is {state}", "wait a minute, then check again")]
    return [ok("queue trigger", "Lambda reads the requests queue")]


def check_schedule(line: str, function: Function | None, schedule: Schedule | None, effect: str) -> Iterator[Check]:
    """Whether a function is run on its schedule. effect: of a schedule that does not run."""
    if function is None:
        yield from skipped(line, because="its function does not exist")
    elif schedule is None:
        yield failure(line, f"the schedule does not exist, so {effect}", _DEPLOY)
    elif schedule.state != "ENABLED":
        advice = "enable it in the console of EventBridge Scheduler, or deploy again after a change of its parameters"
        yield failure(line, f"{schedule.name} is disabled, so {effect}", advice)
    else:
        yield ok(line, schedule.expression)
