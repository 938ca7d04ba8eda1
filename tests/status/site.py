"""A deployment on the local stack whose functions write their logs, and an operator who looks at its status."""

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import boto3
from click.testing import CliRunner, Result

from functions.escalate.sqs_message import FIRST_SEEN
from functions.feed.store import TableStore
from functions.ledger.table import Table
from ops.escalator.cli import escalator
from ops.local.fake_cloudflare.auth import Credentials
from ops.local.fake_cloudflare.mailbox import Mail
from ops.local.fake_cloudflare.server import FakeCloudflare
from ops.local.lambda_runtime import Environment
from ops.local.poller import Poller
from ops.local.stack import TOKEN, Stack, deploy
from tests.doctor.operator import NO_ACCOUNT
from tests.integration.deployment import request
from tests.integration.fake_cloudflare_client import ACCOUNT, WITHOUT_FAULTS

LIMIT = (1200, 300.0, 300.0)
"""Cloudflare's: requests, seconds of the window, seconds of the block."""
MALICIOUS = tuple(it for it in WITHOUT_FAULTS if it.expect == "ESCALATED" and it.mail)


@dataclass(frozen=True)
class Site:
    """A deployment."""

    stack: Stack
    cloudflare: FakeCloudflare
    function: Environment
    feed: Environment

    def client(self, service: str) -> Any:
        """A client of the emulated AWS."""
        session = boto3.Session("local", "local", region_name=self.stack.aws["AWS_REGION"])
        return session.client(service, endpoint_url=self.stack.aws["AWS_ENDPOINT_URL"])  # type: ignore[call-overload]

    def send(self, *mails: Mail, since: datetime | None = None) -> None:
        """Ask about emails. since: when a first copy arrived, as a requeued copy says."""
        attributes: Any = {}
        if since:
            text = str(int(since.timestamp() * 1000))
            attributes = {FIRST_SEEN: {"DataType": "String", "StringValue": text}}
        for mail in mails:
            self.stack.sqs.send_message(
                QueueUrl=self.stack.requests_url, MessageBody=request(mail.postfix_id), MessageAttributes=attributes
            )

    def run(self) -> None:
        """Deliver all messages that can be received."""
        poller = Poller(self.stack, self.function)
        while poller.poll():
            pass

    def feed_has_listed_until(self, at: datetime) -> None:
        """Write the state of a feed that has listed everything until a time."""
        table = Table(self.stack.dynamodb, self.stack.table, timedelta(days=30))
        TableStore(table, ACCOUNT, timedelta(0)).acquire("test", at)

    def set_alarm(self, name: str) -> None:
        """Put an alarm into the state ALARM: the emulated CloudWatch evaluates none."""
        client = self.client("cloudwatch")
        resources = self.client("cloudformation").list_stack_resources(StackName=self.stack.name)
        [physical] = [
            it["PhysicalResourceId"] for it in resources["StackResourceSummaries"] if it["LogicalResourceId"] == name
        ]
        client.set_alarm_state(AlarmName=physical, StateValue="ALARM", StateReason="test")

    def status(self, *args: str) -> Result:
        """Run `escalator status`."""
        environment = {**self.stack.aws, **NO_ACCOUNT}
        arguments = ["status", *args, "--stack", self.stack.name]
        return CliRunner().invoke(escalator, arguments, env=environment, prog_name="escalator")

    def facts(self) -> dict[str, Any]:
        """What `escalator status --json` says."""
        found: dict[str, Any] = json.loads(self.status("--json").stdout)
        return found


def no_log(_: Sequence[str]) -> None:
    """The log of a function that does not exist."""


@contextmanager
def site_of(endpoint: str, name: str | None = None, /, **parameters: str) -> Iterator[Site]:
    """Deploy. The feed has not run."""
    with ExitStack() as servers:
        cloudflare = servers.enter_context(
            FakeCloudflare(WITHOUT_FAULTS, credentials=Credentials(api_token=TOKEN), limit=LIMIT)
        )
        known = {
            "CloudflareAccountId": ACCOUNT,
            "CloudflareBaseUrl": cloudflare.base_url,
            "CloudflareLimit": str(LIMIT[0]),
        }
        stack = deploy(endpoint, {"api_token": TOKEN}, name, **{**known, **parameters})
        template = stack.template
        function = servers.enter_context(
            Environment(template.handler, stack.environment, template.timeout, stack.log_writer("EscalateLogGroup"))
        )
        write_log = stack.log_writer("FeedLogGroup") if parameters.get("Feed") != "off" else no_log
        feed = servers.enter_context(Environment(template.feed_handler, stack.environment, template.timeout, write_log))
        yield Site(stack, cloudflare, function, feed)
