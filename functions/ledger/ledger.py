"""Claim, mark and record in DynamoDB: each one call for a whole batch, and one more for each round of refusals.

A claim comes before the alert and a mark after it. Whatever dies in between leaves a PENDING record with a lease that
runs out, and the redelivered message takes it up again: an alert can come late, or once more with the same `alert_id`,
but never not at all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any, cast

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from functions.aws import AWS_FAILURES, cause
from functions.ledger.record import Record, State, attributes, escalation_key, moment, observation_key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef, UpdateTypeDef

_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize


class LedgerUnavailable(Exception):
    """DynamoDB did not take the write, or did not say whether it did."""


class Standing(Enum):
    """How an escalation stands in the ledger after we tried to claim it."""

    CLAIMED = "ours: publish it"
    SENT = "complete before we came: nothing to do"
    HELD = "another worker holds it, and may be publishing it now"
    UNKNOWN = "the ledger could not say"


@dataclass(frozen=True, slots=True)
class Claim:
    """held_for: seconds until another's lease runs out; 0 where nobody else holds it."""

    standing: Standing
    held_for: float = 0.0


@dataclass(frozen=True, slots=True)
class Ledger:
    """The records of one table, kept for as long as `retention`."""

    dynamodb: "DynamoDBClient"
    table: str
    retention: timedelta

    def claim(
        self, records: Sequence[Record], owner: str, now: datetime, lease: timedelta, *, told: bool
    ) -> list[Claim]:
        """Claim each escalation that nobody has sent and nobody holds; no two may have the same key.

        owner: who claims, unlike any other; only the owner can mark. lease: how long nobody else may take over.
        told: whether an alert will follow, so that also what was recorded when there was no topic is to be claimed.
        A transaction is all or nothing: those that cannot be claimed are told apart, and the rest is tried again.
        Raises LedgerUnavailable where the table does not answer.
        """
        updates = [self._claiming(record, owner, now, lease, told) for record in records]
        refusals = self._transact(updates)
        return [
            _claim(refusals[i], owner, now) if i in refusals else Claim(Standing.CLAIMED) for i in range(len(records))
        ]

    def mark(self, published: Sequence[tuple[Record, str | None]], owner: str, now: datetime) -> list[bool]:
        """Mark records complete: SENT with their SNS message id, RECORDED without one.

        False for one that another has taken over. Raises LedgerUnavailable where one is still to be marked.
        """
        refusals = self._transact([self._marking(record, sns_id, owner, now) for record, sns_id in published])
        if not all(refusals.values()):
            raise LedgerUnavailable("a mark met a conflict or a throttle")
        return [i not in refusals or _owner(refusals[i]) == owner for i in range(len(published))]

    def record(self, records: Sequence[Record]) -> list[bool]:
        """Write decisions that need no alert, 25 at the most: a batch has ten.

        False for each that DynamoDB did not take. Raises LedgerUnavailable.
        """
        items = [
            _wire(observation_key(it) | attributes(it, self.retention) | {"state": State.RECORDED}) for it in records
        ]
        try:
            answer = self.dynamodb.batch_write_item(
                RequestItems={self.table: [{"PutRequest": {"Item": item}} for item in items]}
            )
        except AWS_FAILURES as exc:
            raise LedgerUnavailable(f"the table did not take the records: {cause(exc)}") from exc
        unprocessed = answer.get("UnprocessedItems", {}).get(self.table, [])
        left = [it["PutRequest"]["Item"]["decision"] for it in unprocessed]
        return [item["decision"] not in left for item in items]

    def _claiming(self, record: Record, owner: str, now: datetime, lease: timedelta, told: bool) -> "UpdateTypeDef":
        known = attributes(record, self.retention) | {
            "alert_id": record.alert_id,
            "state": State.PENDING,
            "owner": owner,
            "claimed_at": moment(now),
            "lease_until": moment(now + lease),
        }
        names = {f"#{i}": name for i, name in enumerate(known)}
        values = {f":{i}": _serialize(value) for i, value in enumerate(known.values())}
        return {
            "TableName": self.table,
            "Key": _wire(escalation_key(record)),
            "UpdateExpression": f"SET {', '.join(f'#{i} = :{i}' for i in range(len(known)))} ADD claims :one",
            "ConditionExpression": "attribute_not_exists(decision) OR #state = :recorded"
            " OR (#state = :pending AND (attribute_not_exists(lease_until) OR lease_until < :now))",
            "ExpressionAttributeNames": names | {"#state": "state"},
            "ExpressionAttributeValues": values
            | _wire(
                {
                    ":one": 1,
                    ":pending": State.PENDING,
                    ":recorded": State.RECORDED if told else "-",
                    ":now": moment(now),
                }
            ),
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }

    def _marking(self, record: Record, sns_message_id: str | None, owner: str, now: datetime) -> "UpdateTypeDef":
        known: dict[str, str] = {"state": State.RECORDED}
        if sns_message_id is not None:
            known = {"state": State.SENT, "sns_message_id": sns_message_id, "published_at": moment(now)}
        return {
            "TableName": self.table,
            "Key": _wire(escalation_key(record)),
            "UpdateExpression": f"SET {', '.join(f'#{name} = :{name}' for name in known)} REMOVE lease_until",
            "ConditionExpression": "#owner = :owner AND #state = :pending",
            "ExpressionAttributeNames": {f"#{name}": name for name in (*known, "owner")},
            "ExpressionAttributeValues": _wire(
                {f":{name}": value for name, value in known.items()} | {":owner": owner, ":pending": State.PENDING}
            ),
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }

    def _transact(self, updates: "list[UpdateTypeDef]") -> "dict[int, dict[str, AttributeValueTypeDef]]":
        """Do the updates, but for those whose condition fails: these are given back, by position, as they stand.

        One that met a conflict or a throttle instead is given back empty.
        """
        refusals: dict[int, dict[str, AttributeValueTypeDef]] = {}
        while open_ := [i for i in range(len(updates)) if i not in refusals]:
            items: list[TransactWriteItemTypeDef] = [{"Update": updates[i]} for i in open_]
            try:
                self.dynamodb.transact_write_items(TransactItems=items)
            except self.dynamodb.exceptions.TransactionCanceledException as exc:
                reasons = cast("list[dict[str, Any]]", exc.response["CancellationReasons"])
                refused = {i: why for i, why in zip(open_, reasons, strict=True) if why.get("Code") != "None"}
                if not refused:
                    raise LedgerUnavailable("a transaction was cancelled without a reason") from exc
                refusals |= {i: why.get("Item", {}) for i, why in refused.items()}
            except AWS_FAILURES as exc:
                raise LedgerUnavailable(f"the table did not answer: {cause(exc)}") from exc
            else:
                break
        return refusals


def _claim(item: "dict[str, AttributeValueTypeDef]", owner: str, now: datetime) -> Claim:
    if not item:
        return Claim(Standing.UNKNOWN)
    if _deserialize(item["state"]) != State.PENDING:
        return Claim(Standing.SENT)
    if _owner(item) == owner:
        return Claim(Standing.CLAIMED)  # by an earlier try, whose answer was lost
    until = datetime.fromisoformat(_deserialize(item["lease_until"]))
    return Claim(Standing.HELD, held_for=max(0.0, (until - now).total_seconds()))


def _owner(item: "dict[str, AttributeValueTypeDef]") -> str | None:
    return _deserialize(item["owner"]) if "owner" in item else None


def _wire(values: Mapping[str, object]) -> "dict[str, AttributeValueTypeDef]":
    return {name: _serialize(value) for name, value in values.items()}
