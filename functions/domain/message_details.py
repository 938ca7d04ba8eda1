"""Message details: the subject, recipients and delivery status of an email.

Message details are optional: an alert without them says that delivery is unknown. Parsing is lenient, as for a
detection: a field of the wrong type counts as absent, and is listed as drift.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from functions.domain.email_id import EmailId
from functions.domain.json_values import boolean, text, texts


class Delivery(StrEnum):
    """Where an email is now."""

    DELIVERED = "delivered"
    """In the inbox of at least one recipient."""
    MOVED = "moved"
    """Moved out of an inbox. A recipient may have read it before."""
    HELD = "held"
    """Quarantined. No recipient has it."""
    REJECTED = "rejected"
    """Rejected or bounced. No recipient will receive it."""
    UNDER_WAY = "under-way"
    """Deferred or queued. It may still arrive."""
    UNKNOWN = "unknown"
    """Not requested, not answered in time, or not in the response."""

    @property
    def delivered(self) -> str:
        """Whether the email is in an inbox now: `true`, `false` or `unknown`."""
        if self in (Delivery.UNKNOWN, Delivery.UNDER_WAY):
            return "unknown"
        return "true" if self is Delivery.DELIVERED else "false"

    @property
    def label(self) -> str:
        """Where the email is, in words for a reader."""
        return _LABELS[self]


class EmailKind(StrEnum):
    """How an email came to Cloudflare, as far as it decides about severity."""

    ORDINARY = "ordinary"
    """It was sent to a mailbox."""
    REPORTED = "reported"
    """A user has reported it as phishing: it was in at least one mailbox."""
    SUBMITTED = "submitted"
    """A copy, submitted for review or as threat intelligence. Where the copy is says nothing about the email."""
    SIMULATION = "simulation"
    """Part of a phishing simulation."""


_KINDS = {
    "SIMULATION_SUBMISSION": EmailKind.SIMULATION,
    "REVIEW_SUBMISSION": EmailKind.SUBMITTED,
    "THREAT_INTEL_SUBMISSION": EmailKind.SUBMITTED,
}
"""By Cloudflare's delivery mode."""


def email_kind(delivery_mode: str | None, *, is_phish_submission: bool | None = False) -> EmailKind:
    """The kind of an email, by Cloudflare's fields of these names."""
    reported = EmailKind.REPORTED if is_phish_submission else EmailKind.ORDINARY
    return _KINDS.get((delivery_mode or "").strip().upper(), reported)


_LABELS = {
    Delivery.DELIVERED: "in an inbox",
    Delivery.MOVED: "moved out of an inbox",
    Delivery.HELD: "quarantined",
    Delivery.REJECTED: "rejected",
    Delivery.UNDER_WAY: "not delivered yet",
    Delivery.UNKNOWN: "delivery unknown",
}
"""The labels of every view: e-mail, chat, command line and report."""
_BY_STATUS = {
    "delivered": Delivery.DELIVERED,
    "move_failed": Delivery.DELIVERED,  # an automatic move did not work
    "queued": Delivery.UNDER_WAY,
    "deferred": Delivery.UNDER_WAY,
    "moved": Delivery.MOVED,
    "quarantined": Delivery.HELD,
    "rejected": Delivery.REJECTED,
    "bounced": Delivery.REJECTED,
}
"""Delivery by Cloudflare's status, most urgent first.

An email to several recipients has several statuses. One recipient with the email in an inbox makes it urgent.
"""


