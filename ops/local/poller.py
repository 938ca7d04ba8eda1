"""The event source mapping: polls the requests queue, calls the function, deletes what it did not report as failed."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ops.local.runtime import Environment, FunctionError, Invocation
from ops.local.stack import Stack

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef


@dataclass(frozen=True, slots=True)
class Poller:
    """A queue and the function behind it.

    pause: seconds after which messages that failed come back, instead of those that the function asks for. Only the
    waiting is shortened: each redelivery counts. None: as the function asks.
    """

    stack: Stack
    function: Environment
    pause: int | None = None

    def poll(self, request_id: str | None = None) -> Invocation | None:
        """Deliver one batch; None where the queue has nothing to deliver now. Raises FunctionError."""
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
            self._bring_back(received)
            raise
        failed = {it["itemIdentifier"] for it in invocation.response["batchItemFailures"]}
        for message in received:
            if message["MessageId"] not in failed:
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        self._bring_back([message for message in received if message["MessageId"] in failed])
        return invocation

    def waiting(self) -> int:
        """How many messages are on the queue, visible or not."""
        attributes = self.stack.sqs.get_queue_attributes(
            QueueUrl=self.stack.requests_url,
            AttributeNames=[
                "ApproximateNumberOfMessages",
                "ApproximateNumberOfMessagesNotVisible",
                "ApproximateNumberOfMessagesDelayed",
            ],
        )["Attributes"]
        return sum(map(int, attributes.values()))

    def _bring_back(self, messages: "list[MessageTypeDef]") -> None:
        if self.pause is None:
            return
        for message in messages:
            self.stack.sqs.change_message_visibility(
                QueueUrl=self.stack.requests_url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=self.pause
            )


def lambda_record(message: "MessageTypeDef") -> dict[str, Any]:
    """A message as SQS gives it, in the shape in which Lambda hands it on."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
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
