"""When a summary is due, and what it says."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from functions.alert.alert import MAX_SUBJECT, Alert, AlertOptions
from functions.alert.campaign_summary import describe_summary, summary_id
from functions.domain.campaign import Campaign, CopyCounts
from functions.domain.campaign_summary import (
    BUSY_CHECK,
    IDLE_CHECK,
    SUMMARY_PAUSE,
    TAKEOVER,
    Reported,
    SummaryReason,
    lost_pages,
    next_check,
    summary_reason,
)
from functions.domain.detection import read_detection
from functions.domain.record import CampaignPlace, CampaignRole
from functions.domain.severity import Severity
from functions.schema import load_schema
from tests.unit.examples import FULL, NOON, details, escalated

MINUTE = timedelta(minutes=1)
OPEN = Campaign("c1", 1, NOON, Severity.HIGH, paged_at=NOON)
PLACE = CampaignPlace("57917faa5f7de22993a4", CampaignRole.FIRST, NOON)
EXAMPLE = escalated(detection=read_detection(FULL), details=details(delivery_status=["delivered"]), campaign=PLACE)
COUNTS = CopyCounts(140, 121, 163, Severity.CRITICAL, NOON, NOON + MINUTE)


def counts(copies: int, in_inbox: int = 0) -> CopyCounts:
    """The counts of a campaign."""
    return CopyCounts(copies, in_inbox, copies, Severity.HIGH, NOON, NOON)


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (1, 9, None),
        (1, 10, SummaryReason.PASSED),
        (9, 10, SummaryReason.PASSED),
        (10, 99, None),
        (10, 100, SummaryReason.PASSED),
        (99, 1_000, SummaryReason.PASSED),
        (1_000, 9_999, None),
    ],
)
def test_summary_is_due_when_the_copies_pass_a_power_of_ten(
    before: int, now: int, expected: SummaryReason | None
) -> None:
    reported = Reported(before, 1, NOON - SUMMARY_PAUSE)
    assert expected is summary_reason(OPEN, reported, counts(now), NOON, has_ended=False)


def test_no_summary_follows_another_within_the_pause_except_the_last_one() -> None:
    reported, at = Reported(10, 1, NOON), NOON + SUMMARY_PAUSE - MINUTE
    assert summary_reason(OPEN, reported, counts(100, 50), at, has_ended=False) is None
    assert SummaryReason.ENDED is summary_reason(OPEN, reported, counts(100, 50), at, has_ended=True)


def test_further_copy_in_an_inbox_is_in_a_summary_after_the_pause() -> None:
    at = NOON + SUMMARY_PAUSE
    assert SummaryReason.IN_INBOX is summary_reason(OPEN, Reported(), counts(3, 2), at, has_ended=False)
    assert summary_reason(OPEN, Reported(), counts(3, 1), at, has_ended=False) is None
    assert summary_reason(OPEN, Reported(), counts(3, 2), at - MINUTE, has_ended=False) is None


def test_single_email_has_no_summary() -> None:
    assert summary_reason(OPEN, Reported(), counts(1, 1), NOON + timedelta(hours=2), has_ended=True) is None


def test_page_is_lost_when_every_lease_has_expired_and_no_page_is_published() -> None:
    unpaged = replace(OPEN, paged_at=None, pages={"a": NOON, "b": NOON + MINUTE})
    assert [] == lost_pages(unpaged, NOON)
    assert ["a", "b"] == lost_pages(unpaged, NOON + MINUTE)
    assert SummaryReason.LOST_PAGE is summary_reason(unpaged, Reported(), counts(1), NOON + MINUTE, has_ended=False)


def test_further_page_is_left_to_its_redelivery_for_a_while() -> None:
    raised = replace(OPEN, pages={"a": NOON})
    assert [] == lost_pages(raised, NOON + TAKEOVER - MINUTE)
    assert ["a"] == lost_pages(raised, NOON + TAKEOVER)


def test_busy_campaign_is_looked_at_more_often() -> None:
    assert NOON + BUSY_CHECK == next_check(counts(2), None, NOON)
    assert NOON + BUSY_CHECK == next_check(counts(2), NOON - MINUTE, NOON)
    assert NOON + IDLE_CHECK == next_check(counts(2), NOON, NOON)


def summary(reason: SummaryReason = SummaryReason.PASSED, **options: Any) -> Alert:
    """A summary of the example."""
    return describe_summary(EXAMPLE, COUNTS, reason, summary_id(EXAMPLE, 1), AlertOptions(chat=True, **options))


def test_summary_says_how_many_and_where_and_shows_one_email() -> None:
    alert = summary(stack="acme-prod", deployment="ACME")
    assert "[Critical] MALICIOUS campaign: 140 emails, 121 in an inbox (ACME): 57917faa5f7d" == alert.subject
    text = alert.bodies["email"]
    assert "140 emails, 121 in an inbox, to 163 people, since 2026-11-23 12:00 UTC." in text
    assert "escalator history --campaign 57917faa5f7de22993a4 --stack acme-prod" in text
    assert 1 == text.count("WHAT TO DO")
    assert "Subject:    Your invoice" in text
    assert max(map(len, text.splitlines())) <= 72


@pytest.mark.parametrize("reason", SummaryReason)
def test_reason_of_a_summary_is_a_sentence_of_text_and_chat(reason: SummaryReason) -> None:
    alert = summary(reason)
    chat = json.loads(alert.bodies["https"])
    sentence = chat["content"]["description"].partition("UTC. ")[2].partition("\n")[0]
    assert sentence
    assert sentence in alert.bodies["email"].replace("\n", " ")
    assert PLACE.id == chat["metadata"]["threadId"]


def test_subject_fits_whatever_the_name_of_the_deployment_is() -> None:
    alert = summary(deployment="x" * 128)
    assert len(alert.subject) <= MAX_SUBJECT
    assert "121 in an inbox" in alert.subject


def test_finding_of_a_summary_is_valid_and_no_alert_of_its_own() -> None:
    alert = summary()
    finding = json.loads(alert.finding)
    Draft202012Validator(load_schema("alert")).validate(finding)
    assert (False, 140, PLACE.id) == (finding["is_alert"], finding["count"], finding["finding_info"]["uid"])
    expected = {"role": "summary", "copies": 140, "in_inbox": 121, "people": 163}
    assert expected == {name: finding["unmapped"]["campaign"][name] for name in expected}
    assert ("Summary", "true") == (alert.attributes["activity"], alert.attributes["notify"])
    assert summary_id(EXAMPLE, 1) == alert.attributes["alert_id"] != summary_id(EXAMPLE, 2)
