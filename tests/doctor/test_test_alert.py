"""`escalator test-alert` and `escalator replay`, received by subscribers of the local stack."""

import json
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from functions.alert.alert import Audience, describe
from functions.domain.severity import Severity
from ops.escalator.alerts.filter_policy import FilterPolicy
from ops.escalator.alerts.publish import receiver
from ops.escalator.alerts.sample import possible_records, sample_record
from ops.escalator.alerts.subscriptions import subscription_of
from ops.local.subscriber import people_messages
from tests.doctor.operator import HttpSubscriber, Operator, http_subscriber, operator_of
from tests.integration.cli_runner import at_a_terminal
from tests.integration.deployment import MakeDeployment
from tests.integration.test_escalation import MALICIOUS

PAGER = '{"severity": ["Critical"], "notify": ["true"]}'


@pytest.fixture
def operator(make_deployment: MakeDeployment) -> Iterator[Operator]:
    """A deployment with an e-mail subscription, the queue of each local stack, and chat notifications."""
    deployment = make_deployment(AlertEmail="soc@corp.example", ChatNotifications="true", MaskRecipients="true")
    with operator_of(deployment) as made:
        yield made


@pytest.fixture
def chat(operator: Operator) -> Iterator[HttpSubscriber]:
    """An https-like subscriber of the people topic: SNS treats it as https, and posts without TLS."""
    with http_subscriber() as subscriber:
        stack = operator.deployment.stack
        stack.sns.subscribe(TopicArn=stack.people_topic_arn, Protocol="https", Endpoint=subscriber.url)
        yield subscriber


def test_test_alert_is_received_by_mail_chat_and_queue(operator: Operator, chat: HttpSubscriber) -> None:
    """The emulated SNS keeps the message for e-mail, and does not send it. Nothing is recorded."""
    done = operator.run("test-alert", "--json")
    assert 0 == done.exit_code, done.output
    assert [("findings", "sqs", "sent"), ("people", "email", "sent"), ("people", "https", "sent")] == sorted(
        (it["topic"], it["protocol"], it["result"]) for it in json.loads(done.stdout)
    )
    [alert] = operator.deployment.alerts()
    assert alert.subject.startswith("[TEST] [Critical] MALICIOUS email, in an inbox")
    assert ("Test", "Critical", "true", 7) == (
        alert.attributes["activity"],
        alert.attributes["severity"],
        alert.attributes["notify"],
        len(alert.attributes),
    )
    assert (False, "Test") == (alert.facts["is_alert"], alert.facts["activity_name"])
    [mail] = people_messages(operator.deployment.stack)
    assert mail["email"].startswith("TEST: This is a test alert.")
    assert mail["sms"] == alert.subject
    [post] = chat.posts
    assert json.loads(json.loads(post)["Message"])["content"]["title"].startswith("[TEST] ")
    assert [] == operator.deployment.items()


@pytest.mark.parametrize("severity", Severity)
def test_test_alert_has_the_severity_that_is_asked_for(operator: Operator, severity: Severity) -> None:
    """People are notified as of an alert: Low is the least by default."""
    done = operator.run("test-alert", "--severity", severity.lower(), "--json")
    results = {it["topic"]: it["result"] for it in json.loads(done.stdout)}
    is_low = severity is Severity.INFORMATIONAL
    assert {"findings": "sent", "people": "not sent" if is_low else "sent"} == results
    [alert] = operator.deployment.alerts()
    assert severity == alert.attributes["severity"] == alert.facts["severity"]
    assert (0 if is_low else 1) == len(people_messages(operator.deployment.stack))


def test_filter_that_leaves_tests_out_is_named(operator: Operator) -> None:
    """SNS applies it, too."""
    stack = operator.deployment.stack
    [subscription] = stack.sns.list_subscriptions_by_topic(TopicArn=stack.topic_arn)["Subscriptions"]
    stack.sns.set_subscription_attributes(
        SubscriptionArn=subscription["SubscriptionArn"],
        AttributeName="FilterPolicy",
        AttributeValue='{"activity": ["Create"], "severity": ["Critical"]}',
    )
    done = operator.run("test-alert", "--json")
    rows = {it["protocol"]: (it["result"], it["why"]) for it in json.loads(done.stdout)}
    assert {"sqs": ("filtered out", "by activity"), "email": ("sent", "")} == rows
    assert [] == operator.deployment.alerts()


def test_test_alert_that_reaches_no_subscription_fails(make_deployment: MakeDeployment) -> None:
    deployment = make_deployment()
    stack = deployment.stack
    [subscription] = stack.sns.list_subscriptions_by_topic(TopicArn=stack.topic_arn)["Subscriptions"]
    stack.sns.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
    with operator_of(deployment) as operator:
        done = operator.run("test-alert")
    assert (1, "") == (done.exit_code, done.stdout)
    assert "0 of 0 subscriptions get it" in done.stderr


