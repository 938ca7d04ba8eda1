"""The role of each copy in its campaign, from the item alone."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from functions.domain.campaign import LONGEST, MAX_RAISED, RAISED_PERIOD, Campaign, New, belongs_to, member, place
from functions.domain.campaign_key import MAX_TRAITS, campaign_key
from functions.domain.detection import read_detection
from functions.domain.email_id import EmailId
from functions.domain.record import CampaignRole, Record
from functions.domain.severity import Severity
from functions.ledger.campaign_item import campaign_attributes, read_campaign
from tests.unit.examples import FULL, NOON, details, escalated

GAP = timedelta(hours=1)
LEASE = timedelta(seconds=65)
MINUTE = timedelta(minutes=1)


def copy(number: int = 1, **result: Any) -> Record:
    """A copy with an id of its own. Its links, files and categories can be replaced."""
    found = read_detection(FULL | result)
    return escalated(id=EmailId(f"4Njp3P0STMz2c{number:03}"), detection=found, details=details(id=None))


def placed(campaign: Campaign, record: Record, at: datetime) -> tuple[CampaignRole, tuple[str, ...], Campaign]:
    """The role of a copy, what is new, and the campaign after it."""
    its_place, page = place(campaign, record, campaign_key(record), now=at, gap=GAP, lease=LEASE)
    return its_place.role, its_place.new, page.campaign if page else campaign


def paged(at: datetime = NOON, record: Record | None = None) -> Campaign:
    """A campaign whose first copy is published."""
    _, _, campaign = placed(Campaign("c1"), record or copy(), at)
    return replace(campaign, version=1, paged_at=at, pages={})


def test_first_copy_takes_the_page_and_a_further_one_does_not() -> None:
    role, new, campaign = placed(Campaign("c1"), copy(), NOON)
    assert (CampaignRole.FIRST, ()) == (role, new)
    assert ({copy().alert_id: NOON + LEASE}, NOON) == (campaign.pages, campaign.first_seen)
    assert (CampaignRole.MEMBER, (), campaign) == placed(campaign, copy(2), NOON + MINUTE / 60)
    assert (CampaignRole.MEMBER, (), paged()) == placed(paged(), copy(2), NOON + MINUTE)


@pytest.mark.parametrize(
    ("result", "new"),
    [
        ({"links": [{"href": "https://other.example/"}]}, "link host"),
        ({"attachments": [{"size": 7, "name": "a", "sha256": "1" * 64}]}, "attachment"),
        ({"threat_categories": [{"id": 2, "name": "Malware"}]}, "threat category"),
    ],
)
def test_copy_with_something_new_takes_the_page_once(result: dict[str, Any], new: str) -> None:
    role, brings, campaign = placed(paged(), copy(2, **result), NOON + MINUTE)
    assert (CampaignRole.RAISED, (new,)) == (role, brings)
    known = replace(campaign, pages={})
    assert CampaignRole.MEMBER is placed(known, copy(3, **result), NOON + 2 * MINUTE)[0]


def test_more_severe_copy_takes_the_page_and_a_less_severe_one_does_not() -> None:
    delivered = replace(copy(2), severity=Severity.CRITICAL)
    role, new, campaign = placed(paged(), delivered, NOON + MINUTE)
    assert (CampaignRole.RAISED, (New.SEVERITY,), Severity.CRITICAL) == (role, new, campaign.severity)
    assert CampaignRole.MEMBER is placed(campaign, copy(3), NOON + MINUTE)[0]


def test_limited_number_of_copies_is_raised_in_a_period() -> None:
    """Each has another link host, as if a sender tried to flood. What is new is noted on the members, too."""
    campaign, roles = paged(), []
    for number in range(20):
        at = NOON + timedelta(seconds=number)
        role, new, campaign = placed(campaign, copy(number, links=[{"href": f"https://h{number}.example/"}]), at)
        assert ("link host",) == new
        roles.append(role)
    assert [CampaignRole.RAISED] * MAX_RAISED + [CampaignRole.MEMBER] * (20 - MAX_RAISED) == roles
    later = copy(99, links=[{"href": "https://h99.example/"}])
    assert CampaignRole.RAISED is placed(campaign, later, NOON + RAISED_PERIOD + MINUTE)[0]


def test_copy_takes_the_page_of_a_dead_worker_and_not_that_of_a_live_one() -> None:
    _, _, unpaged = placed(Campaign("c1"), copy(), NOON)
    assert CampaignRole.MEMBER is placed(unpaged, copy(2), NOON + LEASE - MINUTE / 60)[0]
    assert CampaignRole.FIRST is placed(unpaged, copy(2), NOON + LEASE + MINUTE)[0]


def test_copy_that_took_the_page_keeps_it_when_its_message_is_delivered_again() -> None:
    """Its worker died before the publish. What it brought is known by now, and it still notifies people."""
    role, _, campaign = placed(paged(), copy(2, links=[{"href": "https://other.example/"}]), NOON + MINUTE)
    again = copy(2, links=[{"href": "https://other.example/"}])
    assert role is CampaignRole.RAISED is placed(campaign, again, NOON + 3 * MINUTE)[0]
    _, _, first = placed(Campaign("c1"), copy(), NOON)
    assert CampaignRole.FIRST is placed(first, copy(), NOON + 3 * MINUTE)[0]


@pytest.mark.parametrize(
    ("last_copy", "at", "is_open"),
    [
        (None, GAP, True),
        (None, GAP + MINUTE, False),
        (GAP, 2 * GAP, True),
        (23 * GAP, LONGEST - MINUTE, True),
        (24 * GAP, LONGEST, False),
    ],
)
def test_campaign_ends_after_its_last_copy_and_after_a_day(
    last_copy: timedelta | None, at: timedelta, *, is_open: bool
) -> None:
    campaign = replace(paged(), last_copy_at=NOON + last_copy if last_copy else None)
    assert is_open is campaign.is_open(NOON + at, GAP)
    expected = CampaignRole.MEMBER if is_open else CampaignRole.FIRST
    assert expected is placed(campaign, copy(2), NOON + at)[0]


def test_copy_that_people_are_not_notified_of_never_takes_the_page() -> None:
    assert CampaignRole.MEMBER is member(Campaign("c1"), NOON, GAP).role
    assert NOON == member(paged(), NOON + MINUTE, GAP).since


def test_copy_without_fingerprint_joins_the_campaign_of_a_fingerprint_through_the_alias() -> None:
    similar, alias = replace(paged(), id="s"), Campaign("t", 3, alias_of="s")
    assert "s" == belongs_to([alias], NOON, GAP)
    assert similar == belongs_to([similar, alias], NOON, GAP)
    assert "other" == getattr(belongs_to([Campaign("other"), alias], NOON, GAP), "id", None)


def test_copy_with_fingerprint_joins_a_campaign_that_began_without_one() -> None:
    by_text = replace(paged(), id="t")
    assert by_text == belongs_to([Campaign("s"), by_text], NOON, GAP)


def test_item_keeps_the_campaign_and_its_traits_are_bounded() -> None:
    many = [{"href": f"https://h{number}.example/"} for number in range(100)]
    _, _, campaign = placed(Campaign("c1"), copy(links=many), NOON)
    for start in range(100, 600, 100):
        links = [{"href": f"https://h{number}.example/"} for number in range(start, start + 100)]
        _, _, campaign = placed(replace(campaign, paged_at=NOON), copy(start, links=links), NOON + MINUTE)
    assert MAX_TRAITS == len(campaign.traits)
    item = campaign_attributes(campaign) | {"paged_at": NOON.isoformat()}
    assert replace(campaign, version=1, paged_at=NOON) == read_campaign("c1", item)
    assert Campaign("c1") == read_campaign("c1", {}) == read_campaign("c1", {"paged_at": NOON.isoformat()})
