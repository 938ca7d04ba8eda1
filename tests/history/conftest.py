"""Ledgers on the emulated AWS, or on the DynamoDB at AWS_ENDPOINT_URL_DYNAMODB."""

import os
import random
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

import boto3
import pytest

from functions.ledger.ledger import Ledger
from functions.ledger.table import Table
from ops.local.template import read_template
from tests.history.cli_harness import LedgerCli
from tests.history.in_memory_table import write_many
from tests.history.sample_history import NOW, RETENTION, Sample, sample, sample_history

MANY = 5_000
MakeLedger = Callable[[Sequence[Sample]], LedgerCli]
SharedTimes = tuple[LedgerCli, list[Sample]]


@pytest.fixture(scope="session")
def make_ledger(endpoint: str) -> Iterator[MakeLedger]:
    """Make a ledger with these records, in a table as the template declares it."""
    url = os.environ.get("AWS_ENDPOINT_URL_DYNAMODB") or endpoint
    dynamodb = boto3.client(
        "dynamodb", "us-east-1", endpoint_url=url, aws_access_key_id="local", aws_secret_access_key="local"
    )
    declared = read_template().cloudformation["Resources"]["LedgerTable"]["Properties"]
    shape = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")

    def make(samples: Sequence[Sample]) -> LedgerCli:
        table = f"ledger-{uuid.uuid4().hex[:8]}"
        dynamodb.create_table(TableName=table, **{name: declared[name] for name in shape})
        dynamodb.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1})
        write_many(dynamodb, table, [*samples])
        return LedgerCli(dynamodb, url, Ledger(Table(dynamodb, table, RETENTION)))

    yield make
    dynamodb.close()


@pytest.fixture(scope="session")
def many() -> list[Sample]:
    """Decisions of sixty days, oldest first."""
    return sample_history(MANY)


@pytest.fixture(scope="session")
def ledger(make_ledger: MakeLedger, many: list[Sample]) -> LedgerCli:
    """A ledger with these decisions."""
    return make_ledger(many)


@pytest.fixture(scope="session")
def shared_times(make_ledger: MakeLedger) -> SharedTimes:
    """Sixty records in three milliseconds of two months, all with the same link."""
    chance, month = random.Random(3), NOW.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    moments = [month + timedelta(milliseconds=it) for it in (-1, 0, 1)]
    result = {"links": [{"href": "https://bad.example/"}], "sender_info": {"ip": "203.0.113.5"}}
    samples = [replace(sample(chance, moments[it % 3], result), pending=False) for it in range(60)]
    return make_ledger(samples), samples


@pytest.fixture(scope="module")
def empty(make_ledger: MakeLedger) -> LedgerCli:
    """An empty ledger for one module."""
    return make_ledger([])
