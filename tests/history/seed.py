"""A ledger with a past: thousands of records over sixty days, as the function would have left them."""

import random
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeSerializer

from functions.ledger.record import moment
from ops.escalator import layout

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Item = dict[str, Any]
ACCOUNT = "0123456789abcdef0123456789abcdef"
NOW = datetime.now(UTC)
DAYS = 60
_ALPHABET = "0123456789BCDFGHJKLMNPQRSTVWXYbcdfghjklmnpqrstvwxy"
_DOMAINS = [f"sender{number}.example" for number in range(40)]
_HOSTS = [f"host{number}.example" for number in range(60)]
_HASHES = [f"{number:064x}" for number in range(80)]
_CATEGORIES = ["Credential Harvester", "Malware", "Invoice Fraud"]
_PEOPLE = [f"person{number}@company.example" for number in range(50)]
_SEVERITIES = {"MALICIOUS": "High", "MALICIOUS-BEC": "Critical", "SUSPICIOUS": "Medium", "SPAM": "Informational"}
_serialize = TypeSerializer().serialize


def postfix_id(chance: random.Random) -> str:
    """An id like Postfix's."""
    pick = lambda count: "".join(chance.choice(_ALPHABET) for _ in range(count))  # noqa: E731
    return f"{pick(10)}z{pick(5)}"


def past(count: int, seed: int = 7) -> list[Item]:
    """Records, oldest first; every tenth has the millisecond of the one before."""
    chance = random.Random(seed)
    moments = sorted(NOW - timedelta(seconds=chance.uniform(60, DAYS * 86400)) for _ in range(count))
    for number in range(1, count):
        if number % 10 == 0:
            moments[number] = moments[number - 1]
    return [record(chance, at) for at in moments]


def record(chance: random.Random, at: datetime, **attributes: Any) -> Item:
    """One record that was decided then."""
    id = postfix_id(chance)
    disposition = chance.choices(list(_SEVERITIES), (5, 1, 3, 1))[0]
    escalated = disposition != "SPAM"
    pending = escalated and chance.random() < 0.01
    sqs = f"{chance.getrandbits(128):032x}"
    entry = f"{ACCOUNT}/{id}#{disposition}" + ("" if escalated else f"#{sqs}")
    hosts, hashes = (
        chance.sample(_HOSTS, chance.choice((0, 0, 0, 1, 2))),
        chance.sample(_HASHES, chance.choice((0, 0, 0, 1))),
    )
    categories, people = (
        chance.sample(_CATEGORIES, chance.choice((0, 1))),
        chance.sample(_PEOPLE, chance.choice((0, 1))),
    )
    decided = moment(at)
    return (
        {
            "about": id,
            "entry": entry,
            "account_id": ACCOUNT,
            "id": id,
            "postfix_id": id,
            "outcome": "ESCALATED" if escalated else "NOT_ESCALATED",
            "reason": "disposition-listed" if escalated else "disposition-below-the-line",
            "escalate_on": ["MALICIOUS", "MALICIOUS-BEC", "SUSPICIOUS"],
            "schema_version": "1",
            "release": "0.1.0",
            "disposition": disposition,
            "turn": 0,
            "severity": _SEVERITIES[disposition],
            "delivered": chance.choice(("true", "false", "unknown")),
            "delivery_status": ["delivered"],
            "sender_domain": chance.choice(_DOMAINS),
            "sender_ip": f"203.0.113.{chance.randrange(100)}",
            "state": "PENDING" if pending else "SENT" if escalated else "RECORDED",
            "owner": "6f3c-owner",
            "claims": 1,
            "claimed_at": decided,
            "queued_at": moment(at - timedelta(seconds=chance.uniform(0.5, 5))),
            "fetched_at": moment(at - timedelta(milliseconds=20)),
            "decided_at": decided,
            "month": decided[:7],
            "sqs_message_id": sqs,
            "expires_at": int(at.timestamp()) + 400 * 86400,
            "drift": [],
            **(
                {}
                if not (hosts or hashes or categories)
                else {
                    "detection": {
                        "action": "QUARANTINED",
                        "links": [{"href": f"https://{host}/x", "text": "here"} for host in hosts],
                        "attachments": [{"name": "a.img", "size": 7, "sha256": it} for it in hashes],
                        "threat_categories": [{"name": name} for name in categories],
                        "findings": [{"name": "ml", "score": Decimal("0.75")}],
                        "headers": [],
                        "sender_info": {"ip": "203.0.113.1", "geo": "US/-/-"},
                        "validation": {"spf": "fail", "dkim": "none", "dmarc": "fail"},
                        "final_disposition": disposition,
                    }
                }
            ),
            "detection_counts": {"links": len(hosts), "attachments": len(hashes), "findings": 1, "headers": 0},
            "detection_dropped": [],
            "context": {"subject": f"Invoice {id}", "from": "a@sender.example", "to": people},
        }
        | ({"pending": "yes", "lease_until": decided, "alert_id": "a" * 32} if pending else {})
        | (
            {"alert_id": "a" * 32, "sns_message_id": "b", "published_at": moment(at + timedelta(seconds=0.3))}
            if escalated and not pending
            else {}
        )
        | attributes
    )


def facets(item: Item) -> dict[str, list[str]]:
    """The values that a record has pointers for."""
    detection = item.get("detection", {})
    return {
        "link_host": [it["href"].split("/")[2] for it in detection.get("links", ())],
        "attachment_sha256": [it["sha256"] for it in detection.get("attachments", ())],
        "category": [it["name"] for it in detection.get("threat_categories", ())],
        "recipient": item.get("context", {}).get("to", []),
    }


def with_pointers(records: Iterable[Item]) -> Iterator[Item]:
    """Records, and the pointers to each."""
    for it in records:
        yield it
        for facet, values in facets(it).items():
            for value in values:
                yield {
                    "about": layout.pointer_about(facet, value),
                    "entry": layout.pointer_entry(it["decided_at"], it["entry"]),
                    "record_about": it["about"],
                    "record_entry": it["entry"],
                    "expires_at": it["expires_at"],
                }


def write(dynamodb: "DynamoDBClient", table: str, items: Sequence[Item]) -> None:
    """Put items into a table, as many at a time as DynamoDB takes."""
    for start in range(0, len(items), 25):
        left: dict[str, Any] = {
            table: [
                {"PutRequest": {"Item": {name: _serialize(value) for name, value in it.items()}}}
                for it in items[start : start + 25]
            ]
        }
        while left:
            left = dynamodb.batch_write_item(RequestItems=left)["UnprocessedItems"]


def make_table(dynamodb: "DynamoDBClient", name: str) -> None:
    """A table like the template's."""
    indexes = {
        "by_disposition": "disposition",
        "by_severity": "severity",
        "by_sender_domain": "sender_domain",
        "by_sender_ip": "sender_ip",
        "pending": "pending",
    }
    projected = (
        "outcome disposition severity state sender_domain delivered queued_at published_at id postfix_id alert_id"
    ).split()
    keys = lambda hash, range_: [  # noqa: E731
        {"AttributeName": hash, "KeyType": "HASH"},
        {"AttributeName": range_, "KeyType": "RANGE"},
    ]
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": it, "AttributeType": "S"}
            for it in ("about", "entry", "decided_at", "month", *indexes.values())
        ],
        KeySchema=keys("about", "entry"),
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by_time",
                "KeySchema": keys("month", "decided_at"),
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": projected},
            },
            *(
                {"IndexName": it, "KeySchema": keys(key, "decided_at"), "Projection": {"ProjectionType": "KEYS_ONLY"}}
                for it, key in indexes.items()
            ),
        ],
    )
