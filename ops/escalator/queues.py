"""Which queues are meant: by their URLs, by the stack that made them, or by the environment."""

import os
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import click

from ops.escalator.connection import Connection, Failed
from ops.escalator.dead_letters import DeadLetters
from ops.escalator.whereabouts import where_options

Command = TypeVar("Command", bound=Callable[..., Any])

DEAD_LETTERS, REQUESTS = "DEAD_LETTER_QUEUE_URL", "REQUEST_QUEUE_URL"
"""The variables that the function has, and that `make local` writes down."""
_OPTIONS = {DEAD_LETTERS: "--dead-letter-queue-url", REQUESTS: "--request-queue-url"}
_OUTPUTS = {DEAD_LETTERS: "DeadLetterQueueUrl", REQUESTS: "RequestQueueUrl"}


def queue_options(*needed: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Gives a command the options that name the queues it needs; it gets the dead letters as its first argument."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @where_options
        @wraps(command)
        def with_queues(connection: Connection, stack: str | None, wait: int, **others: Any) -> Any:
            given = {name: others.pop(name) for name in needed}
            urls = queue_urls(connection, {name: url for name, url in given.items() if url}, stack, needed)
            letters = DeadLetters(connection.sqs, urls[DEAD_LETTERS], urls.get(REQUESTS, ""), wait)
            return command(letters, **others)

        decorated: Callable[..., Any] = with_queues
        for option in (_wait, _stack, *(_url(name) for name in reversed(needed))):
            decorated = option(decorated)
        return decorated

    return decorate


def queue_urls(
    connection: Connection, given: dict[str, str], stack: str | None, needed: tuple[str, ...]
) -> dict[str, str]:
    """The URLs of the queues that are needed, by their variables.

    All from one place: the dead letters of one deployment never land among the requests of another. Raises UsageError,
    and Failed for a stack that has no such queues.
    """
    if given and stack:
        raise click.UsageError("give either --stack or the URLs of the queues, not both.")
    if stack:
        outputs = connection.outputs(stack)
        urls = {name: outputs.get(_OUTPUTS[name], "") for name in needed}
        if missing := [_OUTPUTS[name] for name in needed if not urls[name]]:
            raise Failed(f"the stack {stack} has no output {' or '.join(missing)}; name one made from template.yaml")
        return urls
    urls = {name: given.get(name, "") if given else os.environ.get(name, "") for name in needed}
    if missing := [_OPTIONS[name] for name in needed if not urls[name]]:
        raise click.UsageError(f"which queue? Give --stack, or {' and '.join(missing)}.")
    return urls


def _url(name: str) -> Callable[[Command], Command]:
    what = {DEAD_LETTERS: "The dead-letter queue.", REQUESTS: "The queue to send back to."}[name]
    return click.option(_OPTIONS[name], name, metavar="URL", help=f"{what}  [env var: {name}]")


_stack = click.option("--stack", metavar="NAME", help="The CloudFormation stack that has the queues.")
_wait = click.option(
    "--wait",
    type=click.IntRange(0, 20),
    default=1,
    show_default=True,
    metavar="SECONDS",
    help="How long SQS looks for further messages before the queue counts as read.",
)
