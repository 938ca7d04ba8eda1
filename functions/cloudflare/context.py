"""What is known about a mail beside its detection: who got it, what it says it is about, and where it is by now.

An alert is better with it and never waits for it: reading is as lenient as a detection's, and whoever has no context
says that delivery is unknown.
"""

from dataclasses import dataclass
from enum import StrEnum

from functions.cloudflare.message_id import MessageId
from functions.cloudflare.values import boolean, text, texts


class Delivery(StrEnum):
    """Where a mail is, as far as it matters to whoever may open it."""

    DELIVERED = "delivered"
    """In the inbox of at least one of those who it was for."""
    MOVED = "moved"
    """It was in an inbox and has been taken out of it. Somebody may have read it."""
    HELD = "held"
    """Quarantined."""
    REJECTED = "rejected"
    """Refused or bounced: nobody will have it."""
    UNDER_WAY = "under-way"
    """Deferred or queued: it may still arrive."""
    UNKNOWN = "unknown"
    """Cloudflare was not asked, did not answer in time, or does not say."""

    @property
    def delivered(self) -> str:
        """`true`, `false` or `unknown`: whether it is in an inbox now."""
        if self in (Delivery.UNKNOWN, Delivery.UNDER_WAY):
            return "unknown"
        return "true" if self is Delivery.DELIVERED else "false"


_BY_STATUS = {
    "delivered": Delivery.DELIVERED,
    "queued": Delivery.UNDER_WAY,
    "deferred": Delivery.UNDER_WAY,
    "moved": Delivery.MOVED,
    "quarantined": Delivery.HELD,
    "rejected": Delivery.REJECTED,
    "bounced": Delivery.REJECTED,
}
"""By Cloudflare's word, the worst first: a mail to several people has several, and one inbox is enough."""


@dataclass(frozen=True, slots=True)
class Context:
    """What Cloudflare says about one mail. Source: GET .../email-security/investigate/{id}.

    from_, from_name, replyto, to, subject: as the mail's headers say, that is, as its sender wrote them.
    envelope_from, envelope_to: as the servers said. client_recipients: whose mailboxes it was for.
    delivery_status: a word for each of them, or one for all. Times are ISO 8601.
    """

    id: MessageId | None
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

    @property
    def delivery(self) -> Delivery:
        """Where the mail is."""
        said = {status.lower() for status in self.delivery_status}
        known = (delivery for status, delivery in _BY_STATUS.items() if status in said)
        return next(known, Delivery.HELD if self.is_quarantined else Delivery.UNKNOWN)

    @property
    def recipients(self) -> tuple[str, ...]:
        """Everybody whom it was for, each once: by mailbox, by envelope, by header."""
        return tuple(dict.fromkeys((*self.client_recipients, *self.envelope_to, *self.to)))


def read_context(result: dict[str, object]) -> Context:
    """The `result` of an answer. Never raises, whatever its fields are."""
    return Context(
        id=MessageId.read(text(result.get("id")) or ""),
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
    )
