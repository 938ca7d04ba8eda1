"""The write units of an alert, which docs/table.md states: counted on the emulated DynamoDB, call by call.

A write unit is 1 KB of the item, the larger of before and after. It counts twice in a transaction. An index entry is a
write of its own, which a transaction does not double: one unit per KB if it is new or changed, and one for its removal.
"""

import math
import re
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from functions.domain.email_id import EmailId
from functions.domain.record import Record
from functions.ledger.campaigns import CampaignOptions
from functions.ledger.claim_attempt import ClaimOwner
from functions.ledger.ledger import Ledger
from functions.ledger.table import Table
from ops.local.fake_cloudflare.mailbox import Mailbox
from tests.integration.deployment import Deployment
from tests.unit.examples import NOON, escalated, parsed_record

PAGE = (Path(__file__).parents[2] / "docs" / "table.md").read_text("utf-8")
RETENTION = timedelta(days=400)
KB = 1024
OWNER = "5b1c0d0e-6a4f-5e0e-8c62-50b1f1f7a3c9"
"""As long as the ids of invocations and of SNS messages."""
Items = dict[tuple[str, str], dict[str, Any]]
"""Items in DynamoDB's form, by partition and sort key."""


def size(value: dict[str, Any]) -> int:
    """The bytes of an attribute value, by DynamoDB's rules for item sizes."""
    kind: str
    content: Any
    [(kind, content)] = value.items()
    match kind:
        case "S":
            text: str = content
            return len(text.encode())
        case "N":
            digits: str = content.strip("-0.").replace(".", "")
            return math.ceil(len(digits) / 2) + 1 + int(content.startswith("-"))
        case "M":
            return 3 + sum(1 + len(name.encode()) + size(it) for name, it in content.items())
        case "L":
            return 3 + sum(1 + size(it) for it in content)
        case _:
            return 1


def units(item: dict[str, Any]) -> int:
    """The units of a write of this item; 0 for none."""
    return math.ceil(sum(len(name.encode()) + size(it) for name, it in item.items()) / KB)


class Meter:
    """Counts the units of each call of DynamoDB by the difference that it makes in the table."""

    def __init__(self, deployment: Deployment) -> None:
        self._dynamodb, self._table = deployment.stack.dynamodb, deployment.stack.table
        description = self._dynamodb.describe_table(TableName=self._table)["Table"]
        self._indexes: Any = description["GlobalSecondaryIndexes"]
        self.items = self.read()
        self.steps: list[Counter[str]] = []
        self._dynamodb.meta.events.register("after-call.dynamodb.TransactWriteItems", self._transaction)
        self._dynamodb.meta.events.register("after-call.dynamodb.BatchWriteItem", self._batch)

    def read(self) -> Items:
        """All items of the table."""
        pages = self._dynamodb.get_paginator("scan").paginate(TableName=self._table, ConsistentRead=True)
        return {(it["pk"]["S"], it["sk"]["S"]): it for page in pages for it in page["Items"]}

    def _transaction(self, **_: object) -> None:
        self._count(2)

    def _batch(self, **_: object) -> None:
        self._count(1)

    def _count(self, factor: int) -> None:
        before, self.items = self.items, self.read()
        step: Counter[str] = Counter()
        for key, item in self.items.items():
            old = before.get(key, {})
            if item != old:
                kind = _kind(key)
                step[kind] += factor * max(units(item), units(old))
                step["indexes"] += sum(self._index_units(index, old, item) for index in self._indexes)
        self.steps.append(step)

    def _index_units(self, index: Any, old: dict[str, Any], new: dict[str, Any]) -> int:
        keys = [it["AttributeName"] for it in index["KeySchema"]]
        projected = {"pk", "sk", *keys, *index["Projection"].get("NonKeyAttributes", [])}
        was, now = (
            {name: it for name, it in item.items() if name in projected} if item.keys() >= set(keys) else {}
            for item in (old, new)
        )
        if was and now and all(was[name] == now[name] for name in keys):
            return 0 if was == now else max(units(was), units(now))
        return units(was) + units(now)


def _kind(key: tuple[str, str]) -> str:
    """What an item is."""
    if key[0].startswith("campaigns=") or key[1].startswith("#"):
        return "campaign"
    return "pointers" if "=" in key[0] else "record" if "#" in key[1] else "email"


@pytest.fixture
def meter(deployment: Deployment) -> Meter:
    """Count the calls of this deployment's client."""
    return Meter(deployment)


