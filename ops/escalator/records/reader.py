"""Read the ledger's table. This is the command line's edge to DynamoDB, and the place where items are parsed.

Each query reads the one index that answers it (query.py), in pages and in that index's order, and never scans. The
records of a page are then read by their keys. The cost is proportional to the entries of that index in the time range,
before filters.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.domain.email_id import EmailId
from functions.domain.search_values import SearchKind
from functions.ledger.attribute_values import from_item, to_item
from functions.ledger.keys import MONTH, Index, email_of, is_record, pointed_at, pointer_key
from ops.escalator.aws import CommandFailed, explained
from ops.escalator.records.query import RecordQuery, Source, full_source
from ops.escalator.records.record_summary import RecordSummary, read_summary
from ops.escalator.records.stored_record import (
    AnyRecord,
    Item,
    Position,
    StoredEmail,
    UnreadableRecord,
    position_of,
    read_stored_email,
    read_stored_record,
)
from ops.escalator.records.time_range import TimeRange

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, KeysAndAttributesTypeDef, QueryInputTypeDef

Wire = dict[str, "AttributeValueTypeDef"]
Key = tuple[str, str]

PAGE_SIZE = 100
"""Records: the maximum of one BatchGetItem."""
QUERY_SIZE = 1000
"""Entries of an index that one query returns when there is no lower limit."""
PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
"""Seconds between attempts while DynamoDB returns none of the requested records."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some records of a result, in its order. The last page has no records.

    rest: the position to continue after; None at the end.
    """

    records: tuple[AnyRecord, ...]
    rest: Position | None


@dataclass(frozen=True, slots=True)
class EmailRecords:
    """All records below one postfix id, oldest first, and the item of each email that has it.

    A postfix id can belong to an email of each account. Postfix uses a short one again on a later day.
    """

    records: tuple[AnyRecord, ...]
    emails: tuple[StoredEmail | UnreadableRecord, ...]


@dataclass(frozen=True, slots=True)
class RecordReader:
    """Reads the records of one table."""

    dynamodb: "DynamoDBClient"
    table: str
    sleep: Callable[[float], None] = time.sleep

    def pages(
        self,
        query: RecordQuery,
        after: Position | None = None,
        limit: int | None = None,
        *,
        newest_first: bool = True,
    ) -> Iterator[Page]:
        """Yield the result page by page. after: the position to continue after. limit: of records.

        With several values, the most selective index leads. The other values filter its entries: those with pointers
        before a record is read, those that are attributes of the record afterwards.
        """
        sources = [it for it in query.sources(newest_first=newest_first) if not _is_read(it, after, newest_first)]
        remaining = limit
        for source in sources:
            start = _start_key(source, after) if after and source is sources[0] else None
            while True:
                size = QUERY_SIZE if remaining is None or query.is_filtered else min(QUERY_SIZE, remaining)
                entries, start = self._query(source, query.time_range, start, size, newest_first=newest_first)
                is_last = start is None and source is sources[-1]
                positions = [_position(it) for it in entries if _may_match(query, source, it)]
                for first in range(0, len(positions), PAGE_SIZE):
                    chunk = positions[first : first + PAGE_SIZE]
                    records = [read_stored_record(it) for it in self._items(query, chunk)]
                    rest = None if is_last and first + PAGE_SIZE >= len(positions) else chunk[-1]
                    if remaining is not None and len(records) >= remaining:
                        cut = tuple(records[:remaining])
                        yield Page(cut, rest if len(cut) == len(records) else cut[-1].position)
                        return
                    remaining = None if remaining is None else remaining - len(records)
                    if records:
                        yield Page(tuple(records), rest)
                if start is None:
                    break
        yield Page((), None)

    def summaries(self, time_range: TimeRange) -> Iterator[RecordSummary | UnreadableRecord]:
        """Yield what the index by time has of each record, oldest first, without reading the records."""
        for source in RecordQuery(time_range).sources(newest_first=False):
            start: Wire | None = None
            while True:
                entries, start = self._query(source, time_range, start, None, newest_first=False)
                yield from (read_summary(from_item(it)) for it in entries)
                if start is None:
                    break

    def full(self, kind: SearchKind, time_range: TimeRange) -> list[Position]:
        """Records of the range that may have more values of a kind than those by which they are found, newest first."""
        found: list[Position] = []
        start: Wire | None = None
        while True:
            entries, start = self._query(full_source(kind), time_range, start, None, newest_first=True)
            found += map(_position, entries)
            if start is None:
                return found

    def email(self, id: EmailId) -> EmailRecords:
        """Read everything about one email, whichever form its id has: its records, its deliveries and its last alert.

        A short postfix id without its date names every email that has it.
        """
        request: QueryInputTypeDef = {
            "TableName": self.table,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": to_item({":pk": id.postfix_id}),
            "ConsistentRead": True,
        }
        items: list[Item] = []
        while True:
            found, start = self._send(request)
            items += map(from_item, found)
            if start is None:
                break
            request["ExclusiveStartKey"] = start
        items = [it for it in items if _is_about(it["sk"], id)]
        records = [read_stored_record(it) for it in items if is_record(it["sk"])]
        return EmailRecords(
            tuple(sorted(records, key=lambda it: (it.position.decided_at, it.position.sk))),
            tuple(read_stored_email(it) for it in items if not is_record(it["sk"])),
        )

    def partition(self, pk: str, limit: int) -> list[Item]:
        """The items of a partition, the last sort key first."""
        found, _ = self._send(
            {
                "TableName": self.table,
                "KeyConditionExpression": "pk = :pk",
                "ExpressionAttributeValues": to_item({":pk": pk}),
                "ScanIndexForward": False,
                "Limit": limit,
            }
        )
        return [*map(from_item, found)]

    def items(self, keys: Iterable[Key]) -> dict[Key, Item]:
        """Items by their keys, without those that do not exist."""
        return self._get(keys)

    def _query(
        self, source: Source, time_range: TimeRange, start: Wire | None, limit: int | None, *, newest_first: bool
    ) -> tuple[list[Wire], Wire | None]:
        """Entries of one partition within the range, and the key after which there may be more."""
        # A pointer's sort key is `<time> <sk of the record>`; `!` is the character after the space.
        attribute, last = ("decided_at", time_range.last) if source.index else ("sk", f"{time_range.last}!")
        request: QueryInputTypeDef = {
            "TableName": self.table,
            "KeyConditionExpression": "#name = :value AND #time BETWEEN :first AND :last",
            "ExpressionAttributeNames": {"#name": source.name, "#time": attribute},
            "ExpressionAttributeValues": to_item({":value": source.value, ":first": time_range.first, ":last": last}),
            "ScanIndexForward": not newest_first,
        }
        if source.index:
            request["IndexName"] = source.index
        if start:
            request["ExclusiveStartKey"] = start
        if limit is not None:
            request["Limit"] = limit
        return self._send(request)

    def _send(self, request: "QueryInputTypeDef") -> tuple[list[Wire], Wire | None]:
        with explained(f"read the table {self.table}"):
            response = self.dynamodb.query(**request)
        return response["Items"], response.get("LastEvaluatedKey")

    def _items(self, query: RecordQuery, positions: Sequence[Position]) -> list[Item]:
        """The items at these positions that match the query.

        A record that another worker has claimed again has a new decision time. Its old positions are skipped.
        """
        for kind, value in query.other_pointers:
            keys = {position: _pointer(kind, value, position) for position in positions}
            existing = self._get(keys.values(), keys_only=True)
            positions = [position for position in positions if keys[position] in existing]
        items = self._get((position.pk, position.sk) for position in positions)
        found = ((position, items.get((position.pk, position.sk))) for position in positions)
        return [it for position, it in found if it and it["decided_at"] == position.decided_at and query.matches(it)]

    def _get(self, keys: Iterable[Key], *, keys_only: bool = False) -> dict[Key, Item]:
        """Items by their keys, without those that do not exist. Raises CommandFailed."""
        found: dict[Key, Item] = {}
        wanted = [to_item({"pk": pk, "sk": sk}) for pk, sk in dict.fromkeys(keys)]
        for start in range(0, len(wanted), PAGE_SIZE):
            request: KeysAndAttributesTypeDef = {"Keys": wanted[start : start + PAGE_SIZE]}
            if keys_only:
                request["ProjectionExpression"] = "pk, sk"
            for item in self._get_batch(request):
                found[item["pk"], item["sk"]] = item
        return found

    def _get_batch(self, request: "KeysAndAttributesTypeDef") -> Iterator[Item]:
        """Yield the items of a batch. Retries unprocessed keys, after a pause where a response had no items."""
        pauses = iter(PAUSES)
        while True:
            with explained(f"read the table {self.table}"):
                response = self.dynamodb.batch_get_item(RequestItems={self.table: request})
            items = response["Responses"].get(self.table, [])
            yield from map(from_item, items)
            unprocessed = response["UnprocessedKeys"].get(self.table)
            if not unprocessed:
                return
            request = {**request, "Keys": unprocessed["Keys"]}
            if items:
                pauses = iter(PAUSES)
            elif (pause := next(pauses, None)) is not None:
                self.sleep(pause)
            else:
                raise CommandFailed(
                    f"cannot read the table {self.table}: DynamoDB returned no records after {len(PAUSES) + 1} attempts;"
                    " try again later"
                )


def _may_match(query: RecordQuery, source: Source, entry: Wire) -> bool:
    """Whether the record of an entry can match the query. Other indexes than the one by time hold keys alone."""
    return source.index is not Index.BY_TIME or query.may_match(from_item(entry))


def _is_read(source: Source, after: Position | None, newest_first: bool) -> bool:
    """Whether a month comes before the position to continue after."""
    if after is None or source.index is not Index.BY_TIME:
        return False
    month = after.decided_at[MONTH]
    return source.value > month if newest_first else source.value < month


def _start_key(source: Source, position: Position) -> Wire:
    """The position as a key of this partition."""
    if source.index is None:
        return to_item({"pk": source.value, "sk": f"{position.decided_at} {position.sk}"})
    key = {"pk": position.pk, "sk": position.sk, "decided_at": position.decided_at}
    return to_item({source.name: source.value, **key})


def _is_about(sk: str, id: EmailId) -> bool:
    """Whether a sort key may be that of the email with this id.

    An email that a request named by a short postfix id alone has no date in its key.
    """
    return id.email == id.postfix_id or email_of(sk) in (id.email, id.postfix_id)


def _pointer(kind: SearchKind, value: str, position: Position) -> Key:
    key = pointer_key(kind, value, position.decided_at, position.sk)
    return key["pk"], key["sk"]


def _position(entry: Wire) -> Position:
    """The position of the record that an index entry or a pointer refers to."""
    item = from_item(entry)
    if "decided_at" in item:
        return position_of(item)
    return Position(item["sk"].partition(" ")[0], **pointed_at(item["sk"]))
