"""The keys of the table's items, and the indexes that answer queries. No other module knows their format.

    pk                  sk                                         item
    <postfix id>        <account>/<id>                             the last alert about an email
    <postfix id>        <account>/<id>#<DISPOSITION>               the record of an alert; after a changed disposition
                                                                   with `#<revision>`
    <postfix id>        <account>/<id>#<label>#<SQS message id>    the record of a decision not to alert
    <kind>=<value>      <decided_at> <sk of a record>              a pointer from a link host, a hash ... to a record

<id> is the id of the request. One query returns everything about an email, in whichever form its id is given. Each index
sorts by `decided_at`. Pointers are for attributes with several values in one record, such as link hosts:
a DynamoDB index cannot have a list as its key.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Self

from functions.domain.json_values import host
from functions.domain.recipients import recipients
from functions.domain.record import Record, moment

MONTH = slice(0, len("2026-11"))
"""The month in a time as text: the partition key of the index by time, so that its partitions stay bounded."""
YES = "yes"
"""The value of `pending`: the only partition of its index."""
MAX_VALUE = 500
"""Characters of a value in a key: with four bytes each they fit into the 2,048 bytes of a partition key."""


class Index(StrEnum):
    """The indexes, named as in template.yaml, with their partition key."""

    partitioned_by: str

    BY_TIME = "by_time", "month"
    BY_DISPOSITION = "by_disposition", "disposition"
    BY_SEVERITY = "by_severity", "severity"
    BY_SENDER_DOMAIN = "by_sender_domain", "sender_domain"
    BY_SENDER_IP = "by_sender_ip", "sender_ip"
    PENDING = "pending", "pending"

    def __new__(cls, name: str, partitioned_by: str) -> Self:
        """An index with its partition key."""
        index = str.__new__(cls, name)
        index._value_, index.partitioned_by = name, partitioned_by
        return index


class PointerKind(StrEnum):
    """The kinds of values that pointers lead from."""

    LINK_HOST = "link_host"
    ATTACHMENT_SHA256 = "attachment_sha256"
    CATEGORY = "category"
    RECIPIENT = "recipient"


def value_key(text: str) -> str:
    """A value in the form in which keys have it."""
    return text.strip().lower()[:MAX_VALUE].rstrip()


def last_alert_key(record: Record) -> dict[str, str]:
    """The key of the item that holds the last alert about the record's email."""
    return {"pk": record.id.postfix_id, "sk": f"{record.account_id}/{record.id}"}


def alert_key(record: Record) -> dict[str, str]:
    """The key of an alert's record: at most one per mail, disposition and revision."""
    revision = f"#{record.revision}" if record.revision else ""
    return _record_key(record, f"{record.disposition}{revision}")


def decision_key(record: Record) -> dict[str, str]:
    """The key of a decision not to alert: a request that is delivered twice is recorded once."""
    return _record_key(record, f"{record.disposition or record.outcome}#{record.sqs_message_id}")


def _record_key(record: Record, decision: str) -> dict[str, str]:
    key = last_alert_key(record)
    return {**key, "sk": f"{key['sk']}#{decision}"}


def pointer_key(kind: PointerKind, value: str, decided_at: str, entry: str) -> dict[str, str]:
    """The key of a pointer to a record."""
    return {"pk": f"{kind}={value_key(value)}", "sk": f"{decided_at} {entry}"}


def pointed_at(pointer_entry: str) -> dict[str, str]:
    """The key of the record that a pointer leads to, from the pointer's sort key."""
    entry = pointer_entry.partition(" ")[2]
    mail = entry.partition("/")[2].partition("#")[0]
    return {"pk": mail.partition("-")[0], "sk": entry}


MAX_VALUES = {
    PointerKind.LINK_HOST: 5,
    PointerKind.ATTACHMENT_SHA256: 5,
    PointerKind.CATEGORY: 5,
    PointerKind.RECIPIENT: 10,
}
"""Pointers of each kind per record. An email can have thousands of link hosts, and each pointer costs a write. The marks
and pointers of ten ordinary emails fit into the 100 writes of one transaction; those of ten with 25 pointers take four."""


def pointers(record: Record, key: dict[str, str]) -> list[dict[str, str]]:
    """The keys of the pointers to a record with this key."""
    decided_at = moment(record.decided_at)
    return [pointer_key(kind, value, decided_at, key["sk"]) for kind in PointerKind for value in _values(record, kind)]


def _values(record: Record, kind: PointerKind) -> list[str]:
    """The first values of a kind, each once."""
    found: dict[str, None] = {}
    for text in _texts(record, kind):
        if value := value_key(text):
            found[value] = None
        if len(found) == MAX_VALUES[kind]:
            break
    return list(found)


def _texts(record: Record, kind: PointerKind) -> Iterator[str]:
    detection = record.detection
    match kind:
        case PointerKind.RECIPIENT:
            yield from recipients(detection, record.details)
        case PointerKind.LINK_HOST if detection:
            yield from (host(link.href) for link in detection.links if link.href)
        case PointerKind.ATTACHMENT_SHA256 if detection:
            yield from (it.sha256 for it in detection.attachments if it.sha256)
        case PointerKind.CATEGORY if detection:
            yield from (it.name for it in detection.threat_categories if it.name)
