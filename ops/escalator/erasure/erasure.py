"""Find all items about a person by the pointers from the address, and erase the person from them.

The unit is an email: its item and all of its records. An item is written only if what is replaced is as it was read, so that
a write of the function at the same moment loses nothing. The pointers of an email are deleted last, so that an erasure that
was interrupted finds the email again. Everything that is done already is found unchanged.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from functions.domain.record import moment
from functions.domain.search_values import SearchKind
from functions.ledger.attribute_values import from_item, to_item, to_wire
from functions.ledger.campaign_copies import copy_item
from functions.ledger.keys import ERASING, full_partition, is_record, pointed_at, pointer_partition, pointers
from ops.escalator.aws import explained
from ops.escalator.erasure.redaction import Person
from ops.escalator.records.stored_record import StoredRecord, read_stored_record

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Wire = dict[str, Any]
Key = dict[str, str]

_TRIES = 3
"""Reads of an item that others change at the same moment."""
_MARKER_DAYS = timedelta(days=30)
_KEPT = frozenset({"pk", "sk", "decided_at", "month", "disposition", "severity", "pending", "erasures"})
"""Keys of the table and of its indexes, which have no address, and who has erased one."""
_DOMAIN = "erased.invalid"
"""RFC 2606 reserves `.invalid`: no one can have such an address."""


@dataclass(frozen=True, slots=True)
class ErasedItem:
    """An item that has the person. done: whether the person is erased; None where nothing is to be written."""

    key: Key
    decided_at: str
    attributes: tuple[str, ...]
    done: bool | None

    @property
    def what(self) -> str:
        """What the item is."""
        return "record" if is_record(self.key["sk"]) else "email"


@dataclass
class Erasure:
    """The erasure of one person. apply: whether to write. by: who erases. failed: items that another writer kept changing."""

    dynamodb: "DynamoDBClient"
    table: str
    person: Person
    now: datetime
    by: str
    apply: bool
    pointers: int = 0
    failed: int = 0
    has_marker: bool = field(default=False, init=False)

    def items(self) -> Iterator[ErasedItem]:
        """Yield each item that has the person, and erase it there if the erasure is applied."""
        finished: dict[tuple[str, str], bool] = {}
        for partition in (self._partition_of_person, _FULL):
            for pointer in self._query("pk = :pk AND sk < :sk", {":pk": partition, ":sk": ERASING}):
                record = pointed_at(pointer["sk"]["S"])
                email = record["pk"], record["sk"].partition("#")[0]
                found = False
                if email not in finished:
                    failed = self.failed
                    for item in self._email({"pk": email[0], "sk": email[1]}):
                        found = True
                        yield item
                    finished[email] = self.failed == failed
                if finished[email] and (found or partition != _FULL):
                    self._forget(pointer["sk"]["S"])
        if self.apply and not self.failed:
            self._end()

    def _email(self, email: Key) -> Iterator[ErasedItem]:
        for item in self._query("pk = :pk AND begins_with(sk, :sk)", {":pk": email["pk"], ":sk": email["sk"]}):
            sk = item["sk"]["S"]
            if sk != email["sk"] and not sk.startswith(f"{email['sk']}#"):
                continue
            if changed := self._changed(item):
                key = {"pk": item["pk"]["S"], "sk": sk}
                done = self._erase(key, item) if self.apply else None
                self.failed += done is False
                yield ErasedItem(key, str(from_item(item).get("decided_at", "")), tuple(changed), done)

    def _changed(self, item: Wire) -> Wire:
        """The attributes that have the person, as they should be."""
        erased = {name: self.person.erased_value(it) for name, it in item.items() if name not in _KEPT}
        return {name: it for name, it in erased.items() if it != item[name]}

    def _erase(self, key: Key, item: Wire) -> bool:
        """Write an item. False if others have changed it at each try."""
        self._begin()
        for pointer in self._other_pointers(key, item):
            self._delete(pointer["pk"], pointer["sk"])
        for _ in range(_TRIES):
            changed = self._changed(item)
            if not changed or self._write(key, item, changed):
                self._renew_copy(key, {**item, **changed})
                return True
            with explained(f"read the table {self.table}"):
                found = self.dynamodb.get_item(TableName=self.table, Key=to_item(key), ConsistentRead=True)
            item = found.get("Item", {})
        return False

    def _other_pointers(self, key: Key, item: Wire) -> Iterator[Key]:
        """Pointers from other values of a record that have the address, such as a bounce address or the sender."""
        stored = read_stored_record(from_item(item)) if is_record(key["sk"]) else None
        if isinstance(stored, StoredRecord):
            for pointer in pointers(stored.record, key):
                value = pointer["pk"].partition("=")[2]
                if pointer["pk"] != self._partition_of_person and self.person.erased(value) != value:
                    yield pointer

    def _renew_copy(self, key: Key, item: Wire) -> None:
        """Replace the digests of recipients that the campaign of a record counts."""
        stored = read_stored_record(from_item(item)) if is_record(key["sk"]) else None
        if not isinstance(stored, StoredRecord) or stored.record.campaign is None:
            return
        copy = copy_item(stored.record, key)
        with (
            explained(f"write to the table {self.table}"),
            suppress(
                self.dynamodb.exceptions.ConditionalCheckFailedException  # the alert is not complete yet, or expired
            ),
        ):
            self.dynamodb.update_item(
                TableName=self.table,
                Key=to_item({"pk": copy["pk"], "sk": copy["sk"]}),
                UpdateExpression="SET people = :people",
                ConditionExpression="attribute_exists(pk)",
                ExpressionAttributeValues=to_item({":people": copy["people"]}),
            )

    def _write(self, key: Key, item: Wire, changed: Wire) -> bool:
        numbered = dict(enumerate(changed))
        names = {f"#a{i}": name for i, name in numbered.items()}
        values = {f":new{i}": changed[name] for i, name in numbered.items()}
        values |= {f":old{i}": item[name] for i, name in numbered.items()}
        sets = [f"#a{i} = :new{i}" for i in numbered]
        conditions = [f"#a{i} = :old{i}" for i in numbered]
        if is_record(key["sk"]):
            entry = {"at": moment(self.now), "by": self.by, "placeholder": self.person.placeholder}
            sets.append("erasures = list_append(if_not_exists(erasures, :none), :one)")
            values |= {":none": {"L": []}, ":one": to_wire([entry])}
        else:  # every writer of an email's item names the version that it has read
            names["#version"] = "version"
            sets.append("#version = #version + :step")
            conditions.append("#version = :version")
            values |= {":step": {"N": "1"}, ":version": item["version"]}
        with explained(f"write to the table {self.table}"):
            try:
                self.dynamodb.update_item(
                    TableName=self.table,
                    Key=to_item(key),
                    UpdateExpression=f"SET {', '.join(sets)}",
                    ConditionExpression=" AND ".join(conditions),
                    ExpressionAttributeNames=names,
                    ExpressionAttributeValues=values,
                )
            except self.dynamodb.exceptions.ConditionalCheckFailedException:
                return False
        return True

    def _forget(self, pointer_sk: str) -> None:
        """Delete the pointer from the address to a record."""
        self.pointers += 1
        if self.apply:
            self._delete(self._partition_of_person, pointer_sk)

    def _begin(self) -> None:
        """Take the placeholder of an erasure that was interrupted, or note this one's."""
        if self.has_marker:
            return
        marker = {"pk": self._partition_of_person, "sk": ERASING}
        item = {
            **marker,
            "placeholder": self.person.placeholder,
            "expires_at": int((self.now + _MARKER_DAYS).timestamp()),
        }
        with explained(f"write to the table {self.table}"):
            try:
                self.dynamodb.put_item(
                    TableName=self.table, Item=to_item(item), ConditionExpression="attribute_not_exists(pk)"
                )
            except self.dynamodb.exceptions.ConditionalCheckFailedException:
                found = self.dynamodb.get_item(TableName=self.table, Key=to_item(marker), ConsistentRead=True)
                known = from_item(found.get("Item", {})).get("placeholder", self.person.placeholder)
                self.person = replace(self.person, placeholder=known)
        self.has_marker = True

    def _end(self) -> None:
        """Delete the note, so that nothing leads from the address to the placeholder."""
        self._delete(self._partition_of_person, ERASING)

    @property
    def _partition_of_person(self) -> str:
        return pointer_partition(SearchKind.RECIPIENT, self.person.address)

    def _delete(self, pk: str, sk: str) -> None:
        with explained(f"write to the table {self.table}"):
            self.dynamodb.delete_item(TableName=self.table, Key=to_item({"pk": pk, "sk": sk}))

    def _query(self, condition: str, values: Mapping[str, object]) -> Iterator[Wire]:
        start: dict[str, Any] = {}
        while True:
            with explained(f"read the table {self.table}"):
                page = self.dynamodb.query(
                    TableName=self.table,
                    KeyConditionExpression=condition,
                    ExpressionAttributeValues=to_item(values),
                    ConsistentRead=True,
                    **start,
                )
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


_FULL = full_partition(SearchKind.RECIPIENT)
"""Records with so many recipients that some have no pointer."""


def new_placeholder(random: Callable[[int], str] = secrets.token_hex) -> str:
    """A placeholder that says nothing of the address: a hash of it could be compared with that of a guess."""
    return f"erased-{random(4)}@{_DOMAIN}"
