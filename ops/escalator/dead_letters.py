"""The edge to SQS: everything on the dead-letter queue, read, sent back, deleted, and none of it lost.

A queue is read to its end by keeping out of sight what was read. When that ends, also by an error or by Ctrl-C, all of
it is brought back at once; after `kill -9` it comes back by itself.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

from functions.escalate.chunks import ENTRIES, chunks
from functions.escalate.queue import MESSAGE_LIMIT
from ops.escalator.connection import Failed, explained
from ops.escalator.dead_letter import DeadLetter, read_dead_letter
from ops.escalator.fate import Done, Fate

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import DeleteMessageBatchResultTypeDef, SendMessageBatchResultTypeDef

    Answer = DeleteMessageBatchResultTypeDef | SendMessageBatchResultTypeDef

HOLD_SECONDS = 300
"""How long what was read stays out of sight at most."""
MOST = 100_000
"""Messages that one reading gives. SQS has no more than 120,000 of a queue out of sight at a time."""
IDLE_RECEIVES = 2  # without anything new, one after the other, are the end of the queue


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """The dead-letter queue, as a context: what it has read is out of everybody's sight until the context ends.

    requests_url:  where messages are sent back to.
    wait_seconds:  how long a receive waits for a message, so that SQS looks everywhere.
    """

    sqs: "SQSClient"
    url: str
    requests_url: str = ""
    wait_seconds: int = 1
    _held: dict[str, str] = field(default_factory=dict)  # receipt handles by message id

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            self._bring_back()
        except Failed:
            if kind is None:  # otherwise what failed first is what is told
                raise

    def batches(self) -> Iterator[list[DeadLetter]]:
        """All messages, each once, as SQS hands them out."""
        seen: set[str] = set()
        idle = 0
        while idle < IDLE_RECEIVES and len(seen) < MOST:
            with explained("read the dead-letter queue"):
                received = self.sqs.receive_message(
                    QueueUrl=self.url,
                    MaxNumberOfMessages=ENTRIES,
                    VisibilityTimeout=HOLD_SECONDS,
                    WaitTimeSeconds=self.wait_seconds,
                    MessageSystemAttributeNames=["All"],
                    MessageAttributeNames=["All"],
                ).get("Messages", [])
            # A message that is received again has another handle, and only the last one is sure to work.
            self._held.update((it["MessageId"], it["ReceiptHandle"]) for it in received)
            new = {it["MessageId"]: read_dead_letter(it) for it in received if it["MessageId"] not in seen}
            seen |= new.keys()
            idle = 0 if new else idle + 1
            if new:
                yield list(new.values())

    def send_back(self, letters: Sequence[DeadLetter]) -> list[Done]:
        """Put them on the requests queue, and then delete those that arrived there."""
        done: list[Done] = []
        for chunk in chunks(letters, lambda it: it.size, MESSAGE_LIMIT):
            refused = self._send(chunk)
            done += [Done(it.id, it.reason, Fate.FAILED, refused[it.id]) for it in chunk if it.id in refused]
            for it in self.delete([it for it in chunk if it.id not in refused]):
                done.append(replace(it, fate=Fate.SENT_BACK if it.well else Fate.SENT_BACK_NOT_DELETED))
        return done

    def delete(self, letters: Sequence[DeadLetter]) -> list[Done]:
        """Delete them."""
        done: list[Done] = []
        for start in range(0, len(letters), ENTRIES):
            chunk = letters[start : start + ENTRIES]
            refused = self._delete(chunk)
            for it in chunk:
                if it.id in refused:
                    done.append(Done(it.id, it.reason, Fate.FAILED, refused[it.id]))
                else:
                    done.append(Done(it.id, it.reason, Fate.DELETED))
                    del self._held[it.id]
        return done

    def _delete(self, chunk: Sequence[DeadLetter]) -> dict[str, str]:
        return _refused(
            "delete from the dead-letter queue",
            chunk,
            lambda: self.sqs.delete_message_batch(
                QueueUrl=self.url,
                Entries=[{"Id": str(i), "ReceiptHandle": self._held[it.id]} for i, it in enumerate(chunk)],
            ),
        )

    def _send(self, chunk: Sequence[DeadLetter]) -> dict[str, str]:
        return _refused(
            "send back to the requests queue",
            chunk,
            lambda: self.sqs.send_message_batch(
                QueueUrl=self.requests_url,
                Entries=[
                    {"Id": str(i), "MessageBody": it.body, "MessageAttributes": it.senders_attributes}
                    for i, it in enumerate(chunk)
                ],
            ),
        )

    def _bring_back(self) -> None:
        """Each entry's own result does not matter: what is not out of sight any more cannot be brought back."""
        handles = list(self._held.values())
        self._held.clear()
        for start in range(0, len(handles), ENTRIES):
            with explained(f"bring back what was read (it returns by itself in {HOLD_SECONDS // 60} minutes)"):
                self.sqs.change_message_visibility_batch(
                    QueueUrl=self.url,
                    Entries=[
                        {"Id": str(i), "ReceiptHandle": handle, "VisibilityTimeout": 0}
                        for i, handle in enumerate(handles[start : start + ENTRIES])
                    ],
                )


def _refused(doing: str, chunk: Sequence[DeadLetter], call: "Callable[[], Answer]") -> dict[str, str]:
    """The ids of those for which a batch call did not do its work, each with the cause.

    AWS answers 200 when some entries failed: what it does not list as successful was not done.
    """
    try:
        with explained(doing):
            answer = call()
    except Failed as exc:
        return dict.fromkeys((it.id for it in chunk), str(exc))
    done = {it["Id"] for it in answer.get("Successful", ())}
    causes = {it["Id"]: f"{it['Code']}: {it.get('Message', '')}" for it in answer.get("Failed", ())}
    return {
        it.id: f"cannot {doing}: {causes.get(str(i), 'no answer')}" for i, it in enumerate(chunk) if str(i) not in done
    }
