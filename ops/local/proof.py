"""What came out of a run against what had to: every outcome, alert, record and rejection, and nothing else."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from functions.ledger.wire import from_item
from ops.local.consignment import Consignment
from ops.local.inbox import ReceivedAlert
from ops.local.stack import Stack

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef


@dataclass(frozen=True, slots=True)
class Travel:
    """One message's way: the outcomes of its deliveries, in order, as the function logged them."""

    consignment: Consignment
    outcomes: tuple[dict[str, Any], ...]

    @property
    def last(self) -> dict[str, Any]:
        """The outcome that it ended with; empty where it had none."""
        return self.outcomes[-1] if self.outcomes else {}


@dataclass(frozen=True, slots=True)
class Yield:
    """What a run left behind."""

    travels: Sequence[Travel]
    alerts: Sequence[ReceivedAlert]
    records: Sequence[dict[str, Any]]
    dead_letters: "Sequence[MessageTypeDef]"


def read_records(stack: Stack) -> list[dict[str, Any]]:
    """Every record in the table, oldest first; without what was last told, and without pointers."""
    pages = stack.dynamodb.get_paginator("scan").paginate(TableName=stack.table)
    items = [from_item(item) for page in pages for item in page["Items"]]
    return sorted((it for it in items if "outcome" in it), key=lambda record: record["decided_at"])


def read_dead_letters(stack: Stack) -> "list[MessageTypeDef]":
    """Every message on the dead-letter queue, left where it is."""
    found: list[MessageTypeDef] = []
    while messages := stack.sqs.receive_message(
        QueueUrl=stack.dead_letter_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], VisibilityTimeout=60
    ).get("Messages", []):
        found += messages
    return found


def problems(result: Yield) -> list[str]:
    """Everything that is not as it had to be, a sentence each; empty where all is well."""
    return [
        *(problem for travel in result.travels for problem in _outcome(travel)),
        *_alerts(result),
        *_records(result),
        *_dead_letters(result),
    ]


def _outcome(travel: Travel) -> list[str]:
    expected, last = travel.consignment, travel.last
    wanted = {"outcome": expected.outcome, "disposition": expected.disposition, "reason": expected.reason}
    return [
        f"{expected.source}, {expected.about}: {name} is {last.get(name)}, not {value}"
        for name, value in wanted.items()
        if value is not None and last.get(name) != value
    ]


def _escalated(result: Yield) -> dict[str, Travel]:
    return {it.last["alert_id"]: it for it in result.travels if it.last.get("outcome") == "ESCALATED"}


def _alerts(result: Yield) -> list[str]:
    escalated = _escalated(result)
    received = Counter(alert.attributes["alert_id"] for alert in result.alerts)
    return [
        *(
            f"no alert came for {travel.consignment.about}"
            for alert_id, travel in escalated.items()
            if not received[alert_id]
        ),
        *(f"alert {alert_id} came {count} times" for alert_id, count in received.items() if count > 1),
        *(
            f"alert {alert_id} came, though nothing was escalated under this id"
            for alert_id in received
            if alert_id not in escalated
        ),
        *(
            f"alert {alert.attributes['alert_id']} says {alert.attributes['disposition']}"
            for alert in result.alerts
            if (travel := escalated.get(alert.attributes["alert_id"]))
            and travel.last["disposition"] != alert.attributes["disposition"]
        ),
        *(
            f"alert {alert.attributes['alert_id']} for {travel.consignment.about}: "
            f"severity is {alert.attributes.get('severity')}, not {expected}"
            for alert in result.alerts
            if (travel := escalated.get(alert.attributes["alert_id"]))
            and (expected := travel.consignment.severity) != alert.attributes.get("severity")
        ),
    ]


def _records(result: Yield) -> list[str]:
    found = {record["alert_id"]: record for record in result.records if record["outcome"] == "ESCALATED"}
    not_found = {record["id"] for record in result.records if record["outcome"] == "NOT_FOUND"}
    wrong = []
    for alert_id, travel in _escalated(result).items():
        record = found.get(alert_id, {})
        if record.get("state") != "SENT" or record.get("sns_message_id") != travel.last["sns_message_id"]:
            wrong.append(f"the record of {travel.consignment.about} is {record.get('state', 'missing')}, not SENT")
    wrong += [
        f"no record says that {travel.consignment.about} was not found"
        for travel in result.travels
        if travel.last.get("outcome") == "NOT_FOUND" and travel.last["id"] not in not_found
    ]
    surplus = found.keys() - _escalated(result).keys()
    return [
        *wrong,
        *(f"record {alert_id} was written, though nothing was escalated under this id" for alert_id in surplus),
    ]


def _dead_letters(result: Yield) -> list[str]:
    rejected = [travel for travel in result.travels if travel.last.get("outcome") == "REJECTED"]
    reasons = Counter(travel.last["reason"] for travel in rejected)
    found = Counter(
        it["MessageAttributes"]["reason"]["StringValue"] if it["MessageAttributes"]["detail"]["StringValue"] else ""
        for it in result.dead_letters
    )
    return [] if reasons == found else [f"the dead-letter queue holds {dict(found)}, not {dict(reasons)}"]
