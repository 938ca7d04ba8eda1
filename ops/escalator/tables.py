"""Which table is meant: by its name, by the stack that made it, or by the environment."""

import os
from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from ops.escalator.connection import Connection, Failed
from ops.escalator.trail import Trail
from ops.escalator.whereabouts import where_options

TABLE = "LEDGER_TABLE"
"""The variable that the function has, and that `make local` writes down."""
_OUTPUT = "LedgerTableName"


def table_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command --table and --stack, and those options of `escalator` that say where AWS is.

    It gets the trail as its first argument.
    """

    @click.option("--table", metavar="NAME", help=f"The ledger's table.  [env var: {TABLE}]")
    @click.option("--stack", metavar="NAME", help="The CloudFormation stack that has the table.")
    @where_options
    @wraps(command)
    def with_table(connection: Connection, table: str | None, stack: str | None, **others: Any) -> Any:
        name = table_name(connection, table, stack)
        return command(Trail(connection.dynamodb, name), **others)

    return with_table


def table_name(connection: Connection, table: str | None, stack: str | None) -> str:
    """The name of the table. Raises UsageError, and Failed for a stack that has none."""
    if table and stack:
        raise click.UsageError("give either --stack or --table, not both.")
    if stack:
        name = connection.outputs(stack).get(_OUTPUT)
        if not name:
            raise Failed(f"the stack {stack} has no output {_OUTPUT}; name one made from template.yaml, with a table")
        return name
    name = table or os.environ.get(TABLE)
    if not name:
        raise click.UsageError("which table? Give --table or --stack.")
    return name
