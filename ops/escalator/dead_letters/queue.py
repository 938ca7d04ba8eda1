"""The dead-letter queue: read all messages, send them back, delete them. No message is lost.

Reading keeps the messages invisible, so that SQS returns each of them once. When the reader ends, also by an error or
Ctrl-C, all messages become visible again at once. After `kill -9` they do so at the end of the visibility timeout.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

from functions.aws import ENTRIES, chunks
from functions.escalate.queues import MESSAGE_LIMIT
from ops.escalator.aws import CommandFailed, explained
from ops.escalator.dead_letters.message import DeadLetter, read_dead_letter, read_undelivered
from ops.escalator.dead_letters.result import ActionResult, ResultKind

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import DeleteMessageBatchResultTypeDef, SendMessageBatchResultTypeDef

    BatchResponse = DeleteMessageBatchResultTypeDef | SendMessageBatchResultTypeDef

VISIBILITY_SECONDS = 300
"""The visibility timeout of messages that were read. It covers the question to the operator."""
MAX_MESSAGES = 100_000
"""Messages that one reader returns. SQS allows at most 120,000 invisible messages on a queue."""
MAX_IDLE_RECEIVES = 2
"""Consecutive receives without a new message that mark the end of the queue."""


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """The dead-letter queue, as a context manager. Messages that were read stay invisible until the context ends.

    requests_url: the queue that messages are sent back to.
    wait_seconds: the long-poll time of a receive. Above 0, SQS asks all of its servers.
    undelivered:  whether it is the queue of what SNS could not deliver.
    visibility_seconds: the visibility timeout of messages that were read, if the context does not end as it should.
    """

    sqs: "SQSClient"
    url: str
    requests_url: str = ""
    wait_seconds: int = 1
    undelivered: bool = False
    visibility_seconds: int = VISIBILITY_SECONDS
    _receipt_handles: dict[str, str] = field(default_factory=dict)  # by message id

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            self._make_visible()
        except CommandFailed:
            if kind is None:  # otherwise the first error is the one to report
                raise

    def batches(self) -> Iterator[list[DeadLetter]]:
        """All messages, each once, in the batches that SQS returns."""
        seen: set[str] = set()
        idle_receives = 0
        while idle_receives < MAX_IDLE_RECEIVES and len(seen) < MAX_MESSAGES:
            with explained("read the dead-letter queue"):
                received = self.sqs.receive_message(
                    QueueUrl=self.url,
                    MaxNumberOfMessages=ENTRIES,
                    VisibilityTimeout=self.visibility_seconds,
                    WaitTimeSeconds=self.wait_seconds,
                    MessageSystemAttributeNames=["All"],
                    MessageAttributeNames=["All"],
                ).get("Messages", [])
            # A message that is received again has a new receipt handle, and only the newest one is sure to work.
            self._receipt_handles.update((message["MessageId"], message["ReceiptHandle"]) for message in received)
            read = read_undelivered if self.undelivered else read_dead_letter
            new = {message["MessageId"]: read(message) for message in received if message["MessageId"] not in seen}
            seen |= new.keys()
            idle_receives = 0 if new else idle_receives + 1
            if new:
                yield list(new.values())

    def send_back(self, letters: Sequence[DeadLetter]) -> list[ActionResult]:
        """Send messages to the requests queue, then delete the accepted ones."""
        results: list[ActionResult] = []
        for chunk in chunks(letters, lambda letter: letter.size, MESSAGE_LIMIT):
            failures = self._send(chunk)
            results += [_failed(letter, failures[letter.id]) for letter in chunk if letter.id in failures]
            for deletion in self.delete([letter for letter in chunk if letter.id not in failures]):
                kind = ResultKind.SENT_BACK if deletion.succeeded else ResultKind.SENT_BACK_NOT_DELETED
                results.append(replace(deletion, kind=kind))
        return results

    def delete(self, letters: Sequence[DeadLetter]) -> list[ActionResult]:
        """Delete messages."""
        results: list[ActionResult] = []
        for start in range(0, len(letters), ENTRIES):
            chunk = letters[start : start + ENTRIES]
            failures = self._delete(chunk)
            for letter in chunk:
                if letter.id in failures:
                    results.append(_failed(letter, failures[letter.id]))
                else:
                    results.append(ActionResult(letter.id, letter.reason, ResultKind.DELETED))
                    del self._receipt_handles[letter.id]
        return results

    def _delete(self, chunk: Sequence[DeadLetter]) -> dict[str, str]:
        return _failures(
            "delete from the dead-letter queue",
            chunk,
            lambda: self.sqs.delete_message_batch(
                QueueUrl=self.url,
                Entries=[
                    {"Id": str(i), "ReceiptHandle": self._receipt_handles[letter.id]} for i, letter in enumerate(chunk)
                ],
            ),
        )

    def _send(self, chunk: Sequence[DeadLetter]) -> dict[str, str]:
        return _failures(
            "send back to the requests queue",
            chunk,
            lambda: self.sqs.send_message_batch(
                QueueUrl=self.requests_url,
                Entries=[
                    {"Id": str(i), "MessageBody": letter.body, "MessageAttributes": letter.producer_attributes}
                    for i, letter in enumerate(chunk)
                ],
            ),
        )

    def _make_visible(self) -> None:
        """Make all messages that were read visible again. An entry fails only if its message is visible already."""
        handles = list(self._receipt_handles.values())
        self._receipt_handles.clear()
        for start in range(0, len(handles), ENTRIES):
            with explained(f"make the messages visible again (SQS does so in {VISIBILITY_SECONDS // 60} minutes)"):
                self.sqs.change_message_visibility_batch(
                    QueueUrl=self.url,
                    Entries=[
                        {"Id": str(i), "ReceiptHandle": handle, "VisibilityTimeout": 0}
                        for i, handle in enumerate(handles[start : start + ENTRIES])
                    ],
                )


def _failed(letter: DeadLetter, cause: str) -> ActionResult:
    return ActionResult(letter.id, letter.reason, ResultKind.FAILED, cause)


def _failures(action: str, chunk: Sequence[DeadLetter], call: "Callable[[], BatchResponse]") -> dict[str, str]:
    """The cause for each message that failed, by message id.

    A batch call returns status 200 even if some entries failed. An entry that is not listed as successful has failed.
    """
    try:
        with explained(action):
            response = call()
    except CommandFailed as exc:
        return dict.fromkeys((letter.id for letter in chunk), str(exc))
    successful = {entry["Id"] for entry in response.get("Successful", ())}
    causes = {entry["Id"]: f"{entry['Code']}: {entry.get('Message', '')}" for entry in response.get("Failed", ())}
    return {
        letter.id: f"cannot {action}: {causes.get(str(i), 'missing in the response of SQS')}"
        for i, letter in enumerate(chunk)
        if str(i) not in successful
    }
