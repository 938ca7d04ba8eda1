"""The possible outcomes of a message, and the reasons for them."""

from enum import StrEnum


class Outcome(StrEnum):
    """The result of processing a message. Each outcome has exactly one effect on the queue."""

    ESCALATED = "ESCALATED"
    """The disposition is in EscalateOn, or of a known family: recorded and published. The message is deleted."""
    ALREADY_ESCALATED = "ALREADY_ESCALATED"
    """The ledger shows that this alert was sent before. Nothing is published. The message is deleted."""
    CLOSED = "CLOSED"
    """Not escalated any more after a previous alert: recorded, and published as a closing alert. The message is deleted."""
    NOT_ESCALATED = "NOT_ESCALATED"
    """A known disposition that is not in EscalateOn, or no disposition. The message is deleted."""
    NOT_FOUND = "NOT_FOUND"
    """Cloudflare has no detection for this id after the last attempt. Recorded. The message is deleted."""
    IGNORED = "IGNORED"
    """No request for an alert: a message that AWS sends by itself, or a log line that is not escalated. Deleted."""
    RETRY = "RETRY"
    """A temporary failure. SQS delivers the message again, after a delay that grows with each receive."""
    DEFERRED = "DEFERRED"
    """Not possible now, for a reason outside the message. Requeued as a new message with a delay: no receive is used."""
    REJECTED = "REJECTED"
    """A permanent failure. Sent to the dead-letter queue with its reason and detail."""


class Reason(StrEnum):
    """The reason for an outcome: a constant that metrics, alarms and redrives use."""

    # ESCALATED, CLOSED and NOT_ESCALATED
    DISPOSITION_LISTED = "disposition-listed"
    DISPOSITION_FAMILY = "disposition-family"
    DISPOSITION_NOT_ESCALATED = "disposition-not-escalated"
    DISPOSITION_NOT_GIVEN = "disposition-not-given"
    # IGNORED, beside disposition-not-escalated
    NOTICE = "notice"
    # ALREADY_ESCALATED
    ALERT_SENT_BEFORE = "alert-sent-before"
    DUPLICATE_IN_BATCH = "duplicate-in-batch"
    # NOT_FOUND, and RETRY before the last attempt
    NO_DETECTION = "no-detection"
    # RETRY
    CLOUDFLARE_UNAVAILABLE = "cloudflare-unavailable"
    CLAIMED_BY_ANOTHER = "claimed-by-another"
    SUPERSEDED = "superseded"
    LEDGER_UNAVAILABLE = "ledger-unavailable"
    PUBLISH_FAILED = "publish-failed"
    QUEUE_UNAVAILABLE = "queue-unavailable"
    # DEFERRED
    THROTTLED = "throttled"
    CREDENTIALS_REFUSED = "credentials-refused"
    OUT_OF_TIME = "out-of-time"
    # REJECTED
    MALFORMED_BODY = "malformed-body"
    NOT_A_REQUEST = "not-a-request"
    INVALID_ID = "invalid-id"
    ACCOUNT_NOT_CONFIGURED = "account-not-configured"
    INVALID_ANSWER = "invalid-answer"
    UNKNOWN_DISPOSITION = "unknown-disposition"
    REFUSED_BY_CLOUDFLARE = "refused-by-cloudflare"
    DEFERRED_TOO_LONG = "deferred-too-long"
