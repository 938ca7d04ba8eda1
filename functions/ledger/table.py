"""The edge to DynamoDB: one table, its items as plain JSON values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from functions.aws import AWS_FAILURES, cause
from functions.domain.record import Record
from functions.ledger.attribute_values import from_item, to_item
from functions.ledger.transaction import Refusal, TransactionUnavailable, transact

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import (
        PutTypeDef,
        TransactWriteItemTypeDef,
        UpdateTypeDef,
        WriteRequestOutputTypeDef,
    )

BATCH_WRITES = 25
"""Items of one BatchWriteItem."""

Key = dict[str, str]
"""Partition key `pk` and sort key `sk`."""


class LedgerUnavailable(Exception):
    """DynamoDB did not take a write or answer a read, or did not say whether it did."""


@dataclass(frozen=True, slots=True)
class Table:
    """The table of the ledger. Items are kept for as long as `retention`."""

    dynamodb: "DynamoDBClient"
    name: str
    retention: timedelta

    def get(self, keys: Sequence[Key]) -> list[dict[str, Any]]:
        """The items with these keys, consistently read, in order; empty for a key without an item. At most 100 keys.

        Raises LedgerUnavailable.
        """
        unique = {(key["pk"], key["sk"]): to_item(key) for key in keys}
        try:
            answer = self.dynamodb.batch_get_item(
                RequestItems={self.name: {"Keys": [*unique.values()], "ConsistentRead": True}}
            )
        except AWS_FAILURES as exc:
            raise LedgerUnavailable(f"DynamoDB did not answer: {cause(exc)}") from exc
        if answer.get("UnprocessedKeys"):
            raise LedgerUnavailable("DynamoDB did not look up all keys")
        found = {(item["pk"], item["sk"]): item for item in map(from_item, answer["Responses"][self.name])}
        return [found.get((key["pk"], key["sk"]), {}) for key in keys]

    def count(self, pk: str, since: str, limit: int) -> int:
        """How many items of a partition have a sort key from `since` on; at most `limit`. The newest may be missing.

        Raises LedgerUnavailable.
        """
        try:
            answer = self.dynamodb.query(
                TableName=self.name,
                Select="COUNT",
                KeyConditionExpression="pk = :pk AND sk >= :since",
                ExpressionAttributeValues=to_item({":pk": pk, ":since": since}),
                Limit=limit,
            )
        except AWS_FAILURES as exc:
            raise LedgerUnavailable(f"DynamoDB did not count: {cause(exc)}") from exc
        return answer["Count"]

    def query(
        self, pk: str, since: str, limit: int | None = None, *, until: str = "~"
    ) -> tuple[list[dict[str, Any]], bool]:
        """The items of a partition between two sort keys, consistently read, and whether there are more than `limit`.

        Raises LedgerUnavailable.
        """
        items: list[dict[str, Any]] = []
        start: dict[str, Any] = {}
        while True:
            if limit is not None:
                start["Limit"] = limit - len(items)
            try:
                answer = self.dynamodb.query(
                    TableName=self.name,
                    KeyConditionExpression="pk = :pk AND sk BETWEEN :since AND :until",
                    ExpressionAttributeValues=to_item({":pk": pk, ":since": since, ":until": until}),
                    ConsistentRead=True,
                    **start,
                )
            except AWS_FAILURES as exc:
                raise LedgerUnavailable(f"DynamoDB did not answer: {cause(exc)}") from exc
            items += map(from_item, answer["Items"])
            more = answer.get("LastEvaluatedKey")
            if not more or len(items) == limit:
                return items, bool(more)
            start = {"ExclusiveStartKey": more}

    def transact(self, groups: "Sequence[Sequence[TransactWriteItemTypeDef]]") -> dict[int, Refusal]:
        """Run groups of writes; see `transaction.transact`. Raises LedgerUnavailable."""
        try:
            return transact(self.dynamodb, groups)
        except TransactionUnavailable as exc:
            raise LedgerUnavailable(str(exc)) from exc

    def put_all(self, items: Sequence[dict[str, object]]) -> list[bool]:
        """Put items without a condition; False for each that DynamoDB did not take. Raises LedgerUnavailable."""
        done: list[bool] = []
        for start in range(0, len(items), BATCH_WRITES):
            chunk = items[start : start + BATCH_WRITES]
            requests: list[WriteRequestOutputTypeDef] = [{"PutRequest": {"Item": to_item(item)}} for item in chunk]
            try:
                answer = self.dynamodb.batch_write_item(RequestItems={self.name: requests})
            except AWS_FAILURES as exc:
                raise LedgerUnavailable(f"DynamoDB did not take the records: {cause(exc)}") from exc
            # By key: DynamoDB returns numbers in its own spelling.
            left = [_put_key(it) for it in answer.get("UnprocessedItems", {}).get(self.name, [])]
            done += [_put_key(request) not in left for request in requests]
        return done

    def delete_all(self, keys: Sequence[Key]) -> None:
        """Delete items, at most BATCH_WRITES. One that DynamoDB does not take stays. Raises LedgerUnavailable."""
        if not keys:
            return
        requests: list[WriteRequestOutputTypeDef] = [{"DeleteRequest": {"Key": to_item(key)}} for key in keys]
        try:
            self.dynamodb.batch_write_item(RequestItems={self.name: requests})
        except AWS_FAILURES as exc:
            raise LedgerUnavailable(f"DynamoDB did not take the deletes: {cause(exc)}") from exc

    def put(
        self, item: dict[str, object], condition: str | None = None, values: dict[str, object] | None = None
    ) -> "TransactWriteItemTypeDef":
        """A write of a transaction that puts an item. condition, values: as of `update`."""
        put: PutTypeDef = {"TableName": self.name, "Item": to_item(item)}
        if condition:
            put["ConditionExpression"] = condition
            put["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        if values:
            put["ExpressionAttributeValues"] = to_item(values)
        return {"Put": put}

    def update(
        self,
        key: Key,
        attributes: dict[str, object],
        condition: str | None = None,
        values: dict[str, object] | None = None,
    ) -> "UpdateTypeDef":
        """A write of a transaction that sets attributes. If the condition fails, DynamoDB returns the current item.

        values: those that the condition refers to.
        """
        update: UpdateTypeDef = {
            "TableName": self.name,
            "Key": to_item(key),
            "UpdateExpression": f"SET {', '.join(f'#{name} = :_{name}' for name in attributes)}",
            "ExpressionAttributeNames": {f"#{name}": name for name in attributes},
            "ExpressionAttributeValues": to_item(
                {f":_{name}": value for name, value in attributes.items()} | (values or {})
            ),
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        if condition:
            update["ConditionExpression"] = condition
        return update

    def expires_at(self, record: Record) -> int:
        """When an item about a record expires, in seconds since 1970."""
        return int((record.decided_at + self.retention).timestamp())


def _put_key(request: "WriteRequestOutputTypeDef") -> object:
    item = request["PutRequest"]["Item"]
    return item["pk"], item["sk"]
