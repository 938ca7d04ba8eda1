"""mask.py: nobody who reads an alert learns whose mailbox it was."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.alert import mask
from functions.alert.alert import Style, describe
from functions.cloudflare.detection import read_detection
from functions.cloudflare.recipients import recipients
from functions.ledger.record import Record
from tests.unit.examples import FULL, context, detection, escalated

MASK = Style(mask_recipients=True, chat=True)


def masked(it: Record) -> Record:
    """A record with its recipients masked."""
    return mask.masked(it, recipients(it.detection, it.context))[0]


def everything_published(it: Record) -> str:
    alert = describe(it, MASK)
    return "\n".join((alert.subject, *alert.bodies.values(), *alert.attributes.values()))


def test_a_recipient() -> None:
    """The first letter and the domain stay; the sender's address is whole."""
    it = masked(escalated(context=context()))
    assert it.context is not None
    assert (("g***@larkfield.example",), "pay@evil.example") == (it.context.to, it.context.from_)


PLACES: dict[str, Any] = {
    "context": lambda it: {"context": context(to=[it])},
    "envelope": lambda it: {"context": context(envelope_to=[it])},
    "mailbox": lambda it: {"context": context(client_recipients=[it])},
    "header To": lambda it: {"detection": detection(headers=[{"name": "To", "value": f"Name <{it}>"}])},
    "header Cc": lambda it: {"detection": detection(headers=[{"name": "cc", "value": f"a@b.example, {it}"}])},
    "header Delivered-To": lambda it: {"detection": detection(headers=[{"name": "Delivered-To", "value": it}])},
    "header Received": lambda it: {
        "detection": detection(headers=[{"name": "Received", "value": f"from x by y for <{it}>; Mon"}])
    },
}
ADDRESSES = ["gareth.pugh@larkfield.example", "Gareth.Pugh@Larkfield.Example", "g+tag@larkfield.example"]


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("place", PLACES)
def test_wherever_it_is_known_from(place: str, address: str) -> None:
    """It is found in links, subjects and findings too, however it is written there."""
    local = address.partition("@")[0]
    named: dict[str, Any] = PLACES[place](address)
    known = named.get("context", context(to=[], envelope_to=[], client_recipients=[], subject=f"For {address.upper()}"))
    found = named.get("detection", detection())
    links = [
        {"href": f"https://evil.example/?u={address}"},
        {"href": f"https://evil.example/?u={local}%40larkfield.example"},
    ]
    found = read_detection(
        FULL
        | {
            "links": links,
            "findings": [{"reason": f"to {address}"}],
            "headers": [{"name": it.name, "value": it.value} for it in found.headers],
        }
    )
    text = everything_published(escalated(detection=found, context=known))
    assert [] == re.findall(rf"{re.escape(local)}\W{{0,3}}(?:@|%40)\W{{0,3}}larkfield", text, re.IGNORECASE)
    assert "larkfield" in text


def test_the_record_keeps_it() -> None:
    """Only what is published is masked."""
    it = escalated(context=context())
    describe(it, MASK)
    assert it == escalated(context=context())


def test_nobody_known() -> None:
    """Without recipients nothing is changed."""
    it = escalated(detection=detection())
    assert it == masked(it)


local_parts = st.text(st.sampled_from("abcxyz0189.+_-"), min_size=2, max_size=20)


@given(st.lists(local_parts, min_size=1, max_size=5))
def test_any_recipients(names: list[str]) -> None:
    """None of them is published, also where one stands within another."""
    addresses = [f"{name}@larkfield.example" for name in names]
    it = escalated(context=context(to=addresses, subject=" ".join(addresses)), detection=read_detection(FULL))
    text = describe(it, MASK).bodies["default"]
    assert [] == [it for it in addresses if re.search(rf"(?<![\w.+-]){re.escape(it)}", text)]


ENCODED = {
    "for bounces": "bounce-7-gareth=larkfield.example@evil.example",
    "quoted-printable": "=?utf-8?Q?gareth=40larkfield.example?=",
    "in a URL": "https://evil.example/?u=gareth%40larkfield.example&v=1",
    "before another word": "gareth@larkfield.example_2",
}


@pytest.mark.parametrize("text", ENCODED.values(), ids=ENCODED)
def test_an_address_that_is_encoded(text: str) -> None:
    """It is found all the same, and what stands around it stays."""
    it = masked(escalated(context=context(envelope_from=text)))
    assert it.context is not None
    assert text.replace("gareth", "g***") == it.context.envelope_from


