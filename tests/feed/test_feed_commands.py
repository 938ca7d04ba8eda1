"""`escalator feed` against the real handler: emulated AWS, the fake Cloudflare, and Lambda's Invoke API over HTTP."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner, Result

from ops.escalator.cli import escalator
from ops.local.lambda_api import LambdaApi
from ops.local.lambda_runtime import Environment
from ops.local.poller import Poller
from ops.local.template import FEED_ROLE_ID
from tests.feed.test_feed_on_aws import MALICIOUS, SPAM, recent
from tests.integration.deployment import Deployment, MakeDeployment
from tests.integration.fake_cloudflare_client import ACCOUNT, ChangingMailbox


@dataclass
class Operator:
    """A deployment with a feed, and an operator's command line."""

    deployment: Deployment
    feed: Environment
    url: str

    def run(self, *args: str) -> Result:
        """Run `escalator feed ...`."""
        aws = self.deployment.stack.aws
        environment = aws | {"AWS_ENDPOINT_URL_LAMBDA": self.url, "AWS_CONFIG_FILE": "/no", "AWS_PROFILE": None}
        arguments = ["feed", *args, "--stack", self.deployment.stack.name]
        return CliRunner().invoke(escalator, arguments, env=environment, prog_name="escalator")


@pytest.fixture
def operator(make_deployment: MakeDeployment) -> Iterator[Operator]:
    """A feed that knows one malicious email and one spam of the last minutes."""
    mailbox = ChangingMailbox(ACCOUNT, (recent(MALICIOUS, minutes=20), recent(SPAM, minutes=20)))
    deployment = make_deployment(mailbox, variables={"FEED_ROLE_ID": FEED_ROLE_ID})
    stack = deployment.stack
    with (
        Environment(stack.template.feed_handler, stack.environment, 60) as feed,
        LambdaApi({f"{stack.name}-feed": feed}) as url,
    ):
        yield Operator(deployment, feed, url)


def test_status_before_the_first_run_says_that_there_is_none(operator: Operator) -> None:
    done = operator.run("status")
    assert (1, True) == (done.exit_code, "has no state of a feed" in done.stderr)


def test_status_has_watermark_runs_and_counts(operator: Operator) -> None:
    for _ in range(2):
        operator.feed.invoke({})
    found = json.loads(operator.run("status", "--json").stdout)
    assert found["lag_seconds"] < 60
    assert {"runs": 2, "queued": 1, "late": 0, "unresolved": 0} == {
        name: found["counts"][name] for name in ("runs", "queued", "late", "unresolved")
    }
    assert {"done"} == {run["result"] for run in found["runs"]}
    assert {"hourly", "daily"} == {*found["sweeps"]}


def test_probe_says_how_the_search_behaves_without_content(operator: Operator) -> None:
    """The fake Cloudflare takes each form of an id. Two rows say nothing about their order."""
    found = json.loads(operator.run("status", "--probe", "--json").stdout)
    assert "2 of the last 24 hours, 0 without an investigate id" == found["rows"]
    assert found["order of the rows"].startswith("not known")
    assert ["accepted"] * 3 == [found[f"{name} in the path"] for name in ("investigate id", "alert id", "postfix id")]
    assert "did not occur" == found["slow search (202)"]
    assert MALICIOUS.postfix_id not in json.dumps(found)
    assert 4 == len(operator.deployment.cloudflare.calls)


def test_reconcile_reports_a_missing_alert_and_nothing_else(operator: Operator) -> None:
    """It changes nothing. Once the alert is there, the exit status is 0."""
    before = operator.run("reconcile", "--since", "1h", "--json")
    assert 1 == before.exit_code, before.output
    [missing] = json.loads(before.stdout)["missing"]
    assert ("MALICIOUS", "never queued by the feed") == (missing["disposition"], missing["why"])
    assert 0 == operator.deployment.waiting()
    operator.feed.invoke({})
    Poller(operator.deployment.stack, operator.deployment.function, pause=0).poll()
    after = operator.run("reconcile", "--since", "1h", "--json")
    assert 0 == after.exit_code, after.output
    assert [("MALICIOUS", 1, 0), ("SPAM", 0, 1)] == [
        (it["disposition"], it["both"], it["only_cloudflare"]) for it in json.loads(after.stdout)["dispositions"]
    ]


def test_list_has_ids_and_dispositions_and_counts_in_the_budget(operator: Operator) -> None:
    """No subject and no address."""
    now = datetime.now(UTC)
    period = {"since": f"{now:%Y-%m-%d}T00:00:00Z", "until": now.isoformat()}
    answer = operator.feed.invoke({"action": "list", **period}).response
    assert {"result", "rows", "unreadable", "until", "cursor"} == answer.keys()
    assert all(len(row) == 4 for row in answer["rows"])
    status = json.loads(operator.run("status", "--json").stdout)
    assert 0 == status["counts"]["runs"]


@pytest.mark.parametrize(
    "event",
    [
        {"action": "delete"},
        {"action": None},
        {"action": "list"},
        {"action": "list", "since": "2026-11-24", "until": "2026-11-25", "cursor": "x"},
        {"action": "queue", "rows": [["../../x", ""]]},
    ],
    ids=["unknown", "null", "without a period", "with another cursor", "with an invalid id"],
)
def test_invalid_command_is_refused_and_runs_nothing(operator: Operator, event: dict[str, object]) -> None:
    assert {"error"} == operator.feed.invoke(event).response.keys()
    assert () == operator.deployment.cloudflare.calls


def test_backfill_counts_and_queues_only_with_send(operator: Operator) -> None:
    """The function publishes the alert, and a second backfill finds nothing."""
    arguments = ("backfill", "--since", "1h", "--notify", "--per-minute", "150")
    dry = operator.run(*arguments)
    assert (0, 0) == (dry.exit_code, operator.deployment.waiting())
    assert dry.stdout.startswith("1 delivery of 1 email without an alert: up to 1 alerts, in about 1 min.")
    assert "0 deliveries" in operator.run(*arguments, "--disposition", "suspicious").stdout
    sent = operator.run(*arguments, "--disposition", "malicious", "--send")
    assert (0, 1) == (sent.exit_code, operator.deployment.waiting()), sent.output
    Poller(operator.deployment.stack, operator.deployment.function, pause=0).poll()
    assert ["MALICIOUS"] == [it["disposition"] for it in operator.deployment.records()]
    assert "0 deliveries" in operator.run(*arguments, "--send").stdout
    assert 0 == operator.deployment.waiting()
