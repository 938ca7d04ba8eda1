"""All parts of the status of a deployment. Each is read for itself: one that fails hides no other."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from ops.escalator.aws import CommandFailed, Connection, Stack
from ops.escalator.doctor.alarms import Alarm, read_alarms
from ops.escalator.doctor.log_group import TYPE as LOG_GROUP
from ops.escalator.doctor.queue import Queue, read_queue
from ops.escalator.doctor.stack import Resource, read_resources
from ops.escalator.feed.status import FeedStatus, read_status
from ops.escalator.records.reader import RecordReader
from ops.escalator.status.alerts import AlertCounts, count_alerts
from ops.escalator.status.letters import Letters, read_letters
from ops.escalator.status.log import Log, read_log
from ops.escalator.status.part import NotKnown, read_part
from ops.escalator.status.waiting import Tries, count_waiting


@dataclass(frozen=True, slots=True)
class Overview:
    """What is known of a deployment at a time.

    requests:    the requests queue.
    log, tries:  what the log says, and of requests that wait.
    letters:     the dead letters.
    undelivered: the queue of what SNS could not deliver; None with a template that has none.
    alarms:      those that are on.
    feed:        None with Feed=off. alerts: None without a table.
    limit:       of the token, by the parameter CloudflareLimit.
    """

    stack: str
    now: datetime
    requests: Queue | NotKnown
    log: Log | NotKnown
    tries: Tries | NotKnown
    letters: Letters | NotKnown
    undelivered: Queue | NotKnown | None
    alarms: tuple[Alarm, ...] | NotKnown
    feed: FeedStatus | NotKnown | None
    alerts: AlertCounts | NotKnown | None
    limit: int

    @property
    def not_known(self) -> dict[str, str]:
        """The parts that could not be read, each with its reason."""
        parts: dict[str, object] = {
            "requests queue": self.requests,
            "log": self.log if isinstance(self.log, NotKnown) else self.tries,
            "dead letters": self.letters,
            "undelivered messages": self.undelivered,
            "alarms": self.alarms,
            "feed": self.feed,
            "alerts": self.alerts,
        }
        return {name: part.why for name, part in parts.items() if isinstance(part, NotKnown)}


def read_overview(
    connection: Connection, stack: Stack, now: datetime, sleep: Callable[[float], None] = time.sleep
) -> Overview:
    """Read all parts."""
    source = _Source(connection, stack, now, sleep)
    log = read_part(source.log)
    outputs = stack.outputs
    has_feed, has_table = ("FeedFunctionName" in outputs), ("LedgerTableName" in outputs)
    return Overview(
        stack=stack.name,
        now=now,
        requests=read_part(lambda: source.queue("RequestQueueUrl")),
        log=log,
        tries=log if isinstance(log, NotKnown) else count_waiting(log.lines),
        letters=read_part(source.letters),
        undelivered=read_part(lambda: source.queue("UndeliveredQueueUrl"))
        if "UndeliveredQueueUrl" in outputs
        else None,
        alarms=read_part(source.alarms),
        feed=read_part(source.feed) if has_feed else None,
        alerts=read_part(source.alerts) if has_table else None,
        limit=int(stack.parameters.get("CloudflareLimit") or 0),
    )


@dataclass
class _Source:
    """Where the parts are read. Each method raises CommandFailed."""

    connection: Connection
    stack: Stack
    now: datetime
    sleep: Callable[[float], None]

    @cached_property
    def resources(self) -> list[Resource]:
        """The resources of the stack."""
        return read_resources(self.connection, self.stack)

    @property
    def _reader(self) -> RecordReader:
        return RecordReader(self.connection.dynamodb, self._output("LedgerTableName"))

    def queue(self, output: str) -> Queue:
        """A queue of the stack."""
        found = read_queue(self.connection, self._output(output))
        if found is None:
            raise CommandFailed(f"the queue {self._output(output)} does not exist")
        return found

    def log(self) -> Log:
        """The logs of both functions."""
        groups = [it.id for it in self.resources if it.type == LOG_GROUP]
        return read_log(self.connection, groups, self.now, self.sleep)

    def letters(self) -> Letters:
        """The dead letters."""
        url = self._output("DeadLetterQueueUrl")
        return read_letters(self.connection, url, self.queue("DeadLetterQueueUrl"))

    def alarms(self) -> tuple[Alarm, ...]:
        """The alarms that are on, the first one first."""
        firing = [it for it in read_alarms(self.connection, self.resources) if it.state == "ALARM"]
        return tuple(sorted(firing, key=lambda it: it.since or self.now))

    def feed(self) -> FeedStatus:
        """What the table says of the feed."""
        return read_status(self._reader, self._output("CloudflareAccountId"), self.now)

    def alerts(self) -> AlertCounts:
        """What the table says of alerts."""
        return count_alerts(self._reader, self.now)

    def _output(self, name: str) -> str:
        found = self.stack.outputs.get(name)
        if not found:
            raise CommandFailed(f"the stack {self.stack.name} has no output {name}; deploy this release")
        return found
