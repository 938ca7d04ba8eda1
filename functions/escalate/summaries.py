"""The scheduled run: look at the campaigns that are due, and publish a summary where one is.

A summary is claimed before its publish and noted after it. A run that dies in between repeats the summary once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from functions.alert.alert import AlertOptions, Audience
from functions.alert.campaign_summary import describe_summary, summary_id
from functions.domain.campaign import CopyCounts
from functions.domain.campaign_summary import (
    BUSY_CHECK,
    Reported,
    SummaryReason,
    lost_pages,
    next_check,
    summary_reason,
)
from functions.escalate.topic import Topic, publish_to_all
from functions.ledger.campaign_checks import CampaignChecks, Check
from functions.ledger.campaign_copies import count_copies
from functions.ledger.table import LedgerUnavailable

MAX_CHECKS = 25
"""Campaigns of one read. A run reads until none is due or its time is used up."""
RESERVE_SECONDS = 25.0
"""A publish and a note at their slowest, and the response."""


@dataclass(slots=True)
class SummaryRun:
    """What a run did. failure: what stopped it."""

    looked_at: int = 0
    published: int = 0
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Summaries:
    """The campaigns and the topics. gap: a campaign ends so long after its last copy."""

    checks: CampaignChecks
    topics: Mapping[Audience, Topic]
    options: AlertOptions
    gap: timedelta
    now: Callable[[], datetime]

    def run(self, seconds_left: Callable[[], float]) -> SummaryRun:
        """Look at all campaigns that are due, as far as the time allows. seconds_left: of the invocation."""
        run = SummaryRun()
        try:
            while seconds_left() > RESERVE_SECONDS:
                due = self.checks.due(self.now(), MAX_CHECKS)
                if not due:
                    break
                for check in due:
                    if seconds_left() <= RESERVE_SECONDS:
                        break
                    self._look(check, run, seconds_left)
        except LedgerUnavailable as exc:
            run.failure = str(exc)
        return run

    def _look(self, check: Check, run: SummaryRun, seconds_left: Callable[[], float]) -> None:
        """Publish the summary of a campaign if one is due, then set the next look."""
        campaign, now = check.campaign, self.now()
        if campaign is None or campaign.first_seen is None:
            self.checks.follow(check, None, None)
            return
        run.looked_at += 1
        counts = count_copies(self.checks.table, check.id, campaign.first_seen)
        has_ended = not replace(campaign, last_copy_at=counts.last_at).is_open(now, self.gap)
        following = None if has_ended and not campaign.pages else next_check(counts, campaign.last_copy_at, now)
        reason = summary_reason(campaign, check.reported, counts, now, has_ended=has_ended)
        if reason:
            if self._publish(check, counts, reason, seconds_left):
                run.published += 1
            else:
                following = now + BUSY_CHECK
        self.checks.follow(check, following, counts.last_at)

    def _publish(
        self, check: Check, counts: CopyCounts, reason: SummaryReason, seconds_left: Callable[[], float]
    ) -> bool:
        campaign, now = check.campaign, self.now()
        if campaign is None or campaign.first_seen is None or not self.checks.claim(check, now):
            return False
        record = self.checks.worst_copy(check, campaign.first_seen)
        if record is None:
            return False
        number = check.reported.number + 1
        alert = describe_summary(record, counts, reason, summary_id(record, number), self.options)
        [result] = publish_to_all(self.topics, [alert], [{}], seconds_left)
        if result.failure:
            return False
        reported = Reported(counts.copies, counts.in_inbox, now, number)
        self.checks.note(check, reported, now, lost_pages(campaign, now), record.severity or "")
        return True
