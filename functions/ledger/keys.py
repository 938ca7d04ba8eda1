"""Under which keys things stand in the table, and which index answers which question.

    about               entry                                      what it is
    <postfix id>        <account>/<id>                             standing: what was last told about this mail
    <postfix id>        <account>/<id>#<DISPOSITION>               record of an alert; a disposition that has come back
                                                                   after another one has `#<turn>` behind it
    <postfix id>        <account>/<id>#<label>#<SQS message id>    record of a decision not to alert
    <facet>=<value>     <time decided> <entry of a record>         pointer: from a link host, a hash ... to a record

<id> is the id as it was given. All about one mail is one query, in whichever form its id is given; each index sorts by
`decided_at`. Pointers are for what a record may have several of, which no index of DynamoDB's can hold.
"""

from enum import StrEnum
from typing import Self

MONTH = slice(0, len("2026-11"))
"""Of a moment as text: the partition of the index by time, so that no partition grows for ever."""
YES = "yes"
"""What `pending` says of a record that is: the only partition of its index."""
LONGEST_VALUE = 500
"""Characters of a value that is looked up by: with four bytes each they fit into the 2,048 bytes of a key."""


class Index(StrEnum):
    """The table's indexes, each named as in template.yaml, with the attribute that it partitions by."""

    partitioned_by: str

    BY_TIME = "by_time", "month"
    BY_DISPOSITION = "by_disposition", "disposition"
    BY_SEVERITY = "by_severity", "severity"
    BY_SENDER_DOMAIN = "by_sender_domain", "sender_domain"
    BY_SENDER_IP = "by_sender_ip", "sender_ip"
    PENDING = "pending", "pending"

    def __new__(cls, name: str, partitioned_by: str) -> Self:
        """An index by its name."""
        index = str.__new__(cls, name)
        index._value_, index.partitioned_by = name, partitioned_by
        return index


class Facet(StrEnum):
    """What pointers lead from to a record."""

    LINK_HOST = "link_host"
    ATTACHMENT_SHA256 = "attachment_sha256"
    CATEGORY = "category"
    RECIPIENT = "recipient"


def value_key(text: str) -> str:
    """A value as it is looked up by, whoever wrote it and however."""
    return text.strip().lower()[:LONGEST_VALUE].rstrip()


def pointer_key(facet: Facet, value: str, decided_at: str, entry: str) -> dict[str, str]:
    """The key of a pointer to a record."""
    return {"about": f"{facet}={value_key(value)}", "entry": f"{decided_at} {entry}"}


def pointed_at(pointer_entry: str) -> dict[str, str]:
    """The key of the record that a pointer leads to, out of the pointer's own `entry`."""
    entry = pointer_entry.partition(" ")[2]
    mail = entry.partition("/")[2].partition("#")[0]
    return {"about": mail.partition("-")[0], "entry": entry}
