"""All checks of a deployment, in the order in which a message travels.

An area that AWS does not let this operator read is one failed line, which names the missing permission. The other areas are
checked all the same.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from functions.alert.alert import Alert, Audience, describe
from ops.escalator.alerts.publish import OUTPUTS, alert_options, with_notification
from ops.escalator.alerts.sample import possible_records
from ops.escalator.aws import CommandFailed, Connection, Stack
from ops.escalator.doctor.alarms import check_alarms, read_alarms
from ops.escalator.doctor.check import Check, failure, ok, skipped
from ops.escalator.doctor.feed import check_feed
from ops.escalator.doctor.function import (
    FEED_SCHEDULE,
    SUMMARY_SCHEDULE,
    Function,
    check_function,
    check_schedule,
    check_trigger,
    read_function,
    read_schedules,
)
from ops.escalator.doctor.log_group import check_log_groups, read_log_groups
from ops.escalator.doctor.probe import LINES, check_probe, read_probe
from ops.escalator.doctor.queue import Queue, check_queues, read_queue
from ops.escalator.doctor.stack import Resource, check_stack, read_resources
from ops.escalator.doctor.table import Table, check_table, read_table
from ops.escalator.doctor.topic import (
    Queues,
    Topic,
    check_alert_subscribers,
    check_filters,
    check_lost_deliveries,
    check_operations,
    check_pending,
    check_queues_of_subscribers,
    check_topic,
    check_unfiltered_mail,
    check_unsubscribe_links,
    read_queues,
    read_topic,
)
from ops.escalator.feed.function import FeedFunction
from ops.escalator.feed.status import read_status
from ops.escalator.records.reader import RecordReader
from ops.escalator.text.sanitize import one_line

_DEFAULT_LIMIT = 1200


def examine(connection: Connection, stack: Stack) -> Iterator[Check]:
    """Yield the lines. Raises CommandFailed if the stack itself cannot be read."""
    deployment = Deployment(connection, stack)
    areas: dict[str, Callable[[], Iterable[Check]]] = {
        "stack": lambda: check_stack(stack),
        "functions": deployment.functions,
        "probe": deployment.probe,
        "queues": deployment.queues,
        "table": deployment.tables,
        "topics": deployment.topics,
        "operations": deployment.operations,
        "logs": lambda: check_log_groups(read_log_groups(connection, deployment.resources)),
        "feed": deployment.feed,
    }
    for name, checks in areas.items():
        try:
            yield from checks()
        except CommandFailed as exc:
            yield failed(name, exc)


def failed(name: str, exc: CommandFailed) -> Check:
    """A line about what could not be read. The error's last part says what to do."""
    problem, _, advice = one_line(exc).rpartition("; ")
    return failure(name, problem or advice, advice if problem else "run it again")


