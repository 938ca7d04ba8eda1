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
    drift: tuple[str, ...] = ()

    @property
    def delivery(self) -> Delivery:
        """Where the email is, by the most urgent status of its recipients."""
        return next(iter(self.delivery_counts), Delivery.UNKNOWN)

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
        drift=tuple(_drift(result)),
    )


_TEXTS = (
    "delivery_mode",
    "envelope_from",
    "final_disposition",
    "from",
    "from_name",
    "id",
    "message_id",
    "replyto",
    "scanned_at",
    "sent_at",
    "subject",
)
_LISTS = ("client_recipients", "delivery_status", "detection_reasons", "envelope_to", "to")


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
    if not isinstance(result.get("is_quarantined"), bool | None):
        yield "details.$.is_quarantined: type"
