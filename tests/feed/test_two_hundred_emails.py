"""200 emails through the feed and the function on the emulated AWS, with ids sent by hand, and processes that die.

What must be alerted is computed from the generated emails.
"""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from functions.domain.email_id import EmailId
from functions.escalate.decision import ESCALATE_BY_DEFAULT
from functions.feed.store import TableStore
from functions.ledger.keys import feed_state_key
from functions.ledger.table import Table
from ops.local.fake_cloudflare.mailbox import Mail
from ops.local.lambda_runtime import Environment, FunctionError
from ops.local.poller import Poller
from tests.faults.proxy import Fault, Proxy, Script
from tests.feed.test_feed_on_aws import MALICIOUS
from tests.integration.deployment import Deployment, MakeDeployment
from tests.integration.fake_cloudflare_client import ACCOUNT, ChangingMailbox
from tests.unit.examples import DETAILS, RESULT

COUNT = 200
WORDS = {"MALICIOUS": 15, "MALICIOUS-BEC": 5, "SUSPICIOUS": 15, "SPAM": 45, "BULK": 10, "NONE": 10}
"""Dispositions with their frequencies."""
BEFORE, AFTER = Fault(kill_before=True), Fault(kill_after=True)
FEED_DEATHS = (
    ("UpdateItem", 3, AFTER),  # it has made its state, and has the lease
    ("SendMessageBatch", 1, BEFORE),
    ("SendMessageBatch", 2, AFTER),  # some are queued, none is noted
    ("BatchWriteItem", 1, BEFORE),  # all are queued, none is noted
    ("BatchWriteItem", 1, AFTER),
    ("UpdateItem", 3, BEFORE),  # all are noted, and the watermark has not moved
)
FUNCTION_DEATHS = (
    ("TransactWriteItems", 1, BEFORE),
    ("TransactWriteItems", 1, AFTER),  # claimed
    ("PublishBatch", 1, BEFORE),
    ("TransactWriteItems", 2, AFTER),  # marked
    ("TransactWriteItems", 3, AFTER),  # with pointers
)
"""Between publish and mark, a death repeats an alert with the same alert_id: see test_crash_points.py."""


def judged(mail: Mail, word: str) -> Mail:
    """The email with a disposition."""
    return replace(
        mail,
        mail={**(mail.mail or {}), "final_disposition": word},
        result={**(mail.result or {}), "final_disposition": word},
    )


def generate(random_: random.Random, now: datetime) -> list[Mail]:
    """Emails of the last 25 minutes. Every tenth has a short postfix id."""
    mails = []
    for number in range(COUNT):
        at = (now - timedelta(seconds=random_.uniform(0, 1500))).replace(microsecond=0)
        postfix_id = f"{0xC3CD2 + number:05X}1F3E90" if number % 10 == 0 else f"4jT{number:03}1Bkfzp{number:03}"
        investigate_id = f"{postfix_id}-{at:%Y-%m-%dT%H:%M:%S}-{number:08}"
        [word] = random_.choices([*WORDS], [*WORDS.values()])
        # Small answers: the emulated DynamoDB copies its table for each transaction.
        details = {
            **DETAILS,
            "id": investigate_id,
            "postfix_id": postfix_id,
            "alert_id": investigate_id.rpartition("-")[0],
            "scanned_at": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        }
        mail = replace(MALICIOUS, postfix_id=postfix_id, investigate_id=investigate_id, result=RESULT, mail=details)
        mails.append(judged(mail, word))
    return mails


class GrowingMailbox(ChangingMailbox):
    """A mailbox whose emails can be found one after the other."""

    def add(self, mails: Sequence[Mail]) -> None:
        """Let emails be found."""
        for mail in mails:
            self.change(mail)


