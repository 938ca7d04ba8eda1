"""The log groups: the reason of each outcome is there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ops.escalator.aws import Connection, explained
from ops.escalator.doctor.check import Check, failure, listed, ok, skipped, warning
from ops.escalator.doctor.stack import Resource

TYPE = "AWS::Logs::LogGroup"


@dataclass(frozen=True, slots=True)
class LogGroup:
    """days: of retention; None for ever."""

    name: str
    exists: bool = True
    days: int | None = None


def read_log_groups(connection: Connection, resources: Sequence[Resource]) -> list[LogGroup]:
    """Describe the stack's log groups. Raises CommandFailed."""
    client, found = connection.client("logs"), []
    with explained("describe the log groups"):
        for name in (it.id for it in resources if it.type == TYPE):
            pages = client.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name)
            known = next((it for page in pages for it in page["logGroups"] if it["logGroupName"] == name), None)
            found.append(LogGroup(name, known is not None, known.get("retentionInDays") if known else None))
    return found


def check_log_groups(groups: Sequence[LogGroup]) -> Iterator[Check]:
    """Whether each log group exists, and expires."""
    missing = [it.name for it in groups if not it.exists]
    if missing:
        yield failure(
            "log groups",
            f"missing, so nothing is logged: {listed(missing)}",
            f"aws logs create-log-group --log-group-name {missing[0]}",
        )
        yield from skipped("log retention", because="a log group is missing")
        return
    yield ok("log groups", listed([it.name for it in groups]))
    forever = [it.name for it in groups if it.days is None]
    if forever:
        advice = f"aws logs put-retention-policy --log-group-name {forever[0]} --retention-in-days 90"
        yield warning("log retention", f"never expires: {listed(forever)}", advice)
    else:
        yield ok("log retention", f"{min((it.days for it in groups if it.days), default=0)} days")
