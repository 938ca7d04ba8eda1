"""The two SQS queues: what becomes of a message that was not dealt with.

Nothing here loses a message. What could not be sent stays on the requests queue and comes back.
"""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from functions.aws import AWS_FAILURES
from functions.escalate.chunks import chunks
from functions.escalate.message import FIRST_SEEN
from functions.escalate.outcome import Settled

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import (
        ChangeMessageVisibilityBatchResultTypeDef,
        SendMessageBatchResultTypeDef,
    )
    from mypy_boto3_sqs.type_defs import (
        SendMessageBatchRequestEntryTypeDef as Entry,
    )

    Answer = ChangeMessageVisibilityBatchResultTypeDef | SendMessageBatchResultTypeDef

FIRST_PAUSE = 30.0
LONGEST_PAUSE = 900.0
"""Seconds: 30, 60, 120 ... 900, each shortened by up to half. With 12 receives that is about 1 h 20 min of trying."""
LONGEST_DELAY = 900
"""Seconds; SQS delays a message no longer."""
MESSAGE_LIMIT = 1024 * 1024
"""Bytes of one SQS message, and of all messages of one call together, attributes included."""
_ATTRIBUTES = 2 * 1024
"""Bytes allowed for the attributes that we add."""
LONGEST_BODY = MESSAGE_LIMIT - _ATTRIBUTES
"""Bytes. Only a body that is no request is longer; what follows is not sent on."""
EMPTY = "(empty)"
"""Stands for a body that has nothing in it, which SQS would not take."""


@dataclass(frozen=True, slots=True)
class Queues:
    """The requests queue and its dead-letter queue."""

    sqs: "SQSClient"
    requests_url: str
    dead_letter_url: str
    jitter: random.Random = field(default_factory=random.Random)

    def reject(self, cases: Sequence[Settled]) -> list[bool]:
        """Send to the dead-letter queue, with `reason` and `detail` as attributes. False where that failed."""
        return self._send(self.dead_letter_url, cases, _rejected)

    def send_again(self, cases: Sequence[Settled]) -> list[bool]:
        """Put a copy on the requests queue that arrives after the delay. False where that failed."""
        return self._send(self.requests_url, cases, self._delayed)

    def postpone(self, cases: Sequence[Settled]) -> list[bool]:
        """Have SQS deliver again after a pause that grows with each receive.

        False where that failed: the message then comes back after the queue's own visibility timeout instead.
        """
        if not cases:
            return []
        try:
            answer = self.sqs.change_message_visibility_batch(
                QueueUrl=self.requests_url,
                Entries=[
                    {"Id": str(i), "ReceiptHandle": case.message.receipt_handle, "VisibilityTimeout": self._pause(case)}
                    for i, case in enumerate(cases)
                ],
            )
        except AWS_FAILURES:
            return [False] * len(cases)
        return _done(answer, len(cases))

    def _send(self, url: str, cases: Sequence[Settled], entry: "Callable[[Settled], Entry]") -> list[bool]:
        sent: list[bool] = []
        for chunk in chunks(cases, _size, MESSAGE_LIMIT):
            entries = [entry(case) for case in chunk]
            for i, it in enumerate(entries):
                it["Id"] = str(i)
            try:
                sent += _done(self.sqs.send_message_batch(QueueUrl=url, Entries=entries), len(chunk))
            except AWS_FAILURES:
                sent += [False] * len(chunk)
        return sent

    def _delayed(self, case: Settled) -> "Entry":
        delay = deferral(FIRST_PAUSE if case.delay is None else case.delay, self.jitter)
        return _entry(case, {FIRST_SEEN: _first_seen(case)}) | {"DelaySeconds": delay}

    def _pause(self, case: Settled) -> int:
        """Seconds. With jitter, so that what failed together does not come back together."""
        growing = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(case.message.receives - 1, 10))
        return math.ceil(max(case.delay or 0.0, growing * self.jitter.uniform(0.5, 1.0)))


def deferral(seconds: float, jitter: random.Random) -> int:
    """For how long a message is sent away that is wanted back in so many seconds: a little longer, never sooner.

    The jitter spreads those that were deferred together; beyond what SQS can delay they are deferred again.
    """
    return max(1, min(LONGEST_DELAY, math.ceil(seconds * jitter.uniform(1.0, 1.1))))


def _rejected(case: Settled) -> "Entry":
    told = {"reason": case.reason, "detail": case.detail, "sqs_message_id": case.message.id}
    return _entry(case, told | {FIRST_SEEN: _first_seen(case)})


def _first_seen(case: Settled) -> str:
    return str(int(case.message.first_seen.timestamp() * 1000))


def _entry(case: Settled, attributes: dict[str, str]) -> "Entry":
    return {
        "Id": "",
        "MessageBody": _body(case.message.body),
        "MessageAttributes": {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()},
    }


def _body(text: str) -> str:
    return text.encode("utf-8", "replace")[:LONGEST_BODY].decode("utf-8", "ignore") or EMPTY


def _size(case: Settled) -> int:
    return len(case.message.body.encode("utf-8", "replace")) + _ATTRIBUTES


def _done(answer: "Answer", count: int) -> list[bool]:
    """AWS answers 200 when some entries failed: each entry's own result counts."""
    done = {it["Id"] for it in answer.get("Successful", ())}
    return [str(i) in done for i in range(count)]
