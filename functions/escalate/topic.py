"""The SNS topic: publish alerts and read the result of each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.alert.alert import ALERT_LIMIT, Alert
from functions.aws import AWS_FAILURES, cause, chunks, is_safe_to_retry

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import PublishBatchRequestEntryTypeDef, PublishBatchResponseTypeDef

PUBLISH_AND_MARK_SECONDS = 18.0
"""The slowest publish (10 s) and the slowest mark after it (8 s)."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The result of one alert: its SNS message id, or the failure."""

    sns_message_id: str | None
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Topic:
    """One SNS topic."""

    sns: "SNSClient"
    arn: str

    def publish(self, alerts: Sequence[Alert], seconds_left: Callable[[], float]) -> list[Receipt]:
        """Publish alerts in as few calls as their sizes allow. Returns a receipt for each alert, in order.

        seconds_left: of the invocation. An alert is published only if there is time to mark it. Without its mark, a
                      redelivery would publish it again.
        """
        receipts: list[Receipt] = []
        for chunk in chunks(alerts, lambda alert: alert.size, ALERT_LIMIT):
            if seconds_left() < PUBLISH_AND_MARK_SECONDS:
                receipts += [Receipt(None, "no time left in this invocation to publish and mark")] * len(chunk)
            else:
                receipts += self._publish(chunk, seconds_left)
        return receipts

    def _publish(self, alerts: Sequence[Alert], seconds_left: Callable[[], float]) -> list[Receipt]:
        try:
            response = self._call([_entry(str(i), alert) for i, alert in enumerate(alerts)], seconds_left)
        except AWS_FAILURES as exc:
            return [Receipt(None, cause(exc))] * len(alerts)
        # SNS returns status 200 even if some entries failed, so the result of each entry is read.
        receipts = {entry["Id"]: Receipt(None, entry["Code"]) for entry in response.get("Failed", ())}
        receipts |= {entry["Id"]: Receipt(entry["MessageId"]) for entry in response.get("Successful", ())}
        return [receipts.get(str(i), Receipt(None, "missing in the response of SNS")) for i in range(len(alerts))]

    def _call(
        self, entries: "list[PublishBatchRequestEntryTypeDef]", seconds_left: Callable[[], float]
    ) -> "PublishBatchResponseTypeDef":
        """Call SNS. Retry once, and only if SNS has certainly not published: otherwise a retry could repeat the alerts."""
        try:
            return self.sns.publish_batch(TopicArn=self.arn, PublishBatchRequestEntries=entries)
        except AWS_FAILURES as exc:
            if not is_safe_to_retry(exc) or seconds_left() < PUBLISH_AND_MARK_SECONDS:
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
