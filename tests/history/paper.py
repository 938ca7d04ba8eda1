"""A table on paper: what the ledger's own code writes, kept as items, to be put into a real table by the thousand.

An emulated transaction takes a twentieth of a second, and thousands of them minutes. The conditions are not checked: on
paper each mail is new. test_paper.py holds it against a real table.
"""

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from functions.ledger.ledger import Claimant, Ledger
from tests.history.past import LEASE, OWNER, RETENTION, Sample

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Wire = dict[str, Any]
BATCH = 25
_SET, _ADD, _REMOVE = (
    re.compile(pattern) for pattern in (r"#(\w+) = (:\w+)", r" ADD (\w+) (:\w+)", r" REMOVE ([\w, ]+)$")
)


@dataclass
class Paper:
    """Takes the ledger's writes as DynamoDB does. items: by their keys."""

    items: dict[tuple[str, str], Wire] = field(default_factory=dict)

    def transact_write_items(self, TransactItems: list[Wire]) -> None:  # noqa: N803  # the SDK's name
        """Updates and puts, without their conditions."""
        for write in TransactItems:
            if "Put" in write:
                self._put(write["Put"]["Item"])
            else:
                self._update(write["Update"])

    def batch_write_item(self, RequestItems: dict[str, list[Wire]]) -> Wire:  # noqa: N803
        """Puts."""
        for [requests] in [RequestItems.values()]:
            for request in requests:
                self._put(request["PutRequest"]["Item"])
        return {}

    def _put(self, item: Wire) -> None:
        self.items[item["about"]["S"], item["entry"]["S"]] = item

    def _update(self, update: Wire) -> None:
        key, expression, values = update["Key"], update["UpdateExpression"], update["ExpressionAttributeValues"]
        item = self.items.setdefault((key["about"]["S"], key["entry"]["S"]), dict(key))
        for name, value in _SET.findall(expression):
            item[update["ExpressionAttributeNames"][f"#{name}"]] = values[value]
        for name, value in _ADD.findall(expression):
            item[name] = {"N": str(int(item.get(name, {"N": "0"})["N"]) + int(values[value]["N"]))}
        for names in _REMOVE.findall(expression):
            for name in names.split(", "):
                item.pop(name, None)


def write(ledger: Ledger, samples: list[Sample]) -> None:
    """Have the ledger write what became of each."""
    for it in samples:
        record = it.record
        if it.observed:
            assert [True] == ledger.record([record])
            continue
        [claim] = ledger.claim([record], Claimant(OWNER, it.claimed_at, LEASE, told=True))
        if not it.pending:
            assert [True] == ledger.mark([(claim.record, it.sns_message_id)], OWNER, it.published_at)


def write_many(dynamodb: "DynamoDBClient", table: str, samples: list[Sample]) -> None:
    """The same, on paper first."""
    paper = Paper()
    write(Ledger(cast("DynamoDBClient", paper), table, RETENTION), samples)
    items = list(paper.items.values())
    for start in range(0, len(items), BATCH):
        left: dict[str, Any] = {table: [{"PutRequest": {"Item": item}} for item in items[start : start + BATCH]]}
        while left:
            left = dict(dynamodb.batch_write_item(RequestItems=left)["UnprocessedItems"])
