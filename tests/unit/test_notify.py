"""The notifier: claims by email, publish, mark and index, with a fake ledger and a fake topic."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import cast

import pytest

from functions.alert.alert import Alert, AlertOptions
from functions.domain.email_id import EmailId
from functions.domain.email_state import EmailState, plan
from functions.domain.notification import notifies
from functions.domain.outcome import Outcome, Reason
from functions.domain.record import PreviousAlert, Record
from functions.domain.severity import Severity
from functions.escalate.notify import MARK_PAUSES, Notifier
from functions.escalate.stages import MessageResult
from functions.escalate.topic import Receipt, Topic
from functions.ledger.campaigns import NO_CAMPAIGNS, CampaignOptions
from functions.ledger.claim_attempt import Claim, ClaimOwner, ClaimStatus
from functions.ledger.ledger import Ledger, Published
from functions.ledger.table import LedgerUnavailable
from tests.unit.examples import ALERT_ID, NOON, decision, escalated

FIRST = escalated(id=EmailId(f"{ALERT_ID}-1"), sqs_message_id="1")
SECOND = escalated(id=EmailId(f"{ALERT_ID}-2"), sqs_message_id="2")


@dataclass
class FakeLedger:
    """Claims every alert that is due. failing: how many marks fail. indexes: whether pointers are written."""

    failing: int = 0
    indexes: bool = True
    sent: Claim | None = None
    marks: list[str] = field(default_factory=list)
    notes: list[Mapping[str, str] | None] = field(default_factory=list)
    indexed: list[str] = field(default_factory=list)

    def claim(self, emails: Sequence[tuple[EmailState, Sequence[Record]]], owner: ClaimOwner) -> list[Claim]:
        """Claim, or answer that the alert was sent."""
        if self.sent:
            return [self.sent] * len(emails)
        alerts = [plan(state, records).alert for state, records in emails]
        placed = [it and replace(it, notified=notifies(it, owner.campaigns.least)) for it in alerts]
        return [Claim(ClaimStatus.CLAIMED if it else ClaimStatus.NOT_DUE, it) for it in placed]

    def mark(self, published: Sequence[Published], _: str, __: datetime) -> list[bool]:
        """Mark, or raise LedgerUnavailable."""
        self.marks += [record.alert_id for record, _ in published]
        if self.failing:
            self.failing -= 1
            raise LedgerUnavailable("a mark met a conflict or a throttle")
        return [True] * len(published)

    def note_receipts(self, published: Sequence[Published], _: str) -> None:
        """Note the receipts of an alert that only one topic has."""
        self.notes += [receipts for _, receipts in published]

    def index(self, alerts: Sequence[tuple[Record, Record | None]], *, sent: bool) -> list[bool]:
        """Write pointers."""
        assert sent
        self.indexed += [record.alert_id for record, _ in alerts]
        return [self.indexes] * len(alerts)


@dataclass
class FakeTopic:
    """Collects alerts. accepts: whether SNS takes them."""

    accepts: bool = True
    alerts: list[Alert] = field(default_factory=list)

    def publish(self, alerts: Sequence[Alert], _: Callable[[], float]) -> list[Receipt]:
        """Publish, or report a failure."""
        self.alerts += alerts
        return [Receipt("sns-1") if self.accepts else Receipt(None, "InternalError")] * len(alerts)


def notify(
    *records: Record,
    ledger: FakeLedger,
    topic: FakeTopic,
    people: FakeTopic | None = None,
    campaigns: CampaignOptions = NO_CAMPAIGNS,
) -> list[MessageResult]:
    """The results of one batch, with 60 seconds left."""
    notifier = Notifier(
        cast("Ledger", ledger),
        cast("Topic", topic),
        AlertOptions(),
        lambda: NOON,
        sleep=lambda _: None,
        people=cast("Topic", people) if people else None,
        campaigns=campaigns,
    )
    claimed = notifier.claim([(decision(record), EmailState()) for record in records], "worker-1", 60.0)
    marked = notifier.mark(notifier.publish(claimed, lambda: 60.0), "worker-1", lambda: 60.0)
    return [result for item in marked for result in item.results]


def test_several_messages_about_one_email_publish_one_alert() -> None:
    topic = FakeTopic()
    results = notify(FIRST, SECOND, ledger=FakeLedger(), topic=topic)
    expected = [
        (Outcome.ESCALATED, Reason.DISPOSITION_LISTED),
        (Outcome.ALREADY_ESCALATED, Reason.DUPLICATE_IN_BATCH),
    ]
    assert sorted(expected) == sorted((result.outcome, result.reason) for result in results)
    assert [FIRST.alert_id] == [alert.alert_id for alert in topic.alerts]
    assert ["sns-1"] == [result.sns_message_id for result in results if result.outcome is Outcome.ESCALATED]


def test_failed_publish_retries_all_messages_and_marks_none() -> None:
    ledger = FakeLedger()
    results = notify(FIRST, SECOND, ledger=ledger, topic=FakeTopic(accepts=False))
    assert [(Outcome.RETRY, Reason.PUBLISH_FAILED, 65.0)] * 2 == [(it.outcome, it.reason, it.delay) for it in results]
    assert ([], []) == (ledger.marks, ledger.indexed)


def test_mark_is_repeated_after_a_failure() -> None:
    ledger, topic = FakeLedger(failing=1), FakeTopic()
    [result] = notify(FIRST, ledger=ledger, topic=topic)
    assert (Outcome.ESCALATED, 2, 1) == (result.outcome, len(ledger.marks), len(topic.alerts))


def test_mark_that_always_fails_retries_the_message_with_the_id_of_its_alert() -> None:
    ledger = FakeLedger(failing=len(MARK_PAUSES) + 1)
    [result] = notify(FIRST, ledger=ledger, topic=FakeTopic())
    assert (Outcome.RETRY, Reason.LEDGER_UNAVAILABLE) == (result.outcome, result.reason)
    assert ("sns-1", []) == (result.sns_message_id, ledger.indexed)


def test_failed_index_is_repeated_without_a_second_alert() -> None:
    topic = FakeTopic()
    [result] = notify(FIRST, ledger=FakeLedger(indexes=False), topic=topic)
    assert (Outcome.RETRY, Reason.LEDGER_UNAVAILABLE) == (result.outcome, result.reason)
    redelivered = FakeLedger(sent=Claim(ClaimStatus.SENT, FIRST, unindexed=FIRST))
    [result] = notify(FIRST, ledger=redelivered, topic=topic)
    assert (Outcome.ALREADY_ESCALATED, Reason.ALERT_SENT_BEFORE) == (result.outcome, result.reason)
    assert ([FIRST.alert_id], [], 1) == (redelivered.indexed, redelivered.marks, len(topic.alerts))


@pytest.mark.parametrize(
    ("claim", "reason", "delay"),
    [
        (Claim(ClaimStatus.HELD, FIRST, lease_seconds_left=40.0), Reason.CLAIMED_BY_ANOTHER, 40.0),
        (Claim(ClaimStatus.UNKNOWN), Reason.LEDGER_UNAVAILABLE, None),
    ],
    ids=["held by another worker", "unknown"],
)
def test_unclaimed_alert_is_retried_and_not_published(claim: Claim, reason: Reason, delay: float | None) -> None:
    topic = FakeTopic()
    [result] = notify(FIRST, ledger=FakeLedger(sent=claim), topic=topic)
    assert (Outcome.RETRY, reason, delay, []) == (result.outcome, result.reason, result.delay, topic.alerts)


def test_superseded_answer_is_retried() -> None:
    [result] = notify(
        replace(FIRST, disposition="SUSPICIOUS"),
        ledger=FakeLedger(sent=Claim(ClaimStatus.NOT_DUE, superseded=frozenset({0}))),
        topic=FakeTopic(),
    )
    assert (Outcome.RETRY, Reason.SUPERSEDED) == (result.outcome, result.reason)


# --- two topics -------------------------------------------------------------------------------------------------------


def test_alert_goes_to_both_topics() -> None:
    findings, people = FakeTopic(), FakeTopic()
    [result] = notify(FIRST, ledger=FakeLedger(), topic=findings, people=people)
    assert (Outcome.ESCALATED, 1, 1) == (result.outcome, len(findings.alerts), len(people.alerts))


def test_alert_below_the_severity_for_people_goes_to_machines_only() -> None:
    findings, people = FakeTopic(), FakeTopic()
    campaigns = CampaignOptions(least=Severity.CRITICAL)
    [result] = notify(FIRST, ledger=FakeLedger(), topic=findings, people=people, campaigns=campaigns)
    assert (Outcome.ESCALATED, ["false"], []) == (
        result.outcome,
        [it.attributes["notify"] for it in findings.alerts],
        people.alerts,
    )


@pytest.mark.parametrize(("findings", "people"), [(True, False), (False, True)], ids=["people fail", "findings fail"])
def test_alert_that_one_topic_has_taken_goes_to_the_other_one_only(*, findings: bool, people: bool) -> None:
    """The receipt is noted on the record, which is marked when both topics have the alert."""
    ledger, topics = FakeLedger(), (FakeTopic(accepts=findings), FakeTopic(accepts=people))
    [result] = notify(FIRST, ledger=ledger, topic=topics[0], people=topics[1])
    assert (Outcome.RETRY, Reason.PUBLISH_FAILED, []) == (result.outcome, result.reason, ledger.marks)
    taken = {"findings": "sns-1"} if findings else {"people": "sns-1"}
    assert [taken] == ledger.notes

    redelivered, others = FakeLedger(sent=Claim(ClaimStatus.CLAIMED, FIRST, receipts=taken)), (FakeTopic(), FakeTopic())
    [result] = notify(FIRST, ledger=redelivered, topic=others[0], people=others[1])
    assert (Outcome.ESCALATED, [FIRST.alert_id]) == (result.outcome, redelivered.marks)
    assert [0, 1] == [len(others[0].alerts), len(others[1].alerts)] if findings else [1, 0]


def test_close_notifies_whoever_was_notified_of_the_alert() -> None:
    closes = [
        escalated(disposition="NONE", escalates=False, outcome="CLOSED", revision=1, previous=previous)
        for previous in (
            PreviousAlert("MALICIOUS", "1" * 32, Severity.CRITICAL, notified=True),
            PreviousAlert("SUSPICIOUS", "1" * 32, Severity.MEDIUM, notified=False),
        )
    ]
    assert [True, False] == [notifies(it, Severity.HIGH) for it in closes]
