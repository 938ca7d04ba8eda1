"""The event source mapping: poll the requests queue, invoke the function, delete handled messages."""

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from functions.escalate.sqs_message import FROM_FEED
from ops.local.lambda_runtime import Environment, FunctionError, Invocation
from ops.local.stack import Stack
from ops.local.template import FEED_ROLE_ID

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef


@dataclass(frozen=True, slots=True)
class Poller:
    """Delivers messages from a stack's requests queue to a function.

    pause: seconds until failed messages are redelivered, in place of the function's own visibility timeouts. It shortens
    only the wait; each redelivery counts as a receive. None keeps the function's timeouts.
    """

    stack: Stack
    function: Environment
    pause: int | None = None

    def poll(self, request_id: str | None = None) -> Invocation | None:
        """Deliver one batch. Returns None if no message is visible. Raises FunctionError."""
        sqs, queue = self.stack.sqs, self.stack.requests_url
        received = sqs.receive_message(
            QueueUrl=queue,
            MaxNumberOfMessages=self.stack.template.batch_size,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        if not received:
            return None
        try:
            invocation = self.function.invoke({"Records": [lambda_record(it) for it in received]}, request_id)
        except FunctionError:
            self._set_visibility(received)
            raise
        failed = {it["itemIdentifier"] for it in invocation.response["batchItemFailures"]}
        for message in received:
            if message["MessageId"] not in failed:
                with suppress(sqs.exceptions.ReceiptHandleIsInvalid):  # the message is gone: another poller deleted it
                    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        self._set_visibility([message for message in received if message["MessageId"] in failed])
        return invocation

    def waiting(self) -> int:
        """Count the messages on the queue, visible or not."""
        attributes = self.stack.sqs.get_queue_attributes(
            QueueUrl=self.stack.requests_url,
            AttributeNames=[
                "ApproximateNumberOfMessages",
                "ApproximateNumberOfMessagesNotVisible",
                "ApproximateNumberOfMessagesDelayed",
            ],
        )["Attributes"]
        return sum(map(int, attributes.values()))

    def _set_visibility(self, messages: "list[MessageTypeDef]") -> None:
        if self.pause is None:
            return
        sqs = self.stack.sqs
        for message in messages:
            # The message may be visible again, and deleted by another poller.
            with suppress(sqs.exceptions.ReceiptHandleIsInvalid, sqs.exceptions.MessageNotInflight):
                sqs.change_message_visibility(
                    QueueUrl=self.stack.requests_url,
                    ReceiptHandle=message["ReceiptHandle"],
                    VisibilityTimeout=self.pause,
                )


def lambda_record(message: "MessageTypeDef") -> dict[str, Any]:
    """Convert a message from SQS to the record that Lambda passes to the function.

    The emulated SQS names the same sender for all messages. Those of the feed get the sender that SQS would name.
    """
    is_from_feed = FROM_FEED in message.get("MessageAttributes", {})
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"] | ({"SenderId": f"{FEED_ROLE_ID}:feed"} if is_from_feed else {}),
        "messageAttributes": {
            name: {"stringValue": it["StringValue"], "dataType": it["DataType"]}
            for name, it in message.get("MessageAttributes", {}).items()
            if "StringValue" in it
        },
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:requests",
        "awsRegion": "us-east-1",
    }
