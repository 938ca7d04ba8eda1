"""Campaigns: many copies of one email are one page for people, and one finding each for machines.

The first copy notifies people. A further one does so only if it is more severe or brings something new: a link host, an
attachment or a threat category. All others are members: recorded, published to the findings topic, and counted in
summaries (functions/feed/summaries.py).

    no campaign, or it has ended                      first    takes the page
    no page is published, and its worker died         first    takes the page
    more severe, or something new                     raised   takes the page; at most MAX_RAISED in RAISED_PERIOD
    otherwise                                         member

Who takes the page notes it in the campaign's item, in the same transaction as the claim of the alert. A member writes
nothing there, so that the item is no bottleneck.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from functions.domain.campaign_key import MAX_TRAITS, CampaignKey
from functions.domain.record import CampaignPlace, CampaignRole, Record
from functions.domain.severity import Severity

LONGEST = timedelta(hours=24)
"""A campaign ends so long after its first copy, even if copies still come: people are notified at least daily."""
RAISED_PERIOD = timedelta(minutes=15)
MAX_RAISED = 5
"""Copies that notify people in RAISED_PERIOD. What is new about further ones is in the next summary."""


class New(StrEnum):
    """What makes a copy notify people, beside the traits of campaign_key.py."""

    SEVERITY = "severity"


@dataclass(frozen=True, slots=True)
class Campaign:
    """What decides about the next copy.

    version:      of the item in the table; 0 where there is none.
    first_seen:   when the first copy was decided.
    severity:     the highest of the copies that took the page.
    traits:       digests of all that these copies brought; see CampaignKey.
    paged_at:     when people were last notified; None before.
    pages:        copies that took the page and are not published, by alert id, with the end of their lease.
    raised:       when the last copies took the page because they brought something new.
    last_copy_at: the last copy that the summaries have counted.
    alias_of:     the campaign to which this id, by sender and subject, leads; empty if it is a campaign itself.
    """

    id: str
    version: int = 0
    first_seen: datetime | None = None
    severity: Severity = Severity.INFORMATIONAL
    traits: frozenset[str] = frozenset()
    paged_at: datetime | None = None
    pages: Mapping[str, datetime] = field(default_factory=dict)
    raised: tuple[datetime, ...] = ()
    last_copy_at: datetime | None = None
    alias_of: str = ""

    def is_open(self, now: datetime, gap: timedelta) -> bool:
        """Whether copies that come now belong to it. gap: it ends so long after its last copy."""
        if self.first_seen is None or self.alias_of or now - self.first_seen >= LONGEST:
            return False
        known = (self.first_seen, self.paged_at, self.last_copy_at, *self.raised)
        return now - max(it for it in known if it) <= gap


@dataclass(frozen=True, slots=True)
class CopyCounts:
    """What is known of the copies of a campaign.

    copies:   emails. in_inbox: how many of them are in an inbox, as their last alert says. people: distinct recipients.
    severity: the highest.
    is_cut:   there may be more of each.
    """

    copies: int = 0
    in_inbox: int = 0
    people: int = 0
    severity: Severity | None = None
    first_at: datetime | None = None
    last_at: datetime | None = None
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """A copy that takes the page. campaign: with the copy. starts: whether it begins a new campaign."""

    campaign: Campaign
    starts: bool


def place(
    campaign: Campaign, record: Record, key: CampaignKey, *, now: datetime, gap: timedelta, lease: timedelta
) -> tuple[CampaignPlace, Page | None]:
    """The role of a copy that people would be notified of, and the page if it takes it.

    campaign: the one that it belongs to, open or not. lease: for how long no other copy takes this page over.
    """
    severity = record.severity or Severity.INFORMATIONAL
    traits = frozenset(key.traits)
    pages = {record.alert_id: now + lease}
    if not campaign.is_open(now, gap):
        begun = Campaign(campaign.id, campaign.version, now, severity, _bounded(traits), pages=pages)
        return CampaignPlace(campaign.id, CampaignRole.FIRST, now), Page(begun, starts=True)
    since = campaign.first_seen or now
    new = _new(campaign, severity, key)
    is_held = campaign.paged_at is not None or any(end > now for end in campaign.pages.values())
    is_own = record.alert_id in campaign.pages
    recent = [it for it in campaign.raised if now - it < RAISED_PERIOD]
    role = CampaignRole.FIRST if not is_held or (is_own and not campaign.paged_at) else CampaignRole.RAISED
    if is_held and not is_own and (not new or len(recent) >= MAX_RAISED):
        return CampaignPlace(campaign.id, CampaignRole.MEMBER, since, new), None
    changed = replace(
        campaign,
        severity=max(campaign.severity, severity, key=lambda it: it.rank),
        traits=_bounded(campaign.traits | traits),
        pages={**campaign.pages, **pages},
        raised=(*recent, now) if role is CampaignRole.RAISED and not is_own else tuple(recent),
    )
    return CampaignPlace(campaign.id, role, since, new), Page(changed, starts=False)


def member(campaign: Campaign, now: datetime, gap: timedelta) -> CampaignPlace:
    """The role of a copy that people are not notified of, whatever the campaign is: it never takes the page."""
    since = campaign.first_seen if campaign.first_seen and campaign.is_open(now, gap) else now
    return CampaignPlace(campaign.id, CampaignRole.MEMBER, since)


def belongs_to(known: Sequence[Campaign], now: datetime, gap: timedelta) -> Campaign | str:
    """The campaign of a copy, or the id of another one that has to be read first.

    known: the campaigns of the ids of its key, in order.
    """
    for campaign in known:
        if campaign.is_open(now, gap):
            return campaign
    *_, by_text = known
    if by_text.alias_of and len(known) == 1:
        return by_text.alias_of
    return known[0]


def _new(campaign: Campaign, severity: Severity, key: CampaignKey) -> tuple[str, ...]:
    """What a copy brings that no page has named."""
    found = dict.fromkeys(name for digest, name in key.traits.items() if digest not in campaign.traits)
    rises = severity.rank > campaign.severity.rank
    return (*([New.SEVERITY] if rises else []), *found)


def _bounded(traits: frozenset[str]) -> frozenset[str]:
    return traits if len(traits) <= MAX_TRAITS else frozenset(sorted(traits)[:MAX_TRAITS])
