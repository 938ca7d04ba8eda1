"""The copies of a campaign: a pointer to each, with the facts that are counted. Counts are read, never added up in an item."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from functions.domain.campaign import CopyCounts
from functions.domain.message_details import Delivery
from functions.domain.recipients import recipients
from functions.domain.record import Record, moment
from functions.domain.search_values import SearchKind
from functions.domain.severity import Severity
from functions.ledger.keys import campaign_key_of, email_of, pointed_at, pointer_key
from functions.ledger.table import Table

MAX_PEOPLE = 100
"""Recipients of one copy that are counted."""
MAX_COPIES = 1_000
"""Pointers that an alert reads to say how large its campaign is."""
_DIGITS = 10
"""Hexadecimal digits of a recipient's digest: enough to count people, and no address."""


def copy_item(record: Record, key: Mapping[str, str]) -> dict[str, object]:
    """The pointer from the campaign of a record, which has this key, to the record."""
    if record.campaign is None:
        raise ValueError("a record without a campaign is no copy")
    people = recipients(record.detection, record.details)[:MAX_PEOPLE]
    return {
        **pointer_key(SearchKind.CAMPAIGN, record.campaign.id, moment(record.decided_at), key["sk"]),
        "delivery": record.delivery,
        "severity": record.severity,
        "people": [hashlib.sha256(it.encode()).hexdigest()[:_DIGITS] for it in people],
    }


def count_copies(table: Table, campaign: str, since: datetime, limit: int | None = None) -> CopyCounts:
    """Count the copies of a campaign since a time. An email with several alerts counts once, as its last one says.

    limit: of pointers that are read. Raises LedgerUnavailable.
    """
    items, is_cut = table.query(campaign_key_of(campaign)["pk"], moment(since), limit)
    return _counted(items, is_cut=is_cut)


def worst_copy(table: Table, campaign: str, since: datetime) -> str:
    """The sort key of the pointer to the most severe copy since a time, the earliest of several; empty without one."""
    items, _ = table.query(campaign_key_of(campaign)["pk"], moment(since), MAX_COPIES)
    return max(items, key=lambda it: Severity(it["severity"]).rank, default={"sk": ""})["sk"]


def _counted(items: Iterable[Mapping[str, Any]], *, is_cut: bool) -> CopyCounts:
    latest = {email_of(pointed_at(item["sk"])["sk"]): item for item in items}
    times = [datetime.fromisoformat(item["sk"].partition(" ")[0]) for item in latest.values()]
    severities = [Severity(item["severity"]) for item in latest.values() if item.get("severity")]
    return CopyCounts(
        copies=len(latest),
        in_inbox=sum(item.get("delivery") == Delivery.DELIVERED for item in latest.values()),
        people=len({person for item in latest.values() for person in item.get("people", ())}),
        severity=max(severities, key=lambda it: it.rank, default=None),
        first_at=min(times, default=None),
        last_at=max(times, default=None),
        is_cut=is_cut,
    )