@dataclass
class Deployment:
    """What is read of a deployment. Each part is read once, when the first check asks for it."""

    connection: Connection
    stack: Stack

    @cached_property
    def resources(self) -> list[Resource]:
        """The resources of the stack."""
        return read_resources(self.connection, self.stack)

    @cached_property
    def escalate(self) -> Function | None:
        """The function that alerts."""
        name = self.stack.outputs.get("EscalateFunctionName")
        return read_function(self.connection, name) if name else None

    @cached_property
    def requests(self) -> Queue | None:
        """The requests queue."""
        url = self.stack.outputs.get("RequestQueueUrl")
        return read_queue(self.connection, url) if url else None

    @cached_property
    def table(self) -> Table | None:
        """The table."""
        name = self.stack.outputs.get("LedgerTableName")
        return read_table(self.connection, name) if name else None

    @cached_property
    def alert_topics(self) -> dict[Audience, Topic | None]:
        """The topics of alerts that the stack should have."""
        outputs = self.stack.outputs
        found = {it: outputs[name] for it, name in OUTPUTS.items() if outputs.get(name)}
        return {it: read_topic(self.connection, it.value, arn) for it, arn in found.items()}

    @cached_property
    def operations_topic(self) -> Topic | None:
        """The topic of alarms."""
        arn = self.stack.outputs.get("OperationsTopicArn")
        return read_topic(self.connection, "operations", arn) if arn else None

    def functions(self) -> Iterator[Check]:
        """Functions, trigger and schedules."""
        schedules = read_schedules(self.connection, self.resources)
        if name := self.stack.outputs.get("EscalateFunctionName"):
            yield check_function("function", name, self.escalate)
        else:
            yield from skipped("function", because="the stack has no output EscalateFunctionName")
        yield from check_trigger(self.escalate, self.requests.arn if self.requests else None)
        parameters = self.stack.parameters
        if parameters.get("CampaignMinutes") != "0" and parameters.get("Sinks", "table-and-topic") == "table-and-topic":
            yield from check_schedule(
                "summary schedule",
                self.escalate,
                schedules.get(SUMMARY_SCHEDULE),
                "people get no summaries of campaigns",
            )
        if name := self.stack.outputs.get("FeedFunctionName"):
            feed = read_function(self.connection, name)
            yield check_function("feed function", name, feed)
            yield from check_schedule("feed schedule", feed, schedules.get(FEED_SCHEDULE), "the feed does not run")
        else:
            yield ok("feed function", "Feed is off: another program must send ids")

    def probe(self) -> Iterator[Check]:
        """Secret, token and clock."""
        if self.escalate is None:
            yield from skipped("probe", *LINES, because="the function does not exist")
            return
        name, started = self.escalate.name, datetime.now(UTC)
        try:
            found = read_probe(FeedFunction(self.connection.lambda_, name).call("probe"))
        except CommandFailed as exc:
            yield failed("probe", exc)
            yield from skipped(*LINES, because="the function gives no answer")
            return
        yield ok("probe", f"{name} answers")
        parameters = self.stack.parameters
        limit = int(parameters.get("CloudflareLimit") or _DEFAULT_LIMIT)
        yield from check_probe(found, self.stack.outputs.get("SecretArn", "SecretArn"), limit, started)

    def queues(self) -> Iterator[Check]:
        """Both queues."""
        url = self.stack.outputs.get("DeadLetterQueueUrl")
        dead = read_queue(self.connection, url) if url else None
        return check_queues(self.requests, dead, self.stack.name)

    def tables(self) -> Iterator[Check]:
        """The table."""
        name = self.stack.outputs.get("LedgerTableName")
        if name:
            yield from check_table(name, self.table, self.stack.tags)
        else:
            yield ok("table", "Sinks=topic: alerts can repeat, and there are no records")

    def topics(self) -> Iterator[Check]:
        """The topics of alerts, and all subscriptions."""
        if not self.alert_topics:
            yield ok("topics", "Sinks=table: no alert is published")
            return
        for audience, topic in self.alert_topics.items():
            yield check_topic(audience.value, topic)
        findings, people = (self.alert_topics.get(it) for it in (Audience.FINDINGS, Audience.PEOPLE))
        yield from check_alert_subscribers(findings, people)
        there = {audience: topic for audience, topic in self.alert_topics.items() if topic}
        topics = [*there.values(), *([self.operations_topic] if self.operations_topic else [])]
        queues: Queues = read_queues(self.connection, topics)
        yield check_pending(topics)
        yield check_filters(there, self._possible_alerts())
        yield check_queues_of_subscribers(topics, queues)
        yield check_lost_deliveries(topics, queues)
        yield from check_unfiltered_mail(findings)
        yield check_unsubscribe_links(topics)

    def _possible_alerts(self) -> list[Alert]:
        parameters, options = self.stack.parameters, alert_options(self.stack)
        dispositions = [it for it in parameters.get("EscalateOn", "").split(",") if it] or ["MALICIOUS"]
        records = possible_records(parameters.get("CloudflareAccountId", ""), dispositions, datetime.now(UTC))
        return [describe(with_notification(it, self.stack), options) for it in records]

    def operations(self) -> Iterator[Check]:
        """Alarms, and who gets them."""
        yield from check_operations(self.operations_topic)
        yield from check_alarms(read_alarms(self.connection, self.resources))

    def feed(self) -> Iterator[Check]:
        """How far the feed has come."""
        outputs = self.stack.outputs
        name = outputs.get("LedgerTableName")
        if not outputs.get("FeedFunctionName") or not name:
            return
        if self.table is None:
            yield from skipped("feed lag", because="the table does not exist")
            return
        reader = RecordReader(self.connection.dynamodb, name)
        yield check_feed(read_status(reader, outputs["CloudflareAccountId"], datetime.now(UTC)), self.stack.name)
