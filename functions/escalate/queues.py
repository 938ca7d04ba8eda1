"""The two SQS queues: delay, requeue and dead-letter.

No method loses a message. If a call fails, the message stays on the requests queue and SQS delivers it again.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from functions.aws import AWS_FAILURES, chunks
from functions.domain.feed_facts import feed_text
from functions.escalate.retries import backoff_seconds, delay_seconds
from functions.escalate.sqs_message import FIRST_SEEN, FROM_FEED
from functions.escalate.stages import MessageResult

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import (
        ChangeMessageVisibilityBatchResultTypeDef,
        SendMessageBatchResultTypeDef,
    )
    from mypy_boto3_sqs.type_defs import (
        SendMessageBatchRequestEntryTypeDef as Entry,
    )

    BatchResponse = ChangeMessageVisibilityBatchResultTypeDef | SendMessageBatchResultTypeDef

MESSAGE_LIMIT = 1024 * 1024
"""Bytes that SQS accepts for one message, and for all messages of one call together. Attributes count."""
_ATTRIBUTES_SIZE = 2 * 1024
"""Bytes reserved for the attributes that the function adds."""
MAX_BODY_SIZE = MESSAGE_LIMIT - _ATTRIBUTES_SIZE
"""Bytes. No valid request is longer, so a longer body is cut here."""
EMPTY = "(empty)"
"""Replaces an empty body, which SQS does not accept."""


@dataclass(frozen=True, slots=True)
class Queues:
    """The requests queue and its dead-letter queue."""

    sqs: "SQSClient"
    requests_url: str
    dead_letter_url: str
    jitter: random.Random = field(default_factory=random.Random)

    def dead_letter(self, results: Sequence[MessageResult]) -> list[bool]:
        """Send copies to the dead-letter queue, with `reason` and `detail` as attributes. False for each that failed."""
        return self._send(self.dead_letter_url, results, _dead_letter_entry)

    def requeue(self, results: Sequence[MessageResult]) -> list[bool]:
        """Send delayed copies to the requests queue. False for each that failed."""
        return self._send(self.requests_url, results, self._delayed_entry)

    def extend_visibility(self, results: Sequence[MessageResult]) -> list[bool]:
        """Delay the next receive by a backoff, by the receive count.

        False for each that failed. SQS then delivers the message after the visibility timeout of the queue.
        """
        if not results:
            return []
        try:
            response = self.sqs.change_message_visibility_batch(
                QueueUrl=self.requests_url,
                Entries=[
                    {
                        "Id": str(i),
                        "ReceiptHandle": result.message.receipt_handle,
                        "VisibilityTimeout": backoff_seconds(result, self.jitter),
                    }
                    for i, result in enumerate(results)
                ],
            )
        except AWS_FAILURES:
            return [False] * len(results)
        return _succeeded(response, len(results))

    def _send(
        self, url: str, results: Sequence[MessageResult], make_entry: "Callable[[MessageResult], Entry]"
    ) -> list[bool]:
        sent: list[bool] = []
        for chunk in chunks(results, _size, MESSAGE_LIMIT):
            entries = [make_entry(result) for result in chunk]
            for i, entry in enumerate(entries):
                entry["Id"] = str(i)
            try:
                sent += _succeeded(self.sqs.send_message_batch(QueueUrl=url, Entries=entries), len(chunk))
            except AWS_FAILURES:
                sent += [False] * len(chunk)
        return sent

    def _delayed_entry(self, result: MessageResult) -> "Entry":
        delay = delay_seconds(result.delay, self.jitter)
        feed = result.message.feed
        attributes = {FIRST_SEEN: _first_seen(result)} | ({FROM_FEED: feed_text(feed)} if feed else {})
        return _entry(result, attributes) | {"DelaySeconds": delay}


def _dead_letter_entry(result: MessageResult) -> "Entry":
    attributes = {"reason": result.reason, "detail": result.detail, "sqs_message_id": result.message.id}
    return _entry(result, attributes | {FIRST_SEEN: _first_seen(result)})


def _first_seen(result: MessageResult) -> str:
    return str(int(result.message.first_seen.timestamp() * 1000))


def _entry(result: MessageResult, attributes: dict[str, str]) -> "Entry":
    return {
        "Id": "",
        "MessageBody": _body(result.message.body),
        "MessageAttributes": {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()},
    }


def _body(text: str) -> str:
    return text.encode("utf-8", "replace")[:MAX_BODY_SIZE].decode("utf-8", "ignore") or EMPTY


def _size(result: MessageResult) -> int:
    return len(result.message.body.encode("utf-8", "replace")) + _ATTRIBUTES_SIZE


def _succeeded(response: "BatchResponse", count: int) -> list[bool]:
    """Whether each entry succeeded. A batch call returns status 200 even if some entries failed."""
    successful = {entry["Id"] for entry in response.get("Successful", ())}
    return [str(i) in successful for i in range(count)]
