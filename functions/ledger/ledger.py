"""Claim, mark and record in DynamoDB: each one call for a whole batch, and one more for each round of refusals.

A claim comes before the alert and a mark after it. Whatever dies in between leaves a PENDING record with a lease that
runs out, and the redelivered message takes it up again: an alert can come late, or once more with the same `alert_id`,
but never not at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING

from functions.aws import AWS_FAILURES, cause
from functions.ledger.item import attributes, late_attributes
from functions.ledger.keys import YES
from functions.ledger.pointers import pointers
from functions.ledger.record import Record, State, moment
from functions.ledger.standing import Standing, read_standing, standing_attributes
from functions.ledger.transaction import Refusal, TransactionUnavailable, transact
from functions.ledger.wire import from_item, to_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef, UpdateTypeDef, WriteRequestOutputTypeDef

ROUNDS = 3
"""How often a claim looks again where the mail's standing has moved: twice at the same time is rare, thrice a fault."""
WRITES = 25
"""Items of one BatchWriteItem."""


class LedgerUnavailable(Exception):
    """DynamoDB did not take the write, or did not say whether it did."""


class Hold(Enum):
    """How we hold an escalation after we tried to claim it."""

    CLAIMED = "ours: publish it"
    SENT = "complete before we came: nothing to do"
    HELD = "another worker holds it, and may be publishing it now"
    OVERTAKEN = "a later answer of Cloudflare's has been acted on: ours is out of date"
    UNKNOWN = "the ledger could not say"


@dataclass(frozen=True, slots=True)
class Claim:
    """record: as claimed, with its turn and what was told before. held_for: seconds until another's lease runs out."""

    hold: Hold
    record: Record
    held_for: float = 0.0


@dataclass(frozen=True, slots=True)
class Claimant:
    """Who claims: unlike any other, for only the owner can mark. lease: how long nobody else may take over.

    told: whether an alert will follow, so that also what was recorded when there was no topic is to be claimed.
    """

    owner: str
    now: datetime
    lease: timedelta
    told: bool


