"""mask.py: an alert does not reveal the recipients' addresses."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.alert import mask
from functions.alert.alert import AlertOptions, describe
from functions.domain.detection import read_detection
from functions.domain.header_fields import header_fields
from functions.domain.record import Record
from tests.unit.examples import FULL, details, detection, escalated

MASK = AlertOptions(mask_recipients=True, chat=True)


def masked(record: Record) -> Record:
    """Return a record with its recipients masked."""
    return mask.masked(record, header_fields(record.detection, record.details))[0]


def everything_published(record: Record) -> str:
    alert = describe(record, MASK)
    return "\n".join((alert.subject, *alert.bodies.values(), *alert.attributes.values()))


def test_recipient_is_masked_and_sender_is_not() -> None:
    """The first letter and the domain of the recipient stay."""
    it = masked(escalated(details=details()))
    assert it.details is not None
    assert (("g***@larkfield.example",), "pay@evil.example") == (it.details.to, it.details.from_)


PLACES: dict[str, Any] = {
    "details": lambda it: {"details": details(to=[it])},
    "envelope": lambda it: {"details": details(envelope_to=[it])},
    "mailbox": lambda it: {"details": details(client_recipients=[it])},
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
def test_recipient_named_in_any_field_is_masked_everywhere(place: str, address: str) -> None:
    """Links, subjects and findings are masked too, in any spelling."""
    local = address.partition("@")[0]
    named: dict[str, Any] = PLACES[place](address)
    known = named.get("details", details(to=[], envelope_to=[], client_recipients=[], subject=f"For {address.upper()}"))
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
    text = everything_published(escalated(detection=found, details=known))
    assert [] == re.findall(rf"{re.escape(local)}\W{{0,3}}(?:@|%40)\W{{0,3}}larkfield", text, re.IGNORECASE)
    assert "larkfield" in text


def test_record_keeps_unmasked_addresses() -> None:
    """Only the published alert is masked."""
    it = escalated(details=details())
    describe(it, MASK)
    assert it == escalated(details=details())


def test_record_without_recipients_is_unchanged() -> None:
    """There is no address to mask."""
    it = escalated(detection=detection())
    assert it == masked(it)


local_parts = st.text(st.sampled_from("abcxyz0189.+_-"), min_size=2, max_size=20)


@given(st.lists(local_parts, min_size=1, max_size=5))
def test_any_set_of_recipients_is_masked(names: list[str]) -> None:
    """No address is published, also if one contains another."""
    addresses = [f"{name}@larkfield.example" for name in names]
    it = escalated(details=details(to=addresses, subject=" ".join(addresses)), detection=read_detection(FULL))
    text = describe(it, MASK).bodies["default"]
    assert [] == [it for it in addresses if re.search(rf"(?<![\w.+-]){re.escape(it)}", text)]


ENCODED = {
    "bounce address": "bounce-7-gareth=larkfield.example@evil.example",
    "quoted-printable": "=?utf-8?Q?gareth=40larkfield.example?=",
    "in a URL": "https://evil.example/?u=gareth%40larkfield.example&v=1",
    "before another word": "gareth@larkfield.example_2",
}


@pytest.mark.parametrize("text", ENCODED.values(), ids=ENCODED)
def test_encoded_address_is_masked(text: str) -> None:
    """The text around the address stays unchanged."""
    it = masked(escalated(details=details(envelope_from=text)))
    assert it.details is not None
    assert text.replace("gareth", "g***") == it.details.envelope_from


def test_3000_recipients_are_all_masked() -> None:
    """No address is missed in a very large response."""
    addresses = [f"reader-{n}@larkfield.example" for n in range(3_000)]
    headers = [{"name": "To", "value": ", ".join(addresses[n : n + 20])} for n in range(0, 3_000, 20)]
    links = [{"href": f"https://evil.example/{'a' * 800}"}] * 9_000
    text = everything_published(escalated(detection=detection(headers=headers, links=links)))
    assert [] == re.findall(r"reader-\d+", text)
    assert "r***[@]larkfield[.]example" in text


def test_items_beyond_the_search_limit_are_dropped_and_counted() -> None:
    """No alert has room for them, so they are not searched."""
    it = masked(escalated(detection=detection(links=[{"href": "a" * 100}] * 9_000), details=details()))
    assert it.detection is not None
    assert 9_000 == it.detection.counts["links"] > len(it.detection.links)


def test_lower_casing_does_not_shift_positions() -> None:
    """The address is replaced at its position, after any capital letters."""
    before = "".join(c for c in map(chr, range(0x2FFFF)) if c.isalpha() and c != c.lower())
    it = masked(escalated(details=details(subject=f"{before[-900:]}İ gareth@larkfield.example")))
    assert it.details is not None
    assert f"{before[-900:]}İ g***@larkfield.example" == it.details.subject


def test_address_at_the_cut_is_masked_before_the_cut() -> None:
    """No part of an address is left at the end."""
    for length in range(960, 1_000):
        it = escalated(details=details(subject="." * length + "xyz@larkfield.example", to=["xyz@larkfield.example"]))
        assert "xy" not in everything_published(it)


def test_recipients_with_equal_masks_are_counted_separately() -> None:
    """The count of recipients is the same as without masking."""
    addresses = [f"g{number}@larkfield.example" for number in range(30)]
    it = escalated(details=details(client_recipients=addresses, to=[], envelope_to=[]))
    bodies = describe(it, MASK).bodies
    assert "and 25 more" in bodies["email"]
    assert "and 27 more" in bodies["https"]


# --- at the limits ----------------------------------------------------------------------------------------------------


def subject(text: str, *people: str) -> str | None:
    """A subject as it is published of a mail to these people."""
    it = masked(escalated(details=details(subject=text, to=[*people], envelope_to=[], client_recipients=[])))
    assert it.details is not None
    return it.details.subject


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
    whole = "." * (mask.MAX_TEXT - len(end)) + end
    assert whole[: -len(end)] + "a***@c.example" == subject(whole, end)
    assert "." * mask.MAX_TEXT == subject("." * mask.MAX_TEXT + end, end)


def test_each_list_is_searched_up_to_a_limit_of_its_own() -> None:
    items = mask.LIST_LIMIT // 100
    it = masked(
        escalated(
            details=details(),
            detection=detection(
                links=[{"href": "a" * 100}] * (items + 1), findings=[{"reason": "b" * 100}] * (items + 1)
            ),
        )
    )
    assert it.detection is not None
    assert (items, items) == (len(it.detection.links), len(it.detection.findings))


def test_list_just_within_its_limit_is_whole() -> None:
    items = mask.LIST_LIMIT // 100
    it = masked(escalated(details=details(), detection=detection(links=[{"href": "a" * 100}] * items)))
    assert it.detection is not None
    assert items == len(it.detection.links)


SENDER_IN_TO: dict[str, Record] = {
    "in the details": escalated(details=details(to=["pay@evil.example", "gareth@larkfield.example"])),
    "in the header": escalated(
        detection=detection(
            headers=[{"name": "From", "value": "pay@evil.example"}, {"name": "To", "value": "pay@evil.example"}]
        ),
        details=details(),
    ),
}


@pytest.mark.parametrize("record", SENDER_IN_TO.values(), ids=SENDER_IN_TO)
def test_sender_who_writes_his_address_into_to_is_not_masked(record: Record) -> None:
    text = everything_published(record)
    assert (True, True, False) == ("g***@larkfield" in text, "pay@evil.example" in text, "p***" in text)


def test_address_with_a_display_name_is_masked() -> None:
    named = ["Ann Lee <ann.lee@corp.example>"]
    text = everything_published(escalated(details=details(client_recipients=named, to=named, envelope_to=[])))
    assert (False, True) == ("ann.lee" in text, "a***@corp.example" in text)


def test_address_in_an_encoded_word_is_masked() -> None:
    """The decoded subject would show it otherwise."""
    subject = "=?utf-8?B?Z2FyZXRoQGxhcmtmaWVsZC5leGFtcGxl?="
    headers = [{"name": "Subject", "value": subject}]
    text = everything_published(escalated(detection=detection(headers=headers), details=details(subject=subject)))
    assert (False, False) == ("gareth" in text, "Z2FyZXRo" in text)


def test_address_is_masked_in_each_spelling_of_its_domain() -> None:
    record = escalated(
        details=details(to=["Ann@bücher.example"], subject="ann@bücher.example ann@xn--bcher-kva.example")
    )
    assert "a***@bücher.example a***@xn--bcher-kva.example" in describe(record, MASK).bodies["default"]
