"""The requests queue, and where SQS moves what the function cannot take."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Any

from ops.escalator.aws import Connection, explained
from ops.escalator.doctor.check import Check, failure, ok, skipped, warning
from ops.escalator.text.labels import counted

_DEPLOY = "run `sam deploy` again"
_SEND = frozenset({"sqs:sendmessage", "sqs:*", "*"})
_OF_SNS = "sns.amazonaws.com"
_STATES = ("", "NotVisible", "Delayed")
"""How the attributes of a queue name the states of its messages."""


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue.

    dead_letters: the ARN of its dead-letter queue; empty without one.
    waiting:      messages, visible or not: those that can be received, are in work or in backoff, or have a delay.
    retention:    how long SQS keeps a message.
    """

    arn: str
    dead_letters: str
    waiting: int
    policy: str = ""
    visible: int = 0
    in_flight: int = 0
    delayed: int = 0
    retention: timedelta = timedelta()

    def allows_topic(self, topic_arn: str) -> bool:
        """Whether the policy lets SNS send the messages of a topic."""
        try:
            statements = json.loads(self.policy or "{}").get("Statement", [])
        except ValueError:
            return False
        each = statements if isinstance(statements, list) else [statements]
        return any(_allows(it, topic_arn) for it in each if isinstance(it, dict))


def read_queue(connection: Connection, url: str) -> Queue | None:
    """Describe a queue; None if there is none. Raises CommandFailed."""
    sqs = connection.sqs
    with explained(f"describe the queue {url}"):
        try:
            found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        except sqs.exceptions.QueueDoesNotExist:
            return None
    known = {str(name): value for name, value in found.items()}
    visible, in_flight, delayed = (int(known.get(f"ApproximateNumberOfMessages{it}", 0)) for it in _STATES)
    redrive = json.loads(known.get("RedrivePolicy") or "{}")
    return Queue(
        known["QueueArn"],
        redrive.get("deadLetterTargetArn", ""),
        visible + in_flight + delayed,
        known.get("Policy", ""),
        visible,
        in_flight,
        delayed,
        timedelta(seconds=int(known.get("MessageRetentionPeriod", 0))),
    )


def read_queue_by_arn(connection: Connection, arn: str) -> Queue | None:
    """Describe a queue; None if there is none. Raises CommandFailed."""
    sqs = connection.sqs
    account, name = arn.split(":")[4:6]
    with explained(f"look up the queue {name}"):
        try:
            url = sqs.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"]
        except sqs.exceptions.QueueDoesNotExist:
            return None
    return read_queue(connection, url)


def check_queues(requests: Queue | None, dead: Queue | None, stack: str) -> Iterator[Check]:
    """Both queues, and the messages on them."""
    if requests is None:
        yield failure("requests queue", "it does not exist, so no id can be sent", _DEPLOY)
    elif not requests.dead_letters:
        yield failure("requests queue", "it has no redrive policy, so SQS drops what makes the function fail", _DEPLOY)
    elif dead is not None and requests.dead_letters != dead.arn:
        yield failure("requests queue", f"its dead letters go to {requests.dead_letters}, not to the stack's", _DEPLOY)
    else:
        yield ok("requests queue", counted(requests.waiting, "message"))
    if dead is None:
        yield failure(
            "dead-letter queue", "it does not exist, so rejected requests are retried until they expire", _DEPLOY
        )
        yield from skipped("dead letters", because="the dead-letter queue does not exist")
        return
    yield ok("dead-letter queue", dead.arn.rpartition(":")[2])
    if dead.waiting:
        advice = f"escalator redrive list --stack {stack}"
        yield warning("dead letters", f"{dead.waiting:,} wait; some can be malicious email without an alert", advice)
    else:
        yield ok("dead letters", "none")


def _allows(statement: dict[str, Any], topic_arn: str) -> bool:
    actions = {it.lower() for it in _texts(statement.get("Action"))}
    principal = statement.get("Principal")
    principals = (
        _texts(principal) if not isinstance(principal, dict) else [it for v in principal.values() for it in _texts(v)]
    )
    if statement.get("Effect") != "Allow" or not actions & _SEND or not {*principals} & {"*", _OF_SNS}:
        return False
    conditions = statement.get("Condition") or {}
    sources = [
        it
        for values in conditions.values()
        for name, value in values.items()
        if name.lower() == "aws:sourcearn"
        for it in _texts(value)
    ]
    return not sources or any(fnmatchcase(topic_arn, it) for it in sources)


def _texts(value: object) -> list[str]:
    return (
        [it for it in value if isinstance(it, str)]
        if isinstance(value, list)
        else [value]
        if isinstance(value, str)
        else []
    )
