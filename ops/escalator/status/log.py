"""The log of the last hour, by one query of Logs Insights: outcomes, and the requests that Cloudflare has left.

Logs Insights bills the bytes that it scans, so the window is short. Each request that waits has a line in it: it is tried again
at least every 15 minutes. The lines are counted here, so that the newest ones count where there are too many.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.domain.outcome import Outcome
from functions.domain.times import read_time
from functions.escalate.telemetry import OUTCOME_LINE
from functions.metrics import RATE_LIMIT_REMAINING
from ops.escalator.aws import CommandFailed, Connection, explained

WINDOW = timedelta(hours=1)
MAX_LINES = 10_000
"""The maximum of one answer of Logs Insights."""
QUERY = (
    "fields @timestamp, @message"
    f' | filter message = "{OUTCOME_LINE}" or @message like /"{RATE_LIMIT_REMAINING}"/'
    f" | sort @timestamp desc | limit {MAX_LINES}"
)
PAUSES = (0.2, 0.3, 0.5, *[1.0] * 29)
"""Seconds between two questions whether the query is complete: 30 s in all."""


@dataclass(frozen=True, slots=True)
class OutcomeLine:
    """The log line of one receive. key: the same for all receives of a request. waiting_since: of a RETRY or DEFERRED."""

    at: datetime
    outcome: Outcome
    reason: str
    key: str
    detail: str = ""
    waiting_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Log:
    """What the log says.

    since:     the start of what was read.
    lines:     oldest first.
    is_cut:    whether there are more lines than were read; then `since` is the time of the oldest one.
    remaining: the requests that Cloudflare had left to the token at last, and when. None without an answer.
    """

    since: datetime
    lines: tuple[OutcomeLine, ...]
    is_cut: bool = False
    remaining: tuple[int, datetime] | None = None


def read_log(
    connection: Connection, groups: Sequence[str], now: datetime, sleep: Callable[[float], None] = time.sleep
) -> Log:
    """Query the log groups. Raises CommandFailed."""
    if not groups:
        raise CommandFailed("the stack has no log group")
    since = now - WINDOW
    rows = [*_rows(_run(connection, groups, since, now, sleep))]
    is_cut = len(rows) >= MAX_LINES
    outcomes = [line for at, fields in rows if (line := _outcome(at, fields))]
    seen = [(at, count) for at, fields in rows if (count := _remaining(fields)) is not None]
    newest = max(seen, default=None)
    return Log(
        since=min(at for at, _ in rows) if is_cut else since,
        lines=tuple(sorted(outcomes, key=lambda line: line.at)),
        is_cut=is_cut,
        remaining=(newest[1], newest[0]) if newest else None,
    )


def _run(
    connection: Connection, groups: Sequence[str], since: datetime, until: datetime, sleep: Callable[[float], None]
) -> list[list[dict[str, str]]]:
    client = connection.client("logs")
    with explained("query the log"):
        query = client.start_query(
            logGroupNames=[*groups],
            startTime=int(since.timestamp()),
            endTime=int(until.timestamp()) + 1,
            queryString=QUERY,
        )["queryId"]
        for pause in PAUSES:
            answer = client.get_query_results(queryId=query)
            if answer["status"] == "Complete":
                found: list[list[dict[str, str]]] = answer["results"]
                return found
            if answer["status"] not in ("Scheduled", "Running"):
                raise CommandFailed(f"the query of the log ended as {answer['status']}; try again")
            sleep(pause)
        client.stop_query(queryId=query)
    raise CommandFailed(f"the query of the log took more than {sum(PAUSES):.0f} s; try again")


def _rows(results: Sequence[Sequence[Mapping[str, str]]]) -> Iterator[tuple[datetime, Mapping[str, Any]]]:
    """The time and the fields of each line that is JSON."""
    for row in results:
        values = {it["field"]: it["value"] for it in row}
        try:
            fields = json.loads(values["@message"])
        except ValueError:
            continue
        at = _time(values["@timestamp"])
        if at and isinstance(fields, dict):
            yield at, fields


def _time(text: str) -> datetime | None:
    """Logs Insights writes `2026-11-26 09:12:00.000`; the emulated one, milliseconds since 1970."""
    return datetime.fromtimestamp(int(text) / 1000, UTC) if text.isdecimal() else read_time(text)


def _outcome(at: datetime, fields: Mapping[str, Any]) -> OutcomeLine | None:
    if fields.get("message") != OUTCOME_LINE:
        return None
    try:
        outcome = Outcome(fields["outcome"])
    except (KeyError, ValueError):  # of another release
        return None
    since = fields.get("waiting_since")
    return OutcomeLine(
        at=at,
        outcome=outcome,
        reason=str(fields.get("reason", "")),
        # A deferred request is a new message of SQS each time, so its email comes first.
        key=str(fields.get("id") or fields.get("sqs_message_id", "")),
        detail=str(fields.get("detail", "")),
        waiting_since=read_time(since) if isinstance(since, str) else None,
    )


def _remaining(fields: Mapping[str, Any]) -> int | None:
    """The value in a line of metrics: a list with one number."""
    match fields.get(RATE_LIMIT_REMAINING):
        case [int() | float() as count, *_] | (int() | float() as count):
            return int(count)
    return None
