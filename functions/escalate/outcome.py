"""The closed set of ways in which a message can end, and why."""

from dataclasses import dataclass
from enum import StrEnum

from functions.cloudflare.message_id import MessageId
from functions.escalate.message import Message
from functions.ledger.record import Record


class Outcome(StrEnum):
    """What became of a message; each has exactly one effect on the queue."""

    ESCALATED = "ESCALATED"
    """Malicious or suspicious: recorded and published. The message is deleted."""
    ALREADY_ESCALATED = "ALREADY_ESCALATED"
    """The ledger says that this alert was sent. The message is deleted, nothing is published."""
    CLOSED = "CLOSED"
    """Below the line after an alert: recorded, and published as an update. The message is deleted."""
    NOT_ESCALATED = "NOT_ESCALATED"
    """A known disposition below the line, or none given. The message is deleted."""
    NOT_FOUND = "NOT_FOUND"
    """Cloudflare has no detection for this id, also not at the last look. Recorded; the message is deleted."""
    RETRY = "RETRY"
    """Something failed that may well work the next time. SQS delivers the message again, after a growing pause."""
    DEFERRED = "DEFERRED"
    """It cannot be done now, through no fault of the message. Sent again with a delay, so that no receive is used up."""
    REJECTED = "REJECTED"
    """No retry can mend it. Sent to the dead-letter queue with its reason and detail."""


class Reason(StrEnum):
    """Why an outcome came about: a constant word to count, alarm and redrive by."""

    # ESCALATED, CLOSED and NOT_ESCALATED
    DISPOSITION_LISTED = "disposition-listed"
    DISPOSITION_FAMILY = "disposition-family"
    DISPOSITION_BELOW_THE_LINE = "disposition-below-the-line"
    DISPOSITION_NOT_GIVEN = "disposition-not-given"
    # ALREADY_ESCALATED
    ALERT_SENT_BEFORE = "alert-sent-before"
    # NOT_FOUND, and RETRY until the last look
    NO_DETECTION = "no-detection"
    # RETRY
    CLOUDFLARE_UNAVAILABLE = "cloudflare-unavailable"
    CLAIMED_BY_ANOTHER = "claimed-by-another"
    OVERTAKEN = "overtaken-by-a-later-answer"
    TWICE_IN_ONE_BATCH = "twice-in-one-batch"
    LEDGER_UNAVAILABLE = "ledger-unavailable"
    PUBLISH_FAILED = "publish-failed"
    QUEUE_UNAVAILABLE = "queue-unavailable"
    # DEFERRED
    THROTTLED = "throttled"
    CREDENTIALS_REFUSED = "credentials-refused"
    OUT_OF_TIME = "out-of-time"
    # REJECTED
    MALFORMED_BODY = "malformed-body"
    INVALID_ID = "invalid-id"
    ACCOUNT_NOT_CONFIGURED = "account-not-configured"
    INVALID_ANSWER = "invalid-answer"
    UNKNOWN_DISPOSITION = "unknown-disposition"
    REFUSED_BY_CLOUDFLARE = "refused-by-cloudflare"
    DEFERRED_TOO_LONG = "deferred-too-long"


@dataclass(frozen=True, slots=True)
class Settled:
    """A message whose outcome is decided.

    detail:  one sentence for a human: what failed, and what next. Never mail content, never a credential.
    delay:   seconds until the message should come back (RETRY and DEFERRED), where somebody has said how long.
    record:  what is to be written down about a decision that needs no alert.
    """

    message: Message
    outcome: Outcome
    reason: Reason
    detail: str = ""
    id: MessageId | None = None
    disposition: str | None = None
    alert_id: str | None = None
    sns_message_id: str | None = None
    drift: tuple[str, ...] = ()
    delay: float | None = None
    record: Record | None = None
