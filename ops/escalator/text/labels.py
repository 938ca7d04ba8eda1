"""Words for people: labels of reasons and outcomes, counts. Each exists once, here.

The labels of deliveries are in the domain (`Delivery.label`), because alerts use them too.
"""

from functions.domain.outcome import Outcome, Reason
from functions.domain.search_values import SearchKind

REASONS = {
    Reason.DISPOSITION_LISTED: "the disposition is in EscalateOn",
    Reason.DISPOSITION_FAMILY: "the disposition is new and belongs to a family that raises alerts",
    Reason.DISPOSITION_NOT_ESCALATED: "the disposition is not in EscalateOn",
    Reason.DISPOSITION_NOT_GIVEN: "Cloudflare gave no disposition",
    Reason.NO_DETECTION: "Cloudflare had no detection for this id, at the last attempt either",
    Reason.MALFORMED_BODY: "the request was malformed",
    Reason.NOT_A_REQUEST: "the message was not a request",
    Reason.INVALID_ID: "the request had no valid email id",
    Reason.ACCOUNT_NOT_CONFIGURED: "the request named another account",
    Reason.INVALID_ANSWER: "Cloudflare's response did not match its contract in a field that the decision needs",
    Reason.UNKNOWN_DISPOSITION: "Cloudflare gave an unknown disposition",
    Reason.REFUSED_BY_CLOUDFLARE: "Cloudflare refused the request, and a retry would not help",
    Reason.DEFERRED_TOO_LONG: "the request was deferred for longer than the limit",
}
"""Every reason that is ever recorded."""
OUTCOMES = {
    Outcome.ESCALATED: "alerted",
    Outcome.CLOSED: "closed: the disposition no longer raises alerts",
    Outcome.NOT_ESCALATED: "not escalated",
    Outcome.NOT_FOUND: "not found: no further attempt",
    Outcome.REJECTED: "rejected: the request is on the dead-letter queue",
}
"""Every outcome that is ever recorded."""
KINDS = {
    SearchKind.LINK_HOST: "host of a link",
    SearchKind.ATTACHMENT_HASH: "hash of an attachment",
    SearchKind.CATEGORY: "threat category",
    SearchKind.RECIPIENT: "recipient",
    SearchKind.SENDER: "sender",
    SearchKind.SENDER_DOMAIN: "domain of a sender",
    SearchKind.SENDER_IP: "IP address of a sender",
    SearchKind.MESSAGE_ID: "Message-ID",
}
LOOPS = {
    "minute": "the minute run",
    "hourly": "the hourly sweep",
    "daily": "the daily sweep",
    "backfill": "a backfill",
    "details": "the feed, for the message details of an earlier alert",
}
"""The loops of the feed, as a record names them."""
IN_INBOX = {"true": "in an inbox", "false": "not in an inbox", "unknown": "not known"}
"""By `Delivery.delivered`."""

UNREADABLE = "(unreadable)"
"""In the column that identifies a record: this release cannot read it."""


def counted(count: int, singular: str, plural: str | None = None) -> str:
    """A count with its noun: `1 link`, `2 links`."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"
