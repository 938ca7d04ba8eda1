"""The item of a campaign as attributes and back, and the item that says when its next summary is due.

A copy that takes the page changes the item under its version. Marks and summaries change other attributes, and need no
version: `paged_at`, the attributes `page_<alert id>`, and those of the summaries.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from functions.domain.campaign import Campaign
from functions.domain.record import moment
from functions.domain.severity import Severity

RETENTION = timedelta(days=30)
"""Longer than any campaign is open. The copies keep its id for as long as their records are kept."""
PAGE = "page_"
"""Begins the attribute of a copy that has taken the page; its alert id follows. The value is the end of its lease."""
FIRST_CHECK = timedelta(minutes=1)
"""The first look for a summary comes so long after the first copy."""


def page_attribute(alert_id: str) -> str:
    """The name of the attribute of a copy that has taken the page."""
    return f"{PAGE}{alert_id}"


def campaign_attributes(campaign: Campaign) -> dict[str, object]:
    """The attributes that a copy sets which takes the page."""
    if campaign.first_seen is None:
        raise ValueError("a campaign without copies has no item")
    return {
        "version": campaign.version + 1,
        "first_seen": moment(campaign.first_seen),
        "severity": campaign.severity,
        "traits": sorted(campaign.traits),
        "raised": [moment(at) for at in campaign.raised],
        **{page_attribute(alert_id): moment(end) for alert_id, end in campaign.pages.items()},
        "expires_at": int((campaign.first_seen + RETENTION).timestamp()),
    }


def read_campaign(id: str, item: Mapping[str, Any]) -> Campaign:
    """The campaign of an item; one that is not open if there is no item."""
    if "alias_of" in item:
        return Campaign(id, item["version"], alias_of=item["alias_of"])
    if "version" not in item:
        return Campaign(id)
    return Campaign(
        id=id,
        version=item["version"],
        first_seen=datetime.fromisoformat(item["first_seen"]),
        severity=Severity(item["severity"]),
        traits=frozenset(item["traits"]),
        paged_at=read_moment(item, "paged_at"),
        pages={
            name.removeprefix(PAGE): datetime.fromisoformat(end) for name, end in item.items() if name.startswith(PAGE)
        },
        raised=tuple(datetime.fromisoformat(at) for at in item["raised"]),
        last_copy_at=read_moment(item, "last_copy_at"),
    )


def read_moment(item: Mapping[str, Any], name: str) -> datetime | None:
    """A time of an item, if it has one."""
    return datetime.fromisoformat(item[name]) if item.get(name) else None
