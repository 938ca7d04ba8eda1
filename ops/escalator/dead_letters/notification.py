"""An SNS notification: the body of a message that SNS could not deliver to a subscriber."""

import json
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Notification:
    """A notification. attributes: type and value by name. All attributes of our alerts are text."""

    topic_arn: str
    subject: str
    message: str
    attributes: Mapping[str, tuple[str, str]]

    @property
    def summary(self) -> str:
        """The topic and the subject."""
        return f"{self.topic_arn.rpartition(':')[2]}: {self.subject}"


def read_notification(body: str) -> Notification | None:
    """Read the body of a message. None if it is no notification, as with raw message delivery."""
    try:
        read = json.loads(body)
        return Notification(
            topic_arn=str(read["TopicArn"]),
            subject=str(read.get("Subject") or ""),
            message=str(read["Message"]),
            attributes={
                str(name): (str(it["Type"]), str(it["Value"]))
                for name, it in (read.get("MessageAttributes") or {}).items()
            },
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
