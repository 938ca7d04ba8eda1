"""The pure checks of `escalator doctor`, with recorded answers for what the emulated AWS does not do."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.alert.alert import Audience, describe
from functions.feed.state import first_state
from functions.ledger.feed_run import FeedDay, FeedRun
from functions.release import RELEASE
from ops.escalator.alerts.subscriptions import read_subscriptions
from ops.escalator.aws import CommandFailed, Stack
from ops.escalator.doctor.check import Check, Status, listed
from ops.escalator.doctor.examine import failed
from ops.escalator.doctor.feed import check_feed
from ops.escalator.doctor.function import Function, check_function, check_trigger
from ops.escalator.doctor.probe import Probe, check_probe, read_probe
from ops.escalator.doctor.queue import Queue
from ops.escalator.doctor.stack import check_stack
from ops.escalator.doctor.topic import Topic, check_filters
from ops.escalator.feed.status import FeedStatus
from tests.unit.examples import escalated

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TOPIC = "arn:aws:sns:us-east-1:123456789012:alerts"
PROBE = Probe(
    release=RELEASE,
    now=NOON,
    account_id="0" * 32,
    put_at=NOON - timedelta(days=3),
    search_status=200,
    token_status="active",
    ratelimit=((1000, 300.0),),
    cloudflare_now=NOON,
)


def statuses(probe: Probe) -> dict[str, Status]:
    """The status of each line that is not ok."""
    checks = list(check_probe(probe, "arn:secret", 1200, NOON))
    assert all(bool(it.advice) == (it.status in (Status.WARNING, Status.FAILURE)) for it in checks)
    return {it.name: it.status for it in checks if it.status is not Status.OK}


def test_good_probe_is_ok() -> None:
    assert {} == statuses(PROBE)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"release": "0.0.1"}, {"release": "warning"}),
        ({"cloudflare_now": NOON - timedelta(seconds=61)}, {"clock": "warning"}),
        ({"cloudflare_now": NOON + timedelta(minutes=5)}, {"clock": "failure"}),
        ({"cloudflare_now": None, "now": NOON - timedelta(minutes=6)}, {"clock": "failure"}),
        ({"put_at": NOON - timedelta(days=366)}, {"secret age": "warning"}),
        ({"put_at": None}, {}),
        ({"expires_on": NOON + timedelta(days=14)}, {"token": "warning"}),
        ({"expires_on": NOON + timedelta(days=15)}, {}),
        ({"search_status": 202}, {}),
        ({"token_status": None}, {}),
        ({"ratelimit": ()}, {}),
        ({"ratelimit": ((1000, 300.0), (239, 60.0))}, {"rate limit": "warning"}),
        (
            {"token_status": "expired", "search_status": 401},
            {"token": "failure", "permission": "skipped", "account and plan": "skipped"},
        ),
        (
            {"token_status": None, "search_status": 403, "codes": frozenset({10000})},
            {"token": "failure", "permission": "skipped", "account and plan": "skipped"},
        ),
        (
            {"is_token": False, "token_status": None, "search_status": 403, "codes": frozenset({10000})},
            {"permission": "failure", "account and plan": "skipped"},
        ),
        (
            {"is_token": False, "token_status": None, "search_status": 400, "codes": frozenset({6003})},
            {"token": "failure", "permission": "skipped", "account and plan": "skipped"},
        ),
    ],
)
def test_probe_that_is_not_as_it_should_be(changed: dict[str, Any], expected: dict[str, str]) -> None:
    """Recorded answers: clocks, ages and Cloudflare's statuses."""
    assert expected == statuses(replace(PROBE, **changed))


def test_answer_of_another_release_is_refused() -> None:
    """A function without the probe, or with another one."""
    for answer in ({}, {"secret": None}, {"secret": {}, "release": "1", "now": "x", "account_id": ""}):
        with pytest.raises(CommandFailed, match="deploy this release"):
            read_probe(answer)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("UPDATE_COMPLETE", Status.OK),
        ("UPDATE_IN_PROGRESS", Status.WARNING),
        ("UPDATE_ROLLBACK_COMPLETE", Status.WARNING),
        ("UPDATE_ROLLBACK_FAILED", Status.FAILURE),
        ("ROLLBACK_COMPLETE", Status.FAILURE),
        ("DELETE_FAILED", Status.FAILURE),
    ],
)
def test_status_of_the_stack(status: str, expected: Status) -> None:
    """Recorded: the emulated CloudFormation creates each stack at once."""
    first = next(iter(check_stack(Stack("alerts", status, {}, {}, {}, is_protected=True))))
    assert ("stack", expected) == (first.name, first.status)


@pytest.mark.parametrize(
    ("state", "update", "expected"),
    [
        ("Active", "InProgress", Status.OK),
        ("Inactive", "Successful", Status.OK),
        ("Pending", "Successful", Status.FAILURE),
        ("Active", "Failed", Status.FAILURE),
    ],
)
def test_state_of_a_function(state: str, update: str, expected: Status) -> None:
    """Recorded: Lambda's answers."""
    assert expected is check_function("function", "escalate", Function("escalate", state, update)).status


