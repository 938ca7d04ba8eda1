"""Dead letters by reason. Reading removes none: each becomes visible again when the reading ends."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ops.escalator.aws import Connection
from ops.escalator.dead_letters.queue import DeadLetters
from ops.escalator.doctor.queue import Queue

MAX_READ = 300
"""Dead letters whose reasons are read. The count of all is that of the queue."""
VISIBILITY_SECONDS = 30
"""Time to read them."""


@dataclass(frozen=True, slots=True)
class Letters:
    """The dead letters. count: about all. reasons: of those that were read. oldest: when the first one was queued.

    retention: how long SQS keeps one. expires: when SQS deletes the first of them.
    """

    count: int
    reasons: Mapping[str, int]
    retention: timedelta
    oldest: datetime | None = None
    expires: datetime | None = None

    @property
    def read(self) -> int:
        """How many were read."""
        return sum(self.reasons.values())


def read_letters(connection: Connection, url: str, queue: Queue, wait_seconds: int = 1) -> Letters:
    """Read the reasons. Raises CommandFailed."""
    if not queue.waiting:
        return Letters(0, {}, queue.retention)
    reasons, queued, sent = Counter[str](), list[datetime](), list[datetime]()
    with DeadLetters(
        connection.sqs, url, wait_seconds=wait_seconds, visibility_seconds=VISIBILITY_SECONDS
    ) as dead_letters:
        for batch in dead_letters.batches():
            for letter in batch:
                reasons[letter.reason] += 1
                queued.append(letter.queued)
                sent.append(_sent_at(letter.system))
            if len(queued) >= MAX_READ:
                break
    oldest = min(queued, default=None)
    expires = min(sent) + queue.retention if sent and queue.retention > timedelta() else None
    count = max(queue.waiting, len(queued))
    return Letters(count, dict(reasons.most_common()), queue.retention, oldest, expires)


def _sent_at(system: Mapping[str, str]) -> datetime:
    """When this copy was sent. SQS counts the retention of a message that it moved itself from then, too."""
    return datetime.fromtimestamp(int(system["SentTimestamp"]) / 1000, UTC)