def test_stack_without_a_topic_has_nothing_to_test(make_deployment: MakeDeployment) -> None:
    with operator_of(make_deployment(Sinks="table")) as operator:
        done = operator.run("test-alert")
    assert (1, True) == (done.exit_code, "has no topic" in done.stderr)


def test_pending_subscription_gets_nothing() -> None:
    """A recorded answer: the emulated SNS confirms every subscription at once."""
    listed = {"SubscriptionArn": "PendingConfirmation", "Protocol": "email", "Endpoint": "a@corp.example"}
    subscription = subscription_of(listed, {"PendingConfirmation": "true"})
    alert = describe(sample_record("0" * 32, Severity.HIGH, datetime.now(UTC)))
    found = receiver(Audience.FINDINGS, subscription, alert)
    assert ("pending", False) == (found.result, found.gets_it)


def test_possible_alerts_have_every_value_that_a_filter_can_ask_for() -> None:
    """A filter of docs/alerts.md passes one of them, and a filter for a test none."""
    alerts = [describe(it) for it in possible_records("0" * 32, ["MALICIOUS", "SPAM"], datetime.now(UTC))]
    values = {name: {it.attributes[name] for it in alerts} for name in ("activity", "delivered", "notify", "severity")}
    assert {"Create", "Update", "Close"} == values["activity"]
    assert {"true", "false", "unknown"} == values["delivered"]
    assert {*Severity} == values["severity"]
    pager, tests = FilterPolicy(json.loads(PAGER)), FilterPolicy({"activity": ["Test"]})
    assert any(pager.passes(it.attributes, it.finding) for it in alerts)
    assert not any(tests.passes(it.attributes, it.finding) for it in alerts)


def recorded(operator: Operator) -> str:
    """Alert on an email, and return the id of its alert."""
    operator.deployment.send(MALICIOUS.investigate_id)
    operator.deployment.poll()
    [alert] = operator.deployment.alerts()
    return alert.attributes["alert_id"]


def test_replay_publishes_the_recorded_alert_as_a_repeat(operator: Operator) -> None:
    """With the same ids, and with recipients masked as the deployment masks them. The records stay as they are."""
    alert_id = recorded(operator)
    before, first = operator.deployment.items(), people_messages(operator.deployment.stack)
    done = operator.run("replay", alert_id, "--yes")
    assert 0 == done.exit_code, done.output
    [repeat] = operator.deployment.alerts()
    assert ("true", alert_id, 8) == (
        repeat.attributes["repeat"],
        repeat.attributes["alert_id"],
        len(repeat.attributes),
    )
    assert repeat.subject.startswith("[REPEAT] [")
    assert alert_id == repeat.facts["unmapped"]["alert_id"]
    messages = people_messages(operator.deployment.stack)
    assert len(messages) == len(first) + 1
    assert messages[-1]["email"].startswith("REPEAT: This is a repeat.")
    assert "***[@]" in messages[-1]["email"]
    assert before == operator.deployment.items()


def test_replay_asks_before_it_publishes(operator: Operator) -> None:
    """On a terminal. Without one, it needs --yes."""
    alert_id = recorded(operator)
    stack = operator.deployment.stack
    arguments = ("replay", alert_id, "--stack", stack.name)
    status, screen = at_a_terminal(stack.environment, *arguments, answer="n\n")
    assert (1, True) == (status, "Publish it again, to people and machines: [REPEAT]" in screen)
    done = operator.run("replay", alert_id)
    assert (2, True) == (done.exit_code, "Pass --yes" in done.stderr)
    assert [] == operator.deployment.alerts()
    status, _ = at_a_terminal(stack.environment, *arguments, answer="y\n")
    assert (0, 1) == (status, len(operator.deployment.alerts()))


def test_replay_writes_to_a_file_or_to_stdout_without_publishing(operator: Operator, tmp_path: Path) -> None:
    """Only the operator can read the file."""
    alert_id, path = recorded(operator), tmp_path / "alert.json"
    assert 0 == operator.run("replay", alert_id, "--output", str(path)).exit_code
    written = json.loads(path.read_text("utf-8"))
    assert {"default", "email", "sms", "https"} == written["bodies"].keys()
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    printed = operator.run("replay", alert_id, "--output", "-")
    assert written == json.loads(printed.stdout)
    assert [] == operator.deployment.alerts()


@pytest.mark.parametrize(("alert_id", "status"), [("0" * 32, 1), ("x", 2)], ids=["unknown", "no alert id"])
def test_replay_of_an_unknown_alert_fails(operator: Operator, alert_id: str, status: int) -> None:
    done = operator.run("replay", alert_id, "--yes")
    assert (status, "") == (done.exit_code, done.stdout)
    assert alert_id in done.stderr
