"""pointers.py: what a record can be found by, made of text that an attacker wrote."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.cloudflare.context import read_context
from functions.cloudflare.detection import read_detection
from functions.cloudflare.message_id import MessageId
from functions.ledger.keys import Facet
from functions.ledger.pointers import MOST_VALUES, pointers
from functions.ledger.record import Record
from tests.strategies import Answer, any_text, json_values, wild_answers, wild_contexts
from tests.unit.examples import INVESTIGATE_ID, context, detection, record

ABOUT_LIMIT, ENTRY_LIMIT = 2_048, 1_024
"""Bytes that DynamoDB takes of a partition key and of a sort key."""
LONGEST = record(
    id=MessageId(f"{'4' * 64}-2026-11-20T08:15:00-{'9' * 20}"),
    disposition="MALICIOUS-" + "X" * 30,
    turn=10**6,
    sqs_message_id="7" * 100,
)
"""Ids and words as long as they can be."""


def found_by(it: Record) -> list[str]:
    """What leads to a record, in order."""
    return [pointer["about"] for pointer in pointers(it, it.alert_key)]


def hosts(*hrefs: object) -> list[str]:
    """What leads to a record of a mail with these links."""
    return found_by(record(detection=detection(links=[{"href": href} for href in hrefs])))


def test_every_facet() -> None:
    """All that a record may have several of leads to it, under the time of its decision."""
    it = record(
        detection=detection(
            links=[{"href": "https://login.evil.example/a"}],
            attachments=[{"sha256": "F" * 64}],
            threat_categories=[{"name": "Credential Harvester"}],
            headers=[{"name": "Cc", "value": "kim@larkfield.example"}],
        ),
        context=context(),
    )
    assert [
        "link_host=login.evil.example",
        f"attachment_sha256={'f' * 64}",
        "category=credential harvester",
        "recipient=gareth@larkfield.example",
        "recipient=kim@larkfield.example",
    ] == found_by(it)
    entries = {pointer["entry"] for pointer in pointers(it, it.alert_key)}
    assert {f"2026-11-23T12:00:00.000Z {it.alert_key['entry']}"} == entries


def test_nothing_known() -> None:
    """Nothing leads there but its id."""
    assert [] == found_by(record(detection=None, context=None))
    assert [] == found_by(record(detection=detection(links=[{}], attachments=[{}], threat_categories=[{}])))


def test_a_context_alone() -> None:
    """Recipients lead to a record also where there is no detection."""
    assert ["recipient=gareth@larkfield.example"] == found_by(record(detection=None, context=context()))


HREFS: dict[str, tuple[object, list[str]]] = {
    "in upper case": ("HTTPS://Login.EVIL.example/", ["link_host=login.evil.example"]),
    "with a port": ("https://evil.example:8443/a", ["link_host=evil.example"]),
    "behind a user": ("https://bank.example@evil.example/", ["link_host=evil.example"]),
    "behind a user and a password": ("https://bank.example:443@evil.example/", ["link_host=evil.example"]),
    "an address": ("http://192.0.2.1/", ["link_host=192.0.2.1"]),
    "an IPv6 address": ("http://[2001:DB8::1]:80/", ["link_host=2001:db8::1"]),
    "half an IPv6 address": ("http://[2001:db8::1", []),
    "no host": ("https:///a", []),
    "no scheme": ("evil.example/a", []),
    "a telephone": ("tel:+4915112345678", []),
    "a mail": ("mailto:a@evil.example", []),
    "a script": ("javascript:alert(1)", []),
    "empty": ("", []),
    "whitespace in it": (" https://evil\n.example/", ["link_host=evil.example"]),
    "an equals sign": ("https://a=b/", ["link_host=a=b"]),
    "a hash": ("https://a#b/", ["link_host=a"]),
    "signs that look like others": ("https://ev\u2100il.example/", []),
    "another script": ("https://\u0435vil.example/", ["link_host=\u0435vil.example"]),
    "a null": ("https://a\x00b/", ["link_host=a\x00b"]),
    "a port that is none": ("https://evil.example:x/", ["link_host=evil.example"]),
    "endless": (f"https://{'a' * 5_000}/", [f"link_host={'a' * 500}"]),
    "a number": (7, []),
    "null": (None, []),
}


@pytest.mark.parametrize(("href", "expected"), HREFS.values(), ids=HREFS)
def test_a_link(href: object, expected: list[str]) -> None:
    """Its host leads to the record, whatever is written around it; what is no URL leads nowhere."""
    assert expected == hosts(href)


def test_one_host_often() -> None:
    """It leads to the record once, however it is written."""
    assert ["link_host=evil.example"] == hosts(
        *(f"https://{host}/{n}" for n in range(100) for host in ("evil.example", "EVIL.example"))
    )


@pytest.mark.parametrize("facet", Facet)
def test_more_than_there_is_room_for(facet: Facet) -> None:
    """The first of a facet lead to the record; the others of it do not, and no other facet loses by it."""
    values = [f"{n}.example" for n in range(1_000)]
    it = record(
        detection=detection(
            links=[{"href": f"https://{value}/"} for value in values],
            attachments=[{"sha256": value} for value in values],
            threat_categories=[{"name": value} for value in values],
        ),
        context=context(client_recipients=[f"a@{value}" for value in values]),
    )
    expected = [f"{facet}={'a@' if facet is Facet.RECIPIENT else ''}{value}" for value in values[: MOST_VALUES[facet]]]
    assert expected == [about for about in found_by(it) if about.startswith(f"{facet}=")]


ALIKE = {
    "cut to the same": [f"https://{'a' * 500}{n}/" for n in range(20)],
    "cut behind a space": [f"https://{'a' * 499}/", f"https://{'a' * 499} b/"],
    "other case": ["https://\u0130.example/", "https://i\u0307.example/"],
}


@pytest.mark.parametrize("hrefs", ALIKE.values(), ids=ALIKE)
def test_values_that_become_the_same(hrefs: list[str]) -> None:
    """They are one pointer: a transaction with the same key twice is refused as a whole, and the alert's mark with it."""
    assert 1 == len(hosts(*hrefs))


