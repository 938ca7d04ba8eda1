"""Run groups of conditional writes in as few transactions as possible: each group is done as a whole, or refused."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from functions.aws import AWS_FAILURES, cause
from functions.ledger.attribute_values import from_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    Group = Sequence[TransactWriteItemTypeDef]

MAX_WRITES = 100
"""Writes of one TransactWriteItems."""
_CONDITION_FAILED = "ConditionalCheckFailed"


@dataclass(frozen=True, slots=True)
class RefusedWrite:
    """The result of one write of a refused group.

    condition_failed: its own condition was the cause. item: the item as it is; empty if there is none.
    """

    condition_failed: bool
    item: dict[str, Any]


Refusal = Sequence[RefusedWrite]
"""One result for each write of a group, in order. If no condition failed, the cause was a conflict or a throttle."""


class TransactionUnavailable(Exception):
    """DynamoDB did not answer, or did not say why it refused."""


def transact(dynamodb: "DynamoDBClient", groups: "Sequence[Group]") -> dict[int, Refusal]:
    """Run the groups and return the refused ones by position.

    A transaction is all or nothing. After a refusal, the others of the same transaction are tried again without it.
    Raises TransactionUnavailable; earlier transactions of the call may be done.
    """
    refusals: dict[int, Refusal] = {}
    for chunk in _chunks(groups):
        waiting = chunk
        while waiting:
            refused = _try(dynamodb, [groups[i] for i in waiting])
            refusals |= {waiting[i]: refusal for i, refusal in refused.items()}
            waiting = [i for i in waiting if i not in refusals] if refused else []
    return refusals


def _try(dynamodb: "DynamoDBClient", groups: "Sequence[Group]") -> Mapping[int, Refusal]:
    """The refused groups, after which nothing is done; without any, everything is."""
    try:
        dynamodb.transact_write_items(TransactItems=[write for group in groups for write in group])
    except dynamodb.exceptions.TransactionCanceledException as exc:
        # One reason for each write, in order.
        reasons = cast("list[dict[str, Any]]", exc.response.get("CancellationReasons", []))
        if len(reasons) != sum(map(len, groups)):
            raise TransactionUnavailable("DynamoDB cancelled a transaction without its reasons") from exc
        remaining = iter(reasons)
        by_group = [[next(remaining) for _ in group] for group in groups]
        refused = {i: its for i, its in enumerate(by_group) if any(it.get("Code") != "None" for it in its)}
        if not refused:
            raise TransactionUnavailable("DynamoDB cancelled a transaction without a reason") from exc
        return {i: [_refused_write(it) for it in its] for i, its in refused.items()}
    except AWS_FAILURES as exc:
        raise TransactionUnavailable(f"DynamoDB did not answer: {cause(exc)}") from exc
    return {}


def _refused_write(reason: Mapping[str, Any]) -> RefusedWrite:
    return RefusedWrite(reason.get("Code") == _CONDITION_FAILED, from_item(reason.get("Item", {})))


def _chunks(groups: "Sequence[Group]") -> Iterator[list[int]]:
    """Positions of groups that fit into one transaction together."""
    chunk: list[int] = []
    room = MAX_WRITES
    for i, group in enumerate(groups):
        if len(group) > room:
            yield chunk
            chunk, room = [], MAX_WRITES
        chunk.append(i)
        room -= len(group)
    if chunk:
        yield chunk
