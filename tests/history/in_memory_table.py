"""A table in memory that takes the ledger's own writes, to fill a real table with thousands of items.

An emulated transaction takes 50 ms, so 5,000 of them take four minutes. Conditions are not checked, because each email is
new. test_in_memory_table.py compares the result with a real table.
"""

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from functions.ledger.ledger import ClaimOwner, Ledger
from tests.history.sample_history import LEASE, OWNER, RETENTION, Sample

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Wire = dict[str, Any]
BATCH = 25
_SET, _ADD, _REMOVE = (
    re.compile(pattern) for pattern in (r"#(\w+) = (:\w+)", r" ADD (\w+) (:\w+)", r" REMOVE ([\w, ]+)$")
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

    def batch_write_item(self, RequestItems: dict[str, list[Wire]]) -> Wire:  # noqa: N803
        """Apply puts."""
        for [requests] in [RequestItems.values()]:
            for request in requests:
                self._put(request["PutRequest"]["Item"])
        return {}

    def _put(self, item: Wire) -> None:
        self.items[item["pk"]["S"], item["sk"]["S"]] = item

    def _update(self, update: Wire) -> None:
        key, expression, values = update["Key"], update["UpdateExpression"], update["ExpressionAttributeValues"]
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
        record = it.record
        if it.is_decision_only:
            assert [True] == ledger.record([record])
            continue
        [claim] = ledger.claim([record], ClaimOwner(OWNER, it.claimed_at, LEASE, publishes=True))
        if not it.pending:
            assert [True] == ledger.mark([(claim.record, it.sns_message_id)], OWNER, it.published_at)


def write_many(dynamodb: "DynamoDBClient", table: str, samples: list[Sample]) -> None:
    """The same for thousands of samples, by way of memory."""
    memory = InMemoryTable()
    write(Ledger(cast("DynamoDBClient", memory), table, RETENTION), samples)
    items = list(memory.items.values())
    for start in range(0, len(items), BATCH):
        remaining: dict[str, Any] = {table: [{"PutRequest": {"Item": item}} for item in items[start : start + BATCH]]}
        while remaining:
            remaining = dict(dynamodb.batch_write_item(RequestItems=remaining)["UnprocessedItems"])