spiteful = any_text | st.text(st.sampled_from(" aA\t\u0130\u03a3\U0001f600"), min_size=490, max_size=520)


@given(
    wild_answers(json_values() | spiteful, json_values()),
    wild_contexts(json_values() | spiteful),
    st.lists(st.tuples(spiteful, spiteful)),
)
def test_any_answer(answer: Answer, said: Answer, named: list[tuple[str, str]]) -> None:
    """It can be pointed at; every key is one that DynamoDB takes, and each is there once."""
    links = [{"href": f"{scheme}://{host}/"} for pair in named for scheme in ("https", pair[0]) for host in pair]
    categories = [{"name": name} for pair in named for name in pair]
    for found in (answer, answer | {"links": links, "threat_categories": categories}):
        it = LONGEST
        it = record(
            id=it.id,
            disposition=it.disposition,
            turn=it.turn,
            sqs_message_id=it.sqs_message_id,
            detection=read_detection(found),
            context=read_context(said),
        )
        for key in (it.alert_key, it.observation_key):
            made = pointers(it, key)
            assert len(made) == len({(pointer["about"], pointer["entry"]) for pointer in made})
            assert len(made) <= sum(MOST_VALUES.values())
            assert all(0 < len(pointer["about"].encode()) <= ABOUT_LIMIT for pointer in made)
            assert all(0 < len(pointer["entry"].encode()) <= ENTRY_LIMIT for pointer in made)
            assert not [pointer for pointer in made if pointer["about"] in {f"{facet}=" for facet in Facet}]


def test_the_longest_id() -> None:
    """It is one, as long as the pattern takes."""
    assert LONGEST.id == MessageId.read(LONGEST.id.value)
    assert INVESTIGATE_ID != LONGEST.id.value
