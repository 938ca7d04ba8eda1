"""Claim, mark and record: one call to DynamoDB for a whole batch, and one more each time DynamoDB refuses some.

A claim comes before the publish and a mark after it. A worker that dies in between leaves a PENDING record with a lease
that expires. The redelivered message then takes the record over: an alert can be late, or be repeated once with the same
`alert_id`, and is never lost.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING

from functions.aws import AWS_FAILURES, cause
from functions.domain.record import Record, State, moment
from functions.ledger.attribute_values import from_item, to_item
from functions.ledger.item import attributes, late_attributes
from functions.ledger.keys import YES, alert_key, decision_key, last_alert_key, pointers
from functions.ledger.last_alert import LastAlert, last_alert_attributes, read_last_alert
from functions.ledger.transaction import Refusal, TransactionUnavailable, transact

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef, UpdateTypeDef, WriteRequestOutputTypeDef

ROUNDS = 3
"""Tries of a claim while other workers change the same email. A second worker is rare, a third one a fault."""
WRITES = 25
"""Items of one BatchWriteItem."""


class LedgerUnavailable(Exception):
    """DynamoDB did not take the write, or did not say whether it did."""


class ClaimStatus(Enum):
    """The result of a claim."""

    CLAIMED = "this worker publishes the alert"
    SENT = "the alert was sent before"
    HELD = "another worker holds the alert, and may be publishing it now"
    SUPERSEDED = "a later answer of Cloudflare has been used already"
    UNKNOWN = "the table could not say"


@dataclass(frozen=True, slots=True)
class Claim:
    """The result for one record.

    record:             as claimed, with its revision and previous alert.
    lease_seconds_left: until another worker's lease expires.
    """

    status: ClaimStatus
    record: Record
    lease_seconds_left: float = 0.0


@dataclass(frozen=True, slots=True)
class ClaimOwner:
    """The worker that claims. Only the owner of a claim can mark its record.

    owner:     unlike that of any other invocation.
    lease:     the time for which no other worker takes the claim over.
    publishes: whether alerts are published. If so, alerts that were recorded without a topic are claimed as well.
    """

    owner: str
    now: datetime
    lease: timedelta
    publishes: bool


@dataclass(frozen=True, slots=True)
class Ledger:
    """The records of one table, kept for as long as `retention`."""

    dynamodb: "DynamoDBClient"
    table: str
    retention: timedelta

    def last_alerts(self, records: Sequence[Record]) -> list[LastAlert | None]:
        """The last alert about the email of each record, for at most ten records. Raises LedgerUnavailable."""
        keys = [to_item(last_alert_key(record)) for record in records]
        try:
            answer = self.dynamodb.batch_get_item(RequestItems={self.table: {"Keys": keys, "ConsistentRead": True}})
        except AWS_FAILURES as exc:
            raise LedgerUnavailable(f"DynamoDB did not answer: {cause(exc)}") from exc
        if answer.get("UnprocessedKeys"):
            raise LedgerUnavailable("DynamoDB did not look up all keys")
        found = {(it["pk"], it["sk"]): read_last_alert(it) for it in map(from_item, answer["Responses"][self.table])}
        return [found.get((last_alert_key(record)["pk"], last_alert_key(record)["sk"])) for record in records]

    def claim(self, records: Sequence[Record], owner: ClaimOwner) -> list[Claim]:
        """Claim each alert that is not sent and not held by another worker; no two may have the same id.

        The first try assumes that there was no alert about the email, or the same one, which is nearly always so.
        Otherwise the refusal returns the last alert, and the next try follows it.
        Raises LedgerUnavailable.
        """
        tries = [ClaimAttempt(record) for record in records]
        for _ in range(ROUNDS):
            ahead = [it for it in tries if it.claim is None]
            if not ahead:
                break
            refusals = self._transact([self._claiming(it, owner) for it in ahead])
            for i, it in enumerate(ahead):
                it.learn(refusals.get(i), owner)
        return [it.claim or Claim(ClaimStatus.UNKNOWN, it.record) for it in tries]

    def mark(self, published: Sequence[tuple[Record, str | None]], owner: str, now: datetime) -> list[bool]:
        """Mark records SENT with their SNS message id, or RECORDED without one, and write their pointers.

        False for a record that another worker has taken over. Raises LedgerUnavailable if any is still to be marked.
        """
        refusals = self._transact([self._marking(record, sns_id, owner, now) for record, sns_id in published])
        held = {i: refusal[0] for i, refusal in refusals.items()}
        if not all(held.values()):
            raise LedgerUnavailable("a mark met a conflict or a throttle")
        return [i not in held or held[i].get("owner") == owner for i in range(len(published))]

    def record(self, records: Sequence[Record]) -> list[bool]:
        """Write decisions that need no alert, with pointers to them.

        False for each that DynamoDB did not take as a whole. Raises LedgerUnavailable.
        """
        requests: list[tuple[int, WriteRequestOutputTypeDef]] = []
        for i, record in enumerate(records):
            key, known = decision_key(record), attributes(record, self.retention)
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
        """Write items; the requests that DynamoDB did not process."""
        try:
            answer = self.dynamodb.batch_write_item(RequestItems={self.table: requests})
        except AWS_FAILURES as exc:
            raise LedgerUnavailable(f"DynamoDB did not take the records: {cause(exc)}") from exc
        return answer.get("UnprocessedItems", {}).get(self.table, [])

    def _pointers(self, record: Record, key: dict[str, str]) -> list[dict[str, object]]:
        return [{**pointer, "expires_at": self._expires_at(record)} for pointer in pointers(record, key)]

    def _expires_at(self, record: Record) -> int:
        return int((record.decided_at + self.retention).timestamp())

    def _claiming(self, it: "ClaimAttempt", owner: ClaimOwner) -> "list[TransactWriteItemTypeDef]":
        """The write of the last alert, conditional on the known one, and of the record, conditional on being free."""
        record = it.record
        last_alert: UpdateTypeDef = self._setting(
            last_alert_key(record),
            last_alert_attributes(record, self._expires_at(record)),
            "#disposition = :known AND revision = :revision"
            if it.last_alert
            else "attribute_not_exists(pk) OR (#disposition = :known AND revision = :revision)",
            {
                ":known": it.last_alert.alert.disposition if it.last_alert else record.disposition,
                ":revision": it.last_alert.revision if it.last_alert else 0,
            },
        )
        known = attributes(record, self.retention) | {
            "activity": record.activity,
            "alert_id": record.alert_id,
            "state": State.PENDING,
            "pending": YES,
            "owner": owner.owner,
            "claimed_at": moment(owner.now),
            "lease_until": moment(owner.now + owner.lease),
        }
        claim = self._setting(
            alert_key(record),
            known,
            "attribute_not_exists(pk) OR #state = :recorded"
            " OR (#state = :pending AND (attribute_not_exists(lease_until) OR lease_until < :now))",
            {
                ":pending": State.PENDING,
                ":recorded": State.RECORDED if owner.publishes else "-",
                ":now": moment(owner.now),
                ":one": 1,
            },
        )
        claim["UpdateExpression"] += " ADD claims :one"
        return [{"Update": last_alert}, {"Update": claim}]

    def _marking(
        self, record: Record, sns_message_id: str | None, owner: str, now: datetime
    ) -> "list[TransactWriteItemTypeDef]":
        known = late_attributes(record) | {"state": State.RECORDED}
        if sns_message_id is not None:
            known |= {"state": State.SENT, "sns_message_id": sns_message_id, "published_at": moment(now)}
        mark = self._setting(
            alert_key(record),
            known,
            "#owner = :owner AND #state = :pending",
            {":owner": owner, ":pending": State.PENDING},
        )
        mark["UpdateExpression"] += " REMOVE lease_until, pending"
        mark["ExpressionAttributeNames"] = {**mark["ExpressionAttributeNames"], "#owner": "owner"}
        items = [to_item(pointer) for pointer in self._pointers(record, alert_key(record))]
        puts: list[TransactWriteItemTypeDef] = [{"Put": {"TableName": self.table, "Item": item}} for item in items]
        return [{"Update": mark}, *puts]

    def _setting(
        self, key: dict[str, str], known: dict[str, object], condition: str, values: dict[str, object]
    ) -> "UpdateTypeDef":
        """An update that sets attributes. If the condition fails, DynamoDB returns the current item."""
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
class ClaimAttempt:
    """The claim for one record on its way. last_alert: as far as a refusal has returned it."""

    record: Record
    last_alert: LastAlert | None = None
    claim: Claim | None = field(default=None)

    def learn(self, refusal: Refusal | None, owner: ClaimOwner) -> None:
        """Decide the claim, or learn what the next try needs."""
        if refusal is None:
            self.claim = Claim(ClaimStatus.CLAIMED, self.record)
            return
        last_alert, held = refusal
        if last_alert:
            self.last_alert = read_last_alert(last_alert)
            if self.last_alert.supersedes(self.record):
                self.claim = Claim(ClaimStatus.SUPERSEDED, self.record)
            else:
                self.record = self.last_alert.link_to_previous(self.record)
        elif held:
            self.claim = _held(self.record, held, owner)
        else:
            self.claim = Claim(ClaimStatus.UNKNOWN, self.record)


def _put_key(request: "WriteRequestOutputTypeDef") -> object:
    """The key of a put. Not the whole item: DynamoDB returns numbers in its own spelling."""
    item = request["PutRequest"]["Item"]
    return item["pk"], item["sk"]


def _held(record: Record, item: dict[str, object], owner: ClaimOwner) -> Claim:
    if item["state"] != State.PENDING:
        return Claim(ClaimStatus.SENT, record)
    if item.get("owner") == owner.owner:
        return Claim(ClaimStatus.CLAIMED, record)  # by an earlier try, whose answer was lost
    until = datetime.fromisoformat(str(item["lease_until"]))
    return Claim(ClaimStatus.HELD, record, lease_seconds_left=max(0.0, (until - owner.now).total_seconds()))
