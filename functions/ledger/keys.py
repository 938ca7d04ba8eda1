"""The keys of the table's items, and the indexes that answer queries. No other module knows their format.

    pk                sk                                           item
    <postfix id>      <account>/<email>                            the email: its deliveries and its last alert
    <postfix id>      <account>/<email>#<revision>                 the record of an alert
    <postfix id>      <account>/<email>#<label>#<SQS message id>   the record of a decision not to alert
    <kind>=<value>    <decided_at> <sk of a record>                a pointer from a link host, a hash ... to a record
    full=<kind>       <decided_at> <sk of a record>                the record may have more values than pointers
    recipient=<address>    erasing                                 the erasure of this address is not finished
    feed=<account>    state                                        what the feed remembers between runs
    feed=<account>/runs    <date>                                  what the runs of the feed did on a day
    feed=<account>/<date>  <investigate id>                        a delivery that the feed has queued
    feed=<account>/<date>  <investigate id>#answer                 what came of it
    feed=<account>/details  <time> <sk of a record>                a record that waits for its message details
    campaign=<id>     #state                                       what decides about the next copy of a campaign
    campaign=<id>     <decided_at> <sk of a record>                a pointer from a campaign to a copy
    campaigns=<account>    <time> <id>                             when the next summary of a campaign is due

<email> is the postfix id; for a short postfix id with `@` and the date, if the request or the answer has one (EmailId.email).
One query returns everything about an email, in whichever form its id is given. Each index sorts by `decided_at`. Pointers
are for values of which a record has several: an index of DynamoDB cannot hold these.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Self

from functions.domain.email_id import EmailId
from functions.domain.email_state import LastAlert
from functions.domain.record import Record, moment
from functions.domain.search_values import SearchKind, search_value, search_values

MONTH = slice(0, len("2026-11"))
"""The month in a time as text: the partition key of the index by time, so that its partitions stay bounded."""
ERASING = "erasing"
"""The sort key of an erasure that is not finished. All pointers sort before it, because they begin with a digit."""
YES = "yes"
"""What `pending` says of a record that is: the only partition of its index."""


class Index(StrEnum):
    """The indexes, named as in template.yaml, with their partition key."""

    partitioned_by: str

    BY_TIME = "by_time", "month"
    BY_DISPOSITION = "by_disposition", "disposition"
    BY_SEVERITY = "by_severity", "severity"
    PENDING = "pending", "pending"

    def __new__(cls, name: str, partitioned_by: str) -> Self:
        """An index with its partition key."""
        index = str.__new__(cls, name)
        index._value_, index.partitioned_by = name, partitioned_by
        return index


def email_key(record: Record) -> dict[str, str]:
    """The key of the email's item: its deliveries and its last alert."""
    return {"pk": record.id.postfix_id, "sk": f"{record.account_id}/{record.email}"}


def alert_key(record: Record) -> dict[str, str]:
    """The key of an alert's record: one per email and revision."""
    return alert_key_of(email_key(record), record.revision)


def alert_key_of(email: dict[str, str], revision: int) -> dict[str, str]:
    """The key of an alert's record, from the key of its email's item."""
    return {**email, "sk": f"{email['sk']}#{revision}"}


def decision_key(record: Record) -> dict[str, str]:
    """The key of a decision not to alert: a request that is delivered twice is recorded once."""
    key = email_key(record)
    return {**key, "sk": f"{key['sk']}#{record.disposition or record.outcome}#{record.sqs_message_id}"}


def pointer_key(kind: SearchKind, value: str, decided_at: str, record_sk: str) -> dict[str, str]:
    """The key of a pointer from a canonical value to the record with this sort key."""
    return {"pk": pointer_partition(kind, value), "sk": f"{decided_at} {record_sk}"}


def pointer_partition(kind: SearchKind, value: str) -> str:
    """The partition of the pointers from a canonical value."""
    return f"{kind}={value}"


def full_partition(kind: SearchKind) -> str:
    """The partition of the records that have so many values of a kind that some may have no pointer."""
    return f"full={kind}"


