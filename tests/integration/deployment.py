"""A deployed stack, the fake Cloudflare and the function, with operations for tests."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from functions.ledger.attribute_values import from_item
from ops.local.fake_cloudflare.server import FakeCloudflare
from ops.local.lambda_runtime import Environment, Invocation
from ops.local.poller import Poller, lambda_record
from ops.local.stack import Stack
from ops.local.subscriber import ReceivedAlert, people_messages, receive
from ops.local.verify import read_dead_letters, read_records

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef


@dataclass(frozen=True)
class Deployment:
    """The deployment of one test."""

    stack: Stack
    cloudflare: FakeCloudflare
    function: Environment

    def send(self, *bodies: str) -> None:
        """Put messages on the requests queue."""
        for body in bodies:
            self.stack.sqs.send_message(QueueUrl=self.stack.requests_url, MessageBody=body)

    def poll(self) -> list[dict[str, Any]]:
        """Deliver one batch as Lambda does, and return the logged outcomes. Failed messages are visible at once."""
        invocation = Poller(self.stack, self.function, pause=0).poll()
        return invocation.outcomes if invocation else []

    def invoke(self, *records: dict[str, Any]) -> Invocation:
        """Invoke the function with records."""
        return self.function.invoke({"Records": list(records)})

    def receive(self) -> "list[MessageTypeDef]":
        """Receive messages from the requests queue as Lambda does, without deleting them."""
        return self.stack.sqs.receive_message(
            QueueUrl=self.stack.requests_url,
            MaxNumberOfMessages=10,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages", [])

    def received_records(self) -> list[dict[str, Any]]:
        """Receive messages, in the form that the function gets."""
        return [lambda_record(message) for message in self.receive()]

    def waiting(self) -> int:
        """Count the messages on the requests queue, visible or not."""
        return Poller(self.stack, self.function).waiting()

    def alerts(self) -> list[ReceivedAlert]:
        """Receive the alerts since the last call."""
        return receive(self.stack)

    def people(self) -> list[dict[str, str]]:
        """The bodies by protocol of all messages that the people topic has taken."""
        return people_messages(self.stack)

    def records(self) -> list[dict[str, Any]]:
        """Read all records."""
        return read_records(self.stack)

    def items(self) -> list[dict[str, Any]]:
        """Read all items of the table."""
        pages = self.stack.dynamodb.get_paginator("scan").paginate(TableName=self.stack.table)
        return [from_item(item) for page in pages for item in page["Items"]]

    def pointers(self) -> list[str]:
        """Read the partition keys of all pointers, such as `recipient=ann@example.com`."""
        beside = ("campaigns=", "feed=")
        return sorted(
            item["pk"]
            for item in self.items()
            if "=" in item["pk"] and not item["pk"].startswith(beside) and not item["sk"].startswith("#")
        )

    def rejections(self) -> list[tuple[str, str, str]]:
        """Read reason, detail and body of all messages on the dead-letter queue."""
        return [
            (
                it["MessageAttributes"]["reason"]["StringValue"],
                it["MessageAttributes"]["detail"]["StringValue"],
                it["Body"],
            )
            for it in read_dead_letters(self.stack)
        ]


class MakeDeployment(Protocol):
    """Makes a deployment; see `make_deployment`."""

    def __call__(self, *args: Any, **kwargs: Any) -> Deployment:
        """Make a deployment with a mailbox, credentials and template parameters."""
        ...


def outcomes(logged: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return outcome and reason of each log line."""
    return [(line["outcome"], line["reason"]) for line in logged]


def raw_record(
    body: str, message_id: str = "m-1", receive_count: int = 1, sent_at_ms: int = 1_795_000_000_000
) -> dict[str, Any]:
    """Make a record as Lambda passes it, for bodies that SQS does not accept."""
    return {
        "messageId": message_id,
        "receiptHandle": f"receipt-{message_id}",
        "body": body,
        "attributes": {"ApproximateReceiveCount": str(receive_count), "SentTimestamp": str(sent_at_ms)},
        "messageAttributes": {},
    }


def request(email_id: str, **members: str) -> str:
    """Make the body of a request for an email."""
    return json.dumps({"postfix_id": email_id, **members})
