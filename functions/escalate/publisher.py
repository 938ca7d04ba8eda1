"""The SNS topic: alerts out, and for each of them whether it really went."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.alert.alert import ALERT_LIMIT, Alert
from functions.aws import AWS_FAILURES, cause, surely_not_done
from functions.escalate.chunks import chunks

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import PublishBatchRequestEntryTypeDef, PublishBatchResponseTypeDef

PUBLISH_AND_MARK_SECONDS = 18.0
"""A publish at its slowest (10 s) and the mark after it (8 s)."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What SNS said to one alert: its message id, or why it was not taken."""

    sns_message_id: str | None
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Topic:
    """One SNS topic."""

    sns: "SNSClient"
    arn: str

    def publish(self, alerts: Sequence[Alert], seconds_left: Callable[[], float]) -> list[Receipt]:
        """Publish, in as few calls as their sizes allow; a receipt for each alert, in order.

        seconds_left: of the invocation. What could not be marked any more is not published: it would come again.
        """
        receipts: list[Receipt] = []
        for chunk in chunks(alerts, lambda alert: alert.size, ALERT_LIMIT):
            if seconds_left() < PUBLISH_AND_MARK_SECONDS:
                receipts += [Receipt(None, "no time was left to publish and mark it")] * len(chunk)
            else:
                receipts += self._publish(chunk, seconds_left)
        return receipts

    def _publish(self, alerts: Sequence[Alert], seconds_left: Callable[[], float]) -> list[Receipt]:
        try:
            answer = self._call([_entry(str(i), alert) for i, alert in enumerate(alerts)], seconds_left)
        except AWS_FAILURES as exc:
            return [Receipt(None, cause(exc))] * len(alerts)
        # SNS answers 200 when some entries failed: each entry's own result counts.
        taken = {it["Id"]: Receipt(it["MessageId"]) for it in answer.get("Successful", ())}
        failed = {it["Id"]: Receipt(None, it["Code"]) for it in answer.get("Failed", ())}
        results = failed | taken
        return [results.get(str(i), Receipt(None, "not mentioned in the answer")) for i in range(len(alerts))]

    def _call(
        self, entries: "list[PublishBatchRequestEntryTypeDef]", seconds_left: Callable[[], float]
    ) -> "PublishBatchResponseTypeDef":
        """Once more only where SNS has certainly taken nothing: otherwise every slow answer would be a second alert."""
        try:
            return self.sns.publish_batch(TopicArn=self.arn, PublishBatchRequestEntries=entries)
        except AWS_FAILURES as exc:
            if not surely_not_done(exc) or seconds_left() < PUBLISH_AND_MARK_SECONDS:
                raise
        return self.sns.publish_batch(TopicArn=self.arn, PublishBatchRequestEntries=entries)


def _entry(id: str, alert: Alert) -> "PublishBatchRequestEntryTypeDef":
    return {
        "Id": id,
        "Subject": alert.subject,
        "Message": alert.message,
        "MessageStructure": "json",
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in alert.attributes.items()
        },
    }
