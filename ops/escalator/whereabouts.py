"""Where AWS is and who asks, said after a command as well as before it."""

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any

import click

from ops.escalator.connection import Connection

_NAMES = ("region", "profile", "endpoint_url")


def where_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command those options of `escalator` that say where AWS is; it gets the connection as its first argument."""

    @click.option("--region", metavar="NAME", help="These three as in `escalator --help`.")
    @click.option("--profile", metavar="NAME")
    @click.option("--endpoint-url", metavar="URL")
    @wraps(command)
    def with_connection(**others: Any) -> Any:
        here = {name: others.pop(name) for name in _NAMES}
        connection = click.get_current_context().find_object(Connection) or Connection()
        return command(replace(connection, **{name: value for name, value in here.items() if value}), **others)

    return with_connection
