"""A table in memory that takes the ledger's own writes, to fill a real table with thousands of items.

An emulated transaction takes 50 ms, so 5,000 of them take four minutes. Conditions are not checked, because each email is
new. test_in_memory_table.py compares the result with a real table.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from functions.domain.record import Record
from functions.ledger.claim_attempt import ClaimOwner, ClaimStatus
from functions.ledger.ledger import Ledger
from functions.ledger.table import Table
from tests.history.sample_history import LEASE, OWNER, RETENTION, Sample

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Wire = dict[str, Any]
BATCH = 25
_SET, _ADD, _REMOVE = (
    re.compile(pattern) for pattern in (r"#(\w+) = (:\w+)", r" ADD (\w+) (:\w+)", r"\bREMOVE ([\w, ]+)$")
)


@dataclass
class InMemoryTable:
    """Takes the ledger's writes as DynamoDB does. items: by key."""

    items: dict[tuple[str, str], Wire] = field(default_factory=dict)

    def transact_write_items(self, TransactItems: list[Wire]) -> None:  # noqa: N803  # the SDK's name
        """Apply updates and puts, without their conditions."""
        for write in TransactItems:
            if "Put" in write:
                self._put(write["Put"]["Item"])
            else:
                self._update(write["Update"])

    def batch_get_item(self, RequestItems: dict[str, Wire]) -> Wire:  # noqa: N803
        """The items with these keys."""
        [(table, request)] = RequestItems.items()
        keys = [(key["pk"]["S"], key["sk"]["S"]) for key in request["Keys"]]
        return {"Responses": {table: [self.items[key] for key in keys if key in self.items]}}

    def batch_write_item(self, RequestItems: dict[str, list[Wire]]) -> Wire:  # noqa: N803
        """Apply puts."""
        for [requests] in [RequestItems.values()]:
            for request in requests:
                self._put(request["PutRequest"]["Item"])
        return {}

    def _put(self, item: Wire) -> None:
        self.items[item["pk"]["S"], item["sk"]["S"]] = item

    def _update(self, update: Wire) -> None:
        key, expression = update["Key"], update["UpdateExpression"]
        values = update.get("ExpressionAttributeValues", {})
        item = self.items.setdefault((key["pk"]["S"], key["sk"]["S"]), dict(key))
        for name, value in _SET.findall(expression):
            item[update["ExpressionAttributeNames"][f"#{name}"]] = values[value]
        for name, value in _ADD.findall(expression):
            item[name] = {"N": str(int(item.get(name, {"N": "0"})["N"]) + int(values[value]["N"]))}
        for names in _REMOVE.findall(expression):
            for name in names.split(", "):
                item.pop(name, None)


def write(ledger: Ledger, samples: list[Sample]) -> None:
    """Write each sample through the ledger."""
    for it in samples:
        if it.is_decision_only:
            assert [True] == ledger.record([it.record])
            continue
        alert = claimed(ledger, it.record, it.claimed_at)
        if not it.pending:
            publish(ledger, alert, it.sns_message_id, it.published_at)


def claimed(ledger: Ledger, record: Record, at: datetime, *, owner: str = OWNER, publishes: bool = True) -> Record:
    """Claim the alert for an answer as the function does; the alert."""
    states = ledger.states([record])
    [claim] = ledger.claim([(states[0], [record])], ClaimOwner(owner, at, LEASE, publishes))
    assert ClaimStatus.CLAIMED is claim.status
    assert claim.alert is not None
    return claim.alert


def publish(ledger: Ledger, alert: Record, sns_message_id: str | None, at: datetime, *, owner: str = OWNER) -> None:
    """Mark a claimed alert and write its pointers. sns_message_id: None where there is no topic."""
    assert [True] == ledger.mark([(alert, {"findings": sns_message_id} if sns_message_id else None)], owner, at)
    assert [True] == ledger.index([(alert, None)], sent=sns_message_id is not None)


def write_many(dynamodb: "DynamoDBClient", table: str, samples: list[Sample]) -> None:
    """The same for thousands of samples, by way of memory."""
    memory = InMemoryTable()
    write(Ledger(Table(cast("DynamoDBClient", memory), table, RETENTION)), samples)
    items = list(memory.items.values())
    for start in range(0, len(items), BATCH):
        remaining: dict[str, Any] = {table: [{"PutRequest": {"Item": item}} for item in items[start : start + BATCH]]}
        while remaining:
            remaining = dict(dynamodb.batch_write_item(RequestItems=remaining)["UnprocessedItems"])
