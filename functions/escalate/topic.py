"""An SNS topic: publish alerts and read the result of each."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.alert.alert import ALERT_LIMIT, Alert, Audience
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
    """One SNS topic, and who subscribes to it."""

    sns: "SNSClient"
    arn: str
    audience: Audience = Audience.FINDINGS

    def publish(self, alerts: Sequence[Alert], seconds_left: Callable[[], float]) -> list[Receipt]:
        """Publish alerts in as few calls as their sizes allow. Returns a receipt for each alert, in order.

        seconds_left: of the invocation. An alert is published only if there is time to mark it. Without its mark, a
                      redelivery would publish it again.
        """
        receipts: list[Receipt] = []
        for chunk in chunks(alerts, lambda alert: alert.size_for(self.audience), ALERT_LIMIT):
            if seconds_left() < PUBLISH_AND_MARK_SECONDS:
                receipts += [Receipt(None, "no time left in this invocation to publish and mark")] * len(chunk)
            else:
                receipts += self._publish(chunk, seconds_left)
        return receipts

    def _publish(self, alerts: Sequence[Alert], seconds_left: Callable[[], float]) -> list[Receipt]:
        try:
            response = self._call(
                [_entry(str(i), alert, self.audience) for i, alert in enumerate(alerts)], seconds_left
            )
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


@dataclass(frozen=True, slots=True)
class PublishResult:
    """What became of one alert. receipts: SNS message ids by topic. failure: of the topics that have not taken it."""

    receipts: Mapping[str, str]
    failure: str = ""


def publish_to_all(
    topics: Mapping[Audience, Topic],
    alerts: Sequence[Alert],
    earlier: Sequence[Mapping[str, str]],
    seconds_left: Callable[[], float],
) -> list[PublishResult]:
    """Publish alerts to each topic that is to have them and has not, to both topics at the same time.

    earlier: the receipts that each alert has from an earlier try.
    """
    wanted = {
        audience: [
            i
            for i, alert in enumerate(alerts)
            if audience not in earlier[i] and (audience is Audience.FINDINGS or alert.notify)
        ]
        for audience in topics
    }
    calls = {audience: [alerts[i] for i in positions] for audience, positions in wanted.items() if positions}
    with ThreadPoolExecutor(max(1, len(calls))) as threads:
        futures = {name: threads.submit(topics[name].publish, batch, seconds_left) for name, batch in calls.items()}
        answers = {name: dict(zip(wanted[name], future.result(), strict=True)) for name, future in futures.items()}
    results = []
    for i, known in enumerate(earlier):
        new = {audience: answers[audience][i] for audience in answers if i in answers[audience]}
        taken = {**known, **{str(name): it.sns_message_id for name, it in new.items() if it.sns_message_id}}
        failures = [f"topic {name}: {it.failure}" for name, it in new.items() if not it.sns_message_id]
        ordered = {str(name): taken[name] for name in Audience if name in taken}
        results.append(PublishResult(ordered, "; ".join(failures)))
    return results


def _entry(id: str, alert: Alert, audience: Audience) -> "PublishBatchRequestEntryTypeDef":
    if audience is Audience.PEOPLE:
        return {"Id": id, "Subject": alert.subject, "Message": alert.message, "MessageStructure": "json"}
    return {
        "Id": id,
        "Subject": alert.subject,
        "Message": alert.finding,
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in alert.attributes.items()
        },
    }
