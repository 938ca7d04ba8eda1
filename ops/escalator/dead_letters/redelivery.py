"""Publish the messages again that SNS could not deliver to a subscriber.

SQS's own redrive refuses messages that come from SNS. SNS has no call that publishes to a single subscriber, so all
subscribers of the topic get the message again. Its subject says that it is a repeat.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ops.escalator.aws import CommandFailed, explained
from ops.escalator.dead_letters.message import DeadLetter
from ops.escalator.dead_letters.notification import Notification
from ops.escalator.dead_letters.queue import DeadLetters
from ops.escalator.dead_letters.result import ActionResult, ResultKind

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

SUBJECT_LIMIT = 100
"""Characters of a subject that SNS accepts."""
REPEAT = "[REPEAT] "


@dataclass(frozen=True, slots=True)
class Redelivery:
    """Publishes messages of a queue of undelivered messages. topics: those of the stack; it publishes to no other."""

    sns: "SNSClient"
    topics: frozenset[str]
    letters: DeadLetters

    def run(self, letters: Sequence[DeadLetter]) -> list[ActionResult]:
        """Publish each message, then delete it."""
        return [result for letter in letters for result in self._redeliver(letter)]

    def _redeliver(self, letter: DeadLetter) -> Iterator[ActionResult]:
        try:
            self._publish(letter.notification)
        except CommandFailed as exc:
            yield ActionResult(letter.id, letter.reason, ResultKind.FAILED, str(exc))
            return
        for deletion in self.letters.delete([letter]):
            kind = ResultKind.REDELIVERED if deletion.succeeded else ResultKind.REDELIVERED_NOT_DELETED
            yield replace(deletion, kind=kind)

    def _publish(self, notification: Notification | None) -> None:
        if notification is None:
            raise CommandFailed("its topic is unknown, because its body is no SNS notification (raw delivery)")
        if notification.topic_arn not in self.topics:
            raise CommandFailed(f"{notification.topic_arn} is no topic of the stack")
        with explained(f"publish to {notification.topic_arn}"):
            self.sns.publish(
                TopicArn=notification.topic_arn,
                Subject=f"{REPEAT}{notification.subject}".strip()[:SUBJECT_LIMIT],
                Message=notification.message,
                MessageAttributes={
                    name: {"DataType": kind, "StringValue": value}
                    for name, (kind, value) in notification.attributes.items()
                },
            )