@dataclass
class Stack:
    """A feed and a function, each behind a proxy that can kill it, and what they did."""

    deployment: Deployment
    mailbox: GrowingMailbox
    feed: Environment
    function: Environment
    feed_faults: Script
    function_faults: Script
    deaths: int = 0

    def run_feed(self, fault: tuple[str, int, Fault] | None = None) -> None:
        """Run the feed, which may die. Its lease expires, as it does after 90 s."""
        _expect(self.feed_faults, fault)
        try:
            assert "done" == self.feed.invoke({}).response["result"]
        except FunctionError:
            if not fault:
                raise
            self.deaths += 1
            self._set(feed_state_key(ACCOUNT), "lease_until", "")

    def deliver(self, fault: tuple[str, int, Fault] | None = None) -> None:
        """Deliver all messages. The function may die once. Its claims expire, as they do after a minute."""
        _expect(self.function_faults, fault)
        poller = Poller(self.deployment.stack, self.function, pause=0)
        for _ in range(200):
            try:
                if poller.poll() is None:
                    return
            except FunctionError:
                if not fault:
                    raise
                self.deaths += 1
                for record in self.deployment.records():
                    if record["state"] == "PENDING":
                        key = {name: record[name] for name in ("pk", "sk")}
                        self._set(key, "lease_until", "2020-01-01T00:00:00.000Z")
        raise AssertionError("the queue does not become empty")

    def _set(self, key: dict[str, str], name: str, value: str) -> None:
        stack = self.deployment.stack
        table = Table(stack.dynamodb, stack.table, timedelta(days=30))
        stack.dynamodb.update_item(**table.update(key, {name: value}))

    @property
    def store(self) -> TableStore:
        """The table as the feed uses it."""
        stack = self.deployment.stack
        return TableStore(Table(stack.dynamodb, stack.table, timedelta(days=30)), ACCOUNT, timedelta(hours=1))


def _expect(script: Script, fault: tuple[str, int, Fault] | None) -> None:
    """Count calls from 1 again, with this fault only."""
    script.counts.clear()
    script.faults.clear()
    script.faults.update({fault[:2]: fault[2]} if fault else {})


@pytest.fixture
def stack(make_deployment: MakeDeployment) -> Iterator[Stack]:
    """A feed and a function for an empty mailbox."""
    with ExitStack() as servers:
        mailbox = GrowingMailbox(ACCOUNT, ())
        deployment = make_deployment(mailbox)
        aws = deployment.stack
        feed_faults, function_faults = Script({}), Script({})
        feed_proxy, function_proxy = (
            servers.enter_context(Proxy(aws.aws["AWS_ENDPOINT_URL"], faults))
            for faults in (feed_faults, function_faults)
        )
        feed, function = (
            servers.enter_context(Environment(handler, aws.environment | {"AWS_ENDPOINT_URL": proxy.origin}, 60))
            for handler, proxy in ((aws.template.feed_handler, feed_proxy), (aws.template.handler, function_proxy))
        )
        feed_proxy.send_signal, function_proxy.send_signal = feed.send_signal, function.send_signal
        yield Stack(deployment, mailbox, feed, function, feed_faults, function_faults)


def test_no_verdict_is_missed_and_none_is_alerted_twice(stack: Stack) -> None:
    """A third of the ids is sent by hand too, before or after the feed finds them, in all three forms."""
    random_ = random.Random(14)
    mails = generate(random_, datetime.now(UTC))
    by_hand = random_.sample(mails, COUNT // 3)
    forms: Counter[int] = Counter()
    expected = Counter((it.postfix_id, (it.mail or {})["final_disposition"]) for it in mails)
    size = COUNT // len(FEED_DEATHS) + 1
    for number, death in enumerate(FEED_DEATHS):
        found = mails[number * size : (number + 1) * size]
        stack.mailbox.add(found)
        early: list[str] = []
        late: list[str] = []
        for mail in found:
            if mail in by_hand:
                form = random_.randrange(3)
                forms[form] += 1
                (early if random_.random() < 0.5 else late).append(mail.ids[form])
        stack.deployment.send(*early)
        stack.run_feed(death)
        stack.deployment.send(*late)
        stack.deliver(FUNCTION_DEATHS[number] if number < len(FUNCTION_DEATHS) else None)
    changed = [judged(it, "MALICIOUS") for it in mails[::9] if (it.mail or {})["final_disposition"] != "MALICIOUS"]
    expected.update((it.postfix_id, "MALICIOUS") for it in changed)
    stack.mailbox.add(changed)
    for _ in range(2):
        stack.run_feed()
        stack.deliver()

    due = Counter({verdict: count for verdict, count in expected.items() if verdict[1] in ESCALATE_BY_DEFAULT})
    alerts = stack.deployment.alerts()
    sent = Counter((it.facts["evidences"][0]["uid"], it.attributes["disposition"]) for it in alerts)
    assert len(due) > COUNT // 4
    assert {1} == {*due.values()}
    assert (Counter(), Counter()) == (due - sent, sent - due), "missed, and sent twice"
    assert len(alerts) == len({it.attributes["alert_id"] for it in alerts})
    assert len(FEED_DEATHS) + len(FUNCTION_DEATHS) == stack.deaths
    assert {0, 1, 2} == {*forms}
    assert [] == stack.deployment.rejections()
    known = stack.store.look_up([EmailId(it.investigate_id) for it in mails])
    assert {postfix_id for postfix_id, _ in due} <= {it.postfix_id for it in mails if known[it.investigate_id].answer}
