"""An alert that went out without message details: the feed asks again, and the function completes the record."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.domain.email_id import EmailId
from functions.domain.message_details import read_message_details
from functions.domain.record import Record, moment
from functions.ledger.details_request import PAUSES, DetailsRequest, details_item, read_details_request
from functions.ledger.keys import details_partition
from functions.ledger.ledger import Ledger
from functions.ledger.table import Table
from ops.local.fake_cloudflare.mailbox import Mail
from ops.local.fake_cloudflare.server import Endpoint
from ops.local.lambda_runtime import Environment
from ops.local.poller import Poller
from tests.feed.test_feed_on_aws import MALICIOUS, recent
from tests.history.cli_harness import LedgerCli
from tests.integration.deployment import Deployment, MakeDeployment, outcomes
from tests.integration.fake_cloudflare_client import ACCOUNT, ChangingMailbox
from tests.unit.examples import escalated

RECIPIENT, SENDER, SUBJECT = "only.details@larkfield.example", "ghost@only-details.example", "Wire by noon"
"""What only the message details have."""
NO_DETAILS = b"{"
SENT, AGAIN = ("ESCALATED", "disposition-listed"), ("ALREADY_ESCALATED", "alert-sent-before")


def with_details() -> Mail:
    """A recent email, quarantined by its row and its details."""
    details = {"client_recipients": [RECIPIENT], "from": SENDER, "subject": SUBJECT, "to": [RECIPIENT]}
    mail = recent(MALICIOUS)
    return replace(mail, mail={**(mail.mail or {}), **details, "delivery_status": ["quarantined"]})


@dataclass
class Both:
    """The feed and the function of one stack."""

    deployment: Deployment
    feed: Environment
    mail: Mail

    def run_feed(self) -> dict[str, Any]:
        """Run the feed once."""
        response: dict[str, Any] = self.feed.invoke({}).response
        return response

    def deliver(self) -> list[tuple[str, str]]:
        """Deliver all messages, and return their outcomes."""
        poller, found = Poller(self.deployment.stack, self.deployment.function, pause=0), []
        while invocation := poller.poll():
            found += outcomes(invocation.outcomes)
        return found

    def set_details(self, body: bytes | None = None) -> None:
        """Answer requests for message details with a body; None for those of the email."""
        answer = {"success": True, "errors": [], "messages": [], "result": self.mail.mail}
        self.deployment.cloudflare.serve(Endpoint.DETAILS, json.dumps(answer).encode() if body is None else body)

    @property
    def table(self) -> Table:
        """The table."""
        return Table(self.deployment.stack.dynamodb, self.deployment.stack.table, timedelta(days=30))

    def waiting(self) -> list[DetailsRequest]:
        """The records that wait for their message details."""
        items = [it for it in self.deployment.items() if it["pk"] == details_partition(ACCOUNT)]
        return [read_details_request(ACCOUNT, it) for it in items]

    def wait_until_due(self) -> None:
        """Make all of them due, as time does."""
        waiting, past = self.waiting(), datetime.now(UTC) - timedelta(minutes=1)
        self.table.delete_all([it.key for it in waiting])
        self.table.put_all([details_item(replace(it, due=past)) for it in waiting])

    def cli(self, *args: str) -> str:
        """The output of `escalator`, of any status."""
        url = self.deployment.stack.aws["AWS_ENDPOINT_URL"]
        output: str = LedgerCli(self.deployment.stack.dynamodb, url, Ledger(self.table)).run(*args).output
        return output


MakeBoth = Callable[[Mail], Both]


@pytest.fixture
def make_both(make_deployment: MakeDeployment) -> Iterator[MakeBoth]:
    """Return a function that deploys a feed and a function, for one email without message details so far."""
    with ExitStack() as environments:

        def make(mail: Mail, *others: Mail) -> Both:
            deployment = make_deployment(ChangingMailbox(ACCOUNT, (mail, *others)))
            stack = deployment.stack
            feed = environments.enter_context(Environment(stack.template.feed_handler, stack.environment, 60))
            both = Both(deployment, feed, mail)
            both.set_details(NO_DETAILS)
            return both

        yield make


def severities(alerts: Sequence[Any]) -> list[str]:
    return [alert.attributes["severity"] for alert in alerts]


def test_record_is_completed_and_no_alert_is_repeated(make_both: MakeBoth) -> None:
    """Once it is, explain and history find it by what only the details have."""
    both = make_both(with_details())
    both.run_feed()
    assert [SENT] == both.deliver()
    assert ["High"] == severities(both.deployment.alerts())
    [waiting] = both.waiting()
    assert (EmailId(both.mail.investigate_id), 0, False) == (waiting.id, waiting.tries, waiting.done)
    assert "message details did not come in time; the feed asks for them again" in both.cli(
        "explain", both.mail.postfix_id
    )
    for option, value in (("--recipient", RECIPIENT), ("--sender", SENDER)):
        assert both.mail.postfix_id not in both.cli("history", option, value)

    both.run_feed()
    assert [] == both.deliver(), "it is due after a minute"
    both.wait_until_due()
    both.run_feed()
    assert [AGAIN] == both.deliver(), "the details are still missing"
    assert [1] == [it.tries for it in both.waiting()]

    both.wait_until_due()
    both.set_details()
    both.run_feed()
    assert [AGAIN] == both.deliver()
    assert [] == both.deployment.alerts()
    [record] = both.deployment.records()
    assert ("High", "false", "SENT") == (record["severity"], record["delivered"], record["state"])
    assert (RECIPIENT, SUBJECT) == (record["details"]["client_recipients"][0], record["subject"])
    assert "details_pending" not in record
    for option, value in (
        ("--recipient", RECIPIENT),
        ("--sender", SENDER),
        ("--sender-domain", "only-details.example"),
    ):
        assert both.mail.postfix_id in both.cli("history", option, value)
    explained = both.cli("explain", both.mail.postfix_id)
    assert "message details came after the alert: quarantined (Cloudflare's status: quarantined)" in explained
    assert SUBJECT in explained

    assert [True] == [it.done for it in both.waiting()]
    both.wait_until_due()
    both.run_feed()
    assert [[], []] == [both.waiting(), both.deliver()]


def test_details_that_raise_the_severity_are_an_update(make_both: MakeBoth) -> None:
    """The row said that the email is quarantined. Later it is in an inbox."""
    both = make_both(with_details())
    both.run_feed()
    both.deliver()
    both.mail = replace(both.mail, mail={**(both.mail.mail or {}), "delivery_status": ["delivered"]})
    both.set_details()
    both.wait_until_due()
    both.run_feed()
    assert [SENT] == both.deliver()
    created, updated = both.deployment.alerts()
    assert [("Create", "High"), ("Update", "Critical")] == [
        (it.attributes["activity"], it.attributes["severity"]) for it in (created, updated)
    ]
    assert [("High", "false"), ("Critical", "true")] == [
        (it["severity"], it["delivered"]) for it in both.deployment.records()
    ]
    assert all(RECIPIENT in it["details"]["client_recipients"] for it in both.deployment.records())


def test_tries_are_bounded(make_both: MakeBoth) -> None:
    """Details that never come cost two requests for each try."""
    both = make_both(with_details())
    both.run_feed()
    both.deliver()
    tried = 0
    for _ in range(len(PAUSES) + 3):
        both.wait_until_due()
        both.run_feed()
        tried += len(both.deliver())
    assert (len(PAUSES), []) == (tried, both.waiting())
    assert 1 == len(both.deployment.alerts())


SHORT = replace(
    MALICIOUS,
    postfix_id="C3CD21F3E90",
    investigate_id=f"C3CD21F3E90{MALICIOUS.investigate_id.removeprefix(MALICIOUS.postfix_id)}",
)


@pytest.mark.parametrize(
    ("mail", "form"),
    [(MALICIOUS, 0), (MALICIOUS, 1), (MALICIOUS, 2), (SHORT, 0), (SHORT, 1)],
    ids=["a postfix id", "an alert id", "an investigate id", "a short postfix id", "a short id with its date"],
)
def test_record_of_an_id_that_was_sent_by_hand_is_completed(make_both: MakeBoth, mail: Mail, form: int) -> None:
    """Whatever its form. A short id gets its date from the details, and is still the same email."""
    details = {**(mail.mail or {}), "id": mail.investigate_id, "client_recipients": [RECIPIENT]}
    both = make_both(replace(mail, mail=details))
    both.deployment.send(mail.ids[form])
    assert [SENT] == both.deliver()
    both.set_details()
    both.wait_until_due()
    both.run_feed()
    assert [AGAIN] == both.deliver()
    assert 1 == len(both.deployment.alerts())
    [record] = both.deployment.records()
    assert RECIPIENT in record["details"]["client_recipients"]
    assert mail.postfix_id in both.cli("history", "--recipient", RECIPIENT)


def test_without_a_feed_no_record_waits(make_deployment: MakeDeployment) -> None:
    """Nothing would ask again."""
    deployment = make_deployment(ChangingMailbox(ACCOUNT, (MALICIOUS,)), variables={"FEED_ROLE_ID": ""})
    deployment.cloudflare.serve(Endpoint.DETAILS, NO_DETAILS)
    deployment.send(MALICIOUS.postfix_id)
    assert [SENT] == outcomes(deployment.poll())
    [record] = deployment.records()
    assert "details_pending" not in record
    assert [] == [it for it in deployment.items() if it["pk"].startswith("feed=")]


def answer_of(both: Both, postfix_id: str | None = None) -> Record:
    """The answer to a request for message details, which names an email."""
    return escalated(
        account_id=ACCOUNT,
        id=EmailId(postfix_id or both.mail.postfix_id),
        details=read_message_details(dict(both.mail.mail or {})),
    )


def test_request_whose_record_has_expired_or_is_of_another_email_changes_nothing(make_both: MakeBoth) -> None:
    """The table keeps records for longer. A request is removed by its feed."""
    both = make_both(with_details())
    both.run_feed()
    both.deliver()
    [waiting] = both.waiting()
    before = both.deployment.items()
    ledger, now, of = Ledger(both.table), datetime.now(UTC), waiting.key["sk"]
    ledger.complete([(of, answer_of(both, "4Another0Email"))], now)
    assert before == both.deployment.items()
    ledger.complete([(f"{of[:-1]}7", answer_of(both))], now)
    assert [record["sk"] for record in both.deployment.records()] == [waiting.record_sk]
    assert "details" not in both.deployment.records()[0]


def test_two_messages_about_one_record_in_a_batch_complete_it_once(make_both: MakeBoth) -> None:
    """A run that died may have queued it twice, with different requests."""
    both = make_both(with_details())
    both.run_feed()
    both.deliver()
    [waiting] = both.waiting()
    later = replace(waiting, due=waiting.due + timedelta(minutes=1))
    ledger, first, second = Ledger(both.table), datetime.now(UTC), datetime.now(UTC) + timedelta(hours=1)
    pairs = [(it.key["sk"], answer_of(both)) for it in (waiting, later, waiting)]
    ledger.complete(pairs, first)
    ledger.complete(pairs, second)
    [record] = both.deployment.records()
    assert moment(first) == record["details_at"]
    assert [True, True] == [it.done for it in both.waiting()]


def test_queue_that_refuses_leaves_the_requests_as_they_are(make_both: MakeBoth) -> None:
    both = make_both(with_details())
    both.run_feed()
    both.deliver()
    both.wait_until_due()
    before = both.waiting()
    both.deployment.stack.sqs.delete_queue(QueueUrl=both.deployment.stack.requests_url)
    both.run_feed()
    assert before == both.waiting()
