"""The notifier and the scheduled run in virtual time, on the emulated DynamoDB, with workers that die.

The clock, the queue and the topics are in memory. Notifier, Ledger and Summaries are those that are shipped.
"""

import heapq
import itertools
import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from functions.alert.alert import Alert, AlertOptions, Audience
from functions.alert.campaign_summary import ACTIVITY as SUMMARY
from functions.domain.detection import read_detection
from functions.domain.email_id import EmailId
from functions.domain.outcome import Outcome
from functions.domain.record import Record
from functions.domain.severity import Severity
from functions.escalate.decision import with_severity
from functions.escalate.notify import Notifier
from functions.escalate.stages import Decision
from functions.escalate.summaries import Summaries
from functions.escalate.topic import Receipt, Topic
from functions.ledger.campaign_checks import CampaignChecks
from functions.ledger.campaigns import CampaignOptions
from functions.ledger.ledger import Ledger
from functions.ledger.table import Table
from functions.ledger.transaction import Refusal
from tests.unit.examples import ACCOUNT, FULL, NOON, decision, details, escalated

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef
    from mypy_boto3_sns import SNSClient

GAP = timedelta(hours=1)
RETENTION = timedelta(days=400)
INVOCATION_SECONDS = 60.0
VISIBILITY = timedelta(seconds=90)
"""After a death, a message is delivered again so much later."""
BATCH = 10
NO_SNS = cast("SNSClient", None)


class WorkerDied(BaseException):
    """A process that ends at once, as by a timeout or a lack of memory. No `except Exception` sees it."""


@dataclass(frozen=True, slots=True)
class Chances:
    """Numbers from 0 to 1, from a function."""

    number: Callable[[], float]

    def random(self) -> float:
        """The next one."""
        return self.number()


@dataclass
class Deaths:
    """Deaths of workers: each call that can be the last one of a worker counts.

    chance: of a death before a call, and of one after it.
    """

    chance: float = 0.0
    chances: random.Random | Chances = field(default_factory=lambda: random.Random(7))
    count: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def may_die(self) -> None:
        """Die by chance."""
        with self.lock:
            if self.chances.random() < self.chance:
                self.count += 1
                raise WorkerDied


@dataclass(frozen=True, slots=True)
class MortalTable(Table):
    """The table, between whose transactions a worker can die."""

    deaths: Deaths = field(default_factory=Deaths)

    def transact(self, groups: "Sequence[Sequence[TransactWriteItemTypeDef]]") -> dict[int, Refusal]:
        """Die before, or run, or die after."""
        self.deaths.may_die()
        refusals = Table.transact(self, groups)
        self.deaths.may_die()
        return refusals


@dataclass(frozen=True, slots=True)
class MortalTopic(Topic):
    """A topic that keeps what it takes. A worker can die before and after."""

    deaths: Deaths = field(default_factory=Deaths)
    taken: list[Alert] = field(default_factory=list)

    def publish(self, alerts: Sequence[Alert], _: Callable[[], float]) -> list[Receipt]:
        """Die before, or take all, or die after."""
        self.deaths.may_die()
        self.taken.extend(alerts)
        self.deaths.may_die()
        return [Receipt(f"sns-{alert.alert_id}") for alert in alerts]


