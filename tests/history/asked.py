"""A ledger that is asked, by the trail and by the command line, and what that costs."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner, Result

from functions.ledger.ledger import Ledger
from ops.escalator.cli import escalator
from ops.escalator.trail import Trail
from tests.integration.operator_hands import at_a_terminal

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

REAL = "AWS_ENDPOINT_URL_DYNAMODB" in os.environ
"""Whether a real DynamoDB answers, whose consumed capacity can be believed."""


@dataclass
class Cost:
    """What was asked of DynamoDB, and what it read.

    entries: of indexes; records: by their keys. capacity: read units, and least: what they would be at the least.
    """

    calls: list[str] = field(default_factory=list)
    indexes: set[str | None] = field(default_factory=set)
    entries: int = 0
    looked_through: int = 0
    records: int = 0
    capacity: float = 0.0


@dataclass(frozen=True)
class AskedLedger:
    """A table, and hands to ask it with."""

    dynamodb: "DynamoDBClient"
    url: str
    ledger: Ledger

    @property
    def table(self) -> str:
        """Its table's name."""
        return self.ledger.table

    @property
    def trail(self) -> Trail:
        """The same as the command line uses."""
        return Trail(self.dynamodb, self.table)

    @property
    def environment(self) -> dict[str, str]:
        """What the command line needs to find it."""
        return {
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL_DYNAMODB": self.url,
            "LEDGER_TABLE": self.table,
        }

    def run(self, *args: str, **variables: str | None) -> Result:
        """`escalator ...` in a pipe."""
        nobodys = {"AWS_REGION": None, "AWS_PROFILE": None, "AWS_CONFIG_FILE": "/no", "AWS_ENDPOINT_URL": None}
        environment = nobodys | self.environment | variables
        return CliRunner().invoke(escalator, args, env=environment, prog_name="escalator")

    def on_a_terminal(self, *args: str, columns: int) -> tuple[int, str]:
        """`escalator ...` on a terminal of this width; status and screen."""
        return at_a_terminal(self.environment, *args, columns=columns)

    def history(self, *args: str) -> list[dict[str, Any]]:
        """What `escalator history --json` gives."""
        done = self.run("history", *args, "--json")
        assert 0 == done.exit_code, done.output
        found: list[dict[str, Any]] = json.loads(done.stdout)
        return found

    def start(self, *args: str) -> subprocess.Popen[bytes]:
        """`escalator ...` in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "ops.escalator", *args],
            env=os.environ | self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    @contextmanager
    def watched(self) -> Iterator[Cost]:
        """What is asked of DynamoDB within the block."""
        cost, events = Cost(), self.dynamodb.meta.events

        def before(params: dict[str, Any], model: Any, **_: Any) -> None:
            params["ReturnConsumedCapacity"] = "TOTAL"
            cost.calls.append(model.name)
            if model.name == "Query":
                cost.indexes.add(params.get("IndexName"))

        def after(parsed: dict[str, Any], model: Any, **_: Any) -> None:
            consumed = parsed.get("ConsumedCapacity", [])
            for it in consumed if isinstance(consumed, list) else [consumed]:
                cost.capacity += it.get("CapacityUnits", 0)
            if model.name == "Query":
                cost.entries += parsed["Count"]
                cost.looked_through += parsed["ScannedCount"]
            else:
                cost.records += sum(map(len, parsed.get("Responses", {}).values()))

        events.register("before-parameter-build.dynamodb", before)
        events.register("after-call.dynamodb", after)
        try:
            yield cost
        finally:
            events.unregister("before-parameter-build.dynamodb", before)
            events.unregister("after-call.dynamodb", after)