@dataclass(frozen=True, slots=True)
class MessageDetails:
    """Cloudflare's details of one email.

    Source: GET /accounts/{account_id}/email-security/investigate/{id}

    subject, from_, from_name, replyto, to: from the email's headers, which the sender controls.
    envelope_from, envelope_to: from the SMTP envelope.
    client_recipients: the mailboxes that the email was sent to.
    delivery_status: one status for each of these mailboxes, or one for all.
    scanned_at, sent_at: ISO 8601.
    edf_hash: Cloudflare's fingerprint of similar emails. htmltext_structure_hash: that of the HTML's structure.
    is_phish_submission: whether a user has reported it.
    post_delivery_operations: what was done with it after delivery, such as MOVE.
    smtp_previous_hop_ip, x_originating_ip, smtp_helo_server_ip: of servers on its way.
    final_disposition: used only if the detection cannot be read.
    drift: the fields of an unexpected type, as `details.path: rule`. Not stored with the details, but on the record.
    """

    id: EmailId | None
    subject: str | None
    from_: str | None
    from_name: str | None
    replyto: str | None
    envelope_from: str | None
    message_id: str | None
    delivery_mode: str | None
    is_quarantined: bool | None
    scanned_at: str | None
    sent_at: str | None
    to: tuple[str, ...]
    envelope_to: tuple[str, ...]
    client_recipients: tuple[str, ...]
    delivery_status: tuple[str, ...]
    detection_reasons: tuple[str, ...]
    final_disposition: str | None = None
    edf_hash: str | None = None
    htmltext_structure_hash: str | None = None
    is_phish_submission: bool | None = None
    post_delivery_operations: tuple[str, ...] = ()
    smtp_previous_hop_ip: str | None = None
    x_originating_ip: str | None = None
    smtp_helo_server_ip: str | None = None
    drift: tuple[str, ...] = ()

    @property
    def delivery(self) -> Delivery:
        """Where the email is, by the most urgent status of its recipients."""
        return next(iter(self.delivery_counts), Delivery.UNKNOWN)

    @property
    def kind(self) -> EmailKind:
        """How the email came to Cloudflare."""
        return email_kind(self.delivery_mode, is_phish_submission=self.is_phish_submission)

    @property
    def delivery_counts(self) -> dict[Delivery, int]:
        """How many statuses say where the email is, most urgent first. A status of a new word counts as unknown."""
        counts = delivery_counts(self.delivery_status)
        if self.is_quarantined and set(counts) <= {Delivery.UNKNOWN}:
            return {Delivery.HELD: max(1, sum(counts.values()))}
        return counts

    @property
    def recipients(self) -> tuple[str, ...]:
        """All recipients without duplicates: by mailbox, then by envelope, then by header."""
        return tuple(dict.fromkeys((*self.client_recipients, *self.envelope_to, *self.to)))


def delivery_counts(statuses: Iterable[str]) -> dict[Delivery, int]:
    """How many of Cloudflare's statuses say where the email is, most urgent first; see MessageDetails.delivery_counts."""
    counts = Counter(_BY_STATUS.get(it.strip().lower(), Delivery.UNKNOWN) for it in statuses)
    return {it: counts[it] for it in dict.fromkeys((*_BY_STATUS.values(), Delivery.UNKNOWN)) if counts[it]}


def read_message_details(result: dict[str, object]) -> MessageDetails:
    """Parse message details from a response's `result`. Never raises."""
    return MessageDetails(
        id=EmailId.read(text(result.get("id")) or ""),
        subject=text(result.get("subject")),
        from_=text(result.get("from")),
        from_name=text(result.get("from_name")),
        replyto=text(result.get("replyto")),
        envelope_from=text(result.get("envelope_from")),
        message_id=text(result.get("message_id")),
        delivery_mode=text(result.get("delivery_mode")),
        is_quarantined=boolean(result.get("is_quarantined")),
        scanned_at=text(result.get("scanned_at")),
        sent_at=text(result.get("sent_at")),
        to=texts(result.get("to")),
        envelope_to=texts(result.get("envelope_to")),
        client_recipients=texts(result.get("client_recipients")),
        delivery_status=texts(result.get("delivery_status")),
        detection_reasons=texts(result.get("detection_reasons")),
        final_disposition=text(result.get("final_disposition")),
        edf_hash=text(result.get("edf_hash")),
        htmltext_structure_hash=text(result.get("htmltext_structure_hash")),
        is_phish_submission=boolean(result.get("is_phish_submission")),
        post_delivery_operations=texts(result.get("post_delivery_operations")),
        smtp_previous_hop_ip=text(result.get("smtp_previous_hop_ip")),
        x_originating_ip=text(result.get("x_originating_ip")),
        smtp_helo_server_ip=text(result.get("smtp_helo_server_ip")),
        drift=tuple(_drift(result)),
    )


_TEXTS = (
    "delivery_mode",
    "edf_hash",
    "envelope_from",
    "final_disposition",
    "from",
    "from_name",
    "htmltext_structure_hash",
    "id",
    "message_id",
    "replyto",
    "scanned_at",
    "sent_at",
    "smtp_helo_server_ip",
    "smtp_previous_hop_ip",
    "subject",
    "x_originating_ip",
)
_LISTS = (
    "client_recipients",
    "delivery_status",
    "detection_reasons",
    "envelope_to",
    "post_delivery_operations",
    "to",
)
_SWITCHES = ("is_phish_submission", "is_quarantined")


def _drift(result: dict[str, object]) -> Iterator[str]:
    """The known fields of an unexpected type. Cloudflare documents all of them as nullable or optional."""
    for name in _LISTS:
        value = result.get(name)
        if not isinstance(value, list | None):
            yield f"details.$.{name}: type"
        elif not all(isinstance(item, str) for item in value or ()):
            yield f"details.$.{name}[*]: type"
    for name in _TEXTS:
        if not isinstance(result.get(name), str | None):
            yield f"details.$.{name}: type"
    for name in _SWITCHES:
        if not isinstance(result.get(name), bool | None):
            yield f"details.$.{name}: type"
