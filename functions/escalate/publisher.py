"""The SNS topic: alerts out, and for each of them whether it really went."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from functions.escalate.alert import ALERT_LIMIT, Alert
from functions.escalate.chunks import chunks

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import PublishBatchRequestEntryTypeDef


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

    def publish(self, alerts: Sequence[Alert]) -> list[Receipt]:
        """Publish, in as few calls as their sizes allow; a receipt for each alert, in order."""
        receipts: list[Receipt] = []
        for chunk in chunks(alerts, lambda alert: alert.size, ALERT_LIMIT):
            receipts += self._publish(chunk)
        return receipts

    def _publish(self, alerts: Sequence[Alert]) -> list[Receipt]:
        entries = [_entry(str(i), alert) for i, alert in enumerate(alerts)]
        try:
            answer = self.sns.publish_batch(TopicArn=self.arn, PublishBatchRequestEntries=entries)
        except (ClientError, BotoCoreError) as exc:
            return [Receipt(None, type(exc).__name__)] * len(alerts)
        # SNS answers 200 when some entries failed: each entry's own result counts.
        taken = {it["Id"]: Receipt(it["MessageId"]) for it in answer.get("Successful", ())}
        failed = {it["Id"]: Receipt(None, it["Code"]) for it in answer.get("Failed", ())}
        results = failed | taken
        return [results.get(entry["Id"], Receipt(None, "NotMentioned")) for entry in entries]


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
