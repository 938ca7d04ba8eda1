"""The feed's handler on emulated AWS, with the fake Cloudflare over HTTP."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from functions.domain.email_id import EmailId
from functions.domain.outcome import Outcome
from functions.feed.store import LeaseLost, TableStore
from functions.feed.windows import Window
from functions.ledger.ledger import Ledger
from functions.ledger.queue_entry import QueueAnswer
from functions.ledger.table import LedgerUnavailable, Table
from ops.local.fake_cloudflare.auth import Credentials
from ops.local.fake_cloudflare.mailbox import Mail, Mailbox
from ops.local.fake_cloudflare.search import Behavior
from ops.local.fake_cloudflare.server import FakeCloudflare
from ops.local.lambda_runtime import Environment
from ops.local.stack import TOKEN, Stack, deploy
from tests.alarms.evaluator import is_alarm
from tests.alarms.template_alarms import read_alarms
from tests.integration.deployment import MakeDeployment
from tests.integration.fake_cloudflare_client import ACCOUNT, WITHOUT_FAULTS, ChangingMailbox

EVENTS = Path(__file__).parents[2] / "events"
FEED_ROLE = "AROA3XFRBF535EXAMPLE2"
MALICIOUS, SPAM = (
    next(mail for mail in WITHOUT_FAULTS if mail.mail and mail.mail.get("final_disposition") == word)
    for word in ("MALICIOUS", "SPAM")
)


def now() -> datetime:
    return datetime.now(UTC)


def recent(mail: Mail, minutes: int = 10, **row: object) -> Mail:
    """The same email, scanned some minutes ago, with these members in its row."""
    at = now() - timedelta(minutes=minutes)
    moved = mail.at(at)
    investigate_id = f"{mail.postfix_id}-{at:%Y-%m-%dT%H:%M:%S}-{mail.investigate_id.rpartition('-')[2]}"
    return replace(moved, investigate_id=investigate_id, mail={**(moved.mail or {}), "id": investigate_id, **row})


@dataclass
class Feed:
    """A deployed feed."""

    stack: Stack
    cloudflare: FakeCloudflare
    environment: Environment
    metrics: list[dict[str, Any]] = field(default_factory=list)

    def run(self) -> object:
        """Run once, and keep the metrics."""
        invocation = self.environment.invoke({})
        self.metrics += [json.loads(it) for it in invocation.log if '"_aws"' in it]
        return invocation.response

    def values(self, alarm: str) -> list[float]:
        """The values that an alarm would see."""
        return read_alarms(self.stack.name)[alarm].metric.values(self.metrics)

    def queued(self) -> list[dict[str, Any]]:
        """Take all messages from the queue."""
        messages: list[dict[str, Any]] = []
        while found := self.stack.sqs.receive_message(
            QueueUrl=self.stack.requests_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        ).get("Messages"):
            for it in found:
                messages.append(dict(it))
                self.stack.sqs.delete_message(QueueUrl=self.stack.requests_url, ReceiptHandle=it["ReceiptHandle"])
        return messages

    def table(self) -> Table:
        """Return the table."""
        return Table(self.stack.dynamodb, self.stack.table, timedelta(days=30))

    def store(self) -> TableStore:
        """Return the store."""
        return TableStore(self.table(), ACCOUNT, timedelta(hours=1))


MakeFeed = Callable[..., Feed]


@pytest.fixture
def make_feed(endpoint: str) -> Iterator[MakeFeed]:
    """Return a function that deploys a feed."""
    with ExitStack() as servers:

        def make(
            *mails: Mail, token: str = TOKEN, behavior: Behavior | None = None, mailbox: Mailbox | None = None
        ) -> Feed:
            cloudflare = servers.enter_context(
                FakeCloudflare(
                    mailbox or Mailbox(ACCOUNT, mails),
                    credentials=Credentials(api_token=TOKEN),
                    search=behavior or Behavior(),
                )
            )
            stack = deploy(
                endpoint,
                {"api_token": token},
                CloudflareAccountId=ACCOUNT,
                CloudflareBaseUrl=cloudflare.base_url,
            )
            names = (
                "CLOUDFLARE_ACCOUNT_ID",
                "CLOUDFLARE_SECRET_ID",
                "CLOUDFLARE_BASE_URL",
                "REQUEST_QUEUE_URL",
                "LEDGER_TABLE",
                "STACK_NAME",
            )
            variables = stack.aws | {name: stack.variables[name] for name in names}
            environment = servers.enter_context(Environment("functions.feed.handler.handler", variables, 60))
            return Feed(stack, cloudflare, environment)

        yield make


def test_new_detection_is_queued_once_with_what_its_row_says(make_feed: MakeFeed) -> None:
    """The message has no subject and no address. Each run says how late it is."""
    mail = recent(MALICIOUS, edf_hash="0f1e", delivery_mode="API", delivery_status=["delivered"])
    feed = make_feed(mail, recent(SPAM))
    assert [feed.run() for _ in range(3)] == [{"result": "done", "queued": it} for it in (1, 0, 0)]
    [message] = feed.queued()
    assert mail.investigate_id == message["Body"]
    [(name, attribute)] = message["MessageAttributes"].items()
    facts = json.loads(attribute["StringValue"])
    assert now() - datetime.fromisoformat(facts.pop("seen_at")) < timedelta(minutes=5)
    expected = {"loop": "minute", "edf_hash": "0f1e", "delivery_mode": "API", "delivery_status": ["delivered"]}
    assert ("from_feed", expected) == (name, facts)
    lags = feed.values("FeedAlarm")
    assert len(lags) == 3
    assert max(lags) < 60


def test_detection_before_the_first_hour_is_not_queued(make_feed: MakeFeed) -> None:
    """A deployment raises no alerts about old email."""
    feed = make_feed(recent(MALICIOUS, minutes=90))
    feed.run()
    assert [] == feed.queued()


def test_answer_of_the_function_is_known_to_the_feed(make_feed: MakeFeed) -> None:
    """The function writes it without a read."""
    delivery = EmailId((mail := recent(MALICIOUS)).investigate_id)
    feed = make_feed(mail)
    feed.run()
    answer = QueueAnswer(delivery, Outcome.ESCALATED, "MALICIOUS", now().replace(microsecond=0))
    Ledger(feed.table()).answer_feed(ACCOUNT, [answer, answer])
    at = mail.scanned_at
    for known in (feed.store().look_up([delivery]), feed.store().known_within(Window(at, at))):
        found = known[delivery.value]
        assert found.entry
        assert (answer, "MALICIOUS") == (found.answer, found.entry.disposition)


def test_fall_is_queued_for_its_close(make_feed: MakeFeed) -> None:
    """Once the sweep is due, which is at the first run."""
    mail = recent(MALICIOUS)
    feed = make_feed(mailbox=(mailbox := ChangingMailbox(ACCOUNT, (mail,))))
    feed.run()
    answer = QueueAnswer(EmailId(mail.investigate_id), Outcome.ESCALATED, "MALICIOUS", now())
    Ledger(feed.table()).answer_feed(ACCOUNT, [answer])
    mailbox.change(replace(mail, mail={**(mail.mail or {}), "final_disposition": "NONE"}))
    state, _ = feed.store().acquire("test", now())
    progress = {name: replace(it, until=it.until - timedelta(hours=1)) for name, it in state.progress.items()}
    feed.store().save("test", replace(state, progress=progress, floor=state.floor - timedelta(days=1)))
    feed.store().release("test")
    feed.queued()
    assert {"result": "done", "queued": 1} == feed.run()
    assert [mail.investigate_id] == [it["Body"] for it in feed.queued()]


@pytest.mark.parametrize("token", ["another-token", ""], ids=["a token that Cloudflare refuses", "no token"])
def test_bad_token_fires_the_credentials_alarm_of_the_feed(make_feed: MakeFeed, token: str) -> None:
    """Nothing moves, and the lag is reported, so that FeedAlarm fires too."""
    feed = make_feed(recent(MALICIOUS), token=token)
    assert {"result": "credentials-refused", "queued": 0} == feed.run()
    alarms = read_alarms()
    assert is_alarm(alarms["FeedCredentialsAlarm"], feed.values("FeedCredentialsAlarm"))
    assert [] == feed.values("CredentialsAlarm")
    [lag] = feed.values("FeedAlarm")
    assert 3500 < lag < 3700
    assert is_alarm(alarms["FeedAlarm"], [lag] * 2)


def test_good_token_fires_no_alarm_until_the_schedule_stops(make_feed: MakeFeed) -> None:
    """FeedAlarm counts the values of the handler, and then their absence. The alarms about events get a 0."""
    feed = make_feed(recent(MALICIOUS))
    feed.run()
    assert [[0.0]] * 3 == [feed.values(it) for it in ("FeedCredentialsAlarm", "FeedUnresolvedAlarm", "RejectedAlarm")]
    [lag] = feed.values("FeedAlarm")
    alarm = read_alarms()["FeedAlarm"]
    assert not is_alarm(alarm, [lag] * 5)
    assert is_alarm(alarm, [lag] * 5 + [None] * 4)


def test_run_ends_while_another_holds_the_lease(make_feed: MakeFeed) -> None:
    """The lease of a run that died is taken over after 90 s."""
    feed = make_feed(recent(MALICIOUS))
    store, at = feed.store(), now()
    assert store.acquire("another", at - timedelta(seconds=80))[1]
    assert {"result": "held", "queued": 0} == feed.run()
    assert store.acquire("third", at + timedelta(seconds=11))[1]
    state, _ = store.acquire("third", at)
    with pytest.raises(LeaseLost):
        store.save("another", state)


def test_429_stops_the_feed_until_the_block_ends(make_feed: MakeFeed) -> None:
    """The block is in the table, so that a new environment obeys it."""
    mails = [
        replace(
            recent(MALICIOUS),
            postfix_id=f"4jTHXX1Bkfzp{number:03}",
            investigate_id=f"4jTHXX1Bkfzp{number:03}-{now():%FT%H:%M:%S}-1{number:03}",
        )
        for number in range(501)
    ]
    mails = [replace(it, mail={**(it.mail or {}), "id": it.investigate_id}) for it in mails]
    feed = make_feed(*mails, behavior=Behavior(throttled_page=2))
    assert {"result": "blocked", "queued": 500} == feed.run()
    calls = len(feed.cloudflare.calls)
    assert {"result": "blocked", "queued": 0} == feed.run()
    assert calls == len(feed.cloudflare.calls)


def test_table_that_does_not_answer_ends_the_run(make_feed: MakeFeed) -> None:
    """The lag is unknown then, and FeedAlarm counts the missing value."""
    feed = make_feed(recent(MALICIOUS))
    feed.stack.dynamodb.update_table(TableName=feed.stack.table, DeletionProtectionEnabled=False)
    feed.stack.dynamodb.delete_table(TableName=feed.stack.table)
    assert {"result": "unavailable", "queued": 0} == feed.run()
    with pytest.raises(LedgerUnavailable):
        feed.store().known_within(Window(now(), now()))


def test_queue_that_does_not_answer_leaves_the_watermark(make_feed: MakeFeed) -> None:
    """Nothing is noted, so the next run queues it."""
    mail = recent(MALICIOUS)
    feed = make_feed(mail)
    feed.stack.sqs.delete_queue(QueueUrl=feed.stack.requests_url)
    assert {"result": "unavailable", "queued": 0} == feed.run()
    state, _ = feed.store().acquire("test", now() + timedelta(minutes=2))
    assert state.lag(now()) > timedelta(minutes=59)
    assert feed.store().look_up([EmailId(mail.investigate_id)])[mail.investigate_id].entry is None


def test_escalate_function_answers_the_message_of_the_feed(make_deployment: MakeDeployment) -> None:
    """From the message of a producer, no answer is written."""
    deployment = make_deployment(variables={"FEED_ROLE_ID": FEED_ROLE})
    store = TableStore(
        Table(deployment.stack.dynamodb, deployment.stack.table, timedelta(days=30)), ACCOUNT, timedelta(hours=1)
    )
    event = json.loads((EVENTS / "malicious.json").read_text("utf-8"))
    [record] = event["Records"]
    record["body"] = MALICIOUS.investigate_id
    answers = []
    for sender in ("AIDAPRODUCER:x", f"{FEED_ROLE}:feed"):
        record["attributes"]["SenderId"] = sender
        assert deployment.function.invoke(event).response == {"batchItemFailures": []}
        answers.append(store.look_up([EmailId(MALICIOUS.investigate_id)])[MALICIOUS.investigate_id].answer)
    assert answers[0] is None
    assert answers[1]
    assert (Outcome.ALREADY_ESCALATED, "MALICIOUS") == (answers[1].outcome, answers[1].disposition)
