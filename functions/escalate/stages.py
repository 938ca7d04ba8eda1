"""What is known of a message after each stage of the pipeline.

    Message -> Request -> Detected -> Escalating or BelowThreshold -> Escalating -> Published

A message that needs no further stage is a MessageResult from then on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from functions.cloudflare.contract import DetectionResult
from functions.domain.email_id import EmailId
from functions.domain.outcome import Outcome, Reason
from functions.domain.record import Record
from functions.escalate.sqs_message import Message

A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True, slots=True)
class MessageResult:
    """How a message ends.

    detail:  one sentence for an operator: what failed, and what happens next. No mail content, no credential.
    delay:   seconds until the message is processed again (RETRY and DEFERRED); None for the default.
    record:  the record of a decision that needs no alert.
    """

    message: Message
    outcome: Outcome
    reason: Reason
    detail: str = ""
    id: EmailId | None = None
    disposition: str | None = None
    alert_id: str | None = None
    sns_message_id: str | None = None
    drift: tuple[str, ...] = ()
    delay: float | None = None
    record: Record | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """A message, and the email that it asks about."""

    message: Message
    id: EmailId


@dataclass(frozen=True, slots=True)
class Detected:
    """A request, and Cloudflare's answer."""

    request: Request
    answer: DetectionResult
    fetched_at: datetime


@dataclass(frozen=True, slots=True)
class Escalating:
    """A request that makes an alert or a Close due, and its record."""

    request: Request
    record: Record


@dataclass(frozen=True, slots=True)
class BelowThreshold:
    """A request whose disposition is not escalated. result: how it ends if there was no alert before."""

    request: Request
    record: Record
    result: MessageResult


@dataclass(frozen=True, slots=True)
class Published:
    """An alert that SNS has accepted. sns_message_id: None where alerts are not published."""

    escalating: Escalating
    sns_message_id: str | None


def advance(
    items: Sequence[A | MessageResult], stage: Callable[[list[A]], Sequence[B | MessageResult]]
) -> list[B | MessageResult]:
    """All items in order, with the open ones taken through a stage. A stage without open items is not called."""
    open_items = [item for item in items if not isinstance(item, MessageResult)]
    advanced = iter(stage(open_items) if open_items else ())
    return [item if isinstance(item, MessageResult) else next(advanced) for item in items]
