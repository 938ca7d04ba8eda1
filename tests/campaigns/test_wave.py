"""A wave of copies: people get one page and a running count, machines get each finding."""

import json
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest

from ops.local.template import read_template
from tests.campaigns.wave import World, mail

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
MakeWorld = Callable[..., World]


@pytest.fixture
def make_world(endpoint: str) -> Iterator[MakeWorld]:
    """Return a function that makes a world with a table of its own."""
    dynamodb = boto3.client(
        "dynamodb", "us-east-1", endpoint_url=endpoint, aws_access_key_id="local", aws_secret_access_key="local"
    )
    declared = read_template().cloudformation["Resources"]["LedgerTable"]["Properties"]
    shape = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")

    def make(**settings: Any) -> World:
        table = f"wave-{uuid.uuid4().hex[:8]}"
        dynamodb.create_table(TableName=table, **{name: declared[name] for name in shape})
        return World(dynamodb, table, **settings)

    yield make
    dynamodb.close()


def roles(world: World) -> Counter[str]:
    """The roles of the findings."""
    found = [json.loads(alert.finding) for alert in world.findings.taken]
    return Counter(it["unmapped"]["campaign"]["role"] for it in found)


def test_copies_are_one_page_and_a_last_summary_with_exact_counts(make_world: MakeWorld) -> None:
    """Two environments, batches of ten. Every copy is a finding."""
    world = make_world()
    for number in range(40):
        world.send(mail(number, status="delivered" if number < 30 else "quarantined"))
    world.run(3 * HOUR, step=MINUTE / 12)
    assert 1 == len(world.pages())
    assert {"first": 1, "member": 39} == {role: n for role, n in roles(world).items() if role != "summary"}
    *_, last = world.summary_counts()
    assert (40, 30, 40) == (last["copies_before"], last["in_inbox_before"], last["people_before"])
    assert {"ESCALATED": 40} == world.results