def pointed_at(pointer_sk: str) -> dict[str, str]:
    """The key of the record that a pointer leads to, from the pointer's sort key."""
    record_sk = pointer_sk.partition(" ")[2]
    return {"pk": email_of(record_sk).partition("@")[0], "sk": record_sk}


def email_of(sk: str) -> str:
    """What identifies the email in its account, from the sort key of the email or of a record."""
    return sk.partition("/")[2].partition("#")[0]


def feed_state_key(account_id: str) -> dict[str, str]:
    """The key of what the feed remembers."""
    return {"pk": f"feed={account_id}", "sk": "state"}


def feed_runs_partition(account_id: str) -> str:
    """The partition of what the runs of the feed did."""
    return f"feed={account_id}/runs"


def queue_entry_key(account_id: str, id: EmailId) -> dict[str, str]:
    """The key of a queued delivery. Its partition is the date in its investigate id."""
    return {"pk": queue_day(account_id, id.value.partition("-")[2][: len("YYYY-MM-DD")]), "sk": id.value}


def queue_answer_key(account_id: str, id: EmailId) -> dict[str, str]:
    """The key of the answer about a queued delivery."""
    key = queue_entry_key(account_id, id)
    return {**key, "sk": f"{key['sk']}#answer"}


def queue_day(account_id: str, date: str) -> str:
    """The partition of the deliveries with this date in their ids."""
    return f"feed={account_id}/{date}"


def details_partition(account_id: str) -> str:
    """The partition of the records that wait for their message details."""
    return f"feed={account_id}/details"


def details_key(account_id: str, due: datetime, record_sk: str) -> dict[str, str]:
    """The key of a record that waits for its message details until a time."""
    return {"pk": details_partition(account_id), "sk": f"{moment(due)} {record_sk}"}


def campaign_key_of(id: str) -> dict[str, str]:
    """The key of a campaign. Its partition has the pointers to its copies, which sort behind it."""
    return {"pk": pointer_partition(SearchKind.CAMPAIGN, id), "sk": "#state"}


def campaigns_partition(account_id: str) -> str:
    """The partition of the campaigns whose summaries are due."""
    return f"campaigns={account_id}"


def campaign_due_key(account_id: str, due: datetime, id: str) -> dict[str, str]:
    """The key that says when the summary of a campaign is due."""
    return {"pk": campaigns_partition(account_id), "sk": f"{moment(due)} {id}"}


def is_answer(sk: str) -> bool:
    """Whether the sort key of a queued delivery is that of its answer."""
    return sk.endswith("#answer")


def is_record(sk: str) -> bool:
    """Whether a sort key below a postfix id is that of a record, and not that of the email."""
    return "#" in sk


def pointers(record: Record, key: dict[str, str]) -> list[dict[str, str]]:
    """The keys of the pointers to a record with this key."""
    decided_at = moment(record.decided_at)
    found = search_values(record.detection, record.details)
    made = [pointer_key(kind, value, decided_at, key["sk"]) for kind, its in found.values.items() for value in its]
    return made + [_full_key(kind, decided_at, key["sk"]) for kind in found.full]


def recipient_pointers(
    recipients: Sequence[str], alert: LastAlert, key: dict[str, str], *, is_full: bool = False
) -> list[dict[str, str]]:
    """The keys of pointers from further recipients of an email to the record of its last alert.

    key: of the email's item. is_full: whether the email can take no further recipients after these.
    """
    sk, decided_at = alert_key_of(key, alert.revision)["sk"], moment(alert.decided_at)
    values = dict.fromkeys(search_value(SearchKind.RECIPIENT, text) for text in recipients)
    made = [pointer_key(SearchKind.RECIPIENT, value, decided_at, sk) for value in values if value]
    return made + ([_full_key(SearchKind.RECIPIENT, decided_at, sk)] if is_full else [])


def _full_key(kind: SearchKind, decided_at: str, record_sk: str) -> dict[str, str]:
    return {"pk": full_partition(kind), "sk": f"{decided_at} {record_sk}"}
