"""The ledger, as it is read: the edge to DynamoDB.

An answer costs what it gives. Each question is a query of the one index that has its answer (question.py), in the order
of that index and in pages, never a scan; the records of a page follow by their keys.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from functions.ledger.keys import MONTH, Facet, Index, pointed_at, pointer_key
from functions.ledger.wire import from_item, to_item
from ops.escalator.connection import Failed, explained
from ops.escalator.cursor import Position
from ops.escalator.question import Question, Source
from ops.escalator.span import Span

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, KeysAndAttributesTypeDef, QueryInputTypeDef

Wire = dict[str, "AttributeValueTypeDef"]
Key = tuple[str, str]
Item = dict[str, Any]
"""What stands in the table, as it was recorded."""

PAGE = 100
"""Records: as many as one call gives by their keys."""
KEYS = 1000
"""Entries of an index that one query gives, where nobody wants fewer."""
PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
"""Seconds between tries, while DynamoDB gives nothing of what it was asked for."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some records of an answer, in its order; the last page has none.

    rest: from where to go on; None at the end.
    """

    records: tuple[Item, ...]
    rest: Position | None


@dataclass(frozen=True, slots=True)
class Trail:
    """The ledger's table."""

    dynamodb: "DynamoDBClient"
    table: str
    sleep: Callable[[float], None] = time.sleep

    def pages(
        self, question: Question, after: Position | None = None, limit: int | None = None, *, newest_first: bool = True
    ) -> Iterator[Page]:
        """The answer, page by page. after: where to go on. limit: of records.

        Where several values are asked for, the index of the most selective leads, and the others are applied to what it
        gives: those that have pointers of their own before a record is read, those that stand in the record afterwards.
        """
        sources = [it for it in question.sources(newest_first=newest_first) if not _passed(it, after, newest_first)]
        left = limit
        for source in sources:
            start = _start(source, after) if after and source is sources[0] else None
            while True:
                most = KEYS if left is None or question.filtered else min(KEYS, left)
                found, start = self._query(source, question.span, start, most, newest_first=newest_first)
                at_end = start is None and source is sources[-1]
                places = [_place(it) for it in found]
                for first in range(0, len(places), PAGE):
                    some = places[first : first + PAGE]
                    records = self._records(question, some)
                    rest = None if at_end and first + PAGE >= len(places) else some[-1]
                    if left is not None and len(records) >= left:
                        cut = tuple(records[:left])
                        yield Page(cut, rest if len(cut) == len(records) else _place_of(cut[-1]))
                        return
                    left = None if left is None else left - len(records)
                    if records:
                        yield Page(tuple(records), rest)
                if start is None:
                    break
        yield Page((), None)

    def moments(self, span: Span) -> Iterator[Item]:
        """What the index by time has of each record, first to last; no record is read."""
        for source in Question(span).sources(newest_first=False):
            start: Wire | None = None
            while True:
                found, start = self._query(source, span, start, None, newest_first=False)
                yield from map(from_item, found)
                if start is None:
                    break

    def about(self, postfix_id: str) -> list[Item]:
        """Everything that is known about a mail by now: its records, and what was last told about it."""
        asked: QueryInputTypeDef = {
            "TableName": self.table,
            "KeyConditionExpression": "about = :about",
            "ExpressionAttributeValues": to_item({":about": postfix_id}),
            "ConsistentRead": True,
        }
        found: list[Item] = []
        while True:
            items, start = self._ask(asked)
            found += map(from_item, items)
            if start is None:
                return found
            asked["ExclusiveStartKey"] = start

    def _query(
        self, source: Source, span: Span, start: Wire | None, most: int | None, *, newest_first: bool
    ) -> tuple[list[Wire], Wire | None]:
        """Entries of one partition within the span, and the key after which there may be more."""
        # A pointer's key begins with the time, and a blank follows; `!` comes next after that.
        time, last = ("decided_at", span.last) if source.index else ("entry", f"{span.last}!")
        asked: QueryInputTypeDef = {
            "TableName": self.table,
            "KeyConditionExpression": "#name = :value AND #time BETWEEN :first AND :last",
            "ExpressionAttributeNames": {"#name": source.name, "#time": time},
            "ExpressionAttributeValues": to_item({":value": source.value, ":first": span.first, ":last": last}),
            "ScanIndexForward": not newest_first,
        }
        if source.index:
            asked["IndexName"] = source.index
        if start:
            asked["ExclusiveStartKey"] = start
        if most is not None:
            asked["Limit"] = most
        return self._ask(asked)

    def _ask(self, asked: "QueryInputTypeDef") -> tuple[list[Wire], Wire | None]:
        with explained(f"read the table {self.table}"):
            answer = self.dynamodb.query(**asked)
        return answer["Items"], answer.get("LastEvaluatedKey")

    def _records(self, question: Question, places: Sequence[Position]) -> list[Item]:
        """The records at these places that are asked for.

        A place is a record's only as long as the record is of that time: taken up by another worker it has a new one.
        """
        for facet, value in question.other_pointers:
            keys = {place: _pointer(facet, value, place) for place in places}
            there = self._get(keys.values(), keys_only=True)
            places = [place for place in places if keys[place] in there]
        records = self._get((place.about, place.entry) for place in places)
        found = ((place, records.get((place.about, place.entry))) for place in places)
        return [it for place, it in found if it and it["decided_at"] == place.decided_at and question.admits(it)]

    def _get(self, keys: Iterable[Key], *, keys_only: bool = False) -> dict[Key, Item]:
        """Items by their keys; what is not there is left out. Raises Failed."""
        found: dict[Key, Item] = {}
        wanted = [to_item({"about": about, "entry": entry}) for about, entry in dict.fromkeys(keys)]
        for start in range(0, len(wanted), PAGE):
            asked: KeysAndAttributesTypeDef = {"Keys": wanted[start : start + PAGE]}
            if keys_only:
                asked["ProjectionExpression"] = "about, entry"
            for item in self._given(asked):
                found[item["about"], item["entry"]] = item
        return found

    def _given(self, asked: "KeysAndAttributesTypeDef") -> Iterator[Item]:
        """What DynamoDB gives, asked again for what it did not come to: after a pause, where it gave nothing."""
        pauses = iter(PAUSES)
        while True:
            with explained(f"read the table {self.table}"):
                answer = self.dynamodb.batch_get_item(RequestItems={self.table: asked})
            given = answer["Responses"].get(self.table, [])
            yield from map(from_item, given)
            unprocessed = answer["UnprocessedKeys"].get(self.table)
            if not unprocessed:
                return
            asked = {**asked, "Keys": unprocessed["Keys"]}
            if given:
                pauses = iter(PAUSES)
            elif (pause := next(pauses, None)) is not None:
                self.sleep(pause)
            else:
                raise Failed(f"cannot read the table {self.table}: DynamoDB gives no more records now; try again later")


def _passed(source: Source, after: Position | None, newest_first: bool) -> bool:
    """Whether all of a month was read before."""
    if after is None or source.index is not Index.BY_TIME:
        return False
    month = after.decided_at[MONTH]
    return source.value > month if newest_first else source.value < month


def _start(source: Source, place: Position) -> Wire:
    """The place as a key of this partition."""
    if source.index is None:
        return to_item({"about": source.value, "entry": f"{place.decided_at} {place.entry}"})
    key = {"about": place.about, "entry": place.entry, "decided_at": place.decided_at}
    return to_item({source.name: source.value, **key})


def _pointer(facet: Facet, value: str, place: Position) -> Key:
    key = pointer_key(facet, value, place.decided_at, place.entry)
    return key["about"], key["entry"]


def _place(entry: Wire) -> Position:
    """The place of the record that an entry of an index, or a pointer, stands for."""
    item = from_item(entry)
    if "decided_at" in item:
        return _place_of(item)
    return Position(item["entry"].partition(" ")[0], **pointed_at(item["entry"]))


def _place_of(item: Item) -> Position:
    return Position(item["decided_at"], item["about"], item["entry"])
