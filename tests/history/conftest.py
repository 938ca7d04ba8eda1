"""Ledgers to ask: on the emulated AWS, or on the DynamoDB that AWS_ENDPOINT_URL_DYNAMODB names."""

import os
import random
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

import boto3
import pytest

from functions.ledger.ledger import Ledger
from ops.local.template import read_template
from tests.history.asked import AskedLedger
from tests.history.paper import write_many
from tests.history.past import NOW, RETENTION, Sample, past, sample

MANY = 5_000
MakeLedger = Callable[[Sequence[Sample]], AskedLedger]
Crowd = tuple[AskedLedger, list[Sample]]


@pytest.fixture(scope="session")
def make_ledger(endpoint: str) -> Iterator[MakeLedger]:
    """Makes a ledger that has these records, in a table as the template declares it."""
    url = os.environ.get("AWS_ENDPOINT_URL_DYNAMODB") or endpoint
    dynamodb = boto3.client(
        "dynamodb", "us-east-1", endpoint_url=url, aws_access_key_id="local", aws_secret_access_key="local"
    )
    declared = read_template().cloudformation["Resources"]["LedgerTable"]["Properties"]
    shape = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")

    def make(samples: Sequence[Sample]) -> AskedLedger:
        table = f"ledger-{uuid.uuid4().hex[:8]}"
        dynamodb.create_table(TableName=table, **{name: declared[name] for name in shape})
        dynamodb.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1})
        write_many(dynamodb, table, [*samples])
        return AskedLedger(dynamodb, url, Ledger(dynamodb, table, RETENTION))

    yield make
    dynamodb.close()


@pytest.fixture(scope="session")
def many() -> list[Sample]:
    """Decisions of sixty days, oldest first."""
    return past(MANY)


@pytest.fixture(scope="session")
def ledger(make_ledger: MakeLedger, many: list[Sample]) -> AskedLedger:
    """A ledger that has them."""
    return make_ledger(many)


@pytest.fixture(scope="session")
def crowd(make_ledger: MakeLedger) -> Crowd:
    """Sixty records in three milliseconds of two months, all with the same link."""
    chance, turn = random.Random(3), NOW.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    moments = [turn + timedelta(milliseconds=it) for it in (-1, 0, 1)]
    result = {"links": [{"href": "https://bad.example/"}], "sender_info": {"ip": "203.0.113.5"}}
    samples = [replace(sample(chance, moments[it % 3], result), pending=False) for it in range(60)]
    return make_ledger(samples), samples


@pytest.fixture(scope="module")
def empty(make_ledger: MakeLedger) -> AskedLedger:
    """A ledger of nothing so far, for a module's own use."""
    return make_ledger([])