@pytest.mark.parametrize(
    ("state", "expected"),
    [("Enabled", Status.OK), ("Enabling", Status.WARNING), ("Disabling", Status.FAILURE), ("Disabled", Status.FAILURE)],
)
def test_state_of_the_trigger(state: str, expected: Status) -> None:
    """Recorded: Lambda's answers."""
    function = Function("escalate", "Active", "Successful", triggers=(("arn:queue", state),))
    [check] = check_trigger(function, "arn:queue")
    assert expected is check.status


SEND = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
OTHER = TOPIC + "-other"


@pytest.mark.parametrize(
    ("statement", "allows"),
    [
        (SEND, True),
        (SEND | {"Condition": {"ArnEquals": {"aws:SourceArn": TOPIC}}}, True),
        (SEND | {"Condition": {"ArnLike": {"AWS:SourceArn": [OTHER, "arn:aws:sns:*:123456789012:*"]}}}, True),
        (SEND | {"Condition": {"ArnEquals": {"aws:SourceArn": OTHER}}}, False),
        (SEND | {"Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}}}, True),
        (SEND | {"Principal": "*", "Action": ["SQS:*"]}, True),
        (SEND | {"Principal": {"Service": ["events.amazonaws.com"]}}, False),
        (SEND | {"Action": "sqs:ReceiveMessage"}, False),
        (SEND | {"Effect": "Deny"}, False),
    ],
)
def test_policy_of_a_queue(statement: dict[str, Any], allows: bool) -> None:
    """As AWS writes and accepts it: lists or single values, any case of actions and of condition keys."""
    for statements in (statement, [statement]):
        policy = json.dumps({"Statement": statements})
        assert allows is Queue("arn:queue", "", 0, policy).allows_topic(TOPIC)


def test_queue_without_a_policy_allows_nothing() -> None:
    assert [False, False] == [Queue("arn:queue", "", 0, it).allows_topic(TOPIC) for it in ("", "{")]


def status_of(results: list[str], lag: timedelta = timedelta(seconds=30)) -> FeedStatus:
    """The status of a feed with these last results."""
    runs = tuple(FeedRun(NOON - timedelta(minutes=n), result) for n, result in enumerate(results))
    day = FeedDay(
        f"{NOON:%Y-%m-%d}", dict.fromkeys(("runs", "requests", "rows", "queued", "late", "unresolved"), 0), runs
    )
    return FeedStatus(NOON, first_state(NOON, lag), (day,))


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (status_of([]), Status.OK),
        (status_of(["done", "continues", "done"]), Status.OK),
        (status_of(["continues", "continues", "done"]), Status.WARNING),
        (status_of(["done"], timedelta(minutes=16)), Status.FAILURE),
    ],
    ids=["never counted", "once unfinished", "mostly unfinished", "late"],
)
def test_feed_that_is_late_or_needs_more_requests(found: FeedStatus, expected: Status) -> None:
    """FeedShare has to rise if most runs do not finish."""
    assert expected is check_feed(found, "alerts").status


def test_denied_call_is_a_failure_that_names_the_permission() -> None:
    """Recorded: the emulated AWS denies nothing."""
    error = "cannot describe the table x: AccessDeniedException: not authorized to perform: dynamodb:DescribeTable"
    check = failed("table", CommandFailed(f"{error}; request this permission, or pass another --profile"))
    assert Check("table", Status.FAILURE, error, "request this permission, or pass another --profile") == check


def test_long_list_is_cut_and_counted() -> None:
    assert ("a, b, c and 2 more", "a") == (listed(["a", "b", "c", "d", "e"]), listed(["a"]))


class Denied(Exception):
    """As boto3's AuthorizationErrorException."""


class Sns:
    """A topic with one subscription, whose attributes this account may not read."""

    class exceptions:  # noqa: N801  # boto3's name
        """boto3's exceptions."""

        AuthorizationErrorException = Denied

    def __init__(self, owner: str) -> None:
        self.owner = owner

    def get_paginator(self, _: str) -> "Sns":
        """Return the pages."""
        return self

    def paginate(self, TopicArn: str) -> list[dict[str, Any]]:  # noqa: N803  # boto3's name
        """Return one page."""
        queue = f"arn:aws:sqs:us-east-1:{self.owner}:siem"
        listed = {"SubscriptionArn": f"{TopicArn}:1", "Owner": self.owner, "Protocol": "sqs", "Endpoint": queue}
        return [{"Subscriptions": [listed | {"TopicArn": TopicArn}]}]

    def get_subscription_attributes(self, SubscriptionArn: str) -> dict[str, Any]:  # noqa: N803  # boto3's name
        """Refuse."""
        raise Denied(SubscriptionArn)


def test_subscription_of_another_account_counts_with_an_unknown_filter() -> None:
    """Recorded: the emulated SNS has one account and denies nothing."""
    [subscription] = read_subscriptions(Sns("999999999999"), TOPIC)
    assert (True, True) == (subscription.is_confirmed, subscription.is_filtered)
    topic = Topic("findings", TOPIC, (subscription,))
    assert Status.WARNING is check_filters({Audience.FINDINGS: topic}, [describe(escalated())]).status
    with pytest.raises(Denied):
        read_subscriptions(Sns("123456789012"), TOPIC)
