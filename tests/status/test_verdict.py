"""The verdict of a deployment: the most urgent problem first, and what is known of losses."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.outcome import Reason
from functions.escalate.retries import MAX_BACKOFF_SECONDS
from ops.escalator.doctor.alarms import Alarm
from ops.escalator.status.alerts import CONFIRMED_WITHIN, AlertCounts
from ops.escalator.status.cause import (
    CAUSES,
    DELAY_ALARMS,
    DELIVERY_ALARMS,
    KEPT_ALARMS,
    NORMAL,
    failing_since,
)
from ops.escalator.status.facts import facts
from ops.escalator.status.letters import Letters
from ops.escalator.status.overview import Overview
from ops.escalator.status.part import NotKnown
from ops.escalator.status.screen import WIDTH, screen
from ops.escalator.status.verdict import judge
from ops.escalator.status.waiting import Tries, WaitingReason
from tests.alarms.template_alarms import PARSED
from tests.status.overviews import HEALTHY, feed, minutes_ago, queue

PARTS = ("requests", "log", "tries", "letters", "undelivered", "alarms", "feed", "alerts")
OUTAGE = WaitingReason(Reason.CLOUDFLARE_UNAVAILABLE, 7, minutes_ago(23), minutes_ago(1), "503")
BROKEN = replace(HEALTHY, requests=queue(in_flight=7), tries=Tries((OUTAGE,), minutes_ago(40)))


def test_healthy_deployment_is_fine() -> None:
    found = judge(HEALTHY)
    assert ("OK.", "Nothing is lost.", True) == (found.headline, found.lost, found.is_fine)


@pytest.mark.parametrize("part", [it for it in PARTS if it != "tries"])
def test_part_that_is_not_known_is_never_fine(part: str) -> None:
    why = NotKnown("cannot read it: AccessDenied")
    found = judge(replace(HEALTHY, **{part: why}))  # type: ignore[arg-type]
    assert not found.is_fine
    assert found.headline.startswith("It is not known whether all is well: cannot read ")


@pytest.mark.parametrize("part", ["requests", "letters", "alarms", "alerts", "feed"])
def test_loss_is_not_known_if_the_part_is_not_known_that_would_show_it(part: str) -> None:
    found = judge(replace(BROKEN, **{part: NotKnown("no")}))  # type: ignore[arg-type]
    assert found.lost.startswith("It is not known whether anything is lost: cannot read ")


def test_cause_comes_before_its_alarms() -> None:
    """FeedAlarm says the same, so it is no further problem."""
    found = judge(replace(BROKEN, alarms=(Alarm("FeedAlarm", state="ALARM", since=minutes_ago(8)),)))
    assert "Requests wait: Cloudflare fails (since 09:12 UTC, 23 min)." == found.headline


def test_alarm_that_nothing_explains_is_a_problem() -> None:
    """WaitingAlarm can stay on for a while after the last request has been done."""
    found = judge(replace(HEALTHY, alarms=(Alarm("WaitingAlarm", state="ALARM", since=minutes_ago(8)),)))
    assert "WaitingAlarm is on (since 09:27 UTC, 8 min)." == found.headline


def test_time_of_another_day_has_its_date() -> None:
    earlier = replace(OUTAGE, since=minutes_ago(60 * 24))
    found = judge(replace(BROKEN, tries=Tries((earlier,), None)))
    assert "Requests wait: Cloudflare fails (since 2026-11-25 09:35 UTC, 1 d)." == found.headline


@pytest.mark.parametrize("reason", sorted(NORMAL))
def test_request_that_waits_for_a_normal_reason_is_no_problem(reason: Reason) -> None:
    waiting = WaitingReason(reason, 1, minutes_ago(1), minutes_ago(1), "")
    assert judge(replace(HEALTHY, requests=queue(in_flight=1), tries=Tries((waiting,), None))).is_fine


def test_every_reason_of_a_request_that_waits_has_words() -> None:
    """The reasons of RETRY and DEFERRED, in the order of the enum."""
    reasons = [*Reason]
    first, last = reasons.index(Reason.NO_DETECTION), reasons.index(Reason.OUT_OF_TIME)
    assert {*reasons[first : last + 1]} == CAUSES.keys() | NORMAL


def test_request_that_was_deleted_waits_no_longer() -> None:
    """The queue is empty, and the log has its last try ten minutes ago."""
    old = replace(OUTAGE, last=minutes_ago(10))
    assert judge(replace(HEALTHY, tries=Tries((old,), None))).is_fine
    assert not judge(replace(HEALTHY, tries=Tries((OUTAGE,), None))).is_fine


def test_credentials_that_are_refused_again_after_an_answer_are_no_recovery() -> None:
    """Of the feed: its last run is newer."""
    over = Tries((OUTAGE,), minutes_ago(0.5))
    assert judge(replace(BROKEN, tries=over)).headline.startswith("Cloudflare answers again.")
    found = judge(replace(BROKEN, tries=over, feed=feed("unavailable", "done")))
    assert found.headline.startswith("Requests wait: Cloudflare fails")


def test_failure_of_aws_is_not_over_when_cloudflare_answers() -> None:
    waiting = replace(OUTAGE, reason=Reason.LEDGER_UNAVAILABLE)
    found = judge(replace(BROKEN, tries=Tries((waiting,), minutes_ago(0.5))))
    assert found.headline.startswith("Requests wait: DynamoDB fails")


@pytest.mark.parametrize(
    ("results", "since"),
    [
        (("done", "unavailable"), None),
        (("unavailable", "done"), 0),
        (("blocked", "unavailable", "done", "blocked"), 1),
        (("blocked", "blocked"), 23),
        ((), None),
    ],
)
def test_feed_fails_since_its_first_failure_or_the_end_of_its_list(results: tuple[str, ...], since: int | None) -> None:
    found = failing_since(feed(*results, lag=23))
    assert (None if since is None else minutes_ago(since)) == found


def test_feed_that_is_late_and_does_not_fail_is_a_problem() -> None:
    found = judge(replace(HEALTHY, feed=feed("continues", lag=30)))
    assert ("The feed is late (since 09:05 UTC, 30 min).", "Nothing is lost: the feed continues from 09:05 UTC.") == (
        found.headline,
        found.lost,
    )


def test_alert_that_is_not_confirmed_is_a_problem() -> None:
    found = judge(replace(HEALTHY, alerts=AlertCounts(0, 0, {}, unconfirmed=2, since=minutes_ago(20))))
    assert "2 alerts are not confirmed as sent (since 09:15 UTC, 20 min)." == found.headline
    assert "It is not known whether 2 alerts were sent." == found.lost


def test_alert_counts_as_not_confirmed_after_the_longest_backoff() -> None:
    assert timedelta(seconds=MAX_BACKOFF_SECONDS) == CONFIRMED_WITHIN


def test_dead_letters_during_an_outage_are_a_further_problem() -> None:
    """SQS deletes the first one at the end of its retention."""
    letters = Letters(3, {"invalid-answer": 3}, timedelta(days=14), minutes_ago(90), minutes_ago(-60 * 24 * 13))
    found = judge(replace(BROKEN, letters=letters))
    assert "Requests wait: Cloudflare fails (since 09:12 UTC, 23 min). 1 more problem below." == found.headline
    assert (
        "Not lost yet: 3 requests have no decision and no alert. SQS deletes the first one on 2026-12-09."
        " 7 requests wait in the queue (for up to 3 days, then 14 days on the dead-letter queue)." == found.lost
    )


def test_named_alarms_are_in_the_template() -> None:
    declared = {name for name, it in PARSED["Resources"].items() if it["Type"] == "AWS::CloudWatch::Alarm"}
    assert DELAY_ALARMS | DELIVERY_ALARMS | KEPT_ALARMS <= declared
    rest = declared - DELAY_ALARMS - DELIVERY_ALARMS - KEPT_ALARMS
    assert {"ErrorAlarm", "FeedUnresolvedAlarm", "SilenceAlarm"} == rest


TEXTS = st.text(st.characters(codec="ascii"), max_size=300)


@given(why=TEXTS, stack=st.text("abcdefgh-", min_size=1, max_size=128), parts=st.sets(st.sampled_from(PARTS)))
def test_screen_is_at_most_80_columns_wide(why: str, stack: str, parts: set[str]) -> None:
    """Whatever the texts are, and also where nothing is known."""
    reasons = tuple(replace(OUTAGE, reason=reason, detail=why) for reason in Reason)
    overview: Overview = replace(BROKEN, stack=stack, tries=Tries(reasons, None))
    overview = replace(overview, **{part: NotKnown(why) for part in parts})  # type: ignore[arg-type]
    verdict = judge(overview)
    lines = screen(overview, verdict)
    assert max(map(len, lines)) <= WIDTH
    assert all(line.isprintable() for line in lines)
    assert facts(overview, verdict)["is_fine"] is False
