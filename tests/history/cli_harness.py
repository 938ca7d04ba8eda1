"""A ledger read by the reader and by the command line, and the cost of reading it."""

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
from ops.escalator.records.reader import RecordReader
from tests.integration.cli_runner import at_a_terminal

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

IS_REAL = "AWS_ENDPOINT_URL_DYNAMODB" in os.environ
"""Whether the endpoint is a real DynamoDB, which reports the consumed capacity correctly."""


@dataclass
class Cost:
    """The calls to DynamoDB, and what they read.

    entries: index entries returned; scanned: index entries read. records: read by key. capacity: read units.
    """

    calls: list[str] = field(default_factory=list)
    indexes: set[str | None] = field(default_factory=set)
    entries: int = 0
    scanned: int = 0
    records: int = 0
    capacity: float = 0.0


@dataclass(frozen=True)
class LedgerCli:
    """A ledger with a reader and a command line."""

    dynamodb: "DynamoDBClient"
    url: str
    ledger: Ledger

    @property
    def table(self) -> str:
        """The name of the table."""
        return self.ledger.table.name

    @property
    def reader(self) -> RecordReader:
        """The reader that the command line uses."""
        return RecordReader(self.dynamodb, self.table)

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which the command line finds the table."""
        return {
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL_DYNAMODB": self.url,
            "LEDGER_TABLE": self.table,
        }

    def run(self, *args: str, **variables: str | None) -> Result:
        """Run `escalator ...` in a pipe."""
        unset = {"AWS_REGION": None, "AWS_PROFILE": None, "AWS_CONFIG_FILE": "/no", "AWS_ENDPOINT_URL": None}
        environment = unset | self.environment | variables
        return CliRunner().invoke(escalator, args, env=environment, prog_name="escalator")

    def on_a_terminal(self, *args: str, columns: int) -> tuple[int, str]:
        """Run `escalator ...` on a terminal of this width. Return status and screen."""
        return at_a_terminal(self.environment, *args, columns=columns)

    def history(self, *args: str) -> list[dict[str, Any]]:
        """The result of `escalator history --json`."""
        done = self.run("history", *args, "--json")
        assert 0 == done.exit_code, done.output
        found: list[dict[str, Any]] = json.loads(done.stdout)
        return found

    def start(self, *args: str) -> subprocess.Popen[bytes]:
        """Start `escalator ...` as a process."""
        return subprocess.Popen(
            [sys.executable, "-m", "ops.escalator", *args],
            env=os.environ | self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    @contextmanager
    def measured(self) -> Iterator[Cost]:
        """Measure the calls to DynamoDB within the block."""
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
                cost.scanned += parsed["ScannedCount"]
            else:
                cost.records += sum(map(len, parsed.get("Responses", {}).values()))

        events.register("before-parameter-build.dynamodb", before)
        events.register("after-call.dynamodb", after)
        try:
            yield cost
        finally:
            events.unregister("before-parameter-build.dynamodb", before)
            events.unregister("after-call.dynamodb", after)