def ledger_of(deployment: Deployment) -> Ledger:
    return Ledger(Table(deployment.stack.dynamodb, deployment.stack.table, RETENTION))


def alert(ledger: Ledger, meter: Meter, record: Record) -> dict[str, int]:
    """Claim, mark and index the alert of a record. The units by step and write, as the page names them."""
    [state] = ledger.states([record])
    campaigns = CampaignOptions(timedelta(hours=1))
    owner = ClaimOwner(OWNER, NOON, timedelta(minutes=1), publishes=True, campaigns=campaigns)
    [claim] = ledger.claim([(state, [record])], owner)
    assert claim.alert
    assert [True] == ledger.mark([(claim.alert, {"findings": OWNER, "people": OWNER})], OWNER, NOON)
    assert [True] == ledger.index([(claim.alert, None)], sent=True)
    claimed, marked, *puts, indexed = meter.steps
    units_of = {
        "claim the email's item": claimed["email"],
        "claim the record": claimed["record"],
        "claim the campaign": claimed["campaign"],
        "claim the index entries": claimed["indexes"],
        "mark the record": marked["record"],
        "mark the campaign": marked["campaign"],
        "mark the index entries": marked["indexes"],
        "index the pointers in the transaction": indexed["pointers"],
        "index the other pointers": sum(step["pointers"] for step in puts),
        "index the email's item": indexed["email"],
    }
    assert sum(step.total() for step in meter.steps) == sum(units_of.values())
    return units_of


def answers() -> tuple[dict[str, Any], dict[str, Any]]:
    """The detection and the details of the first malicious email of the fake Cloudflare."""
    mail = next(it for it in Mailbox.load() if it.expect == "ESCALATED" and it.result and it.mail)
    return dict(mail.result or {}), dict(mail.mail or {})


def ordinary() -> Record:
    result, details = answers()
    return parsed_record(result, details, escalated(id=EmailId(details["id"])))


def largest() -> Record:
    """An email with a hundred of everything, whose long links fill the record to its limit."""
    result, details = answers()
    many = range(100)
    froms = [{"name": "From", "value": f"a@sender-{n}.example"} for n in many]
    result |= {
        "links": [{"href": f"https://host-{n}.evil.example/{'a' * 2_000}", "text": "x" * 500} for n in many],
        "attachments": [{"name": f"{n}.pdf", "sha256": f"{n:064x}"} for n in many],
        "threat_categories": [{"id": n, "name": f"Category {n}"} for n in many],
        "headers": [*result["headers"], *froms],
        "findings": [{"name": "ip", "value": f"198.51.100.{n}"} for n in many],
    }
    details |= {"envelope_to": [f"person-{n}@larkfield.example" for n in many]}
    return parsed_record(result, details, escalated(id=EmailId(details["id"])))


def columns_of_the_page() -> tuple[dict[str, int], dict[str, int]]:
    """The two columns of the page's table, by step and write."""
    section = PAGE.partition("## Writes of one alert\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| \**([^|*]*)\** \| ([^|]*?) ?\| \**([\d,]+)\** \| \**([\d,]+)\** \|$", section, re.MULTILINE)
    steps = {f"{step} {write}".strip(): [int(it.replace(",", "")) for it in numbers] for step, write, *numbers in rows}
    return {name: it[0] for name, it in steps.items()}, {name: it[1] for name, it in steps.items()}


EMAILS = {"ordinary": (ordinary, 0), "a hundred of everything": (largest, 1)}


@pytest.mark.parametrize(("email", "column"), EMAILS.values(), ids=EMAILS)
def test_page_has_the_write_units_of_an_alert(
    deployment: Deployment, meter: Meter, email: Callable[[], Record], column: int
) -> None:
    counted = alert(ledger_of(deployment), meter, email())
    assert counted | {"total": sum(counted.values())} == columns_of_the_page()[column]


@pytest.mark.parametrize(("email", "column"), EMAILS.values(), ids=EMAILS)
def test_page_has_the_write_units_of_a_decision(
    deployment: Deployment, meter: Meter, email: Callable[[], Record], column: int
) -> None:
    """With RecordAll, a decision not to alert is a record with pointers, outside a transaction."""
    assert [True] == ledger_of(deployment).record([email()])
    written = sum(step.total() for step in meter.steps)
    assert f"{('ordinary', 'largest')[column]} {written}" in PAGE
