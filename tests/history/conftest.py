"""Ledgers to ask: on the emulated AWS, or on the DynamoDB that AWS_ENDPOINT_URL_DYNAMODB names."""

import os
import uuid
from collections.abc import Callable, Iterator, Sequence

import boto3
import pytest

from functions.ledger.ledger import Ledger
from ops.local.template import read_template
from tests.history.asked import AskedLedger
from tests.history.paper import write_many
from tests.history.past import RETENTION, Sample, past

MANY = 5_000
MakeLedger = Callable[[Sequence[Sample]], AskedLedger]


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
