"""Pointers to a record, built from text that an attacker controls."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.detection import read_detection
from functions.domain.email_id import EmailId
from functions.domain.message_details import read_message_details
from functions.domain.record import Record
from functions.ledger.keys import MAX_VALUES, PointerKind, alert_key, decision_key, pointers
from tests.strategies import Answer, any_text, json_values, wild_answers, wild_details
from tests.unit.examples import INVESTIGATE_ID, details, detection, record

PK_LIMIT, SK_LIMIT = 2_048, 1_024
"""The maximum sizes of a partition key and a sort key in DynamoDB, in bytes."""
LONGEST = record(
    id=EmailId(f"{'4' * 64}-2026-11-20T08:15:00-{'9' * 20}"),
    disposition="MALICIOUS-" + "X" * 30,
    revision=10**6,
    sqs_message_id="7" * 100,
)
"""A record whose ids and disposition have the maximum length."""


def found_by(target: Record) -> list[str]:
    """Return the partition keys of a record's pointers, in order."""
    return [pointer["pk"] for pointer in pointers(target, alert_key(target))]


def hosts(*hrefs: object) -> list[str]:
    """Return the pointers of a record whose email has these links."""
    return found_by(record(detection=detection(links=[{"href": href} for href in hrefs])))


def test_record_has_a_pointer_of_every_kind_at_its_decision_time() -> None:
    target = record(
        detection=detection(
            links=[{"href": "https://login.evil.example/a"}],
            attachments=[{"sha256": "F" * 64}],
            threat_categories=[{"name": "Credential Harvester"}],
            headers=[{"name": "Cc", "value": "kim@larkfield.example"}],
        ),
        details=details(),
    )
    assert [
        "link_host=login.evil.example",
        f"attachment_sha256={'f' * 64}",
        "category=credential harvester",
        "recipient=gareth@larkfield.example",
        "recipient=kim@larkfield.example",
    ] == found_by(target)
    sort_keys = {pointer["sk"] for pointer in pointers(target, alert_key(target))}
    assert {f"2026-11-23T12:00:00.000Z {alert_key(target)['sk']}"} == sort_keys


def test_record_without_values_has_no_pointers() -> None:
    assert [] == found_by(record(detection=None, details=None))
    assert [] == found_by(record(detection=detection(links=[{}], attachments=[{}], threat_categories=[{}])))


def test_details_without_a_detection_give_recipient_pointers() -> None:
    assert ["recipient=gareth@larkfield.example"] == found_by(record(detection=None, details=details()))


LINKS: dict[str, tuple[object, list[str]]] = {
    "a link in upper case": ("HTTPS://Login.EVIL.example/", ["link_host=login.evil.example"]),
    "a host with a port": ("https://evil.example:8443/a", ["link_host=evil.example"]),
    "a host after a user name": ("https://bank.example@evil.example/", ["link_host=evil.example"]),
    "a host after a user name and password": ("https://bank.example:443@evil.example/", ["link_host=evil.example"]),
    "an IPv4 address": ("http://192.0.2.1/", ["link_host=192.0.2.1"]),
    "an IPv6 address": ("http://[2001:DB8::1]:80/", ["link_host=2001:db8::1"]),
    "an unclosed IPv6 address": ("http://[2001:db8::1", []),
    "a link without a host": ("https:///a", []),
    "a link without a scheme": ("evil.example/a", []),
    "a telephone link": ("tel:+4915112345678", []),
    "an email link": ("mailto:a@evil.example", []),
    "a script link": ("javascript:alert(1)", []),
    "an empty link": ("", []),
    "a link with whitespace": (" https://evil\n.example/", ["link_host=evil.example"]),
    "a host with an equals sign": ("https://a=b/", ["link_host=a=b"]),
    "a host before a hash": ("https://a#b/", ["link_host=a"]),
    "a sign that normalizes to a path": ("https://ev\u2100il.example/", []),
    "a host with a Cyrillic letter": ("https://\u0435vil.example/", ["link_host=\u0435vil.example"]),
    "a host with a null character": ("https://a\x00b/", ["link_host=a\x00b"]),
    "a host with an invalid port": ("https://evil.example:x/", ["link_host=evil.example"]),
    "a host longer than the limit": (f"https://{'a' * 5_000}/", [f"link_host={'a' * 500}"]),
    "a number": (7, []),
    "null": (None, []),
}


