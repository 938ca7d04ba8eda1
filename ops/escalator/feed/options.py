"""Options of the commands of the feed: its table, its account and its function."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

import click

from ops.escalator.aws import Connection
from ops.escalator.feed.function import FeedFunction
from ops.escalator.options import ACCOUNT, FUNCTION, TABLE, connection_options, resolve
from ops.escalator.records.reader import RecordReader


@dataclass(frozen=True, slots=True)
class FeedPlace:
    """Where the feed is. function: invokes the feed's function; it is looked up at the first use."""

    reader: RecordReader
    account_id: str
    function: Callable[[], FeedFunction]


def feed_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --stack, or --table, --account-id and --function, and the connection options.

    The command gets a FeedPlace as its first argument.
    """

    @connection_options
    @click.option("--stack", metavar="NAME", help="CloudFormation stack that has the feed.")
    @click.option("--table", TABLE, metavar="NAME", help=f"DynamoDB table of the ledger.  [env var: {TABLE}]")
    @click.option("--account-id", ACCOUNT, metavar="ID", help=f"Cloudflare account.  [env var: {ACCOUNT}]")
    @click.option("--function", FUNCTION, metavar="NAME", help=f"Function of the feed.  [env var: {FUNCTION}]")
    @wraps(command)
    def with_place(connection: Connection, stack: str | None, **params: Any) -> Any:
        given = {name: params.pop(name) for name in (TABLE, ACCOUNT, FUNCTION)}
        names = resolve(connection, {name: given[name] for name in (TABLE, ACCOUNT)}, stack)

        def function() -> FeedFunction:
            name = resolve(connection, {FUNCTION: given[FUNCTION]}, stack)[FUNCTION]
            return FeedFunction(connection.lambda_, name)

        return command(FeedPlace(RecordReader(connection.dynamodb, names[TABLE]), names[ACCOUNT], function), **params)

    return with_place
