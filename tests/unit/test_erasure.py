"""What the erasure of one address does to texts, and to an item that another writer changes at the same moment."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from functions.ledger.attribute_values import from_item, to_item
from ops.escalator.erasure.erasure import Erasure
from ops.escalator.erasure.redaction import Person

GONE = "erased-1a2b3c4d@erased.invalid"
PERSON = Person("ann.lee@corp.example", GONE)


@pytest.mark.parametrize(
    ("text", "erased"),
    [
        ("ann.lee@corp.example", GONE),
        ("ANN.Lee@Corp.Example.", f"{GONE}."),
        ("Ann Lee <ann.lee@corp.example>, Bob <bob@corp.example>", f"<{GONE}>, Bob <bob@corp.example>"),
        ('Bob <bob@corp.example>, "Lee, Ann" <ann.lee@corp.example>', f"Bob <bob@corp.example>, <{GONE}>"),
        ("ann.lee@corp.example (Ann Lee)", GONE),
        ("by mx with ESMTPS id 1 for <ann.lee@corp.example>; Tue", f"by mx with ESMTPS id 1 for <{GONE}>; Tue"),
        ("mailto:ann.lee@corp.example?subject=x", f"mailto:{GONE}?subject=x"),
        ("https://evil.example/?e=ann.lee%40corp.example&x", f"https://evil.example/?e={GONE}&x"),
        ("https://evil.example/%3Cann.lee%40corp.example%3E", f"https://evil.example/%3C{GONE}%3E"),
        ("ann.lee=40corp.example", GONE),
        ("=3Cann.lee=40corp.example=3E", f"=3C{GONE}=3E"),
        ("bounce-ann.lee=corp.example@sender.example", f"bounce-{GONE}@sender.example"),
        ("=?utf-8?b?YW5uLmxlZUBjb3JwLmV4YW1wbGU=?=", GONE),
        ('"ann.lee"@corp.example', GONE),
        ("ann.lee\u200b@corp\u3002example, bob@corp.example", f"{GONE}, bob@corp.example"),
        ("to ann.lee@corp.exa…", f"to {GONE}"),
        ("to ann.lee@…", f"to {GONE}"),
    ],
)
def test_address_is_replaced(text: str, erased: str) -> None:
    assert erased == PERSON.erased(text)


@pytest.mark.parametrize(
    "text",
    [
        "jo.ann.lee@corp.example",
        "joann.lee@corp.example",
        "o'ann.lee@corp.example",
        "x+ann.lee@corp.example",
        "ann.lee@corp.example.org",
        "ann.lee@corp.examples",
        "ann.lee@corp.example-two.org",
        "ann.lees@corp.example",
        "ann.lee@sub.corp.example",
        "https://corp.example/ann.lee",
        "%61ann.lee%40corp.example",
        "ends with ann…",
        GONE,
        "",
    ],
)
def test_text_about_another_stays(text: str) -> None:
    assert text == PERSON.erased(text)


def test_every_text_of_a_value_is_replaced_and_names_of_members_stay() -> None:
    value = {"M": {"ann.lee@corp.example": {"L": [{"S": "ann.lee@corp.example"}, {"N": "1.50"}, {"BOOL": True}]}}}
    expected = {"M": {"ann.lee@corp.example": {"L": [{"S": GONE}, {"N": "1.50"}, {"BOOL": True}]}}}
    assert expected == PERSON.erased_value(value)


class Refused(Exception):
    """DynamoDB refuses a condition."""


@dataclass
class Exceptions:
    """As of a client."""

    ConditionalCheckFailedException: type[Exception] = Refused


@dataclass
class ChangingTable:
    """A table with one email's item, whose version another writer raises before each of the next writes."""

    others: int
    version: int = 1
    item: dict[str, Any] = field(default_factory=lambda: {"recipients": ["ann.lee@corp.example", "bob@corp.example"]})
    calls: list[str] = field(default_factory=list)
    exceptions: Exceptions = field(default_factory=Exceptions)

    def _stored(self) -> dict[str, Any]:
        return to_item({"pk": "P", "sk": "a/P", **self.item, "version": self.version})

    def query(self, **request: Any) -> dict[str, Any]:
        """The pointer, no full records, and the email."""
        pk = request["ExpressionAttributeValues"][":pk"]["S"]
        if pk.startswith("full="):
            return {"Items": []}
        if pk.startswith("recipient="):
            return {"Items": [to_item({"pk": pk, "sk": "2026-11-20T00:00:00.000Z a/P#1"})]}
        return {"Items": [self._stored()]}

    def get_item(self, **_: Any) -> dict[str, Any]:
        """The item as it is."""
        return {"Item": self._stored()}

    def put_item(self, **_: Any) -> None:
        """The note."""
        self.calls.append("put")

    def update_item(self, **request: Any) -> None:
        """Another writer is faster, as often as `others` says: it adds a recipient."""
        if self.others:
            self.others -= 1
            self.version += 1
            self.item["recipients"].append(f"other{self.version}@corp.example")
        values = from_item(request["ExpressionAttributeValues"])
        if values[":version"] != self.version:
            raise Refused
        self.item["recipients"] = values[":new0"]

    def delete_item(self, **request: Any) -> None:
        """A pointer, or the note."""
        self.calls.append(f"delete {request['Key']['sk']['S']}")


def erase(table: ChangingTable) -> Erasure:
    """Erase, and return how it went."""
    dynamodb: Any = table
    erasure = Erasure(dynamodb, "t", PERSON, datetime(2026, 11, 20, tzinfo=UTC), "arn:aws:iam::1:user/x", apply=True)
    assert 1 == len([*erasure.items()])
    return erasure


def test_write_of_another_at_the_same_moment_is_kept() -> None:
    table = ChangingTable(others=2)
    assert 0 == erase(table).failed
    assert [GONE, "bob@corp.example", "other2@corp.example", "other3@corp.example"] == table.item["recipients"]


def test_item_that_always_changes_keeps_its_pointer_and_the_note() -> None:
    """The next run finds the email by it."""
    table = ChangingTable(others=100)
    assert 1 == erase(table).failed
    assert ["put"] == table.calls