@pytest.mark.parametrize(("href", "expected"), LINKS.values(), ids=LINKS)
def test_link_gives_a_pointer_to_its_host_if_it_has_one(href: object, expected: list[str]) -> None:
    """Text around the host is ignored, and a link that is no URL gives no pointer."""
    assert expected == hosts(href)


def test_repeated_host_gives_one_pointer() -> None:
    """Upper and lower case do not matter."""
    assert ["link_host=evil.example"] == hosts(
        *(f"https://{host}/{n}" for n in range(100) for host in ("evil.example", "EVIL.example"))
    )


@pytest.mark.parametrize("kind", PointerKind)
def test_pointers_of_a_kind_stop_at_its_limit(kind: PointerKind) -> None:
    """The first values get pointers. Other kinds keep all of theirs."""
    values = [f"{n}.example" for n in range(1_000)]
    target = record(
        detection=detection(
            links=[{"href": f"https://{value}/"} for value in values],
            attachments=[{"sha256": value} for value in values],
            threat_categories=[{"name": value} for value in values],
        ),
        details=details(client_recipients=[f"a@{value}" for value in values]),
    )
    expected = [
        f"{kind}={'a@' if kind is PointerKind.RECIPIENT else ''}{value}" for value in values[: MAX_VALUES[kind]]
    ]
    assert expected == [pk for pk in found_by(target) if pk.startswith(f"{kind}=")]


EQUAL_HOSTS = {
    "hosts equal after the cut": [f"https://{'a' * 500}{n}/" for n in range(20)],
    "hosts equal after a cut at a space": [f"https://{'a' * 499}/", f"https://{'a' * 499} b/"],
    "hosts equal in lower case": ["https://\u0130.example/", "https://i\u0307.example/"],
}


@pytest.mark.parametrize("hrefs", EQUAL_HOSTS.values(), ids=EQUAL_HOSTS)
def test_values_equal_after_normalization_give_one_pointer(hrefs: list[str]) -> None:
    """DynamoDB refuses a transaction with the same key twice, so the alert's mark would fail."""
    assert 1 == len(hosts(*hrefs))


hostile_text = any_text | st.text(st.sampled_from(" aA\t\u0130\u03a3\U0001f600"), min_size=490, max_size=520)


@given(
    wild_answers(json_values() | hostile_text, json_values()),
    wild_details(json_values() | hostile_text),
    st.lists(st.tuples(hostile_text, hostile_text)),
)
def test_pointers_of_every_answer_are_unique_and_within_the_key_limits(
    answer: Answer, answered_details: Answer, pairs: list[tuple[str, str]]
) -> None:
    links = [{"href": f"{scheme}://{host}/"} for pair in pairs for scheme in ("https", pair[0]) for host in pair]
    categories = [{"name": name} for pair in pairs for name in pair]
    for found in (answer, answer | {"links": links, "threat_categories": categories}):
        target = record(
            id=LONGEST.id,
            disposition=LONGEST.disposition,
            revision=LONGEST.revision,
            sqs_message_id=LONGEST.sqs_message_id,
            detection=read_detection(found),
            details=read_message_details(answered_details),
        )
        for key in (alert_key(target), decision_key(target)):
            built = pointers(target, key)
            assert len(built) == len({(pointer["pk"], pointer["sk"]) for pointer in built})
            assert len(built) <= sum(MAX_VALUES.values())
            assert all(0 < len(pointer["pk"].encode()) <= PK_LIMIT for pointer in built)
            assert all(0 < len(pointer["sk"].encode()) <= SK_LIMIT for pointer in built)
            assert not [pointer for pointer in built if pointer["pk"] in {f"{kind}=" for kind in PointerKind}]


def test_longest_id_is_valid() -> None:
    assert LONGEST.id == EmailId.read(LONGEST.id.value)
    assert INVESTIGATE_ID != LONGEST.id.value
