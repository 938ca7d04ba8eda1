"""The requests queue: one message for each delivery, with what the row says about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from functions.aws import AWS_FAILURES, ENTRIES
from functions.domain.email_id import EmailId
from functions.domain.feed_facts import FeedFacts, feed_text
from functions.escalate.sqs_message import FROM_FEED

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef as Entry


@dataclass(frozen=True, slots=True)
class Request:
    """A delivery to ask about, with what the feed knows of it."""

    id: EmailId
    facts: FeedFacts


class Queue(Protocol):
    """What the runner needs of the queue."""

    def send(self, requests: Sequence[Request]) -> list[bool]:
        """Send requests; False for each that the queue did not take."""


@dataclass(frozen=True, slots=True)
class RequestQueue:
    """The requests queue of SQS."""

    sqs: "SQSClient"
    url: str

    def send(self, requests: Sequence[Request]) -> list[bool]:
        """See Queue."""
        sent: list[bool] = []
        for start in range(0, len(requests), ENTRIES):
            chunk = requests[start : start + ENTRIES]
            entries = [_entry(number, request) for number, request in enumerate(chunk)]
            try:
                answer = self.sqs.send_message_batch(QueueUrl=self.url, Entries=entries)
            except AWS_FAILURES:
                sent += [False] * len(chunk)
                continue
            taken = {it["Id"] for it in answer.get("Successful", ())}
            sent += [str(number) in taken for number in range(len(chunk))]
        return sent


def _entry(number: int, request: Request) -> "Entry":
    return {
        "Id": str(number),
        "MessageBody": request.id.value,
        "MessageAttributes": {FROM_FEED: {"DataType": "String", "StringValue": feed_text(request.facts)}},
    }