@dataclass
class World:
    """A deployment. seconds: those since the start, by the virtual clock."""

    dynamodb: "DynamoDBClient"
    table: str
    gap: timedelta | None = GAP
    deaths: Deaths = field(default_factory=Deaths)
    workers: int = 2
    now: datetime = NOON
    waiting: list[tuple[datetime, int, Record]] = field(default_factory=list)
    results: Counter[str] = field(default_factory=Counter)
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.findings = MortalTopic(NO_SNS, "findings", Audience.FINDINGS, self.deaths)
        self.people = MortalTopic(NO_SNS, "people", Audience.PEOPLE, self.deaths)
        self.ledger = Ledger(MortalTable(self.dynamodb, self.table, RETENTION, self.deaths))
        options = AlertOptions(chat=True, stack="acme", deployment="ACME")
        self.notifier = Notifier(
            self.ledger,
            self.findings,
            options,
            lambda: self.now,
            sleep=lambda _: None,
            people=self.people,
            campaigns=CampaignOptions(self.gap, Severity.LOW),
        )
        checks = CampaignChecks(self.ledger.table, ACCOUNT)
        self.summaries = Summaries(checks, self.notifier.topics, options, self.gap or GAP, lambda: self.now)

    def send(self, record: Record, after: timedelta = timedelta()) -> None:
        """Put the request for an email on the queue."""
        heapq.heappush(self.waiting, (NOON + after, next(self.numbers), record))

    def run(self, until: timedelta, step: timedelta = timedelta(seconds=1)) -> None:
        """Deliver messages and run the schedule, second by second, up to a time after the start."""
        minute = self.now
        while self.now <= NOON + until:
            batches = [batch for _ in range(self.workers) if (batch := self._receive())]
            if batches:
                with ThreadPoolExecutor(self.workers) as threads:
                    list(threads.map(self._invoke, batches))
            if self.now >= minute:
                self._summarize()
                minute += timedelta(minutes=1)
            idle = not batches and self.waiting
            self.now = max(self.now + step, min(self.waiting[0][0], minute)) if idle else self.now + step
            if not self.waiting:
                self.now = max(self.now, minute)

    def _receive(self) -> list[Record]:
        batch: list[Record] = []
        while self.waiting and self.waiting[0][0] <= self.now and len(batch) < BATCH:
            batch.append(heapq.heappop(self.waiting)[2])
        return batch

    def _invoke(self, batch: list[Record]) -> None:
        owner = f"worker-{next(self.numbers)}"
        decisions = [decision(replace(record, decided_at=self.now, fetched_at=self.now)) for record in batch]
        try:
            retried = self._process(decisions, owner)
        except WorkerDied:
            retried = {record.sqs_message_id for record in batch}
        for record in batch:
            if record.sqs_message_id in retried:
                heapq.heappush(self.waiting, (self.now + VISIBILITY, next(self.numbers), record))

    def _process(self, decisions: list[Decision], owner: str) -> set[str]:
        """Notify, and return the messages to be delivered again."""

        def seconds_left() -> float:
            return INVOCATION_SECONDS

        known = [it for it in self.notifier.look_up(decisions) if isinstance(it, tuple)]
        claimed = self.notifier.claim(known, owner, INVOCATION_SECONDS)
        marked = self.notifier.mark(self.notifier.publish(claimed, seconds_left), owner, seconds_left)
        results = [result for item in marked for result in item.results]
        self.results.update(result.outcome.value for result in results)
        done = {result.message.id for result in results if result.outcome is not Outcome.RETRY}
        return {it.request.message.id for it in decisions} - done

    def _summarize(self) -> None:
        try:
            run = self.summaries.run(lambda: INVOCATION_SECONDS)
        except WorkerDied:
            return
        if run.failure:
            raise AssertionError(run.failure)

    def pages(self) -> list[Alert]:
        """What people got, except summaries."""
        return [alert for alert in self.people.taken if alert.attributes["activity"] != SUMMARY]

    def summary_counts(self) -> list[dict[str, Any]]:
        """What the summaries say, in order."""
        found = [json.loads(alert.finding) for alert in self.people.taken if alert.attributes["activity"] == SUMMARY]
        return [it["unmapped"]["campaign"] for it in found]


def mail(number: int, subject: str = "Your invoice", host: str = "login.evil.example", **changes: Any) -> Record:
    """The record of an email with an id of its own."""
    postfix_id = f"4Njp3P0STMz{number:06}Q"
    sender, recipient = changes.pop("sender", "pay@evil.example"), f"user{number}@larkfield.example"
    status = changes.pop("status", "quarantined")
    known = details(
        id=f"{postfix_id}-2026-11-23T12:00:00-{number}",
        subject=subject,
        client_recipients=[recipient],
        envelope_to=[recipient],
        to=[recipient],
        delivery_status=[status],
        is_quarantined=status == "quarantined",
        **{"from": sender, **changes},
    )
    found = read_detection(FULL | {"headers": [], "links": [{"href": f"https://{host}/a"}]})
    record = escalated(id=EmailId(postfix_id), detection=found, details=known, sqs_message_id=f"message-{number}")
    return with_severity(record)
