"""A deployed stack, the stand-in Cloudflare and the function, and what a test asks of them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from ops.local.cloudflare import StandIn
from ops.local.inbox import ReceivedAlert, receive
from ops.local.poller import Poller, lambda_record
from ops.local.proof import read_dead_letters, read_records
from ops.local.runtime import Environment, Invocation
from ops.local.stack import Stack

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef


@dataclass(frozen=True)
class World:
    """One test's own world."""

    stack: Stack
    cloudflare: StandIn
    function: Environment

    def send(self, *bodies: str) -> None:
        """Put messages on the requests queue."""
        for body in bodies:
            self.stack.sqs.send_message(QueueUrl=self.stack.requests_url, MessageBody=body)

    def poll(self) -> list[dict[str, Any]]:
        """Deliver one batch as Lambda does, failed messages coming back at once; the outcomes that it logged."""
        invocation = Poller(self.stack, self.function, pause=0).poll()
        return invocation.outcomes if invocation else []

    def invoke(self, *records: dict[str, Any]) -> Invocation:
        """Hand records to the function directly."""
        return self.function.invoke({"Records": list(records)})

    def receive(self) -> "list[MessageTypeDef]":
        """Take messages from the requests queue as Lambda does, without deleting them."""
        return self.stack.sqs.receive_message(
            QueueUrl=self.stack.requests_url,
            MaxNumberOfMessages=10,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages", [])

    def received_records(self) -> list[dict[str, Any]]:
        """The same, in the shape that the function is given."""
        return [lambda_record(message) for message in self.receive()]

    def waiting(self) -> int:
        """How many messages are on the requests queue, in whatever state."""
        return Poller(self.stack, self.function).waiting()

    def alerts(self) -> list[ReceivedAlert]:
        """The alerts that came since the last time."""
        return receive(self.stack)

    def records(self) -> list[dict[str, Any]]:
        """All records."""
        return read_records(self.stack)

    def rejections(self) -> list[tuple[str, str, str]]:
        """Reason, detail and body of everything on the dead-letter queue."""
        return [
            (
                it["MessageAttributes"]["reason"]["StringValue"],
                it["MessageAttributes"]["detail"]["StringValue"],
                it["Body"],
            )
            for it in read_dead_letters(self.stack)
        ]


class MakeWorld(Protocol):
    """Makes a world; see `make_world`."""

    def __call__(self, *args: Any, **kwargs: Any) -> World:
        """A world with the given mailbox, credentials and template parameters."""
        ...


def outcomes(logged: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """Outcome and reason of each log line."""
    return [(line["outcome"], line["reason"]) for line in logged]


def raw_record(
    body: str, message_id: str = "m-1", receives: int = 1, sent_at_ms: int = 1_795_000_000_000
) -> dict[str, Any]:
    """A record as Lambda hands it over, for what SQS itself would not carry."""
    return {
        "messageId": message_id,
        "receiptHandle": f"receipt-{message_id}",
        "body": body,
        "attributes": {"ApproximateReceiveCount": str(receives), "SentTimestamp": str(sent_at_ms)},
        "messageAttributes": {},
    }


def request(mail_id: str, **members: str) -> str:
    """The body that asks about a mail."""
    return json.dumps({"postfix_id": mail_id, **members})
