"""What the feed says about a delivery that it queues: a message attribute, and a part of the record.

Only the feed's own messages are believed (functions/escalate/sqs_message.py). The facts have no subject and no address.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from functions.domain.json_values import boolean, text, texts
from functions.domain.message_details import Delivery, EmailKind, delivery_counts, email_kind
from functions.domain.times import read_time

_WORD = re.compile(r"[A-Za-z0-9_.:+/=-]{1,64}")
"""Words and hashes of Cloudflare. Anything else is left out, so that the facts stay small in the message and the record."""
_MAX_STATUSES = 10


@dataclass(frozen=True, slots=True)
class FeedFacts:
    """What the search said about a delivery. It is used where message details do not come in time.

    loop:            the loop that queued the delivery.
    seen_at:         when the feed saw it in the list, or missed it there.
    missing:         whether a complete list lacked it.
    edf_hash:        Cloudflare's fingerprint of similar emails.
    delivery_mode, delivery_status: as in message details.
    details_of:      the item of a record that waits for message details (functions/ledger/details_request.py); else empty.
    """

    loop: str = ""
    seen_at: datetime | None = None
    missing: bool = False
    edf_hash: str | None = None
    delivery_mode: str | None = None
    delivery_status: tuple[str, ...] = ()
    details_of: str = ""

    @property
    def delivery(self) -> Delivery:
        """Where the email is, by the most urgent status of its recipients."""
        return next(iter(delivery_counts(self.delivery_status)), Delivery.UNKNOWN)

    @property
    def kind(self) -> EmailKind:
        """How the email came to Cloudflare."""
        return email_kind(self.delivery_mode)


def feed_attributes(facts: FeedFacts) -> dict[str, object]:
    """The facts as plain JSON values, without those that are unknown."""
    known: dict[str, object] = {
        "loop": facts.loop,
        "seen_at": facts.seen_at.isoformat(timespec="milliseconds") if facts.seen_at else None,
        "missing": facts.missing or None,
        "edf_hash": _word(facts.edf_hash),
        "delivery_mode": _word(facts.delivery_mode),
        "delivery_status": [*filter(None, map(_word, dict.fromkeys(facts.delivery_status)))][:_MAX_STATUSES],
        "details_of": facts.details_of,
    }
    return {name: value for name, value in known.items() if value}


def _word(value: str | None) -> str | None:
    return value if value and _WORD.fullmatch(value) else None


def read_feed_facts(values: Mapping[str, object]) -> FeedFacts:
    """The facts, from `feed_attributes`. A member of another type is unknown."""
    return FeedFacts(
        loop=text(values.get("loop")) or "",
        seen_at=read_time(text(values.get("seen_at"))),
        missing=boolean(values.get("missing")) or False,
        edf_hash=text(values.get("edf_hash")),
        delivery_mode=text(values.get("delivery_mode")),
        delivery_status=texts(values.get("delivery_status")),
        details_of=text(values.get("details_of")) or "",
    )


def feed_text(facts: FeedFacts) -> str:
    """The facts as the text of a message attribute."""
    return json.dumps(feed_attributes(facts))


def read_feed_text(value: str) -> FeedFacts:
    """The facts of a message attribute; none of them for a text of another form."""
    try:
        values = json.loads(value)
    except (ValueError, RecursionError):
        values = None
    return read_feed_facts(values if isinstance(values, dict) else {})
