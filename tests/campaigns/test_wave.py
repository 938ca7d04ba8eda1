"""A wave of copies: people get one page and a running count, machines get each finding."""

import json
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest

from functions.domain.campaign import MAX_RAISED
from ops.local.template import read_template
from tests.campaigns.wave import Chances, Deaths, World, mail

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
    assert (40, 30, 40) == (last["copies"], last["in_inbox"], last["people"])
    assert {"ESCALATED": 40} == world.results


def test_workers_that_die_cost_no_page_and_at_most_one_repeat_each(make_world: MakeWorld) -> None:
    """Three campaigns among single emails, two environments. The findings have every email."""
    world = make_world(deaths=Deaths(chance=0.02))
    for number in range(90):
        world.send(mail(number, subject=f"Wave {'abc'[number % 3]}"), after=timedelta(seconds=number % 20))
    for number in range(90, 110):
        sender = f"one@sender{number}.example"
        world.send(mail(number, subject=f"Single {number}", sender=sender), after=timedelta(seconds=number % 20))
    world.run(4 * HOUR, step=MINUTE / 6)

    assert not world.waiting
    assert world.deaths.count > 0
    found = [json.loads(alert.finding) for alert in world.findings.taken]
    emails = {it["evidences"][0]["uid"] for it in found if it["unmapped"]["campaign"]["role"] != "summary"}
    assert 110 == len(emails)
    campaigns = {it["unmapped"]["campaign"]["id"] for it in found}
    paged = Counter(json.loads(alert.finding)["unmapped"]["campaign"]["id"] for alert in world.people.taken)
    assert campaigns == {*paged}
    assert 23 == len(campaigns)
    assert len(world.pages()) <= 23 + world.deaths.count
    last = {it["id"]: (it["copies"], it["people"]) for it in world.summary_counts()}
    assert {(30, 30)} <= {*last.values()}
    assert 3 == sum(counts == (30, 30) for counts in last.values())


def test_page_whose_worker_died_comes(make_world: MakeWorld) -> None:
    """It dies after the claim. Copies that come meanwhile are members, and the redelivery publishes the page."""
    world = make_world(deaths=Deaths(chance=1.0), workers=1)
    world.send(mail(0))
    with_claim = _die_at(world, call=2)
    world.run(MINUTE / 60)
    world.deaths.chance = 0.0
    assert (1, 0) == (with_claim.count, len(world.pages()))
    for number in range(1, 5):
        world.send(mail(number), after=MINUTE / 2)
    world.run(5 * MINUTE, step=MINUTE / 12)
    assert 1 == len(world.pages())
    assert {"first": 1, "member": 4} == {role: n for role, n in roles(world).items() if role != "summary"}


def test_summary_is_the_page_if_the_message_of_a_dead_worker_is_gone(make_world: MakeWorld) -> None:
    world = make_world(deaths=Deaths(chance=1.0), workers=1)
    world.send(mail(0))
    _die_at(world, call=2)
    world.run(MINUTE / 60)
    world.deaths.chance = 0.0
    world.waiting.clear()
    for number in range(1, 3):
        world.send(mail(number), after=MINUTE / 2)
    world.run(10 * MINUTE, step=MINUTE / 12)
    assert [] == world.pages()
    [summary] = world.summary_counts()
    assert 2 == summary["copies"]
    assert "was not published" in world.people.taken[0].bodies["email"]


def _die_at(world: World, call: int) -> Deaths:
    """Let the worker die at this call, and at no other."""
    calls = iter(range(1, 1_000))
    world.deaths.chances = Chances(lambda: 0.0 if next(calls) == call else 1.0)
    world.deaths.chance = 0.5
    return world.deaths


def test_spear_mail_in_the_wave_of_another_link_is_paged(make_world: MakeWorld) -> None:
    world = make_world(workers=1)
    for number in range(12):
        world.send(mail(number))
    world.send(mail(99, host="spear.example"), after=MINUTE)
    world.run(2 * MINUTE, step=MINUTE / 12)
    first, raised = (json.loads(alert.finding)["unmapped"]["campaign"] for alert in world.pages())
    assert ("first", "raised", ["link host"]) == (first["role"], raised["role"], raised["new"])
    assert "brings a new link host" in world.pages()[1].bodies["email"].replace("\n", " ")


def test_one_copy_every_59_minutes_is_paged_daily(make_world: MakeWorld) -> None:
    """The campaign never pauses for as long as an hour, and ends after a day."""
    world = make_world(workers=1)
    for number in range(27):
        world.send(mail(number), after=number * timedelta(minutes=59))
    world.run(26.5 * HOUR, step=timedelta(minutes=1))
    assert 2 == len(world.pages())


def test_copies_with_a_link_host_each_are_limited_pages_and_a_summary(make_world: MakeWorld) -> None:
    """The subject and the sender are those of one campaign, whatever the link is."""
    world = make_world()
    for number in range(120):
        world.send(mail(number, host=f"h{number}.example"))
    world.run(14 * MINUTE, step=MINUTE / 12)
    assert MAX_RAISED + 1 >= len(world.pages()) > 1
    assert 120 == world.summary_counts()[-1]["copies"]


def test_simulation_takes_no_page_and_notifies_no_person(make_world: MakeWorld) -> None:
    world = make_world(workers=1)
    world.send(mail(0, delivery_mode="SIMULATION_SUBMISSION", status="delivered"))
    world.send(mail(1), after=MINUTE)
    world.run(2 * MINUTE, step=MINUTE / 12)
    assert [False, True] == [alert.notify for alert in world.findings.taken]
    [page] = world.pages()
    assert "first" == json.loads(page.finding)["unmapped"]["campaign"]["role"]


def test_copy_without_fingerprint_joins_the_campaign_of_a_fingerprint(make_world: MakeWorld) -> None:
    """And a copy whose fingerprint is another one does not."""
    world = make_world(workers=1)
    world.send(mail(0, edf_hash="aa"))
    world.send(mail(1), after=MINUTE)
    world.send(mail(2, edf_hash="bb"), after=2 * MINUTE)
    world.run(3 * MINUTE, step=MINUTE / 12)
    assert {"first": 2, "member": 1} == roles(world)


def test_campaigns_that_are_off_notify_people_of_each_email(make_world: MakeWorld) -> None:
    world = make_world(workers=1, gap=None)
    for number in range(3):
        world.send(mail(number))
    world.run(MINUTE, step=MINUTE / 12)
    assert 3 == len(world.people.taken)
    assert ["campaign" not in json.loads(alert.finding)["unmapped"] for alert in world.findings.taken] == [True] * 3


def test_every_kind_of_publish_has_at_most_eight_attributes(make_world: MakeWorld) -> None:
    """SNS discards messages with more than ten for a queue with raw delivery."""
    world = make_world(workers=1)
    for number in range(12):
        world.send(mail(number, status="delivered", host=f"h{number % 2}.example"))
    world.run(20 * MINUTE, step=MINUTE / 12)
    assert {"first", "raised", "member", "summary"} == {*roles(world)}
    assert all(len(alert.attributes) <= 8 for alert in world.findings.taken)
