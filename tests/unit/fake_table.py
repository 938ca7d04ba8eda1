"""A table that answers transactions from a list, for the tests of claims and of the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from functions.ledger.attribute_values import from_item
from functions.ledger.table import Key, LedgerUnavailable, Table
from functions.ledger.transaction import Refusal, RefusedWrite

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    Group = Sequence[TransactWriteItemTypeDef]
    Answer = dict[int, Refusal] | LedgerUnavailable

NO_CLIENT = cast("DynamoDBClient", None)
"""Every method that would call DynamoDB is overridden."""
REFUSED_BY_CONFLICT: Refusal = [RefusedWrite(False, {}), RefusedWrite(False, {})]


@dataclass(frozen=True, slots=True)
class FakeTable(Table):
    """answers: one for each transaction: the refused groups by position, or an error. Afterwards all writes succeed.

    refused_puts: the positions of items that `put_all` does not take.
    items:        by sort key, those that `get` finds.
    """

    dynamodb: "DynamoDBClient" = NO_CLIENT
    name: str = "records"
    retention: timedelta = timedelta(days=400)
    answers: "list[Answer]" = field(default_factory=list)
    refused_puts: frozenset[int] = frozenset()
    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    transactions: "list[list[Group]]" = field(default_factory=list)
    put_items: list[dict[str, object]] = field(default_factory=list)

    def transact(self, groups: "Sequence[Group]") -> dict[int, Refusal]:
        """Collect the groups and return the next answer."""
        self.transactions.append([*groups])
        answer = self.answers.pop(0) if self.answers else {}
        if isinstance(answer, LedgerUnavailable):
            raise answer
        return answer

    def get(self, keys: Sequence[Key]) -> list[dict[str, Any]]:
        """The items with these keys."""
        return [self.items.get(key["sk"], {}) for key in keys]

    def put_all(self, items: Sequence[dict[str, object]]) -> list[bool]:
        """Collect the items."""
        self.put_items.extend(items)
        return [i not in self.refused_puts for i in range(len(items))]


def email_changed(item: dict[str, Any]) -> Refusal:
    """The version condition of the email's item failed: it is this one by now."""
    return [RefusedWrite(True, item), RefusedWrite(False, {})]


def record_exists(item: dict[str, Any]) -> Refusal:
    """The condition of the record failed: it is this one by now."""
    return [RefusedWrite(False, {}), RefusedWrite(True, item)]


def key_of(write: "TransactWriteItemTypeDef") -> str:
    """The sort key of a write."""
    return str(_key(write)["sk"])


def pk_of(write: "TransactWriteItemTypeDef") -> str:
    """The partition key of a write."""
    return str(_key(write)["pk"])


def _key(write: "TransactWriteItemTypeDef") -> dict[str, Any]:
    target = cast("dict[str, Any]", next(iter(write.values())))
    return from_item(target.get("Key") or target["Item"])


def values_of(write: "TransactWriteItemTypeDef") -> dict[str, Any]:
    """The attributes that an update sets."""
    update = cast("dict[str, Any]", write["Update"])
    return {name.removeprefix(":_"): it for name, it in from_item(update["ExpressionAttributeValues"]).items()}
