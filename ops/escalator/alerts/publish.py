"""Publish one alert to the topics of a stack, as the function does, and say who gets it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from functions.alert.alert import Alert, AlertOptions, Audience
from functions.domain.notification import notifies
from functions.domain.record import Record
from functions.domain.severity import Severity
from functions.escalate.topic import Topic, publish_to_all
from ops.escalator.alerts.filter_policy import UnknownFilter
from ops.escalator.alerts.subscriptions import Subscription, read_subscriptions
from ops.escalator.aws import CommandFailed, Connection, Stack

_SECONDS = 60.0
"""More than a publish takes. The function compares it with the rest of its invocation."""
OUTPUTS = {Audience.FINDINGS: "FindingsTopicArn", Audience.PEOPLE: "PeopleTopicArn"}
"""The outputs that have the ARN of a topic."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """A subscription, and whether an alert reaches it. why: what keeps it out."""

    topic: str
    subscription: Subscription
    result: str
    why: str = ""

    @property
    def gets_it(self) -> bool:
        """Whether SNS delivers the alert to it."""
        return self.result == "sent"

    def row(self) -> dict[str, str]:
        """The values of an output row."""
        it = self.subscription
        return {
            "topic": self.topic,
            "protocol": it.protocol,
            "endpoint": it.endpoint,
            "result": self.result,
            "why": self.why,
        }


def alert_options(stack: Stack) -> AlertOptions:
    """How the stack's function publishes alerts, by the parameters of the stack."""
    parameters = stack.parameters
    return AlertOptions(
        mask_recipients=parameters.get("MaskRecipients") == "true",
        chat=parameters.get("ChatNotifications") == "true",
        deployment=parameters.get("DeploymentName") or stack.name,
        stack=stack.name,
    )


def with_notification(record: Record, stack: Stack) -> Record:
    """The record with whether people are notified of it, if it is no copy in a campaign."""
    least = Severity(stack.parameters.get("NotifySeverity") or Severity.LOW)
    return replace(record, notified=notifies(record, least))


def topics_of(stack: Stack) -> dict[Audience, str]:
    """The ARNs of the stack's topics. Raises CommandFailed if it has none."""
    found = {audience: arn for audience, name in OUTPUTS.items() if (arn := stack.outputs.get(name))}
    if Audience.FINDINGS not in found:
        raise CommandFailed(
            f"the stack {stack.name} has no topic; use a stack created from template.yaml with Sinks other than table"
        )
    return found


def publish(connection: Connection, topics: Mapping[Audience, str], alert: Alert) -> None:
    """Publish an alert to each topic that is to have it. Raises CommandFailed."""
    sns: Any = connection.client("sns")
    clients = {audience: Topic(sns, arn, audience) for audience, arn in topics.items()}
    [result] = publish_to_all(clients, [alert], [{}], lambda: _SECONDS)
    if result.failure:
        taken = f"; the topic {' and '.join(result.receipts)} has it" if result.receipts else ""
        raise CommandFailed(f"SNS did not take the alert: {result.failure}{taken}; check sns:Publish and the topics")


def receivers(connection: Connection, topics: Mapping[Audience, str], alert: Alert) -> Iterator[Receiver]:
    """Yield each subscription of both topics, with whether an alert reaches it. Raises CommandFailed."""
    sns = connection.client("sns")
    for audience, arn in topics.items():
        for subscription in read_subscriptions(sns, arn):
            yield receiver(audience, subscription, alert)


def receiver(audience: Audience, subscription: Subscription, alert: Alert) -> Receiver:
    """Whether an alert reaches a subscription.

    SNS documents that no attributes are sent beside a message with a body for each protocol, so a filter on the people
    topic is evaluated without any.
    """
    if not subscription.is_confirmed:
        return Receiver(audience, subscription, "pending", "not confirmed")
    is_people = audience is Audience.PEOPLE
    if is_people and not alert.notify:
        return Receiver(audience, subscription, "not sent", "NotifySeverity is higher than its severity")
    attributes, body = ({}, alert.message) if is_people else (alert.attributes, alert.finding)
    try:
        if subscription.passes(attributes, body):
            return Receiver(audience, subscription, "sent")
        keys = subscription.policy.failing_keys(attributes, body) if subscription.policy else []
    except UnknownFilter as exc:
        return Receiver(audience, subscription, "unknown", f"its filter cannot be evaluated: {exc}")
    return Receiver(audience, subscription, "filtered out", f"by {', '.join(keys)}")
