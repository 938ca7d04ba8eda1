"""The options that say which records are meant."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any

import click

from functions.escalate.severity import Severity
from functions.ledger.keys import YES, Facet, Index, value_key
from ops.escalator.question import Question
from ops.escalator.span import NotATime, Span, read_time
from ops.escalator.text import refanged

DEFAULT_SINCE = "30d"
EVER = "1970-01-01"
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
"""There is no record from before the project, and each month back would cost a call to look for one."""
_AHEAD = timedelta(days=1)
"""Nor one from after now, whosever clock that is."""
_FACETS = {
    "disposition": ("WORD", "Cloudflare's word, such as MALICIOUS."),
    "severity": (click.Choice([*Severity], case_sensitive=False), "How grave."),
    "sender_domain": ("DOMAIN", "The domain the mail came from."),
    "sender_ip": ("ADDRESS", "The address it came from."),
    "link_host": ("HOST", "A host that it links to."),
    "attachment_sha256": ("HASH", "The SHA-256 of a file in it."),
    "category": ("NAME", "A threat category, by its name."),
    "recipient": ("ADDRESS", "Somebody it was sent to."),
}


def span_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command --since and --until; it gets the span as `span`."""

    @_since
    @_until
    @wraps(command)
    def with_span(*trail: Any, since: str | None, until: str | None, **others: Any) -> Any:
        return command(*trail, span=read_span(since or DEFAULT_SINCE, until, datetime.now(UTC)), **others)

    return with_span


def question_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command the span's options and one for each value to ask for; it gets them as `question`."""

    @wraps(command)
    def with_question(*trail: Any, since: str | None, until: str | None, pending: bool, **others: Any) -> Any:
        given = {name: others.pop(name) for name in _FACETS}
        facets = {name: as_recorded(name, value) for name, value in given.items() if value is not None}
        if pending and (pointed := [name for name in Facet if name in facets]):
            raise click.UsageError(
                f"{_option(pointed[0])} finds no --pending: a record can be found by it when its alert is out."
            )
        if pending:
            facets[Index.PENDING.partitioned_by] = YES
        span = read_span(since or (EVER if pending else DEFAULT_SINCE), until, datetime.now(UTC))
        return command(*trail, question=Question(span, facets), **others)

    decorated: Callable[..., Any] = with_question
    decorated = click.option("--pending", is_flag=True, help="Only what is not known to be sent, however old.")(
        decorated
    )
    for name, (kind, help_) in reversed(_FACETS.items()):
        wanted = {"metavar": kind} if isinstance(kind, str) else {"type": kind}
        decorated = click.option(_option(name), name, help=help_, **wanted)(decorated)
    return _since(_until(decorated))


def read_span(since: str, until: str | None, now: datetime) -> Span:
    """The span between two texts. Raises UsageError."""
    times = {}
    for name, text in {"since": since, "until": until}.items():
        try:
            times[name] = min(now if text is None else read_time(text, now), now + _AHEAD)
        except NotATime as exc:
            raise click.UsageError(f"--{name} {text!r} {exc}.") from exc
    span = Span(max(times["since"], FIRST), times["until"])
    if span.first > span.last:
        raise click.UsageError(f"nothing lies between --since {since} and --until {until or 'now'}.")
    return span


def as_recorded(name: str, value: str) -> str:
    """A value as the ledger writes it. Raises UsageError for one that it never writes."""
    match name:
        case "disposition":
            recorded = value.strip().upper()
        case "severity":
            recorded = value
        case Facet.ATTACHMENT_SHA256 | Facet.CATEGORY:
            recorded = value_key(value)
        case _:
            recorded = value_key(refanged(value))
    if not recorded:
        raise click.UsageError(f"{_option(name)} is empty.")
    return recorded


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


_since = click.option(
    "--since",
    metavar="TIME",
    help=f"From when: 90m, 24h, 7d before now, or 2026-11-24, or 2026-11-24T06:43:00Z (UTC).  [default: {DEFAULT_SINCE}]",
)
_until = click.option("--until", metavar="TIME", help="Until when, not including it.  [default: now]")
