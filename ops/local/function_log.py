"""Write the log of a local function to the emulated CloudWatch Logs, as Lambda does."""

import time
from collections.abc import Callable, Sequence
from typing import Any

STREAM = "local"


def log_writer(cloudformation: Any, logs: Any, stack: str, group: str) -> Callable[[Sequence[str]], None]:
    """A function that writes the lines of an invocation to a log group of a stack. group: its name in the template."""
    found = cloudformation.describe_stack_resource(StackName=stack, LogicalResourceId=group)
    name = found["StackResourceDetail"]["PhysicalResourceId"]
    logs.create_log_stream(logGroupName=name, logStreamName=STREAM)

    def write(lines: Sequence[str]) -> None:
        now = int(time.time() * 1000)
        if events := [{"timestamp": now, "message": line} for line in lines if line]:
            logs.put_log_events(logGroupName=name, logStreamName=STREAM, logEvents=events)

    return write
