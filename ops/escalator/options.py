"""Options that several commands share: AWS connection, table or queues, time range, record values."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import reduce, wraps
from typing import Any

import click

from functions.domain.outcome import Outcome
from functions.domain.search_values import SearchKind
from functions.domain.severity import Severity
from functions.ledger.keys import YES, Index
from ops.escalator.aws import CommandFailed, Connection
from ops.escalator.dead_letters.queue import DeadLetters
from ops.escalator.records.query import InvalidValue, RecordQuery, asked_value, nearest_word, option_name
from ops.escalator.records.reader import RecordReader
from ops.escalator.records.time_range import InvalidTime, TimeRange, read_time

TABLE, DEAD_LETTERS, REQUESTS = "LEDGER_TABLE", "DEAD_LETTER_QUEUE_URL", "REQUEST_QUEUE_URL"
"""Environment variables of the function. `make local` sets them, too."""
UNDELIVERED = "UNDELIVERED_QUEUE_URL"
"""No environment variable: the function does not use this queue."""
ACCOUNT, FUNCTION = "CLOUDFLARE_ACCOUNT_ID", "FEED_FUNCTION_NAME"
DEFAULT_DAYS = 30

_OUTPUTS = {
    TABLE: "LedgerTableName",
    DEAD_LETTERS: "DeadLetterQueueUrl",
    REQUESTS: "RequestQueueUrl",
    UNDELIVERED: "UndeliveredQueueUrl",
    ACCOUNT: "CloudflareAccountId",
    FUNCTION: "FeedFunctionName",
}
_OPTIONS = {
    TABLE: "--table",
    DEAD_LETTERS: "--dead-letter-queue-url",
    REQUESTS: "--request-queue-url",
    UNDELIVERED: "--dead-letter-queue-url",
    ACCOUNT: "--account-id",
    FUNCTION: "--function",
}
_DEFAULT_SINCE = f"{DEFAULT_DAYS}d"
_BEGINNING = "1970-01-01"
_FIRST_RECORD = datetime(2026, 1, 1, tzinfo=UTC)
"""No record is older than the project. Each earlier month would cost one query."""
_CLOCK_SKEW = timedelta(days=1)
"""No record is newer than now, by any clock."""

Command = Callable[..., Any]
Decorator = Callable[[Command], Command]


def connection_options(command: Command) -> Command:
    """Add --region, --profile and --endpoint-url. The command gets the connection as its first argument."""

    @wraps(command)
    def with_connection(**params: Any) -> Any:
        own = {name: params.pop(name) for name in ("region", "profile", "endpoint_url")}
        connection = click.get_current_context().find_object(Connection) or Connection()
        return command(replace(connection, **{name: value for name, value in own.items() if value}), **params)

    return _add(
        with_connection,
        click.option("--region", metavar="NAME", help="These three options as in `escalator --help`."),
        click.option("--profile", metavar="NAME"),
        click.option("--endpoint-url", metavar="URL"),
    )


def table_options(command: Command) -> Command:
    """Add --table, --stack and the connection options. The command gets a reader as its first argument."""

    @connection_options
    @wraps(command)
    def with_table(connection: Connection, stack: str | None, **params: Any) -> Any:
        names = resolve(connection, {TABLE: params.pop(TABLE)}, stack)
        return command(RecordReader(connection.dynamodb, names[TABLE]), **params)

    return _add(
        with_table,
        click.option("--table", TABLE, metavar="NAME", help=f"DynamoDB table of the ledger.  [env var: {TABLE}]"),
        click.option("--stack", metavar="NAME", help="CloudFormation stack that has the table."),
    )


def queue_options(*needed: str) -> Decorator:
    """Add options for the queues that are needed, and the connection options.

    The command gets the dead-letter queue as its first argument. If it sends nothing back, it also works on the queue of
    undelivered messages, with --undelivered.
    """
    help_texts = {DEAD_LETTERS: "The dead-letter queue.", REQUESTS: "The queue to send back to."}

    def decorate(command: Command) -> Command:
        @connection_options
        @wraps(command)
        def with_queues(
            connection: Connection, stack: str | None, wait: int, *, undelivered: bool = False, **params: Any
        ) -> Any:
            passed = {name: params.pop(name) for name in needed}
            if undelivered:
                return command(undelivered_messages(connection, stack, wait, passed[DEAD_LETTERS]), **params)
            urls = resolve(connection, passed, stack)
            return command(DeadLetters(connection.sqs, urls[DEAD_LETTERS], urls.get(REQUESTS, ""), wait), **params)

        return _add(
            with_queues,
            *(
                click.option(_OPTIONS[name], name, metavar="URL", help=f"{help_texts[name]}  [env var: {name}]")
                for name in needed
            ),
            *(() if REQUESTS in needed else (_UNDELIVERED,)),
            click.option("--stack", metavar="NAME", help="CloudFormation stack that has the queues."),
            wait_option,
        )

    return decorate


_UNDELIVERED = click.option(
    "--undelivered",
    is_flag=True,
    help="The queue of what SNS could not deliver to a subscriber. It needs --stack.",
)
wait_option = click.option(
    "--wait",
    type=click.IntRange(0, 20),
    default=1,
    show_default=True,
    metavar="SECONDS",
    help="How long SQS waits for further messages before the queue counts as read.",
)


def undelivered_messages(
    connection: Connection, stack: str | None, wait: int, passed_url: str | None = None
) -> DeadLetters:
    """The queue of undelivered messages of a stack."""
    if not stack:
        raise click.UsageError("--undelivered needs --stack.")
    urls = resolve(connection, {UNDELIVERED: passed_url}, stack)
    return DeadLetters(connection.sqs, urls[UNDELIVERED], "", wait, undelivered=True)


def resolve(connection: Connection, params: Mapping[str, str | None], stack: str | None) -> dict[str, str]:
    """The table or the queues, by the name of their environment variable.

    All of them come from one source: the options, the stack, or the environment. The dead letters of one deployment
    therefore never end up in the requests of another. Raises UsageError, and CommandFailed for another kind of stack.
    """
    options = " and ".join(_OPTIONS[name] for name in params)
    passed = {name: value for name, value in params.items() if value}
    if passed and stack:
        raise click.UsageError(f"give either --stack or {options}, not both.")
    if stack:
        outputs = connection.outputs(stack)
        if missing := [_OUTPUTS[name] for name in params if not outputs.get(_OUTPUTS[name])]:
            of_feed = " with Feed=on" if FUNCTION in params else ""
            raise CommandFailed(
                f"the stack {stack} has no output {' or '.join(missing)}; use a stack created from template.yaml{of_feed}"
            )
        return {name: outputs[_OUTPUTS[name]] for name in params}
    found = {name: passed.get(name, "") if passed else os.environ.get(name, "") for name in params}
    if missing := [_OPTIONS[name] for name in params if not found[name]]:
        kind = "table" if TABLE in params else "function" if FUNCTION in params else "queue"
        raise click.UsageError(f"which {kind}? Give --stack, or {' and '.join(missing)}.")
    return found


_SINCE = click.option(
    "--since",
    metavar="TIME",
    help="Start: 90m, 24h, 7d or 4w before now, or 2026-11-24, or 2026-11-24T06:43:00Z (UTC)."
    f"  [default: {_DEFAULT_SINCE}]",
)
_UNTIL = click.option("--until", metavar="TIME", help="End (exclusive), in the same forms.  [default: now]")
RECORDED_OUTCOMES = (Outcome.ESCALATED, Outcome.CLOSED, Outcome.NOT_ESCALATED, Outcome.NOT_FOUND, Outcome.REJECTED)
"""The other outcomes are never recorded."""


class Word(click.Choice[str]):
    """A choice between words. The error for another word names the nearest one."""

    def __init__(self, words: Iterable[str]) -> None:
        super().__init__([*words], case_sensitive=False)

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        """All words, and the nearest one."""
        return (
            f"{super().get_invalid_choice_message(value, ctx)} Did you mean {nearest_word(str(value), self.choices)}?"
        )


_VALUES: dict[str, dict[str, Any]] = {
    "sender_domain": {"metavar": "DOMAIN", "help": "Domain of the sender, or of Reply-To."},
    "sender": {"metavar": "ADDRESS", "help": "Address of the sender, or of Reply-To."},
    "sender_ip": {"metavar": "IP", "help": "IP address of the sender."},
    "link_host": {"metavar": "HOST", "help": "Host of a link in the email. A URL works, too."},
    "attachment_hash": {"metavar": "HASH", "help": "SHA-256, SHA-1 or MD5 of an attachment."},
    "recipient": {"metavar": "ADDRESS", "help": "Address of a recipient."},
    "category": {"metavar": "NAME", "help": "Name of a threat category."},
    "campaign": {"metavar": "ID", "help": "Campaign, as an alert names it."},
    "message_id": {"metavar": "ID", "help": "Message-ID header of the email."},
    "subject": {"metavar": "WORDS", "help": "Words of the subject, in any order."},
    "alert_id": {"metavar": "ID", "help": "`alert_id` of an alert: 32 hexadecimal digits."},
    "disposition": {"metavar": "WORD", "help": "Cloudflare's disposition, such as MALICIOUS."},
    "severity": {"type": Word(Severity), "help": "Severity of the alert."},
    "delivered": {
        "type": Word(["true", "false", "unknown"]),
        "help": "Whether the email was in an inbox.",
    },
    "outcome": {"type": Word(RECORDED_OUTCOMES), "help": "Outcome of the decision."},
    "account_id": {"metavar": "ID", "help": "Cloudflare account."},
}


def time_range_options(command: Command) -> Command:
    """Add --since and --until. The command gets them as its parameter `time_range`."""

    @wraps(command)
    def with_time_range(*args: Any, since: str | None, until: str | None, **params: Any) -> Any:
        return command(*args, time_range=read_time_range(since or _DEFAULT_SINCE, until, datetime.now(UTC)), **params)

    return _add(with_time_range, _SINCE, _UNTIL)


def query_options(command: Command) -> Command:
    """Add the time range and one option for each value of a record. The command gets them as its parameter `query`."""

    @wraps(command)
    def with_query(*args: Any, since: str | None, until: str | None, pending: bool, **params: Any) -> Any:
        texts = {name: params.pop(name) for name in _VALUES}
        values = {name: _asked(name, text) for name, text in texts.items() if text is not None}
        if pending and (pointed := [name for name in SearchKind if name in values]):
            raise click.UsageError(
                f"{option_name(pointed[0])} and --pending exclude each other: it finds records only after their alert is sent."
            )
        if pending:
            values[Index.PENDING.partitioned_by] = YES
        time_range = read_time_range(since or (_BEGINNING if pending else _DEFAULT_SINCE), until, datetime.now(UTC))
        return command(*args, query=RecordQuery(time_range, values), **params)

    return _add(
        with_query,
        _SINCE,
        _UNTIL,
        *(click.option(option_name(name), name, **settings) for name, settings in _VALUES.items()),
        click.option("--pending", is_flag=True, help="Only alerts in state PENDING, of any age."),
    )


def is_default_range() -> bool:
    """Whether the operator has left the start of the time range to its default of 30 days."""
    params = click.get_current_context().params
    return params.get("since") is None and not params.get("pending") and not params.get("cursor")


def whole_retention() -> TimeRange:
    """The time range of all records that exist."""
    return read_time_range(_BEGINNING, None, datetime.now(UTC))


def read_time_range(since: str, until: str | None, now: datetime) -> TimeRange:
    """The time range between two texts. Raises UsageError."""
    times = {}
    for name, text in {"since": since, "until": until}.items():
        try:
            times[name] = min(now if text is None else read_time(text, now), now + _CLOCK_SKEW)
        except InvalidTime as exc:
            raise click.UsageError(f"--{name} {text!r} {exc}.") from exc
    time_range = TimeRange(max(times["since"], _FIRST_RECORD), times["until"])
    if time_range.first > time_range.last:
        raise click.UsageError(f"The time range from --since {since} to --until {until or 'now'} is empty.")
    return time_range


def _asked(name: str, text: str) -> str:
    try:
        return asked_value(name, text)
    except InvalidValue as exc:
        message = f"{option_name(name)} {exc}"
        raise click.UsageError(message if message.endswith("?") else f"{message}.") from exc


def _add(command: Command, *options: Decorator) -> Command:
    """Apply options so that the help lists them in this order."""
    return reduce(lambda decorated, option: option(decorated), reversed(options), command)
