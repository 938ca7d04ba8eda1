"""Decisions -> results, for what an alert may be due: look up, claim, publish, mark, in this order.

If it published before the claim, every redelivery would repeat the alert. If it marked before the publish, a crash would
lose the alert. With this order, a crash before the mark leaves a PENDING record, whose lease expires. The redelivery then
takes the record over.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from functions.alert.alert import AlertOptions, Audience, describe
from functions.alert.commands import COUNTED_PERIOD, MAX_COUNT, NO_COUNTS, Earlier, Related, related_values
from functions.domain.campaign import CopyCounts
from functions.domain.email_state import EmailState
from functions.domain.header_fields import header_fields
from functions.domain.outcome import Outcome, Reason
from functions.domain.record import CampaignRole, Record
from functions.escalate.claim_results import claimed, retried, retry, with_detail, with_sns_id, without_ledger
from functions.escalate.investigate import Known, details_of
from functions.escalate.stages import Claimed, Decision, MessageResult, Published, group_by_email
from functions.escalate.topic import Topic, publish_to_all
from functions.ledger.campaigns import NO_CAMPAIGNS, CampaignOptions
from functions.ledger.claim_attempt import ClaimOwner
from functions.ledger.ledger import Ledger
from functions.ledger.table import LedgerUnavailable

LEASE_MARGIN = timedelta(seconds=5)
"""A claim outlasts its invocation by this much, so that only the claim of a dead worker is taken over."""
MARK_PAUSES = (0.2, 0.5, 1.0, 2.0)
"""Seconds between the tries to mark."""
MARK_SECONDS = 10.0
"""The time that one more try needs: 8 s at its slowest, and the pause before it."""
COMPLETE_SECONDS = 12.0
"""The time that adding message details usually needs: four calls. If they take longer, the message is delivered again."""
INDEX_SECONDS = 9.0
"""The time that writing pointers needs: 8 s at its slowest, and the answer to Lambda."""


@dataclass(frozen=True, slots=True)
class Notifier:
    """The ledger and the topics. One of them can be missing: records only, or alerts only (then at least once).

    topic: of findings. people: of what a human should see now. campaigns: what decides which alerts go there.
    """

    ledger: Ledger | None
    topic: Topic | None
    options: AlertOptions
    now: Callable[[], datetime]
    sleep: Callable[[float], None] = time.sleep
    people: Topic | None = None
    campaigns: CampaignOptions = NO_CAMPAIGNS

    @property
    def topics(self) -> dict[Audience, Topic]:
        """The topics that there are."""
        known = {Audience.FINDINGS: self.topic, Audience.PEOPLE: self.people}
        return {audience: topic for audience, topic in known.items() if topic}

    def look_up(self, decisions: list[Decision]) -> list[Known | MessageResult]:
        """The decisions with what the ledger knows of their emails. If the table does not answer, all are retried."""
        if self.ledger is None:
            return [(decision, EmailState()) for decision in decisions]
        try:
            states = self.ledger.states([decision.record for decision in decisions])
        except LedgerUnavailable as exc:
            return [retry(decision, Reason.LEDGER_UNAVAILABLE, str(exc)) for decision in decisions]
        return list(zip(decisions, states, strict=True))

    def claim(self, known: Sequence[Known], owner: str, seconds_left: float) -> list[Claimed]:
        """The decisions as groups by email, with the alerts that this worker is to publish.

        owner: unlike that of any other invocation. seconds_left: of the invocation.
        """
        groups = group_by_email((decision for decision, _ in known), (state for _, state in known))
        if self.ledger is None:
            return [without_ledger(group, self.campaigns.least) for group in groups]
        lease = timedelta(seconds=seconds_left) + LEASE_MARGIN
        campaigns = self.campaigns if self.topic else NO_CAMPAIGNS
        claim_owner = ClaimOwner(owner, self.now(), lease, publishes=self.topic is not None, campaigns=campaigns)
        try:
            claims = self.ledger.claim([(group.state, group.records) for group in groups], claim_owner)
        except LedgerUnavailable as exc:
            return [retried(group, Reason.LEDGER_UNAVAILABLE, str(exc)) for group in groups]
        return [claimed(group, claim) for group, claim in zip(groups, claims, strict=True)]

    def publish(self, claimed: Sequence[Claimed], seconds_left: Callable[[], float]) -> list[Published]:
        """Publish the claimed alerts. One that SNS does not take stays PENDING, and its messages are retried."""
        due = [item for item in claimed if item.alert]
        if self.topic is None or not due:
            return [Published(item) for item in claimed]
        records = [item.alert for item in due if item.alert]
        counts, copies = self._counts(records)
        alerts = [
            describe(record, self.options, Earlier(counts, copies.get(record.campaign.id) if record.campaign else None))
            for record in records
        ]
        results = iter(publish_to_all(self.topics, alerts, [item.receipts for item in due], seconds_left))
        published = []
        for item in claimed:
            if item.alert is None:
                published.append(Published(item))
                continue
            result = next(results)
            if result.failure:
                retried = self._unpublished(item, result.failure, seconds_left())
                published.append(Published(retried, result.receipts, item.alert if result.receipts else None))
            else:
                published.append(Published(item, result.receipts))
        return published

    def _counts(self, records: Sequence[Record]) -> tuple[Mapping[Related, int], Mapping[str, CopyCounts]]:
        """How many earlier records have a value of those that people see, and the earlier copies of each campaign.

        Only alerts for people have commands, and only in deployments with a stack.
        """
        if self.ledger is None:
            return NO_COUNTS, {}
        shown = [record for record in records if record.notified and self.options.stack]
        values = {
            value
            for record in shown
            for value in related_values(record, header_fields(record.detection, record.details))
        }
        places = [record.campaign for record in records if record.campaign]
        begun = {it.id for it in places if it.role is CampaignRole.FIRST}  # they have no earlier copies
        campaigns = {it.id: it.since for it in places if it.id not in begun}
        if not values and not campaigns:
            return NO_COUNTS, {}
        since = min(record.decided_at for record in records) - COUNTED_PERIOD
        return self.ledger.counts(values, since, MAX_COUNT, campaigns)

    def _unpublished(self, item: Claimed, failure: str, seconds_left: float) -> Claimed:
        """Retried when our own lease has expired; earlier the claim would refuse it."""
        delay = seconds_left + LEASE_MARGIN.total_seconds() if self.ledger else None
        return retried(item.group, Reason.PUBLISH_FAILED, f"SNS did not take the alert: {failure}", delay)

    def mark(self, published: Sequence[Published], owner: str, seconds_left: Callable[[], float]) -> list[Claimed]:
        """Complete the records: mark them, then write their pointers. What fails is retried."""
        if self.ledger is None:
            return [with_sns_id(item) for item in published]
        published = self._note(self.ledger, published, owner)
        sent = [item for item in published if item.claimed.alert]
        failure = "the alert is sent, but another worker has taken over its record"
        try:
            marks = self._mark(self.ledger, sent, owner, seconds_left)
        except LedgerUnavailable as exc:
            marks, failure = [False] * len(sent), f"the alert is sent, but its record is not marked: {exc}"
        marked = iter(marks)
        done = [
            with_sns_id(item)
            if not item.claimed.alert or next(marked)
            else retried(item.claimed.group, Reason.LEDGER_UNAVAILABLE, failure, sns_message_id=item.sns_message_id)
            for item in published
        ]
        return self._complete(self.ledger, self._index(self.ledger, done, seconds_left), seconds_left)

    def _note(self, ledger: Ledger, published: Sequence[Published], owner: str) -> list[Published]:
        """Record which topic has taken an alert that another has not: the redelivery publishes to the other one only."""
        unfinished = [(it.unfinished, it.receipts) for it in published if it.unfinished and it.receipts]
        if not unfinished:
            return [*published]
        try:
            ledger.note_receipts(unfinished, owner)
        except LedgerUnavailable as exc:
            detail = f"one topic has the alert and may get it again: {exc}"
            return [with_detail(it, detail) if it.unfinished else it for it in published]
        return [*published]

    def _mark(
        self, ledger: Ledger, sent: Sequence[Published], owner: str, seconds_left: Callable[[], float]
    ) -> list[bool]:
        """Try for as long as there is time: without its mark, an alert that is sent would be sent again."""
        records = [(item.claimed.alert, item.receipts) for item in sent if item.claimed.alert]
        if not records:
            return []
        for pause in MARK_PAUSES:
            try:
                return ledger.mark(records, owner, self.now())
            except LedgerUnavailable:
                if seconds_left() < MARK_SECONDS:
                    raise
                self.sleep(pause)
        return ledger.mark(records, owner, self.now())

    def _index(self, ledger: Ledger, items: list[Claimed], seconds_left: Callable[[], float]) -> list[Claimed]:
        """Write the pointers of the marked records. A failure repeats no alert: the redelivery writes them."""
        to_index: dict[int, tuple[Record, Record | None]] = {}
        for i, item in enumerate(items):
            if item.alert:
                to_index[i] = item.alert, item.unindexed
            elif item.unindexed:
                to_index[i] = item.unindexed, None
        if not to_index:
            return items
        failure = "the alert is sent, but its record cannot be found by all its values yet"
        try:
            if seconds_left() < INDEX_SECONDS:
                written = [False] * len(to_index)
            else:
                written = ledger.index(list(to_index.values()), sent=self.topic is not None)
        except LedgerUnavailable as exc:
            written, failure = [False] * len(to_index), f"{failure}: {exc}"
        failed = {i for i, done in zip(to_index, written, strict=True) if not done}
        return [
            retried(item.group, Reason.LEDGER_UNAVAILABLE, failure) if i in failed else item
            for i, item in enumerate(items)
        ]

    def _complete(self, ledger: Ledger, items: list[Claimed], seconds_left: Callable[[], float]) -> list[Claimed]:
        """Add the message details that the feed has asked for to the records of earlier alerts. What fails is retried."""
        waiting = {i: found for i, item in enumerate(items) if (found := _details(item))}
        if not waiting:
            return items
        failure = "the message details are not added to the record of the alert yet"
        try:
            if seconds_left() >= COMPLETE_SECONDS:
                ledger.complete([it for found in waiting.values() for it in found], self.now())
                return items
        except LedgerUnavailable as exc:
            failure = f"{failure}: {exc}"
        return [
            retried(item.group, Reason.LEDGER_UNAVAILABLE, failure) if i in waiting else item
            for i, item in enumerate(items)
        ]


def _details(item: Claimed) -> list[tuple[str, Record]]:
    """The answers with message details that records of earlier alerts wait for."""
    return [
        (details_of(decision), decision.record)
        for decision, result in zip(item.group.decisions, item.results, strict=True)
        if decision.record.details and details_of(decision) and result.outcome is not Outcome.RETRY
    ]
