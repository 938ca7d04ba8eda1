"""The edge to the feed's function: invoke it, and list Cloudflare's search through it.

The token and the rate limit are in the function. It lists one slice of a period at a time, and says how long to wait while
its requests are used up.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import click

from functions.domain.email_id import EmailId
from functions.domain.record import moment
from functions.domain.times import duration
from ops.escalator.aws import CommandFailed, explained
from ops.escalator.records.time_range import TimeRange
from ops.escalator.text.sanitize import one_line

WAITS = frozenset({"continues", "held", "blocked", "unavailable"})
"""Results after which the same command may succeed."""
MAX_WAITS = 20
"""Invocations without progress. The requests of the feed come back within five minutes."""
WAIT_SECONDS = 5.0
QUEUE_SIZE = 100
"""Deliveries that the function queues at once."""


@dataclass(frozen=True, slots=True)
class Row:
    """A delivery in Cloudflare's list.

    disposition: in upper case; empty if the list has none, or an unknown one.
    escalates:   whether it raises an alert; None if only a request for the delivery can tell.
    left_out:    whether the feed leaves its delivery mode out: simulations, reports about DMARC, retro scans.
    """

    id: EmailId
    disposition: str
    escalates: bool | None
    left_out: bool


@dataclass(frozen=True, slots=True)
class Slice:
    """The complete list of a part of a period. cursor: of the next slice; None after the last one."""

    rows: tuple[Row, ...]
    cursor: str | None
    unreadable: int


@dataclass(frozen=True, slots=True)
class FeedFunction:
    """A client of Lambda, and the name of the feed's function."""

    client: Any
    name: str
    sleep: Callable[[float], None] = time.sleep

    def call(self, action: str, **values: object) -> dict[str, Any]:
        """Invoke the function and return its answer. Raises CommandFailed."""
        payload = json.dumps({"action": action, **values}).encode()
        with explained(f"invoke the function {self.name}"):
            response = self.client.invoke(FunctionName=self.name, Payload=payload)
            body = response["Payload"].read()
        try:
            answer = json.loads(body)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise CommandFailed(f"the function {self.name} returned no JSON object; check the --function")
        if "FunctionError" in response:
            message = one_line(answer.get("errorMessage", "no message"))
            raise CommandFailed(f"the function {self.name} failed: {message}; read its log")
        if error := answer.get("error"):
            raise CommandFailed(
                f"the function {self.name} refused the command: {one_line(error)};"
                " use the command line and the template of the same release"
            )
        return answer

    def slices(self, time_range: TimeRange, cursor: str | None = None) -> Iterator[Slice]:
        """Yield the list of a period, slice by slice. Waits where the function says so. Raises CommandFailed.

        Two slices overlap by a minute. A delivery comes only once of these.
        """
        period = {"since": moment(time_range.since), "until": moment(time_range.until)}
        waits, before = 0, frozenset[str]()
        while True:
            answer = self.call("list", **period, cursor=cursor)
            if answer["result"] == "done":
                waits, cursor = 0, answer["cursor"]
                rows = [_row(it) for it in answer["rows"]]
                yield Slice(tuple(it for it in rows if it.id.value not in before), cursor, answer["unreadable"])
                before = frozenset(it.id.value for it in rows)
                if cursor is None:
                    return
                continue
            cursor, waits = answer.get("cursor", cursor), waits + 1
            self.wait(answer, "list Cloudflare's search", waits)

    def probe(self) -> dict[str, str]:
        """What the search of this account does, by what is asked. Waits where the function says so. Raises CommandFailed."""
        for waits in range(1, MAX_WAITS + 2):
            answer = self.call("probe")
            if answer["result"] == "done":
                return {one_line(name): one_line(text) for name, text in answer["found"].items()}
            self.wait(answer, "probe Cloudflare's search", waits)
        raise CommandFailed("the feed's function is busy; try again later")

    def queue(self, rows: Sequence[Row]) -> list[EmailId]:
        """Queue deliveries, and return those that the queue took."""
        answer = self.call("queue", rows=[[it.id.value, it.disposition] for it in rows])
        return [EmailId(it) for it in answer.get("queued", ())]

    def wait(self, answer: dict[str, Any], action: str, waits: int) -> None:
        """Wait before the next try, or raise CommandFailed if it would not help."""
        result, detail = one_line(answer.get("result")), one_line(answer.get("detail", ""))
        if result not in WAITS or waits > MAX_WAITS:
            raise CommandFailed(f"cannot {action}: {result}: {detail or 'no detail'}; read the log of {self.name}")
        seconds = max(1.0, float(answer.get("wait", WAIT_SECONDS)))
        click.echo(f"Waiting {duration(seconds)}: {detail or result}.", err=True)
        self.sleep(seconds)


def _row(values: Sequence[Any]) -> Row:
    delivery, disposition, escalates, left_out = values
    return Row(EmailId(delivery), disposition, escalates, left_out)
