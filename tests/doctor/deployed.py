"""A healthy deployment for each fault: everything that the template declares, on the local stack.

The functions are in this process, behind Lambda's API: their probe and their reader of the secret are the real ones.
test_probe.py sends the probe to the function in a process of its own.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.cloudflare.probe import Probe
from functions.escalate.app import secret_reader
from functions.feed.store import TableStore
from functions.ledger.table import Table
from ops.local.fake_cloudflare.server import FakeCloudflare
from ops.local.lambda_api import LambdaApi
from ops.local.lambda_runtime import Invocation
from ops.local.stack import Stack
from tests.integration.fake_cloudflare_client import ACCOUNT


@dataclass
class InProcess:
    """The part of the function that answers a probe."""

    stack: Stack
    secret_id: str

    def invoke(self, event: dict[str, Any]) -> Invocation:
        """Answer a probe."""
        assert event == {"action": "probe"}
        read_secret = secret_reader(self.stack.secrets, self.secret_id)
        base_url = self.stack.variables["CLOUDFLARE_BASE_URL"]
        return Invocation(Probe(base_url, self.stack.variables["CLOUDFLARE_ACCOUNT_ID"], read_secret).answer(), [])


@dataclass
class Healthy:
    """A deployment. Each fault changes one thing of it."""

    stack: Stack
    cloudflare: FakeCloudflare
    api: LambdaApi
    url: str
    clients: dict[str, Any]

    @property
    def escalate(self) -> str:
        """The name of the function."""
        return f"{self.stack.name}-escalate"

    @property
    def feed(self) -> str:
        """The name of the feed's function."""
        return f"{self.stack.name}-feed"

    @property
    def secret_id(self) -> str:
        """The secret."""
        return self.stack.variables["CLOUDFLARE_SECRET_ID"]

    def names(self, type_: str) -> list[str]:
        """The physical ids of the stack's resources of a type."""
        found = self.clients["cloudformation"].list_stack_resources(StackName=self.stack.name)
        return [it["PhysicalResourceId"] for it in found["StackResourceSummaries"] if it["ResourceType"] == type_]

    def schedule(self, name: str) -> str:
        """The name of a schedule, from its logical id."""
        found = self.clients["cloudformation"].list_stack_resources(StackName=self.stack.name)
        [physical] = [
            it["PhysicalResourceId"] for it in found["StackResourceSummaries"] if it["LogicalResourceId"] == name
        ]
        return str(physical)

    def topic(self, name: str) -> str:
        """The ARN of a topic: Findings, People or Operations."""
        [arn] = [it for it in self.names("AWS::SNS::Topic") if f"-{name}Topic-" in it]
        return arn

    def subscriptions(self, name: str) -> list[str]:
        """The ARNs of a topic's subscriptions."""
        found = self.stack.sns.list_subscriptions_by_topic(TopicArn=self.topic(name))["Subscriptions"]
        return [it["SubscriptionArn"] for it in found]

    def set_subscription(self, name: str, attribute: str, value: str) -> None:
        """Change an attribute of each subscription of a topic."""
        for arn in self.subscriptions(name):
            self.stack.sns.set_subscription_attributes(
                SubscriptionArn=arn, AttributeName=attribute, AttributeValue=value
            )

    def run_feed(self, at: datetime | None = None) -> None:
        """Write the state of a feed that has listed everything until a time."""
        table = Table(self.stack.dynamodb, self.stack.table, timedelta(days=30))
        TableStore(table, ACCOUNT, timedelta(0)).acquire("test", at or datetime.now(UTC))
