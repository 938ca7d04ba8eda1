"""The alerts, as subscribers to the topic receive them."""

import json
from dataclasses import dataclass
from typing import Any

from moto.sns.models import sns_backends

from ops.local.stack import Stack


@dataclass(frozen=True, slots=True)
class ReceivedAlert:
    """One alert.

    sns_message_id:  SNS's.
    subject, email:  what an e-mail subscriber reads.
    facts:           the JSON that every other subscriber gets.
    attributes:      what a filter policy can ask for.
    """

    sns_message_id: str
    subject: str
    email: str
    facts: dict[str, Any]
    attributes: dict[str, str]


def receive(stack: Stack) -> list[ReceivedAlert]:
    """All alerts that lie in the subscribed queue, taken out of it, in the order of their arrival."""
    alerts = []
    while messages := stack.sqs.receive_message(QueueUrl=stack.inbox_url, MaxNumberOfMessages=10).get("Messages", []):
        for message in messages:
            stack.sqs.delete_message(QueueUrl=stack.inbox_url, ReceiptHandle=message["ReceiptHandle"])
            alerts.append(_read(stack, json.loads(message["Body"])))
    return alerts


def _read(stack: Stack, notification: dict[str, Any]) -> ReceivedAlert:
    return ReceivedAlert(
        sns_message_id=notification["MessageId"],
        subject=notification["Subject"],
        email=_email(stack, notification["MessageId"]),
        facts=json.loads(notification["Message"]),
        attributes={name: it["Value"] for name, it in notification["MessageAttributes"].items()},
    )


def _email(stack: Stack, sns_message_id: str) -> str:
    """The body for e-mail. The emulated SNS delivers to queues, not to mailboxes; it keeps what it was given."""
    region, account = stack.topic_arn.split(":")[3:5]
    topic = sns_backends[account][region].topics[stack.topic_arn]
    given = next(message for sent_id, message, *_ in topic.sent_notifications if sent_id == sns_message_id)
    email: str = json.loads(given)["email"]
    return email
