"""What a record can be found by that it may have several of: link hosts, attachment hashes, categories, recipients."""

from collections.abc import Iterator

from functions.cloudflare.recipients import recipients
from functions.cloudflare.values import host
from functions.ledger.keys import Facet, pointer_key, value_key
from functions.ledger.record import Record, moment

MOST_VALUES = {Facet.LINK_HOST: 5, Facet.ATTACHMENT_SHA256: 5, Facet.CATEGORY: 5, Facet.RECIPIENT: 10}
"""Pointers of each facet that a record gets. A mail can be made to have thousands of link hosts; nobody looks it up by
the sixth, and each one is written and paid for. The marks of ten ordinary mails and their pointers fit into the 100
writes of one transaction; those of ten of the richest, 26 each, take four."""


def pointers(record: Record, key: dict[str, str]) -> list[dict[str, str]]:
    """The keys of the pointers to a record that stands under this key."""
    decided_at = moment(record.decided_at)
    return [pointer_key(facet, value, decided_at, key["entry"]) for facet in Facet for value in _values(record, facet)]


def _values(record: Record, facet: Facet) -> list[str]:
    """The first values of a facet, each once."""
    found: dict[str, None] = {}
    for text in _texts(record, facet):
        if value := value_key(text):
            found[value] = None
        if len(found) == MOST_VALUES[facet]:
            break
    return list(found)


def _texts(record: Record, facet: Facet) -> Iterator[str]:
    detection = record.detection
    match facet:
        case Facet.RECIPIENT:
            yield from recipients(detection, record.context)
        case Facet.LINK_HOST if detection:
            yield from (host(link.href) for link in detection.links if link.href)
        case Facet.ATTACHMENT_SHA256 if detection:
            yield from (it.sha256 for it in detection.attachments if it.sha256)
        case Facet.CATEGORY if detection:
            yield from (it.name for it in detection.threat_categories if it.name)
