"""The table as the feed uses it: the state with its lease, and the entries of queued deliveries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, cast

from functions.aws import AWS_FAILURES, cause
from functions.domain.email_id import EmailId
from functions.domain.record import moment
from functions.feed.selection import UNKNOWN, Known
from functions.feed.state import FeedState, first_state, read_state, state_attributes
from functions.feed.windows import Window
from functions.ledger.attribute_values import from_item, to_item
from functions.ledger.details_request import DetailsRequest, details_item, read_details_request
from functions.ledger.feed_run import FeedRun, run_attributes
from functions.ledger.keys import (
    details_partition,
    feed_runs_partition,
    feed_state_key,
    is_answer,
    queue_answer_key,
    queue_day,
    queue_entry_key,
)
from functions.ledger.queue_entry import QueueEntry, entry_item, read_answer, read_entry
from functions.ledger.table import LedgerUnavailable, Table

LEASE = timedelta(seconds=90)
"""Longer than the timeout of the function (60 s), so that only the lease of a dead run is taken over."""
LOOKUPS = 50
"""Deliveries of one BatchGetItem: two keys each, of the 100 that it accepts."""


class LeaseLost(LedgerUnavailable):
    """Another run has taken the lease."""


class Store(Protocol):
    """What the runner needs of the table. Each method raises LedgerUnavailable."""

    def acquire(self, owner: str, now: datetime) -> tuple[FeedState, bool]:
        """The state, and whether this run holds the lease."""

    def save(self, owner: str, state: FeedState) -> None:
        """Store the state. Raises LeaseLost if another run has taken the lease."""

    def release(self, owner: str) -> None:
        """Give the lease back."""

    def look_up(self, ids: Sequence[EmailId]) -> dict[str, Known]:
        """What is known of deliveries, by id."""

    def known_within(self, window: Window) -> dict[str, Known]:
        """What is known of all deliveries with a date of the window, by id."""

    def put(self, entries: Sequence[QueueEntry]) -> None:
        """Store entries."""

    def due_details(self, now: datetime, limit: int) -> list[DetailsRequest]:
        """The records that wait for message details and are due, the longest waiting first."""

    def replace_details(self, requests: Mapping[DetailsRequest, DetailsRequest | None]) -> None:
        """Replace requests by the next ones, or remove them."""

    def count_run(self, run: FeedRun) -> None:
        """Note what a run did. It needs no lease."""


@dataclass(frozen=True, slots=True)
class TableStore:
    """The store in DynamoDB. since: how long before the first run the feed begins."""

    table: Table
    account_id: str
    since: timedelta

    def acquire(self, owner: str, now: datetime) -> tuple[FeedState, bool]:
        """See Store. The first run creates the state."""
        key = feed_state_key(self.account_id)
        lease: dict[str, object] = {"owner": owner, "lease_until": moment(now + LEASE)}
        for _ in range(2):
            item = self._update(
                key, lease, "attribute_exists(pk) AND (lease_until < :now OR #owner = :_owner)", {":now": moment(now)}
            )
            if item is not None:
                return read_state(item), True
            [item] = self.table.get([key])
            if item:
                return read_state(item), False
            first = state_attributes(first_state(now, self.since)) | {"lease_until": "", "owner": ""}
            self._update(key, first, "attribute_not_exists(pk)", {})
        raise LedgerUnavailable("the state of the feed could not be created")

    def save(self, owner: str, state: FeedState) -> None:
        """See Store."""
        attributes = {**state_attributes(state), "owner": owner}
        condition = "#owner = :_owner"
        if self._update(feed_state_key(self.account_id), attributes, condition, {}) is None:
            raise LeaseLost("another run of the feed has taken the lease")

    def release(self, owner: str) -> None:
        """See Store. A lease that is lost is not given back."""
        self._update(feed_state_key(self.account_id), {"lease_until": "", "owner": ""}, "#owner = :me", {":me": owner})

    def _update(
        self, key: dict[str, str], attributes: dict[str, object], condition: str, values: dict[str, object]
    ) -> dict[str, Any] | None:
        """Set attributes and return the item; None if the condition does not hold."""
        update = self.table.update(key, attributes, condition, values)
        dynamodb = self.table.dynamodb
        try:
            answer = dynamodb.update_item(**cast("Any", {**update, "ReturnValues": "ALL_NEW"}))
        except dynamodb.exceptions.ConditionalCheckFailedException:
            return None
        except AWS_FAILURES as exc:
            raise LedgerUnavailable(f"DynamoDB did not answer: {cause(exc)}") from exc
        return from_item(answer["Attributes"])

    def look_up(self, ids: Sequence[EmailId]) -> dict[str, Known]:
        """See Store."""
        known: dict[str, Known] = {}
        for start in range(0, len(ids), LOOKUPS):
            chunk = ids[start : start + LOOKUPS]
            keys = [key(self.account_id, it) for it in chunk for key in (queue_entry_key, queue_answer_key)]
            items = iter(self.table.get(keys))
            known |= {it.value: _known(next(items), next(items)) for it in chunk}
        return known

    def known_within(self, window: Window) -> dict[str, Known]:
        """See Store."""
        items: dict[str, dict[str, Any]] = {}
        day = window.start.date()
        while day <= window.end.date():
            items |= {item["sk"]: item for item in self._query(queue_day(self.account_id, day.isoformat()))}
            day += timedelta(days=1)
        return {sk: _known(item, items.get(f"{sk}#answer", {})) for sk, item in items.items() if not is_answer(sk)}

    def _query(self, pk: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        start: dict[str, Any] = {}
        while True:
            try:
                answer = self.table.dynamodb.query(
                    TableName=self.table.name,
                    KeyConditionExpression="pk = :pk",
                    ExpressionAttributeValues=to_item({":pk": pk}),
                    **cast("Any", start),
                )
            except AWS_FAILURES as exc:
                raise LedgerUnavailable(f"DynamoDB did not answer: {cause(exc)}") from exc
            items += map(from_item, answer["Items"])
            if not answer.get("LastEvaluatedKey"):
                return items
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def put(self, entries: Sequence[QueueEntry]) -> None:
        """See Store."""
        if not all(self.table.put_all([entry_item(self.account_id, entry) for entry in entries])):
            raise LedgerUnavailable("DynamoDB did not take all entries")

    def due_details(self, now: datetime, limit: int) -> list[DetailsRequest]:
        """See Store."""
        try:
            answer = self.table.dynamodb.query(
                TableName=self.table.name,
                KeyConditionExpression="pk = :pk AND sk < :now",
                ExpressionAttributeValues=to_item({":pk": details_partition(self.account_id), ":now": moment(now)}),
                Limit=limit,
            )
        except AWS_FAILURES as exc:
            raise LedgerUnavailable(f"DynamoDB did not answer: {cause(exc)}") from exc
        return [read_details_request(self.account_id, from_item(it)) for it in answer["Items"]]

    def replace_details(self, requests: Mapping[DetailsRequest, DetailsRequest | None]) -> None:
        """See Store. A request that is not removed is queued once more."""
        if not all(self.table.put_all([details_item(it) for it in requests.values() if it])):
            raise LedgerUnavailable("DynamoDB did not take all requests for message details")
        self.table.delete_all([it.key for it in requests])

    def count_run(self, run: FeedRun) -> None:
        """See Store."""
        key = {"pk": feed_runs_partition(self.account_id), "sk": run.date}
        update = self.table.update(key, run_attributes(run))
        counts = {"runs": 1, **{name: count for name, count in run.counts.items() if count}}
        update["UpdateExpression"] += f" ADD {', '.join(f'#{name} :_{name}' for name in counts)}"
        names = {**update.get("ExpressionAttributeNames", {}), **{f"#{name}": name for name in counts}}
        values = {
            **update.get("ExpressionAttributeValues", {}),
            **to_item({f":_{name}": count for name, count in counts.items()}),
        }
        del update["ReturnValuesOnConditionCheckFailure"]
        try:
            self.table.dynamodb.update_item(
                **cast("Any", {**update, "ExpressionAttributeNames": names, "ExpressionAttributeValues": values})
            )
        except AWS_FAILURES as exc:
            raise LedgerUnavailable(f"DynamoDB did not answer: {cause(exc)}") from exc


def _known(entry: dict[str, Any], answer: dict[str, Any]) -> Known:
    if not entry and not answer:
        return UNKNOWN
    return Known(read_entry(entry) if entry else None, read_answer(answer) if answer else None)
