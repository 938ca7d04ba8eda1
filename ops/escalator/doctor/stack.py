"""The CloudFormation stack, and whether its outputs are those of this release."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ops.escalator.aws import Connection, Stack, explained
from ops.escalator.doctor.check import Check, failure, ok, warning

NEEDED = (
    "RequestQueueUrl",
    "DeadLetterQueueUrl",
    "SecretArn",
    "CloudflareAccountId",
    "EscalateFunctionName",
    "OperationsTopicArn",
    "LogGroupName",
)
"""Outputs that every stack has."""
_OF_PARAMETERS = {
    "LedgerTableName": ("Sinks", ("table-and-topic", "table")),
    "FindingsTopicArn": ("Sinks", ("table-and-topic", "topic")),
    "PeopleTopicArn": ("Sinks", ("table-and-topic", "topic")),
    "FeedFunctionName": ("Feed", ("on",)),
}
"""Outputs that a stack has with these values of a parameter."""
_DEPLOY = "run `sam build` and `sam deploy` from this release"


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource of the stack. type: such as AWS::CloudWatch::Alarm. id: its physical id."""

    name: str
    type: str
    id: str


def read_resources(connection: Connection, stack: Stack) -> list[Resource]:
    """List the resources of a stack. Raises CommandFailed."""
    with explained(f"list the resources of {stack.name}"):
        pages: Any = connection.client("cloudformation").get_paginator("list_stack_resources")
        found = [it for page in pages.paginate(StackName=stack.name) for it in page["StackResourceSummaries"]]
    return [
        Resource(it["LogicalResourceId"], it["ResourceType"], it["PhysicalResourceId"])
        for it in found
        if it.get("PhysicalResourceId") and it["ResourceStatus"] != "DELETE_COMPLETE"
    ]


def check_stack(stack: Stack) -> Iterator[Check]:
    """Status, protection and outputs."""
    status = stack.status
    if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"):
        yield ok("stack", status)
    elif status.endswith("IN_PROGRESS") or status == "UPDATE_ROLLBACK_COMPLETE":
        yield warning("stack", status, "wait for the deployment to end, or read why the last one was rolled back")
    else:
        yield failure("stack", status, f"aws cloudformation describe-stack-events --stack-name {stack.name}")
    if stack.is_protected:
        yield ok("stack protection", "the stack cannot be deleted by accident")
    else:
        command = "aws cloudformation update-termination-protection --enable-termination-protection"
        yield warning(
            "stack protection", "the stack can be deleted by accident", f"{command} --stack-name {stack.name}"
        )
    needed = [*NEEDED, *(it for it, (name, values) in _OF_PARAMETERS.items() if stack.parameters.get(name) in values)]
    missing = [it for it in needed if not stack.outputs.get(it)]
    if missing:
        yield failure("outputs", f"missing: {', '.join(missing)}", f"the template is of an earlier release: {_DEPLOY}")
    else:
        yield ok("outputs", f"all {len(needed)} are there")