@dataclass(frozen=True, slots=True)
class Ledger:
    """The records of one table, kept for as long as `retention`."""

    dynamodb: "DynamoDBClient"
    table: str
    retention: timedelta

    def standings(self, records: Sequence[Record]) -> list[Standing | None]:
        """What was last told about the mails of some decisions, ten at the most. Raises LedgerUnavailable."""
        keys = [to_item(record.standing_key) for record in records]
        try:
            answer = self.dynamodb.batch_get_item(RequestItems={self.table: {"Keys": keys, "ConsistentRead": True}})
        except AWS_FAILURES as exc:
            raise LedgerUnavailable(f"the table did not answer: {cause(exc)}") from exc
        if answer.get("UnprocessedKeys"):
            raise LedgerUnavailable("the table did not look up all that was asked for")
        found = {
            (it["about"], it["entry"]): read_standing(it) for it in map(from_item, answer["Responses"][self.table])
        }
        return [found.get((record.standing_key["about"], record.standing_key["entry"])) for record in records]

    def claim(self, records: Sequence[Record], claimant: Claimant) -> list[Claim]:
        """Claim each escalation that nobody has sent and nobody holds; no two may be about the same id.

        The first try takes for granted that nothing was told about the mail, or just this: so it is nearly always.
        Where something else was, the refusal says what, and the next try follows on it.
        A transaction is all or nothing: those that cannot be claimed are told apart, and the rest is tried again.
        Raises LedgerUnavailable where the table does not answer.
        """
        tries = [_Try(record) for record in records]
        for _ in range(ROUNDS):
            ahead = [it for it in tries if it.claim is None]
            if not ahead:
                break
            refusals = self._transact([self._claiming(it, claimant) for it in ahead])
            for i, it in enumerate(ahead):
                it.learn(refusals.get(i), claimant)
        return [it.claim or Claim(Hold.UNKNOWN, it.record) for it in tries]

    def mark(self, published: Sequence[tuple[Record, str | None]], owner: str, now: datetime) -> list[bool]:
        """Mark records complete: SENT with their SNS message id, RECORDED without one. Pointers come with the mark.

        False for one that another has taken over. Raises LedgerUnavailable where one is still to be marked.
        """
        refusals = self._transact([self._marking(record, sns_id, owner, now) for record, sns_id in published])
        held = {i: refusal[0] for i, refusal in refusals.items()}
        if not all(held.values()):
            raise LedgerUnavailable("a mark met a conflict or a throttle")
        return [i not in held or held[i].get("owner") == owner for i in range(len(published))]

    def record(self, records: Sequence[Record]) -> list[bool]:
        """Write decisions that need no alert, with the pointers to them.

        False for each that DynamoDB did not take whole. Raises LedgerUnavailable.
        """
        requests: list[tuple[int, WriteRequestOutputTypeDef]] = []
        for i, record in enumerate(records):
            key, known = record.observation_key, attributes(record, self.retention)
            items = [*self._pointers(record, key), key | known | {"state": State.RECORDED}]
            requests += [(i, {"PutRequest": {"Item": to_item(item)}}) for item in items]
        done = [True] * len(records)
        for start in range(0, len(requests), WRITES):
            chunk = requests[start : start + WRITES]
            left = [_put_key(request) for request in self._write([request for _, request in chunk])]
            for i, request in chunk:
                done[i] = done[i] and _put_key(request) not in left
        return done

    def _write(self, requests: "list[WriteRequestOutputTypeDef]") -> "Sequence[WriteRequestOutputTypeDef]":
        """Those that DynamoDB has left undone."""
        try:
            answer = self.dynamodb.batch_write_item(RequestItems={self.table: requests})
        except AWS_FAILURES as exc:
            raise LedgerUnavailable(f"the table did not take the records: {cause(exc)}") from exc
        return answer.get("UnprocessedItems", {}).get(self.table, [])

    def _pointers(self, record: Record, key: dict[str, str]) -> list[dict[str, object]]:
        return [{**pointer, "expires_at": self._expires_at(record)} for pointer in pointers(record, key)]

    def _expires_at(self, record: Record) -> int:
        return int((record.decided_at + self.retention).timestamp())

    def _claiming(self, it: "_Try", claimant: Claimant) -> "list[TransactWriteItemTypeDef]":
        """The standing, which has to be as we know it, and the record, which has to be free."""
        record = it.record
        standing: UpdateTypeDef = self._setting(
            record.standing_key,
            standing_attributes(record, self._expires_at(record)),
            "#disposition = :known AND turn = :turn"
            if it.standing
            else "attribute_not_exists(about) OR (#disposition = :known AND turn = :turn)",
            {
                ":known": it.standing.told.disposition if it.standing else record.disposition,
                ":turn": it.standing.turn if it.standing else 0,
            },
        )
        known = attributes(record, self.retention) | {
            "activity": record.activity,
            "alert_id": record.alert_id,
            "state": State.PENDING,
            "pending": YES,
            "owner": claimant.owner,
            "claimed_at": moment(claimant.now),
            "lease_until": moment(claimant.now + claimant.lease),
        }
        claim = self._setting(
            record.alert_key,
            known,
            "attribute_not_exists(about) OR #state = :recorded"
            " OR (#state = :pending AND (attribute_not_exists(lease_until) OR lease_until < :now))",
            {
                ":pending": State.PENDING,
                ":recorded": State.RECORDED if claimant.told else "-",
                ":now": moment(claimant.now),
                ":one": 1,
            },
        )
        claim["UpdateExpression"] += " ADD claims :one"
        return [{"Update": standing}, {"Update": claim}]

    def _marking(
        self, record: Record, sns_message_id: str | None, owner: str, now: datetime
    ) -> "list[TransactWriteItemTypeDef]":
        known = late_attributes(record) | {"state": State.RECORDED}
        if sns_message_id is not None:
            known |= {"state": State.SENT, "sns_message_id": sns_message_id, "published_at": moment(now)}
        mark = self._setting(
            record.alert_key,
            known,
            "#owner = :owner AND #state = :pending",
            {":owner": owner, ":pending": State.PENDING},
        )
        mark["UpdateExpression"] += " REMOVE lease_until, pending"
        mark["ExpressionAttributeNames"] = {**mark["ExpressionAttributeNames"], "#owner": "owner"}
        items = [to_item(pointer) for pointer in self._pointers(record, record.alert_key)]
        puts: list[TransactWriteItemTypeDef] = [{"Put": {"TableName": self.table, "Item": item}} for item in items]
        return [{"Update": mark}, *puts]

    def _setting(
        self, key: dict[str, str], known: dict[str, object], condition: str, values: dict[str, object]
    ) -> "UpdateTypeDef":
        """An update of an item that gives it these attributes, and where the condition fails says how it stands."""
        return {
            "TableName": self.table,
            "Key": to_item(key),
            "UpdateExpression": f"SET {', '.join(f'#{name} = :_{name}' for name in known)}",
            "ConditionExpression": condition,
            "ExpressionAttributeNames": {f"#{name}": name for name in known},
            "ExpressionAttributeValues": to_item({f":_{name}": value for name, value in known.items()} | values),
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }

    def _transact(self, groups: "Sequence[Sequence[TransactWriteItemTypeDef]]") -> dict[int, Refusal]:
        try:
            return transact(self.dynamodb, groups)
        except TransactionUnavailable as exc:
            raise LedgerUnavailable(str(exc)) from exc


@dataclass(slots=True)
class _Try:
    """One record on its way to a claim. standing: what was told about its mail, as far as a refusal has said it."""

    record: Record
    standing: Standing | None = None
    claim: Claim | None = field(default=None)

    def learn(self, refusal: Refusal | None, claimant: Claimant) -> None:
        """Be claimed, or be settled, or know better for the next try."""
        if refusal is None:
            self.claim = Claim(Hold.CLAIMED, self.record)
            return
        standing, held = refusal
        if standing:
            self.standing = read_standing(standing)
            if self.standing.overtakes(self.record):
                self.claim = Claim(Hold.OVERTAKEN, self.record)
            else:
                self.record = self.standing.follow(self.record)
        elif held:
            self.claim = _held(self.record, held, claimant)
        else:
            self.claim = Claim(Hold.UNKNOWN, self.record)


def _put_key(request: "WriteRequestOutputTypeDef") -> object:
    """What tells one put from another. Not the whole item: DynamoDB writes numbers in its own way when it gives it back."""
    item = request["PutRequest"]["Item"]
    return item["about"], item["entry"]


def _held(record: Record, item: dict[str, object], claimant: Claimant) -> Claim:
    if item["state"] != State.PENDING:
        return Claim(Hold.SENT, record)
    if item.get("owner") == claimant.owner:
        return Claim(Hold.CLAIMED, record)  # by an earlier try, whose answer was lost
    until = datetime.fromisoformat(str(item["lease_until"]))
    return Claim(Hold.HELD, record, held_for=max(0.0, (until - claimant.now).total_seconds()))
