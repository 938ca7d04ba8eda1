"""Compare the result of a run with the expected outcomes, alerts, records and rejected messages."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from functions.ledger.attribute_values import from_item
from ops.local.scenarios import Scenario
from ops.local.stack import Stack
from ops.local.subscriber import ReceivedAlert

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef


@dataclass(frozen=True, slots=True)
class MessageTrace:
    """The outcomes of one message's deliveries, in order, as the function logged them."""

    scenario: Scenario
    outcomes: tuple[dict[str, Any], ...]

    @property
    def last(self) -> dict[str, Any]:
        """The last outcome; empty if there is none."""
        return self.outcomes[-1] if self.outcomes else {}


@dataclass(frozen=True, slots=True)
class RunResult:
    """Everything that a run produced."""

    traces: Sequence[MessageTrace]
    alerts: Sequence[ReceivedAlert]
    records: Sequence[dict[str, Any]]
    dead_letters: "Sequence[MessageTypeDef]"


def read_records(stack: Stack) -> list[dict[str, Any]]:
    """Read all records from the table, oldest first. The last alert of an email and pointers are no records."""
    pages = stack.dynamodb.get_paginator("scan").paginate(TableName=stack.table)
    items = [from_item(item) for page in pages for item in page["Items"]]
    return sorted((item for item in items if "outcome" in item), key=lambda record: record["decided_at"])


def read_dead_letters(stack: Stack) -> "list[MessageTypeDef]":
    """Read all messages on the dead-letter queue without deleting them."""
    found: list[MessageTypeDef] = []
    while messages := stack.sqs.receive_message(
        QueueUrl=stack.dead_letter_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], VisibilityTimeout=60
    ).get("Messages", []):
        found += messages
    return found


def problems(result: RunResult) -> list[str]:
    """Describe each difference from the expected result in a sentence; empty if there is none."""
    return [
        *(problem for trace in result.traces for problem in _outcome(trace)),
        *_alerts(result),
        *_records(result),
        *_dead_letters(result),
    ]


def _outcome(trace: MessageTrace) -> list[str]:
    scenario, last = trace.scenario, trace.last
    expected = {"outcome": scenario.outcome, "disposition": scenario.disposition, "reason": scenario.reason}
    return [
        f"{scenario.source}, {scenario.about}: {name} is {last.get(name)}, not {value}"
        for name, value in expected.items()
        if value is not None and last.get(name) != value
    ]


def _escalated(result: RunResult) -> dict[str, MessageTrace]:
    return {trace.last["alert_id"]: trace for trace in result.traces if trace.last.get("outcome") == "ESCALATED"}


def _alerts(result: RunResult) -> list[str]:
    escalated = _escalated(result)
    received = Counter(alert.attributes["alert_id"] for alert in result.alerts)
    return [
        *(
            f"no alert was received for {trace.scenario.about}"
            for alert_id, trace in escalated.items()
            if not received[alert_id]
        ),
        *(f"alert {alert_id} was received {count} times" for alert_id, count in received.items() if count > 1),
        *(
            f"alert {alert_id} was received, but no outcome has this alert id"
            for alert_id in received
            if alert_id not in escalated
        ),
        *(
            f"alert {alert.attributes['alert_id']}: disposition is {alert.attributes['disposition']}, "
            f"not {trace.last['disposition']}"
            for alert in result.alerts
            if (trace := escalated.get(alert.attributes["alert_id"]))
            and trace.last["disposition"] != alert.attributes["disposition"]
        ),
        *(
            f"alert {alert.attributes['alert_id']} for {trace.scenario.about}: "
            f"severity is {alert.attributes.get('severity')}, not {expected}"
            for alert in result.alerts
            if (trace := escalated.get(alert.attributes["alert_id"]))
            and (expected := trace.scenario.severity) != alert.attributes.get("severity")
        ),
    ]


def _records(result: RunResult) -> list[str]:
    recorded = {record["alert_id"]: record for record in result.records if record["outcome"] == "ESCALATED"}
    not_found = {record["id"] for record in result.records if record["outcome"] == "NOT_FOUND"}
    wrong = []
    for alert_id, trace in _escalated(result).items():
        record = recorded.get(alert_id, {})
        if record.get("state") != "SENT" or record.get("sns_message_id") != trace.last["sns_message_id"]:
            wrong.append(f"the record of {trace.scenario.about} is {record.get('state', 'missing')}, not SENT")
    wrong += [
        f"no record has the outcome NOT_FOUND for {trace.scenario.about}"
        for trace in result.traces
        if trace.last.get("outcome") == "NOT_FOUND" and trace.last["id"] not in not_found
    ]
    unexpected = recorded.keys() - _escalated(result).keys()
    return [*wrong, *(f"record {alert_id} was written, but no outcome has this alert id" for alert_id in unexpected)]


def _dead_letters(result: RunResult) -> list[str]:
    rejected = [trace for trace in result.traces if trace.last.get("outcome") == "REJECTED"]
    expected = Counter(trace.last["reason"] for trace in rejected)
    actual = Counter(
        it["MessageAttributes"]["reason"]["StringValue"] if it["MessageAttributes"]["detail"]["StringValue"] else ""
        for it in result.dead_letters
    )
    return [] if expected == actual else [f"the dead-letter queue has {dict(actual)}, not {dict(expected)}"]
