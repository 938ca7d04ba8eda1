"""mask.py: nobody who reads an alert learns whose mailbox it was."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.alert.alert import Style, describe
from functions.alert.mask import masked
from functions.cloudflare.detection import read_detection
from functions.ledger.record import Record
from tests.unit.examples import FULL, context, detection, escalated

MASK = Style(mask_recipients=True, chat=True)


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
