"""Ledgers to ask: on the emulated AWS, or on the DynamoDB that AWS_ENDPOINT_URL_DYNAMODB names."""

import os
import uuid
from collections.abc import Callable, Iterator, Sequence

import boto3
import pytest

from tests.history.ledger import AskedLedger
from tests.history.seed import Item, make_table, past, with_pointers, write

MANY = 5_000


@pytest.fixture(scope="session")
def make_ledger(endpoint: str) -> Iterator[Callable[[Sequence[Item]], AskedLedger]]:
    """Makes a ledger that has these items."""
    url = os.environ.get("AWS_ENDPOINT_URL_DYNAMODB") or endpoint
    dynamodb = boto3.client(
        "dynamodb", "us-east-1", endpoint_url=url, aws_access_key_id="local", aws_secret_access_key="local"
    )

    def make(items: Sequence[Item]) -> AskedLedger:
        table = f"ledger-{uuid.uuid4().hex[:8]}"
        make_table(dynamodb, table)
        write(dynamodb, table, items)
        return AskedLedger(dynamodb, url, table)

    yield make
    dynamodb.close()


@pytest.fixture(scope="session")
def many() -> list[Item]:
    """Records of sixty days, oldest first."""
    return past(MANY)


@pytest.fixture(scope="session")
def ledger(make_ledger: Callable[[Sequence[Item]], AskedLedger], many: list[Item]) -> AskedLedger:
    """A ledger that has them, with their pointers."""
    return make_ledger(list(with_pointers(many)))
