"""Alerts, as subscribers to the two topics receive them."""

import json
from dataclasses import dataclass
from typing import Any

from moto.sns.models import sns_backends

from ops.local.stack import Stack


@dataclass(frozen=True, slots=True)
class ReceivedAlert:
    """One alert.

    sns_message_id:  the message id of the finding.
    subject, email:  subject, and text for email subscribers of the people topic; empty if people are not notified.
    facts:           the finding.
    attributes:      the message attributes, which filter policies can match.
    """

    sns_message_id: str
    subject: str
    email: str
    facts: dict[str, Any]
    attributes: dict[str, str]


def receive(stack: Stack) -> list[ReceivedAlert]:
    """Remove all alerts from the subscribed queue, and return them in order of arrival."""
    alerts = []
    while messages := stack.sqs.receive_message(QueueUrl=stack.subscriber_url, MaxNumberOfMessages=10).get(
        "Messages", []
    ):
        for message in messages:
            stack.sqs.delete_message(QueueUrl=stack.subscriber_url, ReceiptHandle=message["ReceiptHandle"])
            alerts.append(_read(stack, json.loads(message["Body"])))
    return alerts


def _read(stack: Stack, notification: dict[str, Any]) -> ReceivedAlert:
    return ReceivedAlert(
        sns_message_id=notification["MessageId"],
        subject=notification["Subject"],
        email=_email(stack, notification["MessageAttributes"]["alert_id"]["Value"]),
        facts=json.loads(notification["Message"]),
        attributes={name: it["Value"] for name, it in notification["MessageAttributes"].items()},
    )


def _email(stack: Stack, alert_id: str) -> str:
    """Read the text for email subscribers from the emulated SNS, which does not deliver email but keeps the message.

    It is empty if people are not notified of the alert.
    """
    bodies = (message["email"] for message in people_messages(stack))
    return next((body for body in bodies if alert_id in body), "")


def people_messages(stack: Stack) -> list[dict[str, str]]:
    """The bodies by protocol of all messages that the people topic has taken."""
    region, account = stack.people_topic_arn.split(":")[3:5]
    topic = sns_backends[account][region].topics[stack.people_topic_arn]
    return [json.loads(message) for _, message, *_ in topic.sent_notifications]
