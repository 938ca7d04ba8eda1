"""What an alert says about its campaign. No text here is from the email."""

from functions.domain.campaign import CopyCounts
from functions.domain.record import CampaignRole, Record

_NEW = {"severity": "a higher severity"}


def sentences(record: Record) -> list[str]:
    """What a copy is, for a reader who knows the first alert of its campaign."""
    place = record.campaign
    if place is None or place.role is CampaignRole.FIRST:
        return []
    known = "It belongs to a campaign that was alerted before"
    brings = " and ".join(_NEW.get(it, f"a new {it}") for it in place.new)
    return [f"{known}, and brings {brings}." if brings else f"{known}."]


def copies(record: Record, earlier: CopyCounts | None) -> str:
    """How many emails of its campaign there were before; empty if that is not known."""
    if record.campaign is None or (earlier is None and record.campaign.role is not CampaignRole.FIRST):
        return ""
    return size(earlier, " before this one") if earlier and earlier.copies else "the first email of its campaign"


def size(counts: CopyCounts, which: str = "") -> str:
    """How large a campaign is: `25 emails, 22 in an inbox, to 31 people, since 2026-11-23 09:12 UTC`."""
    more = " or more" if counts.is_cut else ""
    return ", ".join(
        (
            f"{counts.copies:,}{more} email{'' if counts.copies == 1 else 's'}{which}",
            f"{counts.in_inbox:,}{more} in an inbox",
            f"to {counts.people:,}{more} {'person' if counts.people == 1 else 'people'}",
            *([f"since {counts.first_at:%Y-%m-%d %H:%M} UTC"] if counts.first_at else []),
        )
    )