def test_a_mail_to_very_many() -> None:
    """Nobody is missed, however many there are and however much there is to search."""
    everybody = [f"reader-{n}@larkfield.example" for n in range(3_000)]
    headers = [{"name": "To", "value": ", ".join(everybody[n : n + 20])} for n in range(0, 3_000, 20)]
    links = [{"href": f"https://evil.example/{'a' * 800}"}] * 9_000
    text = everything_published(escalated(detection=detection(headers=headers, links=links)))
    assert [] == re.findall(r"reader-\d+", text)
    assert "r***[@]larkfield[.]example" in text


def test_more_than_an_alert_holds() -> None:
    """What no alert has room for is left out unsearched, and still counted."""
    it = masked(escalated(detection=detection(links=[{"href": "a" * 100}] * 9_000), context=context()))
    assert it.detection is not None
    assert 9_000 == it.detection.counts["links"] > len(it.detection.links)


def test_no_character_moves_another() -> None:
    """An address is cut out where it stands, whatever stands before it."""
    before = "".join(c for c in map(chr, range(0x2FFFF)) if c.isalpha() and c != c.lower())
    it = masked(escalated(context=context(subject=f"{before[-900:]}İ gareth@larkfield.example")))
    assert it.context is not None
    assert f"{before[-900:]}İ g***@larkfield.example" == it.context.subject


def test_at_the_edge_of_what_is_shown() -> None:
    """An address that does not fit whole is masked before it is cut."""
    for length in range(960, 1_000):
        it = escalated(context=context(subject="." * length + "xyz@larkfield.example", to=["xyz@larkfield.example"]))
        assert "xy" not in everything_published(it)


def test_how_many_they_are() -> None:
    """People whose masked addresses are the same are still so many."""
    addresses = [f"g{number}@larkfield.example" for number in range(30)]
    it = escalated(context=context(client_recipients=addresses, to=[], envelope_to=[]))
    bodies = describe(it, MASK).bodies
    assert "and 25 more" in bodies["email"]
    assert "and 27 more" in bodies["https"]


# --- at the limits ----------------------------------------------------------------------------------------------------


def subject(text: str, *people: str) -> str | None:
    """A subject as it is published of a mail to these people."""
    it = masked(escalated(context=context(subject=text, to=[*people], envelope_to=[], client_recipients=[])))
    assert it.context is not None
    return it.context.subject


SUBJECTS = {
    "at the beginning and at the end": ("ab@c.example ab@c.example", ["ab@c.example"], "a***@c.example a***@c.example"),
    "a single letter": ("to a@c.example", ["a@c.example"], "to a***@c.example"),
    "one within another": ("ab.cd@x.example", ["cd@x.example", "ab.cd@x.example"], "a***@x.example"),
    "another domain": ("ab@d.example", ["ab@c.example"], "ab@d.example"),
    "another local part": ("xb@c.example", ["ab@c.example"], "xb@c.example"),
    "a longer domain": ("ab@c.example.com", ["ab@c.example"], "a***@c.example.com"),
    "a shorter domain": ("ab@c.exampl", ["ab@c.example"], "ab@c.exampl"),
    "a domain of one letter": ("ab@c", ["ab@c"], "a***@c"),
    "the longest domain": (f"ab@{'c' * 255}", [f"ab@{'c' * 255}"], f"a***@{'c' * 255}"),
    "no domain": ("ab@ and ab", ["ab@"], "ab@ and ab"),
    "no at sign": ("@ab.example", ["ab.example"], "@ab.example"),
    "one right after another": ("ab@ab@c.example", ["ab@c.example"], "ab@a***@c.example"),
}


@pytest.mark.parametrize(("text", "people", "expected"), SUBJECTS.values(), ids=SUBJECTS)
def test_text_with_addresses_has_exactly_the_recipients_masked(text: str, people: list[str], expected: str) -> None:
    assert expected == subject(text, *people)


def test_text_is_searched_up_to_its_limit_and_ends_there() -> None:
    end = "ab@c.example"
    whole = "." * (mask.LONGEST_TEXT - len(end)) + end
    assert whole[: -len(end)] + "a***@c.example" == subject(whole, end)
    assert "." * mask.LONGEST_TEXT == subject("." * mask.LONGEST_TEXT + end, end)


def test_each_list_is_searched_up_to_a_limit_of_its_own() -> None:
    items = mask.LIST_LIMIT // 100
    it = masked(
        escalated(
            context=context(),
            detection=detection(
                links=[{"href": "a" * 100}] * (items + 1), findings=[{"reason": "b" * 100}] * (items + 1)
            ),
        )
    )
    assert it.detection is not None
    assert (items, items) == (len(it.detection.links), len(it.detection.findings))


def test_list_just_within_its_limit_is_whole() -> None:
    items = mask.LIST_LIMIT // 100
    it = masked(escalated(context=context(), detection=detection(links=[{"href": "a" * 100}] * items)))
    assert it.detection is not None
    assert items == len(it.detection.links)
