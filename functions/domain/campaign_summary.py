"""When people get a summary of a campaign: how many copies there are, and where.

the worker that took the page died           at once: the summary is the page
the campaign has ended, with further copies  at once: the last summary
the copies pass 10, 100, 1,000, ...          not within SUMMARY_PAUSE of the last one
a further copy has reached an inbox          likewise
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from functions.domain.campaign import Campaign, CopyCounts

SUMMARY_PAUSE = timedelta(minutes=15)
TAKEOVER = timedelta(minutes=5)
"""A page whose lease has expired is left to the redelivery of its message for so long."""
BUSY_CHECK, IDLE_CHECK = timedelta(minutes=1), timedelta(minutes=5)
"""The time until the next look at a campaign: after new copies, and without."""


class SummaryReason(StrEnum):
    """Why a summary is due."""

    LOST_PAGE = "lost-page"
    ENDED = "ended"
    PASSED = "passed"
    IN_INBOX = "in-inbox"


@dataclass(frozen=True, slots=True)
class Reported:
    """What the last summary said; before the first one, what the first alert said.

    number: how many summaries there were.
    """

    copies: int = 1
    in_inbox: int = 1
    at: datetime | None = None
    number: int = 0


def lost_pages(campaign: Campaign, now: datetime) -> list[str]:
    """The alerts that took the page, and that no worker publishes any more."""
    if campaign.paged_at is None and campaign.pages and all(end <= now for end in campaign.pages.values()):
        return [*campaign.pages]
    return [alert_id for alert_id, end in campaign.pages.items() if end + TAKEOVER <= now]


def summary_reason(
    campaign: Campaign, reported: Reported, counts: CopyCounts, now: datetime, *, has_ended: bool
) -> SummaryReason | None:
    """Why a summary is due now, if one is."""
    if lost_pages(campaign, now) and counts.copies:
        return SummaryReason.LOST_PAGE
    if has_ended:
        return SummaryReason.ENDED if counts.copies > reported.copies else None
    if reported.at and now - reported.at < SUMMARY_PAUSE:
        return None
    if _power(counts.copies) > _power(reported.copies):
        return SummaryReason.PASSED
    begun = reported.at or campaign.first_seen or now
    return SummaryReason.IN_INBOX if counts.in_inbox > reported.in_inbox and now - begun >= SUMMARY_PAUSE else None


def _power(copies: int) -> int:
    """0 below 10, 1 from 10 on, 2 from 100 on."""
    return int(math.log10(copies)) if copies > 0 else 0


def next_check(counts: CopyCounts, last_copy_at: datetime | None, now: datetime) -> datetime:
    """When to look at an open campaign again. last_copy_at: as of the look before."""
    is_busy = last_copy_at is None or (counts.last_at is not None and counts.last_at > last_copy_at)
    return now + (BUSY_CHECK if is_busy else IDLE_CHECK)
