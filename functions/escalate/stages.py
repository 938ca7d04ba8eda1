"""What is known of a message after each stage of the pipeline.

    Message -> Request -> Detected -> Decision -> EmailGroup -> Claimed -> Published

A message that needs no further stage is a MessageResult from then on. Decisions about the same email form one EmailGroup.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from functions.cloudflare.contract import DetectionResult
from functions.domain.email_id import EmailId
from functions.domain.email_state import EmailState
from functions.domain.message_details import MessageDetails
from functions.domain.outcome import Outcome, Reason
from functions.domain.record import Record
from functions.domain.severity import Severity
from functions.escalate.sqs_message import Message

A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True, slots=True)
class MessageResult:
    """How a message ends.

    detail:  one sentence for an operator: what failed, and what happens next. No mail content, no credential.
    delay:   seconds until the message is processed again (RETRY and DEFERRED); None for the default.
    record:  what is recorded about a decision that needs no alert.
    answered: Cloudflare's disposition for the delivery that the message asked about; `disposition` is the email's.
    severity: of the alert that the message brought; None if it brought none.
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
    answered: str | None = None
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """A message, and the email that it asks about."""

    message: Message
    id: EmailId


@dataclass(frozen=True, slots=True)
class Detected:
    """A request, and Cloudflare's answer.

    details: if the detection cannot be used, the message details whose disposition replaces its own.
    detail:  then says so.
    """

    request: Request
    answer: DetectionResult
    fetched_at: datetime
    details: MessageDetails | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """A request, and the decision about its disposition.

    record: has a disposition and a severity.
    result: how the message ends if the email is unknown and the disposition is not escalated.
    """

    request: Request
    record: Record
    result: MessageResult


@dataclass(frozen=True, slots=True)
class EmailGroup:
    """All decisions of a batch about one email, in the order of their messages. state: what the ledger knows of it."""

    state: EmailState
    decisions: tuple[Decision, ...]

    @property
    def records(self) -> tuple[Record, ...]:
        """The record of each decision."""
        return tuple(decision.record for decision in self.decisions)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A group after its claim.

    alert:     the alert to publish, or None.
    results:   how each message of the group ends if publish and mark succeed.
    unindexed: the record of an earlier alert whose pointers may still be to be written, or None.
    receipts:  SNS message ids by topic, of an earlier worker that could publish to one topic only.
    """

    group: EmailGroup
    alert: Record | None
    results: tuple[MessageResult, ...]
    unindexed: Record | None = None
    receipts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Published:
    """A claimed group after the publish.

    receipts: SNS message ids by topic; None where no alert was published.
    unfinished: the alert, if one topic has taken it and another has not.
    """

    claimed: Claimed
    receipts: Mapping[str, str] | None = None
    unfinished: Record | None = None

    @property
    def sns_message_id(self) -> str | None:
        """The SNS message id of the finding; of the message for people if there is no finding."""
        return next(iter(self.receipts.values()), None) if self.receipts else None


def advance(
    items: Sequence[A | MessageResult], stage: Callable[[list[A]], Sequence[B | MessageResult]]
) -> list[B | MessageResult]:
    """All items in order, with the open ones taken through a stage. A stage without open items is not called."""
    open_items = [item for item in items if not isinstance(item, MessageResult)]
    advanced = iter(stage(open_items) if open_items else ())
    return [item if isinstance(item, MessageResult) else next(advanced) for item in items]


def group_by_email(decisions: Iterable[Decision], states: Iterable[EmailState]) -> list[EmailGroup]:
    """Decisions about the same email together, in the order in which the emails first occur."""
    groups: dict[str, EmailGroup] = {}
    for decision, state in zip(decisions, states, strict=True):
        earlier = groups.get(decision.record.email)
        members = (*earlier.decisions, decision) if earlier else (decision,)
        # Message details can reveal that two ids are one email: the state that was read for the known one counts.
        known = earlier.state if earlier and earlier.state.version else state
        groups[decision.record.email] = EmailGroup(known, members)
    return list(groups.values())
