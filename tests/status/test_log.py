"""The query of the log, against a server that answers as Logs Insights does."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from functions.domain.outcome import Outcome
from ops.escalator.aws import CommandFailed, Connection
from ops.escalator.status.log import MAX_LINES, PAUSES, WINDOW, read_log

NOW = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)
GROUPS = ("escalate", "feed")
Answers = list[tuple[str, list[dict[str, Any]]]]


def row(time: str, fields: object) -> dict[str, Any]:
    """A line of the log, before Logs Insights lists its fields."""
    return {"@timestamp": time, "@message": fields if isinstance(fields, str) else json.dumps(fields)}


OUTCOME = row(
    "2026-11-26 09:12:00.500",
    {
        "message": "outcome",
        "outcome": "RETRY",
        "reason": "cloudflare-unavailable",
        "id": "a",
        "waiting_since": "2026-11-26T09:10:00.000Z",
    },
)


@contextmanager
def insights(answers: Answers) -> Iterator[tuple[Connection, list[tuple[str, Any]]]]:
    """Answer the query with these statuses and lines, the last one again and again. Yields the connection and the calls."""
    calls: list[tuple[str, Any]] = []
    left = [*answers]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            operation = self.headers["x-amz-target"].rpartition(".")[2]
            calls.append((operation, json.loads(self.rfile.read(int(self.headers["content-length"])))))
            answer: dict[str, Any] = {"queryId": "q"}
            if operation == "GetQueryResults":
                status, rows = left.pop(0) if len(left) > 1 else left[0]
                fields = [[{"field": name, "value": value} for name, value in it.items()] for it in rows]
                answer = {"status": status, "results": fields}
            if operation == "StopQuery":
                answer = {"success": True}
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("content-type", "application/x-amz-json-1.1")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield Connection("eu-west-1", endpoint_url=f"http://127.0.0.1:{server.server_port}"), calls
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., tuple[Connection, list[tuple[str, Any]]]]]:
    """Return a function that starts such a server."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "local")
    with ExitStack() as servers:
        yield lambda *answers: servers.enter_context(insights([*answers]))


Answer = Callable[..., tuple[Connection, list[tuple[str, Any]]]]


def test_query_waits_until_it_is_complete_and_covers_one_hour(answer: Answer) -> None:
    """What a running query returns is not complete."""
    connection, calls = answer(("Scheduled", []), ("Running", [OUTCOME]), ("Complete", [OUTCOME]))
    pauses: list[float] = []
    found = read_log(connection, GROUPS, NOW, pauses.append)
    [line] = found.lines
    assert (Outcome.RETRY, "cloudflare-unavailable", "a") == (line.outcome, line.reason, line.key)
    assert datetime(2026, 11, 26, 9, 12, 0, 500_000, tzinfo=UTC) == line.at
    assert datetime(2026, 11, 26, 9, 10, tzinfo=UTC) == line.waiting_since
    assert (NOW - WINDOW, False, [*PAUSES[:2]]) == (found.since, found.is_cut, pauses)
    started = calls[0][1]
    assert ([*GROUPS], 3601) == (started["logGroupNames"], started["endTime"] - started["startTime"])
    assert f"limit {MAX_LINES}" in started["queryString"]


def test_newest_value_of_the_rate_limit_counts(answer: Answer) -> None:
    """Lines of metrics have a list with one number. Other lines that name the metric have none."""
    lines = [
        row("2026-11-26 09:30:00.000", {"RateLimitRemaining": [900.0]}),
        row("2026-11-26 09:40:00.000", {"RateLimitRemaining": [800.0], "service": "feed"}),
        row("2026-11-26 09:50:00.000", {"message": 'about "RateLimitRemaining"', "RateLimitRemaining": None}),
    ]
    connection, _ = answer(("Complete", lines))
    assert (800, datetime(2026, 11, 26, 9, 40, tzinfo=UTC)) == read_log(connection, GROUPS, NOW).remaining


@pytest.mark.parametrize(
    "message",
    [
        "START RequestId: 1",
        "[1, 2]",
        {"message": "outcome"},
        {"message": "outcome", "outcome": "OF_A_LATER_RELEASE"},
        {"message": "run"},
    ],
    ids=str,
)
def test_other_line_is_left_out(answer: Answer, message: object) -> None:
    connection, _ = answer(("Complete", [row("2026-11-26 09:30:00.000", message), OUTCOME]))
    assert 1 == len(read_log(connection, GROUPS, NOW).lines)


def test_log_with_too_many_lines_says_since_when_it_was_read(answer: Answer) -> None:
    """The newest lines are first."""
    many = [OUTCOME] * (MAX_LINES - 1) + [
        row("2026-11-26 09:11:00.000", {"message": "outcome", "outcome": "ESCALATED"})
    ]
    connection, _ = answer(("Complete", many))
    found = read_log(connection, GROUPS, NOW)
    assert (True, datetime(2026, 11, 26, 9, 11, tzinfo=UTC)) == (found.is_cut, found.since)


@pytest.mark.parametrize("status", ["Failed", "Cancelled", "Timeout", "Unknown"])
def test_query_that_fails_is_an_error(answer: Answer, status: str) -> None:
    connection, _ = answer((status, []))
    with pytest.raises(CommandFailed, match=f"ended as {status}"):
        read_log(connection, GROUPS, NOW)


def test_query_that_does_not_end_is_stopped_after_half_a_minute(answer: Answer) -> None:
    """What it had found by then does not count."""
    connection, calls = answer(("Running", [OUTCOME]))
    pauses: list[float] = []
    with pytest.raises(CommandFailed, match="took more than 30 s"):
        read_log(connection, GROUPS, NOW, pauses.append)
    assert timedelta(seconds=30) == timedelta(seconds=sum(pauses))
    assert "StopQuery" == calls[-1][0]


def test_stack_without_a_log_group_has_no_log(answer: Answer) -> None:
    connection, calls = answer(("Complete", []))
    with pytest.raises(CommandFailed, match="no log group"):
        read_log(connection, (), NOW)
    assert [] == calls
