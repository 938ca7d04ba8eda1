"""Groups of conditional writes in as few transactions as they fit into: each group whole, or refused and told why."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from functions.aws import AWS_FAILURES, cause
from functions.ledger.wire import from_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    Group = Sequence[TransactWriteItemTypeDef]

MOST_WRITES = 100
"""Writes of one TransactWriteItems."""

Refusal = list[dict[str, Any]]
"""For each write of a group the item as it stands, where its condition failed; empty where it was not the cause, and
all empty where a conflict or a throttle was."""


class TransactionUnavailable(Exception):
    """DynamoDB did not answer, or did not say why it refused."""


def transact(dynamodb: "DynamoDBClient", groups: "Sequence[Group]") -> dict[int, Refusal]:
    """Do the groups, but for those that are refused: these are given back by position.

    A transaction is all or nothing, so that after each refusal the rest is tried again without the refused.
    Raises TransactionUnavailable; of what came before it some may be done.
    """
    refusals: dict[int, Refusal] = {}
    for chunk in _chunks(groups):
        ahead = chunk
        while ahead:
            refused = _try(dynamodb, [groups[i] for i in ahead])
            refusals |= {ahead[i]: refusal for i, refusal in refused.items()}
            ahead = [i for i in ahead if i not in refusals] if refused else []
    return refusals


def _try(dynamodb: "DynamoDBClient", groups: "Sequence[Group]") -> Mapping[int, Refusal]:
    """Nothing where all is done; else nothing is, and these are why."""
    try:
        dynamodb.transact_write_items(TransactItems=[write for group in groups for write in group])
    except dynamodb.exceptions.TransactionCanceledException as exc:
        # One for each write, in order.
        reasons = cast("list[dict[str, Any]]", exc.response.get("CancellationReasons", []))
        if len(reasons) != sum(map(len, groups)):
            raise TransactionUnavailable("a transaction was cancelled without its reasons") from exc
        remaining = iter(reasons)
        by_group = [[next(remaining) for _ in group] for group in groups]
        refused = {i: its for i, its in enumerate(by_group) if any(it.get("Code") != "None" for it in its)}
        if not refused:
            raise TransactionUnavailable("a transaction was cancelled without a reason") from exc
        return {i: [from_item(it.get("Item", {})) for it in its] for i, its in refused.items()}
    except AWS_FAILURES as exc:
        raise TransactionUnavailable(f"the table did not answer: {cause(exc)}") from exc
    return {}


def _chunks(groups: "Sequence[Group]") -> Iterator[list[int]]:
    """Positions of groups that fit into one transaction together."""
    chunk: list[int] = []
    room = MOST_WRITES
    for i, group in enumerate(groups):
        if len(group) > room:
            yield chunk
            chunk, room = [], MOST_WRITES
        chunk.append(i)
        room -= len(group)
    if chunk:
        yield chunk
